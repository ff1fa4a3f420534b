"""The table of rungs: what is tried after what, with which settings, and how a wrong row is refused."""

import pytest
from labelling import LADDER, SETTINGS
from thermoweave import ladder
from thermoweave.labellers import adapter, available, pwscf
from thermoweave.ladder import Rung

PHYSICS = ["slight smearing"]


def pw_rungs(allowed=()):
    return ladder.read(LADDER, "pwscf", pwscf.NUMERICS, list(allowed))


def path_after(outcome: str, rungs, chosen=None) -> list[str]:
    """Names of the rungs that a structure comes to when every attempt ends with `outcome`."""
    names = [rungs[0].name]
    while rung := ladder.following(rungs, names[-1], outcome, SETTINGS, chosen or {"nbnd": 10, "npool": 4}):
        names.append(rung.name)
    return names


def write(path, *rows: str):
    path.write_text("pwscf = [\n" + ",\n".join(rows) + "\n]\n")
    return path


@pytest.mark.parametrize("labeller", available())
def test_the_shipped_table_has_no_fault(labeller):
    module = adapter(labeller)
    keys = module.RUNG_KEYS | {"ecutwfc", "kpoints"}
    assert ladder.faults(LADDER, labeller, keys, [], module.NUMERICS) == []


def test_an_unconverged_scf_climbs_from_unchanged_to_random_start():
    assert path_after("UNCONVERGED", pw_rungs()) == [
        "as asked", "repeated", "gentle mixing", "local mixing", "paro", "conjugate gradient", "random start",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "names"),
    [
        ("TOP_BAND_OCCUPIED", ["more bands", "many more bands"]),
        ("OUT_OF_MEMORY", ["fewer pools", "one pool"]),
        ("NO_FORCES", ["repeated"]),
        ("BAD_INPUT", []),
        ("NOT_STARTED", []),
        ("WRONG_SETTINGS", []),
        ("OUT_OF_TIME", []),
        ("DISK_FULL", []),
    ],
)
def test_each_fault_has_its_own_rungs(outcome, names):
    assert path_after(outcome, pw_rungs(PHYSICS))[1:] == names


def test_rungs_that_change_the_physics_are_there_only_if_allowed():
    assert not {rung.name for rung in pw_rungs()} & set(PHYSICS)
    assert path_after("UNCONVERGED", pw_rungs(PHYSICS))[-1] == "slight smearing"
    assert [rung.name for rung in pw_rungs(PHYSICS) if rung.changes_physics] == PHYSICS
    expected = {"occupations": "smearing", "smearing": "gaussian", "degauss": 0.002}
    assert pw_rungs(PHYSICS)[-1].physics(SETTINGS, pwscf.NUMERICS) == expected


def test_no_rung_can_change_the_cutoff(tmp_path):
    """Energies of two cutoffs in one training set are off by tenths of an eV an atom, and nothing would tell."""
    table = write(tmp_path / "ladder.toml", *GOOD, '{rung = "b", after = ["STOPPED"], ecutwfc = "x1.3"}')
    (fault,) = ladder.faults(table, "pwscf", pwscf.RUNG_KEYS, [], pwscf.NUMERICS)
    assert "b: unknown setting ecutwfc" in fault


def test_numbers_replace_and_factors_multiply():
    rung = Rung("mixed", changes={"mixing_beta": "x0.5", "electron_maxstep": "x2.5", "diagonalization": "cg"})
    settings = rung.applied(SETTINGS, {})
    assert settings == {**SETTINGS, "mixing_beta": 0.35, "electron_maxstep": 250, "diagonalization": "cg"}
    assert isinstance(settings["electron_maxstep"], int)


@pytest.mark.parametrize(("n", "factor", "expected"), [(9, "x1.3", 12), (1, "x0.5", 1), (4, "x0.5", 2)])
def test_whole_numbers_stay_whole_and_positive(n, factor, expected):
    settings = Rung("", changes={"nbnd": factor}).applied({}, {"nbnd": n})
    assert settings == {"nbnd": expected} and isinstance(settings["nbnd"], int)


