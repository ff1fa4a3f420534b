"""Radial distribution functions: known g(r), coverage of bands, memory, bad input; density of a condition."""

import json

import numpy as np
import pytest
import synthetic
from ase import Atoms
from ase.build import bulk
from ase.geometry import cellpar_to_cell
from thermoweave import conditions, structure, structure_dataset
from thermoweave.replica import Replica

CELLS = {"cubic": [10, 10, 10, 90, 90, 90], "triclinic": [10, 12, 11, 70, 80, 100]}


def write(path, symbols, cellpar, positions):
    """A replica on disk, (frame, atom, 3) in Angstrom, every 10 fs."""
    atoms = Atoms(symbols, cell=cellpar, pbc=True)
    v = np.random.default_rng(1).normal(size=positions.shape)
    synthetic.write_trajectory(path, atoms, 0.01 * np.arange(1, len(positions) + 1), positions, v)
    return path


def gas(rng, path, cellpar, symbols, n_frames, step=None):
    """An ideal gas: new positions in each frame, or a random walk with steps of `step` Angstrom."""
    n_atoms, cell = len(Atoms(symbols)), cellpar_to_cell(cellpar)
    if step is None:
        positions = rng.uniform(size=(n_frames, n_atoms, 3)) @ cell
    else:
        walk = step * rng.normal(size=(n_frames, n_atoms, 3))
        positions = rng.uniform(size=(n_atoms, 3)) @ cell + walk.cumsum(axis=0)
    return Replica(write(path, symbols, cellpar, positions), 100)


def distribution(replicas, a, b, species, edges):
    """g(r) of one pair, species (a, b) with their numbers of atoms."""
    blocks = np.array([structure.block_counts(replica, species, edges) for replica in replicas])
    pair = [f"{x}-{y}" for k, x in enumerate(species) for y in species[k:]].index(f"{a}-{b}")
    partners = len(replicas[0].members(b)) - (a == b)
    ideal = partners / replicas[0].volume * 4 / 3 * np.pi * np.diff(edges**3)
    return structure.pair_distribution(blocks[:, :, pair], np.tile(ideal, (len(replicas), 1)), edges)


@pytest.mark.parametrize("step", [None, 0.25], ids=["independent", "slow"])
@pytest.mark.parametrize("cellpar", CELLS.values(), ids=CELLS.keys())
def test_an_ideal_gas_has_g_of_one_within_its_band(tmp_path, cellpar, step):
    rng, z = np.random.default_rng(1), []
    for _ in range(4):
        replicas = [gas(rng, tmp_path / f"replica{k}.nc", cellpar, "Li10Cl20", 400, step) for k in (0, 1)]
        edges = structure.bins(replicas, 0.5, 20.0)
        for a, b in (("Li", "Cl"), ("Cl", "Cl")):
            found = distribution(replicas, a, b, ["Li", "Cl"], edges)
            z.append(((found.g - 1) / found.g_std)[edges[1:] > 1.5])  # enough pairs in a bin for Gaussian statistics
    z = np.concatenate(z)
    assert np.isfinite(z).all()
    assert abs(z.mean()) < 0.4
    assert 0.55 < np.mean(np.abs(z) < 1) < 0.85
    assert np.mean(np.abs(z) < 1.96) > 0.88


@pytest.mark.parametrize("n_replicas", [1, 3])
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_coverage_of_bands_from_correlated_blocks(rho, n_replicas):
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(n_replicas, 20, 400, 12))
    blocks = noise.copy()
    for k in range(1, 20):
        blocks[:, k] = rho * blocks[:, k - 1] + np.sqrt(1 - rho**2) * noise[:, k]
    mean, std, _ = structure.band(blocks, 12)
    z = mean / std
    assert np.isnan(z).mean() < 0.06
    z = z[np.isfinite(z)]
    assert 0.64 < np.mean(np.abs(z) < 1) < 0.78
    assert 0.92 < np.mean(np.abs(z) < 1.96) < 0.98
    assert np.nanmean(std) < 1.3 * mean.std()


