"""What every engine must be, with each backend's tiny potential that it can run: the same physics from all of them.

The wall is set so deep that some pairs touch it. Where engines are compared, the network is float64: what is left is
rounding, which 100 steps make no larger than 1e-6 A.
"""

import copy

import numpy as np
import pytest
from ase import Atoms, units
from conftest import those_installed
from engine_runs import MAX_FORCE, assert_equal, nve, nvt, run, systems, three, total, write
from thermoweave import engines, potentials
from thermoweave.engines import Drive, System

PAIRS = [(b, e) for b in those_installed() for e in engines.available() if not engines.engine(e).fault(b, "cpu")]
pytestmark = pytest.mark.parametrize(("adapter", "engine"), PAIRS, indirect=True)


@pytest.fixture(scope="module")
def potential(name, weights, melt, tmp_path_factory):
    return write(tmp_path_factory.mktemp(name), name, weights[0], melt)


@pytest.fixture(scope="module")
def engine(request):
    return engines.engine(request.param)


@pytest.fixture(scope="module")
def session(engine, potential):
    return engine.Session(potential)


@pytest.fixture(scope="module")
def reference(potential):
    return engines.engine("ase").Session(potential)


@pytest.fixture
def batch(melt):
    return three(melt)


def test_evaluate_gives_what_the_calculator_does(session, potential, batch):
    session.evaluate(batch)
    calculator = potentials.load(potential)
    for system in batch:
        calculator.calculate(system.atoms, ["energy", "forces", "stress"])
        expected = calculator.results
        assert system.energy == pytest.approx(expected["energy"], abs=1e-8)
        assert system.forces == pytest.approx(expected["forces"], abs=1e-8)
        assert system.stress == pytest.approx(expected["stress"], abs=1e-9)
        assert system.wall_contacts == expected["wall_contacts"]
    assert all(system.wall_contacts > 0 for system in batch)


def test_evaluate_survives_positions_that_are_no_numbers(session, batch):
    session.evaluate(batch)
    forces = batch[2].forces
    batch[1].atoms.positions[3] = np.nan
    session.evaluate(batch)
    assert np.isnan(batch[1].energy) and np.isnan(batch[1].forces).all()
    assert batch[2].forces == pytest.approx(forces, abs=1e-9)


def test_nve_is_what_ase_does(session, reference, batch):
    """100 steps, each system with its own: the same trajectory as ASE's, and as without the others."""
    others, drives = copy.deepcopy(batch), nve(1.0, 0.5, 1.5)
    begin = (session.evaluate(batch), [total(system) for system in batch])[1]
    assert run(session, batch, drives, 100, interval=30) == 4
    run(reference, others, drives, 100)
    for system, other, energy in zip(batch, others, begin, strict=True):
        assert_equal(system, other, 1e-6)
        assert system.steps == 100
        assert abs(total(system) - energy) < 0.02 * max(system.atoms.get_kinetic_energy(), 0.5)
        assert system.atoms.get_momenta().sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
        assert system.thermostat_work == 0


def test_a_system_does_not_see_the_others(session, batch):
    alone = copy.deepcopy(batch[1:2])
    drives = nvt(300, 500, 200)
    run(session, batch, drives, 50)
    run(session, alone, drives[1:2], 50)
    assert_equal(batch[1], alone[0], 1e-8)


def test_what_the_thermostat_gives_is_counted(session, batch):
    """A ramp for one, NVE for another: total energy less the thermostat's work is conserved."""
    session.evaluate(batch)
    begin = [total(system) for system in batch]
    drives = [Drive(0.5, (300.0, 600.0), 0.02), *nve(0.5), *nvt(100, tau=0.02)]
    run(session, batch, drives, 200)
    for system, energy in zip(batch, begin, strict=True):
        conserved = total(system) - system.thermostat_work
        assert abs(conserved - energy) < 0.02 * max(system.atoms.get_kinetic_energy(), 0.5)
    assert abs(batch[0].thermostat_work) > 0.05 and batch[1].thermostat_work == 0


def test_kinetic_energies_are_canonical(session, melt):
    """Twice K / kT has the mean and variance of chi squared with 3N - 3 degrees of freedom, at three temperatures.

    The thermostat's time constant of 1.5 steps makes samples 4 steps apart independent, and of 0.15 fs leaves no time
    for the heat of ions that do not begin where they like to be. The bounds are four standard errors; with 3N degrees
    of freedom the mean would be 9 % higher, twice the bound.
    """
    temperatures = [300.0, 600.0, 1000.0]
    batch = systems(melt[:3], temperatures)
    ndof = 3 * len(melt[0]) - 3
    drives = [Drive(0.1, (temperature, temperature), 0.00015) for temperature in temperatures]
    samples = []
    for _ in session.advance(batch, drives, 480, 4, MAX_FORCE):
        kinetic = np.array([system.atoms.get_kinetic_energy() for system in batch])
        samples.append(2 * kinetic / (units.kB * np.array(temperatures)))
    samples = np.array(samples)
    assert not any(system.stopped for system in batch)
    count = samples.size
    assert samples.mean() == pytest.approx(ndof, abs=4 * np.sqrt(2 * ndof / count))
    assert samples.mean(axis=0) == pytest.approx(np.full(3, ndof), abs=4 * np.sqrt(2 * ndof / len(samples)))
    variance = ((samples - ndof) ** 2).mean() / (2 * ndof)
    assert variance == pytest.approx(1, abs=4 * np.sqrt((2 + 12 / ndof) / count))