def test_what_the_config_sets_comes_before_what_the_program_chose():
    assert Rung("", changes={"nbnd": "x2"}).applied({"nbnd": 5}, {"nbnd": 9}) == {"nbnd": 10}


@pytest.mark.parametrize("chosen", [{"npool": 1, "nbnd": 4}, {"npool": 1, "nbnd": None}])
def test_a_rung_that_changes_nothing_is_passed_over(chosen):
    assert path_after("OUT_OF_MEMORY", pw_rungs(), chosen) == ["as asked"]


def test_a_rung_of_an_unknown_number_is_passed_over():
    assert path_after("TOP_BAND_OCCUPIED", pw_rungs(), {"npool": 1, "nbnd": None}) == ["as asked"]


GOOD = '{rung = "as asked"}', '{rung = "repeated", after = ["STOPPED"]}'


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (['{rung = "a", nbnd = 4}'], "a: the first rung takes the settings as they are"),
        (['{rung = "a", after = ["STOPPED"]}'], "a: the first rung takes the settings as they are"),
        ([*GOOD, '{rung = "b", after = ["UNCONVERGD"]}'], "b: after: unknown outcome UNCONVERGD (did you mean UNCONV"),
        (
            [*GOOD, '{rung = "b", after = ["STOPPED"], mixing_bta = 0.1}'],
            "unknown setting mixing_bta (did you mean mix",
        ),
        ([*GOOD, '{rung = "repeated", after = ["STOPPED"]}'], "two rungs are called repeated"),
        ([*GOOD, '{rung = "b"}'], "b: after: name the outcomes"),
        ([*GOOD, '{rung = "b", after = []}'], "b: after: name the outcomes"),
        ([*GOOD, '{rung = "b", after = "STOPPED"}'], "b: after: name the outcomes"),
        ([*GOOD, '{after = ["STOPPED"]}'], "expected a list of rows, each with rung: NAME"),
        ([], "expected a list of rows"),
        (["3"], "expected a list of rows"),
        ([*GOOD, '{rung = "b", after = ["STOPPED"], mixing_beta = "x0.6.1"}'], "b: mixing_beta"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, rows, said):
    (fault,) = ladder.faults(
        write(tmp_path / "ladder.toml", *rows), "pwscf", pwscf.RUNG_KEYS | SETTINGS.keys(), [], pwscf.NUMERICS
    )
    assert said in fault and "ladder.toml" in fault and "pwscf" in fault


def test_a_file_that_is_no_toml_is_named(tmp_path):
    (tmp_path / "ladder.toml").write_text("pwscf = [{rung = ")
    (fault,) = ladder.faults(tmp_path / "ladder.toml", "pwscf", set(), [], set())
    assert "ladder.toml: not readable" in fault
    (fault,) = ladder.faults(tmp_path / "gone.toml", "pwscf", set(), [], set())
    assert "gone.toml: not readable" in fault
    (fault,) = ladder.faults(write(tmp_path / "ladder.toml", *GOOD), "tblite", set(), [], set())
    assert "tblite: expected a list of rows" in fault


@pytest.mark.parametrize("name", ["slight smearin", "paro"])
def test_only_a_rung_that_changes_the_physics_can_be_allowed(name):
    keys = pwscf.RUNG_KEYS | SETTINGS.keys()
    (fault,) = ladder.faults(LADDER, "pwscf", keys, [name, "slight smearing"], pwscf.NUMERICS)
    assert fault.startswith(f"label.allowed_rungs: {name}:") and "there are slight smearing" in fault


def test_all_faults_of_a_table_come_at_once(tmp_path):
    table = write(tmp_path / "ladder.toml", *GOOD, '{rung = "b", after = ["NOWHERE"], mixing_bta = 1}')
    assert len(ladder.faults(table, "pwscf", pwscf.RUNG_KEYS, ["c"], pwscf.NUMERICS)) == 3