def liquid(rng, n_replicas):
    """Neighbours in blocks with Poisson noise around those of a molten salt's g(r); edges, ideal gas, blocks, mean."""
    edges = np.arange(66) * 0.1
    r = (edges[1:] + edges[:-1]) / 2
    peak = 2.9 * np.exp(-(((r - 2.35) / np.where(r < 2.35, 0.28, 0.5)) ** 2))
    g = peak + (1 + 0.3 * np.exp(-(((r - 5.2) / 0.5) ** 2))) / (1 + np.exp(-(r - 4.6) / 0.25))
    g += 0.25 * np.exp(-(((r - 3.8) / 0.6) ** 2))
    ideal = 0.035 * np.diff(edges**3)
    return edges, ideal, rng.poisson(500 * g * ideal, size=(n_replicas, 20, 65)) / 500, g * ideal


@pytest.mark.parametrize("n_replicas", [1, 3])
def test_coverage_of_the_coordination_number(n_replicas):
    rng, z = np.random.default_rng(3), []
    for _ in range(150):
        edges, ideal, blocks, mean = liquid(rng, n_replicas)
        found = structure.pair_distribution(blocks, np.tile(ideal, (n_replicas, 1)), edges)
        peak, minimum, shell = structure.first_shell(edges, mean, ideal)
        z.append(
            (
                (found.first_peak - peak) / found.first_peak_std,
                (found.first_minimum - minimum) / found.first_minimum_std,
                (found.first_shell - shell) / found.first_shell_std,
            )
        )
    assert np.all(np.mean(np.abs(z) < 1, axis=0) > 0.57)
    assert np.all(np.mean(np.abs(z) < 1.96, axis=0) > 0.9)
    assert np.mean(np.abs(z), axis=0)[2] > 0.5  # nor much too wide


def test_replicas_that_disagree_widen_the_band():
    edges, ideal, blocks, _ = liquid(np.random.default_rng(4), 3)
    ideal = np.tile(ideal, (3, 1))
    agree = structure.pair_distribution(blocks, ideal, edges)
    apart = structure.pair_distribution(blocks * np.array([0.8, 1.0, 1.2])[:, None, None], ideal, edges)
    assert apart.first_shell_std > 3 * agree.first_shell_std
    assert apart.g_std[25] > 2 * agree.g_std[25]


def test_counts_are_those_of_all_pairs_and_independent_of_the_memory(tmp_path):
    rng, cellpar = np.random.default_rng(5), CELLS["triclinic"]
    cell = cellpar_to_cell(cellpar)
    positions = rng.uniform(-2, 3, size=(40, 24, 3)) @ cell  # unwrapped
    path = write(tmp_path / "replica1.nc", "Li6K8Cl10", cellpar, positions)
    edges = structure.bins([Replica(path, 100)], 0.3, 20.0)
    assert edges[-1] <= Replica(path, 100).width / 2 < edges[-1] + 0.3
    counts = structure.block_counts(Replica(path, 100), ["Cl", "Li"], edges)  # nobody asked for K
    assert np.array_equal(counts, structure.block_counts(Replica(path, 0.1), ["Cl", "Li"], edges))
    Li, Cl = np.arange(6), np.arange(14, 24)
    for pair, (a, b) in enumerate(((Cl, Cl), (Cl, Li), (Li, Li))):
        fractional = (positions[:, a, None] - positions[:, None, b]) @ np.linalg.inv(cell)
        distance = np.linalg.norm((fractional - fractional.round()) @ cell, axis=-1)
        expected = np.histogram(distance[distance > 0], edges)[0] / (40 * len(a))
        assert np.allclose(counts[:, pair].mean(axis=0), expected)


def test_more_pairs_than_memory_is_an_error_with_a_way_out(tmp_path):
    replica = gas(np.random.default_rng(6), tmp_path / "replica1.nc", [40, 40, 40, 90, 90, 90], "Cl4000", 2)
    replica.memory = 1e8
    with pytest.raises(ValueError, match=r"4000 atoms within 20.0 A take 628 MB; set rdf_max_A to 10.8 or less"):
        structure.block_counts(replica, ["Cl"], structure.bins([replica], 0.1, 30.0))
    assert structure.block_counts(replica, ["Cl"], structure.bins([replica], 0.1, 10.0)).shape == (2, 1, 100)


def test_rock_salt_has_six_neighbours(tmp_path):
    rng = np.random.default_rng(2)
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat(2)
    positions = atoms.positions + 0.15 * rng.normal(size=(60, 64, 3)) + 3 * atoms.cell[0]  # in another image
    path = write(tmp_path / "replica1.nc", atoms.symbols, atoms.cell.cellpar(), positions)
    edges = structure.bins([Replica(path, 100)], 0.05, 20.0)
    unlike = distribution([Replica(path, 100)], "Na", "Cl", ["Na", "Cl"], edges)
    assert unlike.first_peak == pytest.approx(2.82, abs=0.06)
    assert unlike.first_shell == pytest.approx(6, abs=0.01)
    assert unlike.first_shell_std < 0.02
    assert unlike.reason == ""
    like = distribution([Replica(path, 100)], "Na", "Na", ["Na", "Cl"], edges)
    assert like.first_peak == pytest.approx(5.64 / np.sqrt(2), abs=0.06)
    assert like.first_shell == pytest.approx(12, abs=0.02)


