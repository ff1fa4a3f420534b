"""Labellers by the same door: one is found by the section of the config, and any ASE calculator is one."""

import time

import pytest
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from labelling import LIMITS, Campaign, outcomes
from thermoweave import labellers
from thermoweave.attempts import MachineFault
from thermoweave.labellers import ase as any_ase

ARGON = {"sigma": 3.4, "epsilon": 0.0104, "rc": 8.5, "smooth": True}
LJ = {"calculator": "ase.calculators.lj.LennardJones", "arguments": ARGON, "environment": "workflow"}
TEACHER = '''
import errno
from ase.calculators.lj import LennardJones
class Picky(LennardJones):
    """One that fails as told."""
    def __init__(self, fails=(), **arguments):
        super().__init__(**arguments)
        self.fails = list(fails)
    def calculate(self, *arguments):
        super().calculate(*arguments)
        kind = self.fails.pop(0) if self.fails else None
        self.converged = kind != "unconverged"
        if kind == "nan":
            self.results["forces"][0, 0] = float("nan")
        if kind == "net":
            self.results["forces"] = self.results["forces"] + 0.1
        if kind == "no stress":
            del self.results["stress"]
        if kind == "raises":
            raise RuntimeError("no such element\\n in my table")
        if kind == "scf":
            raise RuntimeError("SCF failed to converge")
        if kind == "disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        if kind == "memory":
            raise MemoryError("32 GiB")
'''


@pytest.fixture
def campaign(tmp_path):
    return Campaign(tmp_path)


@pytest.fixture
def picky(tmp_path, monkeypatch):
    """Settings of a calculator that fails as told, in a module of its own for each test."""
    name = f"teacher{time.monotonic_ns()}"
    (tmp_path / f"{name}.py").write_text(TEACHER)
    monkeypatch.syspath_prepend(tmp_path)
    return lambda *fails: {**LJ, "calculator": f"{name}.Picky", "arguments": {**ARGON, "fails": list(fails)}}


def argon(seed: int = 1):
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True)
    atoms.rattle(0.2, seed=seed)
    atoms.info.update(concentration="x0.50", temperature="T90")
    return atoms


def label(campaign, settings=LJ, structures=None, **changes):
    return campaign.label(structures or [argon()], settings=settings, labeller=any_ase, **changes)


def test_labellers_are_found_by_file_name():
    assert labellers.available() == ["ase", "pwscf", "tblite"]
    for name in labellers.available():
        module = labellers.adapter(name)
        assert module.NUMERICS and callable(module.faults) and callable(module.level) and callable(module.calculate)
    with pytest.raises(ValueError, match="no labeller 'pwsf'; .*did you mean 'pwscf'"):
        labellers.adapter("pwsf")


@pytest.mark.parametrize("given", [{}, {"pwscf": {}, "tblite": {}}])
def test_exactly_one_labeller_is_taken(given):
    with pytest.raises(ValueError, match="takes the settings of one of ase, pwscf, tblite"):
        labellers.of({"batch": 4, **given})
    assert labellers.of({"batch": 4, "tblite": {}}) == "tblite"


def test_any_calculator_labels(campaign):
    (frame,), rows = label(campaign, needs_stress=True)
    atoms = argon()
    atoms.calc = LennardJones(**ARGON)
    assert frame.info["REF_energy"] == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    assert frame.arrays["REF_forces"] == pytest.approx(atoms.get_forces(), abs=1e-8)
    assert frame.info["REF_stress"] == pytest.approx(atoms.get_stress(), abs=1e-9)
    assert frame.info["labeller"].startswith("ase.calculators.lj.LennardJones 3.") and frame.calc is None
    assert outcomes(rows) == [("as asked", "SUCCESS")] and rows[0]["program"] == frame.info["labeller"]


def test_another_structure_has_its_own_numbers(campaign):
    """One calculator serves the whole batch."""
    frames, _ = label(campaign, structures=[argon(1), argon(2), argon(1)])
    assert frames[0] != frames[1] and frames[0].info["REF_energy"] != frames[1].info["REF_energy"]
    emt = {"calculator": "ase.calculators.emt.EMT", "arguments": {}, "environment": "workflow"}
    copper = bulk("Cu", cubic=True)
    copper.rattle(0.1, seed=3)
    (frame,), _ = label(campaign, emt, [copper], name="copper")
    copper.calc = EMT()
    assert frame.arrays["REF_forces"] == pytest.approx(copper.get_forces(), abs=1e-8)


def test_other_arguments_are_another_level(tmp_path):
    def level(**arguments):
        return any_ase.level({**LJ, "arguments": {**ARGON, **arguments}}, labellers.Machine(), {"Ar"})["settings"]

    assert level() == level(**ARGON) and level() != level(epsilon=0.0105)
    elsewhere = any_ase.level({**LJ, "environment": "analysis"}, labellers.Machine(), {"Ar"})
    assert elsewhere["settings"] == level(), "where it runs does not matter"