def test_going_on_is_never_having_stopped(session, engine, potential, batch):
    """To the bit: 2 x 50 steps, and the second 50 from what was saved, in a new session."""
    drives = nvt(300, 500, 200)
    run(session, batch, drives, 50)
    saved = []
    for system in batch:
        atoms = Atoms(system.atoms.numbers, system.atoms.positions, cell=system.atoms.cell.array, pbc=True)
        atoms.set_momenta(system.atoms.get_momenta())
        rng = np.random.default_rng()
        rng.bit_generator.state = system.rng.bit_generator.state
        saved.append(System(atoms, rng))
    run(session, batch, drives, 50)
    run(engine.Session(potential), saved, drives, 50)
    for system, other in zip(batch, saved, strict=True):
        assert np.array_equal(system.atoms.positions, other.atoms.positions)
        assert np.array_equal(system.atoms.get_momenta(), other.atoms.get_momenta())
        assert system.energy == other.energy
        assert np.array_equal(system.forces, other.forces)


def test_one_that_explodes_stops_alone(session, batch, melt):
    """Ions at 1e5 K run into each other; the others' trajectories are those without them."""
    alone, bound = copy.deepcopy(batch), 0.0
    for _ in session.advance(alone, nve(0.5, 0.5, 0.5), 60, 1, MAX_FORCE):
        bound = max([bound, *(1.1 * np.linalg.norm(system.forces, axis=1).max() for system in alone)])
    hot = systems([melt[3]], [1e5])
    together = [*batch[:1], *hot, *batch[1:]]
    assert run(session, together, nve(0.5, 0.5, 0.5, 0.5), 60, max_force=bound) == 6
    assert hot[0].stopped and hot[0].steps < 60
    assert np.linalg.norm(hot[0].forces, axis=1).max() > bound
    last = hot[0].atoms.positions.copy()
    for system, other in zip(batch, alone, strict=True):
        assert not system.stopped
        assert_equal(system, other, 1e-8)
    run(session, together, nve(0.5, 0.5, 0.5, 0.5), 10)
    assert np.array_equal(hot[0].atoms.positions, last)
    assert batch[0].steps == 70


def test_no_number_among_the_positions_stops_one_alone(session, batch):
    batch[0].atoms.positions[0] = np.nan
    assert run(session, batch, nve(0.5, 0.5, 0.5), 20) == 2
    assert [system.stopped for system in batch] == [True, False, False]
    assert batch[1].steps == 20 and np.isfinite(batch[1].forces).all()


def test_the_caller_may_stop_one(session, batch):
    positions = None
    for _ in session.advance(batch, nvt(300, 500, 200), 30, 10, MAX_FORCE):
        batch[1].stopped = True
        positions = batch[1].atoms.positions.copy() if positions is None else positions
    assert [system.steps for system in batch] == [30, 10, 30]
    assert np.array_equal(batch[1].atoms.positions, positions)


def test_positions_are_never_wrapped(session, melt):
    """An ion that crosses the cell's boundary goes on; one that begins in another cell stays there."""
    atoms = melt[4].copy()
    atoms.positions[0] += 3 * atoms.cell[0]
    batch = systems([atoms], [1000.0])
    [system] = batch
    system.atoms.positions -= system.atoms.positions[1]  # this one stands on the cell's corner
    frames = [system.atoms.positions.copy()]
    for _ in session.advance(batch, nve(1.0), 40, 5, MAX_FORCE):
        frames.append(system.atoms.positions.copy())
    frames = np.array(frames)
    assert np.abs(np.diff(frames, axis=0)).max() < 0.5
    wrapped = [Atoms(positions=f, cell=atoms.cell, pbc=True).get_positions(wrap=True) for f in frames]
    assert np.abs(np.diff(wrapped, axis=0)).max() > 4  # something did cross
    center = system.atoms.get_masses() @ frames
    assert center == pytest.approx(np.broadcast_to(center[0], center.shape), abs=1e-6)


def test_a_stranger_is_refused(session, melt):
    atoms = melt[0].copy()
    atoms.symbols[0] = "Na"
    with pytest.raises(ValueError, match="Na"):
        session.evaluate(systems([atoms], [300.0]))
