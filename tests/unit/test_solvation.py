"""The shell of an ion: contacts against a count by hand, rates of known Markov processes, bounds, gaps, the figure."""

import csv
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import reduce_grid
import reduce_plot_solvation
import reduce_structure
import synthetic
from ase import Atoms
from scipy.linalg import expm
from thermoweave import reduced, solvation

STEP = 0.02  # ps
SPECIES = ["Li", "K", "Cl"]


def by_hand(inside, reach):
    """Exits and frames of contact (young, old) of one pair's series, from its contacts one by one."""
    low, high = reach, len(inside) - 1 - reach
    exits, frames = np.zeros(2), np.zeros(2)
    seen = np.flatnonzero(inside)
    for contact in np.split(seen, np.flatnonzero(np.diff(seen) > reach) + 1):
        if len(contact):
            times = np.arange(contact[0], contact[-1] + 1)
            counted = times[(times >= low) & (times <= high)]
            frames += np.sum(counted - contact[0] < reach), np.sum(counted - contact[0] >= reach)
            if low <= contact[-1] <= high:
                exits[int(contact[-1] - contact[0] >= reach)] += 1
    return exits, frames


def account(inside, group, n_groups, reach, n_blocks=20):
    """Exits and exposure (group, block, age) of series inside (frame, pair), as `solvation.follow` counts them."""
    contacts, block = solvation.Contacts(reach, len(inside)), np.arange(len(inside)) * n_blocks // len(inside)
    exits, exposure = np.zeros((2, n_groups, n_blocks, 2))
    for frame, row in enumerate(inside):
        found = contacts.advance(frame, np.flatnonzero(row))
        for age, frames in enumerate((found.young, found.old)):
            np.add.at(exposure[:, block[frame], age], group[found.pairs], frames * STEP)
        if len(found.left):
            np.add.at(exits[:, block[frame - reach]], (group[found.left], found.left_old.astype(int)), 1)
    return exits, exposure


@pytest.mark.parametrize("reach", [1, 4, 30])
def test_contacts_are_those_counted_by_hand(reach):
    rng = np.random.default_rng(1)
    inside = rng.uniform(size=(90, 50)) < np.linspace(0.02, 0.98, 50)
    inside[:, :10] = np.arange(90)[:, None] % 31 < np.arange(1, 31, 3)  # gaps of all lengths
    exits, exposure = account(inside, np.arange(50), 50, reach)
    for k in range(50):
        expected = by_hand(inside[:, k], reach)
        assert np.array_equal(exits[k].sum(axis=0), expected[0])
        assert np.allclose(exposure[k].sum(axis=0), expected[1] * STEP)


def markov(rng, rates, n_frames, n_pairs):
    """States (frame, pair) of a stationary Markov process with rates (1/ps) from row to column."""
    Q = np.array(rates, float)
    Q -= np.diag(Q.sum(axis=1))
    values, vectors = np.linalg.eig(Q.T)
    stationary = np.real(vectors[:, np.abs(values).argmin()])
    cumulative = expm(Q * STEP).cumsum(axis=1)
    state = rng.choice(len(Q), n_pairs, p=stationary / stationary.sum())
    states = np.empty((n_frames, n_pairs), np.int8)
    for frame in range(n_frames):
        states[frame] = state
        state = (rng.uniform(size=n_pairs)[:, None] > cumulative[state]).sum(axis=1)
    return states


def two_state(leave, enter, t):
    """Exit rate where excursions of up to t are part of the contact."""
    stay = np.exp(-enter * t)
    return leave * stay / (1 + leave / enter * (1 - stay * (1 + enter * t)))


PROCESSES = {  # rates of (in, out) or of (in, a short way out, away); the exit rate with t* = 1 ps
    "two states": ([[0, 0.4], [0.02, 0]], two_state(0.4, 0.02, 1.0)),
    "flicker": ([[0, 4.0, 0.4], [12.0, 0, 0], [0.02, 0, 0]], 0.4 * np.exp(-0.02) / (1 + 4.0 / 12.0)),
}