def test_no_minimum_no_coordination_number():
    blocks = np.random.default_rng(3).poisson(100, size=(2, 20, 20)) / 100
    found = structure.pair_distribution(blocks, np.ones((2, 20)), np.arange(21) * 0.2)
    assert np.isnan([found.first_shell, found.first_shell_std, found.first_minimum]).all()
    assert found.reason.startswith("no certain first minimum of g(r) within 4.00 A: take a larger cell")


def test_no_error_where_blocks_are_few_or_slow():
    edges, ideal, blocks, _ = liquid(np.random.default_rng(7), 1)
    few = structure.pair_distribution(blocks[:, :5], ideal[None], edges)
    assert np.isfinite(few.first_shell) and np.isnan(few.first_shell_std) and np.isnan(few.g_std).all()
    assert few.reason == "5 frames are too few for an error: 8 are needed"
    drifting = blocks * np.linspace(0.5, 1.5, 20)[:, None]
    slow = structure.pair_distribution(drifting, ideal[None], edges)
    assert np.isfinite(slow.first_shell) and np.isnan(slow.first_shell_std)
    assert "as slowly as the run is long" in slow.reason


def condition_of(folder, sizes, failed=(), symbols="Li1K8Cl9"):
    """A condition of an ideal gas; one replica for each size of the cell."""
    rng, paths, verdicts = np.random.default_rng(8), [], []
    for k, size in enumerate(sizes):
        gas(rng, folder / f"replica{k}.nc", [size] * 3 + [90] * 3, symbols, 40)
        verdict = {"passed": k not in failed, "reason": "it blew up" if k in failed else ""}
        (folder / f"replica{k}.json").write_text(json.dumps(verdict))
        paths.append(folder / f"replica{k}.nc")
        verdicts.append(folder / f"replica{k}.json")
    return conditions.read(paths, verdicts, "0.5", "900", 100)


def reduce(condition):
    return structure_dataset.structure_dataset(condition, ["Li", "Na", "K", "Cl"], 0.2, 20.0, "none")


def test_density_has_an_error_where_the_cells_differ(tmp_path):
    found = reduce(condition_of(tmp_path, [10.0, 10.2, 10.4]))
    mass = 6.94 + 8 * 39.0983 + 9 * 35.45
    each = mass * 1.66053907 / np.array([10.0, 10.2, 10.4]) ** 3
    assert float(found["density"]) == pytest.approx(each.mean(), rel=1e-4)
    assert float(found["density_std"]) == pytest.approx(each.std(ddof=1) / np.sqrt(3), rel=1e-3)
    assert float(found["number_density"]) == pytest.approx(np.mean(18 / np.array([10.0, 10.2, 10.4]) ** 3), rel=1e-6)
    assert found["density_note"].item() == ""
    for sizes, note in (([10.0] * 2, "the same cell in each replica"), ([10.0], "a single cell")):
        same = reduce(condition_of(tmp_path, sizes))
        assert np.isfinite(same["density"]) and np.isnan(same["density_std"])
        assert same["density_note"].item().startswith(note)


def test_pairs_that_are_not_there_have_a_reason_and_no_zero(tmp_path):
    found = reduce(condition_of(tmp_path, [10.0, 10.0]))
    reason = dict(zip(found["pair"].values, found["reason"].values, strict=True))
    assert reason["Li-Li"] == "a single Li has no pair"
    assert reason["Na-Na"] == reason["Li-Na"] == "no Na at this concentration"
    assert found["rdf"].sel(pair=["Li-Li", "Li-Na", "Na-Cl"]).isnull().all()
    assert found["rdf"].sel(pair=["Li-Cl", "K-K"]).notnull().all()
    gap = reduce(condition_of(tmp_path, [10.0], failed=(0,)))
    assert set(gap["reason"].values) == {"replica 0: it blew up"}
    assert gap.sizes["r"] == gap.sizes["n"] == 0 and np.isnan(gap["density"])
