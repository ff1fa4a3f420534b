"""Structure factors of an ideal gas, a crystal and free diffusers."""

import numpy as np
import pytest
import synthetic
from ase import Atoms
from ase.build import bulk
from test_spectra import CELL, reduce, run
from thermoweave import dynamic_structure_factor, structure_factor
from thermoweave.replica import Replica

CHARGES = {"Na": 1.0, "Cl": -1.0}


def gas(path, rng, n_frames: int = 60) -> Replica:
    atoms = Atoms("Na10Cl20", cell=CELL, pbc=True)
    x = rng.uniform(0, 12, size=(n_frames, 30, 3))
    return Replica(run(path, atoms, x, x), 100)


def test_an_ideal_gas_has_no_structure_within_the_band(tmp_path):
    rng, z = np.random.default_rng(1), []
    groups, charges = [np.arange(10), np.arange(10, 30)], np.array([2.0, -1.0])
    for _ in range(30):
        replicas = [gas(tmp_path / f"replica{k}.nc", rng) for k in (1, 2)]
        found = structure_factor.static(replicas, groups, charges, 3.0)
        mean = np.vstack([found.partial, found.number, found.charge])
        error = np.vstack([found.partial_std, found.number_std, found.charge_std])
        z.append((mean - np.array([1, 0, 1, 1, 1])[:, None]) / error)
    z = np.abs(np.array(z))[..., np.isfinite(z[0][0])]
    assert z.shape[-1] > 15
    assert np.mean(z < 1) == pytest.approx(0.69, abs=0.05)
    assert np.mean(z < 1.96) == pytest.approx(0.95, abs=0.025)


def test_a_crystal_has_its_bragg_peak(tmp_path):
    """Rock salt: reflections with odd indices see the difference of the ions, those with even ones the sum."""
    atoms = bulk("NaCl", "rocksalt", a=6.0, cubic=True) * (2, 2, 2)
    atoms = atoms[atoms.numbers.argsort()]
    rng = np.random.default_rng(2)
    x = atoms.positions + 0.01 * rng.normal(size=(20, 64, 3))
    path = run(tmp_path / "replica1.nc", atoms, x, rng.normal(size=x.shape))
    found = reduce([path], ["Na", "Cl"], charges=CHARGES, structure_factor={"q_max_per_A": 2.2, "dynamic_q_per_A": []})
    even, odd = (np.floor(2 * np.pi / 6.0 * np.sqrt(n) / structure_factor.BIN) for n in (4, 3))
    q = np.floor(found["q"] / structure_factor.BIN)
    number, charge = found["structure_factor_number"], found["structure_factor_charge"]
    assert number[q == even] > 10
    assert charge[q == odd] > 10
    assert number[q == odd] < 0.1
    assert charge[q == even] < 0.1
    assert (found["reason"] != "").all()  # 20 frames have a structure, and no spectrum