@pytest.mark.parametrize("n_replicas", [1, 3])
@pytest.mark.parametrize("process", PROCESSES)
def test_residence_times_of_known_processes(process, n_replicas):
    rates, truth = PROCESSES[process]
    n_seeds, n_pairs = 150, 80
    n_runs = n_seeds * n_replicas
    states = markov(np.random.default_rng(2), rates, 500, n_runs * n_pairs)
    reach = solvation.reach(1.0, STEP)
    exits, exposure = account(states == 0, np.repeat(np.arange(n_runs), n_pairs), n_runs, reach)
    shape = (n_seeds, n_replicas, 20, 2)
    found = [solvation.residence(*one) for one in zip(exits.reshape(shape), exposure.reshape(shape), strict=True)]
    n_young, n_old = exits.sum(axis=(0, 1))
    young, old = n_young / exposure[..., solvation.YOUNG].sum(), n_old / exposure[..., solvation.OLD].sum()
    assert abs(old / truth - 1) < 3 / np.sqrt(n_old)
    assert young / old == pytest.approx(1, abs=0.25)  # one constant rate
    time, std = (np.array([getattr(one, name) for one in found]) for name in ("time", "time_std"))
    inside = [one.lower < 1 / truth < one.upper for one in found]
    assert 0.6 < np.mean(np.abs(np.log(time * truth)) < std / time) < 0.85
    assert 0.92 < np.mean(inside) <= 0.995
    assert np.mean(std / time) < 1.3 * np.log(time).std()


def test_no_exit_is_a_bound_that_holds():
    bounds, n_pairs = [], 8
    states = markov(np.random.default_rng(3), [[0, 0.05], [0.05, 0]], 300, 300 * n_pairs)
    exits, exposure = account(states == 0, np.repeat(np.arange(300), n_pairs), 300, 1)
    for one in zip(exits[:, None], exposure[:, None], strict=True):
        found = solvation.residence(*one)
        if found.exits:
            assert np.isnan(found.bound) and found.lower < found.time < found.upper
        else:
            assert np.isnan([found.time, found.time_std, found.lower, found.upper]).all()
            assert found.reason == (
                f"no exit in {found.exposure:.0f} ps of contact: it lasts longer than {found.bound:.3g} ps (95 %)"
            )
            bounds.append(found.bound)
    assert len(bounds) > 50
    assert np.sum(np.array(bounds) > 20) <= 0.05 * 300
    assert solvation.residence(np.zeros((1, 20, 2)), np.zeros((1, 20, 2))).reason.startswith("no contact lasts as long")


def melt(folder, name, n_frames=200, noise=0.3, sizes=(11.28, 11.4)):
    """Li, K and Cl on a lattice of rock salt, LiCl and KCl in layers, that vibrate; one replica for each cell size."""
    rng, paths, verdicts = np.random.default_rng(4), [], []
    sites = np.array([(i, j, k) for i in range(4) for j in range(4) for k in range(4)])
    symbols = np.where(sites.sum(axis=1) % 2, "Cl", np.where(sites[:, 2] < 2, "Li", "K"))
    for k, size in enumerate(sizes):
        x = (sites + 2) * size / 4 + noise * rng.normal(size=(n_frames, 64, 3))
        path = folder / f"{name}_replica{k}.nc"
        atoms = Atoms(symbols, cell=[size] * 3, pbc=True)
        synthetic.write_trajectory(path, atoms, STEP * np.arange(1, n_frames + 1), x, rng.normal(size=x.shape))
        path.with_suffix(".json").write_text(json.dumps({"passed": True, "reason": ""}))
        paths.append(path)
        verdicts.append(path.with_suffix(".json"))
    return paths, verdicts


def reduce(files, output, temperature="900", memory_MB=100.0, around=None):
    around = around or {"centre": "Li", "tolerance_ps": 0.1}
    reduce_structure.reduce_structure(*files, output, "0.5", temperature, SPECIES, memory_MB, 0.1, 20.0, around)
    return reduced.load(output)


def test_the_shell_of_a_crystal(tmp_path):
    found = reduce(melt(tmp_path, "cold", noise=0.2), tmp_path / "structure.nc")
    chloride = found.sel(neighbour="Cl")
    assert float(chloride["shell_number"]) == pytest.approx(6, abs=0.01)
    assert float(chloride["shell_probability"].sel(n=6)) > 0.99
    assert float(chloride["shell_probability"].sum()) == pytest.approx(1)
    assert np.isnan(chloride["shell_probability_std"].sel(n=0))  # never seen
    assert float(chloride["shell_number"]) == pytest.approx(float(found["coordination"].sel(pair="Li-Cl")), abs=0.02)
    assert float(chloride["exposure"]) == pytest.approx(2 * 16 * 6 * 188 * STEP, rel=0.01)
    assert np.isnan(chloride["residence_time"]) and chloride["exits"] == 0
    assert float(chloride["residence_time_bound"]) == pytest.approx(float(chloride["exposure"]) / np.log(20))
    like = float(found["shell_number"].sel(neighbour="Li"))
    assert like == pytest.approx(float(found["coordination"].sel(pair="Li-Li")), abs=0.05)


