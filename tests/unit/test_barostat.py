"""The barostat samples the isothermal-isobaric ensemble where that is known, and leaves what it must not touch."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.lj import LennardJones
from ase.eos import EquationOfState
from thermoweave import barostat, statistics
from thermoweave.engines import Drive, System
from thermoweave.engines import ase as engine


def thermalise(system: System, kelvin: float) -> None:
    """Momenta afresh; the centre of mass rests and 3N - 3 degrees of freedom have kT / 2 each."""
    masses = system.atoms.get_masses()[:, None]
    momenta = system.rng.normal(size=(len(masses), 3)) * np.sqrt(masses * kelvin * units.kB)
    system.atoms.set_momenta(momenta - masses * momenta.sum(axis=0) / masses.sum())


def ideal_gas(n: int, volume: float, seed: int = 1) -> System:
    rng = np.random.default_rng(seed)
    edge = volume ** (1 / 3)
    atoms = Atoms(f"Ar{n}", positions=rng.uniform(0, edge, (n, 3)), cell=[edge] * 3, pbc=True)
    return System(atoms, rng, energy=0.0, forces=np.zeros((n, 3)), stress=np.zeros(6))


def near(series: np.ndarray, truth: float, n_errors: float = 4.0) -> bool:
    mean, error = statistics.correlated_mean(series)
    assert error < 0.1 * abs(truth), "the test has no power"
    return abs(mean - truth) < n_errors * error


def test_volumes_of_an_ideal_gas_have_the_exact_distribution():
    """p(V) dV ~ V^N exp(-P V / kT): mean and variance are N + 1 in units of kT / P, here of 4000 boxes side by side."""
    rng = np.random.default_rng(1)
    n, boxes, relaxation = 8, 4000, 0.01
    volume = np.full(boxes, float(n))  # kT = P = 1
    for _ in range(600):  # six relaxation times
        kinetic = rng.gamma((3 * n - 3) / 2, size=boxes)
        pressure = (2 * kinetic / 3 + 1) / volume
        volume = barostat.next_root_volume(volume, pressure, 1.0, 1.0, relaxation, rng.normal(size=boxes)) ** 2
    assert abs(volume.mean() - (n + 1)) < 4 * np.sqrt((n + 1) / boxes)
    # steps of 0.01 relaxation times: a variance about 1 % too large
    assert abs(volume.var() / (n + 1) - 1.01) < 4 * np.sqrt((2 + 6 / (n + 1)) / boxes)
    # (with the kT / 2V left out of the equation the mean would be N + 1/2: ten errors away)


def test_rescaling_atoms_gives_that_ensemble(monkeypatch):
    monkeypatch.setattr(barostat, "MAX_SCALE", 0.5)  # eight atoms fluctuate by a third of their volume
    n, kelvin, pressure = 8, 300.0, 0.1
    unit = kelvin * units.kB / (pressure * units.GPa)  # A^3
    system = ideal_gas(n, n * unit)
    volumes = []
    for _ in range(25000):
        thermalise(system, kelvin)
        barostat.rescale(system, kelvin, pressure, 1.0, 0.02, 1 / pressure)
        system.stress = np.zeros(6)
        volumes.append(system.atoms.get_volume() / unit)
    volumes = np.array(volumes[500:])
    assert near(volumes, n + 1)
    assert near((volumes - (n + 1)) ** 2, n + 1)


def test_the_pressure_of_atoms_at_rest_and_in_motion():
    system = ideal_gas(100, 5000.0)
    system.stress = np.array([-1.0, -2.0, -3.0, 9.0, 9.0, 9.0]) * units.GPa  # ASE: a compressed solid has negative ones
    kelvin = 500.0
    seen = []
    for _ in range(400):
        thermalise(system, kelvin)
        seen.append(barostat.internal_pressure(system, kelvin) - 2 * units.GPa)
    ideal = 100 * kelvin * units.kB / 5000
    assert abs(np.mean(seen) - ideal) < 4 * ideal * np.sqrt(2 / 300 / 400)


def test_a_move_scales_about_the_centre_of_mass():
    atoms = bulk("NaCl", "rocksalt", a=5.6) * (2, 2, 2)
    atoms.positions += [40.0, -7.0, 3.0]
    atoms.positions[3] += 3 * atoms.cell[0]  # wandered off
    system = System(atoms, np.random.default_rng(3), 1.0, np.zeros((16, 3)), np.full(6, -0.01), wall_contacts=2)
    thermalise(system, 900)
    before = atoms.copy()
    barostat.rescale(system, 900, 0.0, 1.0, 0.016)
    scale = np.cbrt(atoms.get_volume() / before.get_volume())
    assert scale != 1
    np.testing.assert_allclose(atoms.get_center_of_mass(), before.get_center_of_mass(), atol=1e-10)
    np.testing.assert_allclose(atoms.get_scaled_positions(wrap=False)[3] - atoms.get_scaled_positions(wrap=False)[0],
        before.get_scaled_positions(wrap=False)[3] - before.get_scaled_positions(wrap=False)[0])  # fmt: skip
    np.testing.assert_allclose(atoms.cell.angles(), before.cell.angles())
    np.testing.assert_allclose(atoms.get_momenta(), before.get_momenta() / scale)
    np.testing.assert_allclose(atoms.get_momenta().sum(axis=0), 0, atol=1e-9)
    assert np.isnan(system.energy) and system.forces is None and system.stress is None and system.wall_contacts == 0


@pytest.mark.parametrize(("pressure", "a"), [(0.0, 5.27), (0.5, 5.08)])
def test_cold_argon_finds_the_volume_of_its_equation_of_state(pressure, a):
    """At 0.02 K the volume is that of the static lattice, where the slope of E(V) is the pressure."""
    calculator = LennardJones(sigma=3.4, epsilon=0.0104, rc=8.0, smooth=True)
    volumes, energies = [], []
    for strain in np.linspace(-0.03, 0.03, 9):
        atoms = bulk("Ar", "fcc", a=a * (1 + strain), cubic=True)
        atoms.calc = calculator
        volumes.append(atoms.get_volume())
        energies.append(atoms.get_potential_energy() + pressure * units.GPa * atoms.get_volume())
    expected = EquationOfState(volumes, energies, eos="birchmurnaghan").fit()[0]
    system = System(bulk("Ar", "fcc", a=5.4, cubic=True), np.random.default_rng(4))
    found = []
    for _ in range(150):
        thermalise(system, 0.02)
        system.atoms.calc = calculator
        system.stress = system.atoms.get_stress()
        barostat.rescale(system, 0.02, pressure, 1.0, 0.1, 0.3)
        found.append(system.atoms.get_volume())
    assert np.mean(found[75:]) == pytest.approx(expected, rel=0.001)


class SoftSpheres(Calculator):
    """A fluid of repulsive spheres, 0.5 k (d - r)^2 below d: cheap forces, and more pressure than an ideal gas."""

    implemented_properties = ["energy", "forces", "stress"]
    k, d = 0.2, 3.0

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        edge = atoms.cell.array[0, 0]
        vectors = atoms.positions[:, None] - atoms.positions[None]
        vectors -= edge * np.round(vectors / edge)
        r = np.linalg.norm(vectors, axis=2) + 1e9 * np.eye(len(atoms))
        overlap = np.maximum(0, self.d - r)
        forces = (self.k * overlap / r)[:, :, None] * vectors
        virial = 0.5 * np.einsum("abi,abi->i", forces, vectors)
        stress = np.concatenate([-virial, np.zeros(3)]) / edge**3
        self.results = {
            "energy": 0.25 * self.k * float((overlap**2).sum()),
            "forces": forces.sum(axis=1),
            "stress": stress,
            "wall_contacts": 0,
        }


def test_under_dynamics_volume_and_pressure_obey_the_ensemble(monkeypatch):
    """Integrating by parts over V: the mean of P is P0 and that of V (P - P0) is -kT, whatever the forces."""
    monkeypatch.setattr(engine.potentials, "load", lambda path, device: SoftSpheres())
    kelvin, pressure, n = 300.0, 0.5, 16
    session = engine.Session("potential.json")
    system = ideal_gas(n, 25.0 * n)
    thermalise(system, kelvin)
    drive = Drive(timestep_fs=10.0, temperature=(kelvin, kelvin), thermostat_ps=0.1)
    volumes, pressures = [], []
    for _ in range(3000):
        session.evaluate([system])
        volumes.append(system.atoms.get_volume())
        pressures.append(barostat.rescale(system, kelvin, pressure, 1.0, 0.03, 1.0))
        for _ in session.advance([system], [drive], 3, 3, 100.0):
            pass
    volumes, pressures = np.array(volumes[300:]), np.array(pressures[300:])
    mean, error = statistics.correlated_mean(pressures)
    assert error < 0.05 * pressure and abs(mean - pressure) < 4 * error
    kT = kelvin * units.kB
    mean, error = statistics.correlated_mean((volumes - volumes.mean()) * (pressures - pressure) * units.GPa)
    assert error < 0.25 * kT and abs(mean + kT) < 4 * error


def test_bad_input_names_itself_and_moves_nothing():
    system = ideal_gas(8, 1000.0)
    thermalise(system, 300)
    before = system.atoms.copy()
    with pytest.raises(ValueError, match="temperature of -5; it must be positive"):
        barostat.rescale(system, -5, 0.1, 1.0, 0.01)
    with pytest.raises(ValueError, match="time constant of 0"):
        barostat.rescale(system, 300, 0.1, 0.0, 0.01)
    with pytest.raises(ValueError, match="longer time constant than 0.01 ps"):
        barostat.rescale(system, 300, 100.0, 0.01, 1.0)
    system.stress = np.full(6, np.nan)
    with pytest.raises(ValueError, match="stress is not a finite number"):
        barostat.rescale(system, 300, 0.1, 1.0, 0.01)
    system.stress = None
    with pytest.raises(ValueError, match="evaluate the system first"):
        barostat.rescale(system, 300, 0.1, 1.0, 0.01)
    assert system.atoms == before and np.array_equal(system.atoms.get_momenta(), before.get_momenta())