@pytest.mark.parametrize("cell", [CELL, [9.0, 13.0, 17.0], [[12, 0, 0], [6, 10.39, 0], [2, 3, 11]]])
def test_allowed_vectors_are_those_of_the_cell_once(cell):
    atoms = Atoms("Ar", cell=cell, pbc=True)
    found = [plane for plane, _ in structure_factor.allowed(atoms.cell.array, 3.0)]
    integers = np.concatenate(found)
    both = {tuple(n) for n in np.concatenate([integers, -integers])}
    assert len(both) == 2 * len(integers)
    reciprocal = 2 * np.pi * atoms.cell.reciprocal().array
    assert np.linalg.norm(integers @ reciprocal, axis=1).max() <= 3.0
    grid = np.stack(np.meshgrid(*[np.arange(-20, 21)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = (np.linalg.norm(grid @ reciprocal, axis=1) <= 3.0) & grid.any(axis=1)
    assert inside.sum() == len(both)


def test_densities_are_those_of_the_definition_and_do_not_mind_wrapping():
    rng = np.random.default_rng(3)
    cell = np.array([[12.0, 0, 0], [3, 11, 0], [1, 2, 10]])
    x, integers = rng.uniform(0, 10, size=(7, 3)), rng.integers(-4, 5, size=(9, 3))
    q = integers @ (2 * np.pi * np.linalg.inv(cell).T)
    expected = np.exp(1j * q @ x.T).sum(axis=1)
    assert np.allclose(structure_factor.densities(x, cell, integers, 1e6), expected)
    assert np.allclose(structure_factor.densities(x + 3 * cell[1], cell, integers, 1e2), expected)


def test_at_most_so_many_vectors_of_a_bin_and_always_the_same():
    integers, bins = structure_factor.chosen(np.eye(3) * 30, 4.0)
    assert np.bincount(bins).max() == structure_factor.MAX_VECTORS
    assert (structure_factor.chosen(np.eye(3) * 30, 4.0)[0] == integers).all()


def test_free_diffusers_have_a_lorentzian_of_width_D_q2(tmp_path):
    """
    2 D q^2 / ((D q^2)^2 + (2 pi f)^2) of number and of charge where it is well below the Nyquist frequency.

    Bias and coverage at all frequencies against the Fourier sum of exp(-q^2 <x^2> / 2) of Langevin particles.
    """
    rng, D, step, friction_time, z, ratios = np.random.default_rng(4), 2.0, 0.02, 0.002, [], []
    time = step * np.arange(2000)
    travelled = D * (time - friction_time * (1 - np.exp(-time / friction_time)))
    atoms = Atoms("Na10Cl10", cell=CELL, pbc=True)
    wanted = {"q_max_per_A": 1.0, "dynamic_q_per_A": [1.0, 2.0]}
    for _ in range(8):
        x, v = synthetic.langevin(rng, 1500, 20, D, friction_time, step)
        path = run(tmp_path / "replica1.nc", atoms, x + rng.uniform(0, 12, (20, 3)), v, step)
        found = reduce([path], ["Na", "Cl"], charges=CHARGES, resolution_THz=0.2, structure_factor=wanted)
        q = found["q_dynamic_found"].values
        frequency = found["frequency"].values
        waves = np.cos(2 * np.pi * np.outer(time, frequency))
        exact = step * (2 * np.exp(-np.outer(q**2, travelled)) @ waves - 1)
        for name in ("dynamic_structure_factor_number", "dynamic_structure_factor_charge"):
            z.append(np.abs(found[name] - exact) / found[f"{name}_std"].values)
            ratios.append(found[name].values / exact)
    rate = D * q[:, None] ** 2
    low = frequency < 3
    assert np.allclose(exact[:, low], (2 * rate / (rate**2 + (2 * np.pi * frequency) ** 2))[:, low], rtol=0.05)
    assert q == pytest.approx(2 * np.pi / 12 * np.sqrt([4, 14]), rel=1e-6)
    assert np.mean(ratios, axis=(0, 2)) == pytest.approx(1, abs=0.04)
    assert np.mean(ratios, axis=0)[:, 1:20].mean(axis=1) == pytest.approx(1, abs=0.1)
    assert np.mean(np.array(z) < 1) == pytest.approx(0.68, abs=0.06)
    assert np.mean(np.array(z) < 1.96) == pytest.approx(0.94, abs=0.03)


def test_the_harmonic_correction_restores_detailed_balance():
    """S(f) / S(-f) = exp(h f / kT) for S(+-f) = S_classical(f) times the factor at +f and -f."""
    x = np.array([0.0, 0.5, 2.0])
    kT, frequency = 1.0, x / 4.135667696e-3  # h f = x kT
    up = dynamic_structure_factor.harmonic_correction(frequency, kT)
    down = up - x  # the factor at -f: -x / (1 - exp(x)) = x / (1 - exp(-x)) - x
    assert up[0] == 1
    assert np.allclose(up / down, np.exp(x), rtol=1e-6)


def test_a_cell_without_wave_vectors_says_from_where_on_there_are(tmp_path):
    replica = gas(tmp_path / "replica1.nc", np.random.default_rng(5), 3)
    assert "only from about 0.52 on: raise q_max_per_A" in structure_factor.fault(replica, 0.4)
    assert structure_factor.fault(replica, 0.6) == ""
