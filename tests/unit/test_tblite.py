"""Labels from GFN1-xTB, in the environment tblite: the same ladder, gate and store."""

import numpy as np
import pytest
from ase.build import bulk
from labelling import LIMITS, Campaign, outcomes
from tblite.ase import TBLite
from thermoweave.labellers import Machine, tblite

SETTINGS = {
    "method": "GFN1-xTB",
    "accuracy": 1.0,
    "electronic_temperature": 300.0,
    "mixer_damping": 0.4,
    "max_iterations": 100,
}


@pytest.fixture
def campaign(tmp_path):
    return Campaign(tmp_path)


def salt():
    atoms = bulk("LiCl", "rocksalt", a=5.1, cubic=True)
    atoms.rattle(0.1, seed=1)
    atoms.info.update(concentration="x0.50", temperature="T900")
    return atoms


def label(campaign, structures=None, settings=SETTINGS, **changes):
    return campaign.label(structures or [salt()], settings=settings, labeller=tblite, **changes)


def test_a_label_has_tblite_s_numbers(campaign):
    (frame,), rows = label(campaign, needs_stress=True)
    atoms = salt()
    atoms.calc = TBLite(method="GFN1-xTB", verbosity=0, mixer_damping=0.4, max_iterations=100)
    assert frame.info["REF_energy"] == pytest.approx(atoms.get_potential_energy(), abs=1e-6)
    assert frame.arrays["REF_forces"] == pytest.approx(atoms.get_forces(), abs=1e-5)
    assert frame.info["REF_stress"] == pytest.approx(atoms.get_stress(), abs=1e-6)
    assert outcomes(rows) == [("as asked", "SUCCESS")]
    assert frame.info["labeller"].startswith("tblite 0.") and frame.info["labeller"].endswith("GFN1-xTB")


def test_forces_are_the_derivative_of_the_energy(campaign):
    step = np.zeros((8, 3))
    step[2, 1] = 0.005
    moved = [salt() for _ in range(3)]
    moved[1].positions += step
    moved[2].positions -= step
    (frame, plus, minus), _ = label(campaign, moved)
    slope = (minus.info["REF_energy"] - plus.info["REF_energy"]) / 0.01
    assert frame.arrays["REF_forces"][2, 1] == pytest.approx(slope, abs=2e-3)


def test_an_unconverged_scf_climbs_to_gentle_mixing(campaign):
    (frame,), rows = label(campaign, settings={**SETTINGS, "max_iterations": 2, "mixer_damping": 1.0})
    assert outcomes(rows)[0] == ("as asked", "UNCONVERGED") and "converge" in rows[0]["evidence"]
    assert outcomes(rows)[-1][0] == "gentle mixing"
    assert frame.info["REF_energy"] == pytest.approx(label(campaign, name="again")[0][0].info["REF_energy"], abs=1e-4)


def test_the_way_to_convergence_is_not_part_of_the_level():
    def level(**changes):
        return tblite.level({**SETTINGS, **changes}, Machine(), {"Li"})["settings"]

    assert level(max_iterations=7, mixer_damping=0.1) == level()
    assert len({level(), level(method="GFN2-xTB"), level(accuracy=0.1), level(electronic_temperature=400.0)}) == 4


def test_warm_electrons_are_another_level_and_say_so(campaign, monkeypatch):
    """A structure that converges with them only."""
    whole = tblite.calculate

    def calculate(atoms, settings, *arguments):
        cold = settings["electronic_temperature"] < 1000
        return whole(atoms, {**settings, "max_iterations": 1} if cold else settings, *arguments)

    monkeypatch.setattr(tblite, "calculate", calculate)
    assert label(campaign)[0] == []
    (frame,), rows = label(campaign, rungs=["warm electrons"], name="allowed")
    assert [row["rung"] for row in rows] == ["as asked", "gentle mixing", "warm electrons"]
    assert frame.info["changed"] == "warm electrons: electronic_temperature 1000.0"
    (again,), _ = label(campaign, settings={**SETTINGS, "electronic_temperature": 1000.0}, name="warm")
    assert again.info["label_id"] == frame.info["label_id"]


def test_the_same_gate_holds(campaign, monkeypatch):
    good = TBLite.get_property

    def damaged(self, name, *arguments, **options):
        value = good(self, name, *arguments, **options)
        return np.full_like(value, np.nan) if name == "forces" else value

    with monkeypatch.context() as patched:
        patched.setattr(TBLite, "get_property", damaged)
        frames, rows = label(campaign)
    assert not frames and {row["outcome"] for row in rows} == {"NO_FORCES"}
    frames, rows = label(campaign, limits={**LIMITS, "min_distance": 3.0}, name="close")
    assert not frames and rows[0]["outcome"] == "TOO_CLOSE"
    assert not list(campaign.store.folder.glob("*/*.extxyz"))


def test_atoms_almost_on_top_of_each_other_are_an_outcome(campaign):
    atoms = salt()
    atoms.positions[0] = atoms.positions[1] + [0.05, 0, 0]
    frames, rows = label(campaign, [atoms], limits={**LIMITS, "min_distance": 0.0})
    assert rows and (frames or rows[-1]["evidence"])
