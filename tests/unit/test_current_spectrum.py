"""Spectra of the current of independent ions, whose conductivity is Drude's and Nernst and Einstein's."""

import numpy as np
import pytest
import synthetic
from ase import Atoms
from ase.units import kB
from test_spectra import CELL, STEP, reduce, run
from thermoweave import current_spectrum

FRICTION_TIME = 0.05  # ps
T = 1000.0
CHARGES = {"Na": 2.0, "Cl": -1.0}  # formal charges of some imagined salt


def ions(path, rng, n_frames=600, n=6):
    """n Na2+ and 2 n Cl-, free Langevin particles of one friction time."""
    atoms = Atoms(f"Na{n}Cl{2 * n}", cell=CELL, pbc=True)
    D = FRICTION_TIME * kB * T / synthetic.AMU_A2_PS2 / atoms.get_masses()
    x, v = synthetic.langevin(rng, n_frames, 3 * n, 1.0, FRICTION_TIME, STEP)
    return run(path, atoms, x * np.sqrt(D)[:, None] + rng.uniform(0, 12, (3 * n, 3)), v * np.sqrt(D)[:, None])


def parts(n: int = 6) -> dict[str, float]:
    """
    Zero-frequency conductivity of each pair in S/m: z_a z_b e^2 t (N_a delta_ab / m_a - N_a N_b / M) / V, both orders.

    The second term is what the frame of the centre of mass makes of ions that do not see each other. The sum is that of
    Nernst and Einstein, sum N z^2 e^2 D / (V kB T) with D = kB T t / m, as the salt is neutral.
    """
    count, mass = {"Na": n, "Cl": 2 * n}, {name: Atoms(name).get_masses()[0] for name in CHARGES}
    total = sum(count[name] * mass[name] for name in CHARGES)
    found = {}
    for a, b in ("Na", "Na"), ("Na", "Cl"), ("Cl", "Cl"):
        flow = (count[a] / mass[a] if a == b else 0.0) - count[a] * count[b] / total
        found[f"{a}-{b}"] = (1 if a == b else 2) * CHARGES[a] * CHARGES[b] * flow
    return {pair: 1602.176634 * FRICTION_TIME / synthetic.AMU_A2_PS2 / 12.0**3 * value for pair, value in found.items()}


def drude(frequency: np.ndarray) -> np.ndarray:
    """1 / (1 + (2 pi f t)^2), folded at the Nyquist frequency of the frames."""
    decay = np.exp(-STEP / FRICTION_TIME)
    folded = (1 - decay**2) / (1 - 2 * decay * np.cos(2 * np.pi * frequency * STEP) + decay**2)
    return folded * STEP / (2 * FRICTION_TIME)


def test_independent_ions_conduct_as_drude_nernst_and_einstein_say(tmp_path):
    """Bias and coverage of the total and of each part, over 60 runs."""
    rng, z, ratios, totals = np.random.default_rng(1), [], [], []
    masses = {name: Atoms(name).get_masses()[0] for name in CHARGES}
    limit = 6 * 4 / masses["Na"] + 12 / masses["Cl"]
    assert sum(parts().values()) == pytest.approx(1602.176634 * FRICTION_TIME / synthetic.AMU_A2_PS2 / 1728 * limit)
    for _ in range(60):
        found = reduce([ions(tmp_path / "replica1.nc", rng)], ["Na", "Cl"], charges=CHARGES, resolution_THz=2.0)
        shape = drude(found["frequency"].values)
        expected = np.outer(list(parts().values()), shape)
        deviation = found["conductivity_partial"].values - expected
        z.append(deviation / found["conductivity_partial_std"].values)
        totals.append(found["conductivity"].values / expected.sum(axis=0))
        z[-1] = np.vstack([z[-1], (totals[-1] - 1) * expected.sum(axis=0) / found["conductivity_std"].values])
        ratios.append([found["sum_rule"].item(), found["sum_rule_std"].item()])
    z, ratios = np.abs(z), np.array(ratios)
    assert np.mean(totals, axis=0) == pytest.approx(1, abs=0.12)
    assert np.mean(totals) == pytest.approx(1, abs=0.01)
    for k in range(4):  # three pairs and the total
        assert np.mean(z[:, k] < 1) == pytest.approx(0.68, abs=0.05)
        assert np.mean(z[:, k] < 1.96) == pytest.approx(0.94, abs=0.03)
    assert ratios[:, 0].mean() == pytest.approx(1, abs=0.02)
    assert np.mean(np.abs(ratios[:, 0] - 1) < 1.96 * ratios[:, 1]) > 0.85