def test_numbers_do_not_depend_on_the_memory(tmp_path):
    files = melt(tmp_path, "hot", noise=0.5)
    all_at_once = reduce(files, tmp_path / "a.nc")
    few_frames = reduce(files, tmp_path / "b.nc", memory_MB=1.0)
    assert all_at_once.drop_vars("reason").identical(few_frames.drop_vars("reason"))
    other_order = reduce(tuple(x[::-1] for x in files), tmp_path / "c.nc")
    for name in ("shell_number", "shell_number_std", "residence_time", "rdf_std", "coordination"):
        assert np.allclose(all_at_once[name], other_order[name], equal_nan=True), name


def test_bad_settings_and_runs_that_are_too_short(tmp_path):
    files = melt(tmp_path, "short", n_frames=50)
    with pytest.raises(ValueError, match=r"solvation.centre Na: not a species of this system; one of \['Li', 'K'"):
        reduce(files, tmp_path / "no.nc", around={"centre": "Na", "tolerance_ps": 1.0})
    found = reduce(files, tmp_path / "short.nc", around={"centre": "Li", "tolerance_ps": 0.5}).sel(neighbour="Cl")
    assert np.isfinite(found["shell_number"]) and np.isnan(found["residence_time_bound"])
    assert found["shell_reason"].item() == "1 ps of run: no more than twice solvation.tolerance_ps"
    nothing = reduce(files, tmp_path / "none.nc", around="none")
    assert set(nothing["shell_reason"].values) == {"no solvation.centre in the config"}
    assert nothing["shell_number"].isnull().all() and set(nothing.variables) == set(found.variables)


def test_a_single_frame_pair_and_every_variable_has_its_words(tmp_path):
    found = reduce(melt(tmp_path, "two", n_frames=2), tmp_path / "two.nc")
    assert "2 frames are too few for an error" in found["reason"].sel(pair="Li-Cl").item()
    for name, variable in found.variables.items():
        assert variable.attrs.get("long_name"), name
        assert variable.dtype.kind in "UOT" or variable.attrs.get("units"), name
        if "ancillary_variables" in variable.attrs:
            assert variable.attrs["ancillary_variables"] in found, name


def test_the_figure_shows_times_bounds_and_gaps(tmp_path):
    paths = []
    for temperature, noise in (("900", 0.2), ("1e3", 0.5)):
        files = melt(tmp_path, temperature, noise=noise)
        reduce(files, tmp_path / f"{temperature}.nc", temperature)
        paths.append(tmp_path / f"{temperature}.nc")
    files[1][0].write_text(json.dumps({"passed": False, "reason": "Li-Cl at 0.40 A"}))
    files[1][1].write_text(json.dumps({"passed": False, "reason": "Li-Cl at 0.40 A"}))
    reduce(files, tmp_path / "gap.nc", "1100")
    reduced.save(reduce_grid.combine([*paths, tmp_path / "gap.nc"]), tmp_path / "structure.nc")
    reduce_plot_solvation.plot_solvation(tmp_path / "structure.nc", tmp_path / "solvation.svg")
    text = ET.fromstring((tmp_path / "solvation.svg").read_text(encoding="utf-8")).itertext()
    words = " ".join(" ".join(text).split())  # as if nothing were wrapped
    assert "x = 0.5, 1100 K: replica 0: Li-Cl at 0.40 A; replica 1: Li-Cl at 0.40 A" in words
    assert "x = 0.5, 900 K, Cl: no exit in" in words
    with open(tmp_path / "solvation.csv", newline="", encoding="utf-8") as file:
        rows = {(row["temperature"], row["neighbour"]): row for row in csv.DictReader(file)}
    assert len(rows) == 9
    assert rows["900", "Cl"]["residence_time_ps"] == "" and float(rows["900", "Cl"]["residence_time_bound_ps"]) > 1
    assert float(rows["1e3", "Cl"]["residence_time_ps"]) > 0