def test_another_version_of_the_calculator_is_another_level(monkeypatch):
    before = any_ase.level(LJ, labellers.Machine(), {"Ar"})
    monkeypatch.setattr(any_ase, "version", lambda package: f"{package} 99")
    assert any_ase.level(LJ, labellers.Machine(), {"Ar"}) != before


def test_the_content_of_a_file_among_the_arguments_is_part_of_the_level(tmp_path, picky):
    settings = picky()
    settings["arguments"]["fails"] = str(tmp_path / "model")
    (tmp_path / "model").write_text("weights")
    before = any_ase.level(settings, labellers.Machine(), {"Ar"})
    (tmp_path / "model").write_text("other weights")
    assert any_ase.level(settings, labellers.Machine(), {"Ar"}) != before


@pytest.mark.parametrize(
    ("calculator", "said"),
    [
        ("ase.calculators.lj.LenardJones", "LenardJones"),
        ("ase.calculators.nothing.Here", "No module named 'ase.calculators.nothing'"),
        ("not_installed.Teacher", "No module named 'not_installed'"),
    ],
)
def test_a_wrong_import_path_stops_the_job_with_a_sentence(campaign, calculator, said):
    with pytest.raises(ImportError, match=f"label.ase.calculator: {calculator}: .*{said}.*label.ase.environment"):
        label(campaign, {**LJ, "calculator": calculator})
    assert not list(campaign.folder.glob("batch0*"))


def test_wrong_arguments_stop_the_job_with_a_sentence(campaign):
    settings = {**LJ, "calculator": "ase.calculators.singlepoint.SinglePointCalculator", "arguments": {}}
    with pytest.raises(
        TypeError, match="label.ase.arguments: ase.calculators.singlepoint.* does not take them: .*atoms"
    ):
        label(campaign, settings)


@pytest.mark.parametrize("calculator", ["LennardJones", "ase/calculators/lj.py", "a b.c", ""])
def test_what_is_no_import_path_is_seen_before_any_job(calculator):
    (fault,) = any_ase.faults({**LJ, "calculator": calculator}, {"Ar"}, None)
    assert fault.startswith("label.ase.calculator:") and "is no import path" in fault
    assert any_ase.faults(LJ, {"Ar"}, None) == []


@pytest.mark.parametrize(
    ("fails", "outcome", "evidence"),
    [
        ("raises", "PROGRAM_ERROR", "RuntimeError: no such element in my table"),
        ("scf", "UNCONVERGED", "RuntimeError: SCF failed to converge"),
        ("unconverged", "UNCONVERGED", "says that it did not converge"),
    ],
)
def test_a_calculator_that_fails_is_repeated(campaign, picky, fails, outcome, evidence):
    (frame,), rows = label(campaign, picky(fails))
    assert outcomes(rows) == [("as asked", outcome), ("repeated", "SUCCESS")] and evidence in rows[0]["evidence"]
    assert frame.info["REF_energy"] == label(campaign, name="again")[0][0].info["REF_energy"]


@pytest.mark.parametrize(("fails", "outcome"), [("nan", "NO_FORCES"), ("net", "NET_FORCE")])
def test_the_same_gate_holds(campaign, picky, fails, outcome):
    frames, rows = label(campaign, picky(fails))
    assert not frames and outcomes(rows) == [("as asked", outcome)]


def test_atoms_too_close_never_reach_the_calculator(campaign):
    frames, rows = label(campaign, limits={**LIMITS, "min_distance": 4.0})
    assert not frames and rows[0]["outcome"] == "TOO_CLOSE"


@pytest.mark.parametrize(("fails", "outcome"), [("disk", "DISK_FULL"), ("memory", "OUT_OF_MEMORY")])
def test_what_the_machine_lacks_rejects_no_structure(campaign, picky, fails, outcome):
    with pytest.raises(MachineFault, match=outcome):
        label(campaign, picky(*[fails] * 4))
    frames, _ = label(campaign, picky())
    assert len(frames) == 1


def test_a_calculator_without_stress_says_so(campaign, picky):
    frames, rows = label(campaign, picky(*["no stress"] * 4), needs_stress=True)
    assert not frames and "PropertyNotImplementedError: stress" in rows[-1]["evidence"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ('Calculator "vasp" failed with command "srun vasp_std" error: 127', "NOT_STARTED"),
        ("RuntimeError: CUDA out of memory. Tried to allocate 2 GiB", "OUT_OF_MEMORY"),
        ("the cell is singular", "PROGRAM_ERROR"),
    ],
)
def test_what_a_calculator_says_tells_the_machine_from_the_structure(tmp_path, said, outcome):
    class Fails(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, *arguments):
            raise RuntimeError(said)

    assert any_ase.evaluate(bulk("Cu"), Fails(), tmp_path, False, "a program").fault.outcome == outcome