def test_the_parts_add_up_and_species_without_charge_have_none(tmp_path):
    path = ions(tmp_path / "replica1.nc", np.random.default_rng(2))
    found = reduce([path], ["Na", "Cl"], charges=CHARGES, resolution_THz=1.0)
    assert found["pair"].values.tolist() == ["Na-Na", "Na-Cl", "Cl-Cl"]
    assert np.allclose(found["conductivity_partial"].sum("pair"), found["conductivity"])
    found = reduce([path], ["Na", "Cl"], charges={"Na": 1.0, "Cl": 0.0}, resolution_THz=1.0)
    assert (found["conductivity_partial"].sel(pair=["Na-Cl", "Cl-Cl"]) == 0).all()
    assert "charges of the cell sum to +6 e, not to zero" in found["note"].item()


def test_a_centre_of_mass_that_moves_carries_no_current(tmp_path):
    rng, atoms = np.random.default_rng(3), Atoms("Na5Cl5", cell=CELL, pbc=True)
    x, v = synthetic.langevin(rng, 300, 10, 1.0, FRICTION_TIME, STEP)
    drift = np.array([3.0, 0.0, 0.0])
    plain = reduce(
        [run(tmp_path / "replica1.nc", atoms, x, v)], ["Na", "Cl"], charges={"Na": 1, "Cl": 0}, resolution_THz=2
    )
    moved = x + drift * STEP * np.arange(300)[:, None, None]
    found = reduce(
        [run(tmp_path / "replica2.nc", atoms, moved, v + drift)],
        ["Na", "Cl"],
        charges={"Na": 1, "Cl": 0},
        resolution_THz=2,
    )
    kelvin = (0.5 * np.sum(atoms.get_masses()[:, None] * (v + drift) ** 2, axis=(1, 2))).mean()
    cold = (0.5 * np.sum(atoms.get_masses()[:, None] * v**2, axis=(1, 2))).mean()
    assert np.allclose(found["conductivity"] * kelvin, plain["conductivity"] * cold, rtol=1e-4)


def test_infrared_absorption_is_the_conductivity_of_the_born_charges(tmp_path):
    """alpha n = sigma / (epsilon_0 c): 3.767 per cm for one S/m. Without Born charges there is none."""
    path = ions(tmp_path / "replica1.nc", np.random.default_rng(4))
    plain = reduce([path], ["Na", "Cl"], charges=CHARGES, resolution_THz=1.0)
    born = {name: 1.1 * z for name, z in CHARGES.items()}
    found = reduce([path], ["Na", "Cl"], charges=CHARGES, resolution_THz=1.0, born_charges=born)
    assert np.allclose(found["ir_absorption"], 3.767303 * 1.21 * plain["conductivity"], rtol=1e-5)
    assert not [name for name in plain.data_vars if name.startswith("ir")]


def test_response_functions_need_no_quantum_correction(tmp_path):
    path = ions(tmp_path / "replica1.nc", np.random.default_rng(5))
    plain, quantum = (
        reduce([path], ["Na", "Cl"], charges=CHARGES, born_charges=CHARGES, resolution_THz=1.0, quantum_correction=name)
        for name in ("none", "harmonic")
    )
    for name in ("vdos", "conductivity", "ir_absorption"):
        assert (plain[name] == quantum[name]).all()
    assert "cancel" in quantum.attrs["quantum_correction"]


@pytest.mark.parametrize(
    ("charges", "words"),
    [
        ({"Na": 1.0}, "no charge for Cl: name it in the config"),
        ({"Na": 0.0, "Cl": 0.0}, "no species that is there has a charge"),
    ],
)
def test_missing_charges_are_named(tmp_path, charges, words):
    found = reduce([ions(tmp_path / "replica1.nc", np.random.default_rng(6))], ["Na", "Cl"], charges=charges)
    assert found["conductivity_reason"] == words
    assert found["conductivity"].isnull().all()
    assert found["vdos"].notnull().all()


def test_the_sum_rule_knows_of_the_centre_of_mass():
    groups, masses = [np.array([0]), np.array([1])], np.array([10.0, 30.0])
    assert current_spectrum.inverse_mass(np.array([1.0, -1.0]), groups, masses) == pytest.approx(1 / 10 + 1 / 30)
    assert current_spectrum.inverse_mass(np.array([1.0, 0.0]), groups, masses) == pytest.approx(1 / 10 - 1 / 40)
