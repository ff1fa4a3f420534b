"""Systems to try engines with, and a potential.json to run them by."""

import numpy as np
import pytest
from ase import Atoms
from ase.md.velocitydistribution import Stationary, thermalize_momenta
from thermoweave.engines import Drive, System
from thermoweave.potentials import manifest, wall

MAX_FORCE = 1e3  # eV/A, that nothing here reaches
SHIFTS = {"Cl": -3.0, "K": -1.5, "Li": -1.0}


def write(folder, name, file, melt, compiled=False):
    """potential.json beside its file, with a wall that begins 0.3 A above the closest distances."""
    (folder / file.name).write_bytes(file.read_bytes())
    barrier = wall.fit_wall(melt)
    barrier["r_min_A"] = {pair: distance + 0.3 for pair, distance in barrier["r_min_A"].items()}
    content = {
        "backend": name, "files": {file.name: manifest.sha256(file)}, "weights": [file.name],
        "compiled": file.name if compiled else None, "elements": sorted(SHIFTS), "cutoff_A": 4.5, "dtype": "float64",
        "wall": barrier, "energy_shifts_eV": SHIFTS,
    }  # fmt: skip
    manifest.write_json(folder / "potential.json", content)
    return folder / "potential.json"


def three(melt):
    """Systems of 12 and 24 ions, the second in a cell without right angles, the third far from the origin."""
    sheared = melt[1].repeat((1, 2, 1))
    sheared.set_cell(sheared.cell.array @ [[1, 0.1, -0.05], [0, 1, 0.15], [0, 0, 1]], scale_atoms=True)
    far = melt[2].copy()
    far.positions += [40.0, -30.0, 2.0]
    return systems([melt[0], sheared, far], [300.0, 500.0, 200.0])


def systems(frames, temperatures):
    made = []
    for k, (frame, temperature) in enumerate(zip(frames, temperatures, strict=True)):
        atoms = Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=True)
        thermalize_momenta(atoms, temperature_K=temperature, rng=np.random.default_rng(k))
        Stationary(atoms)
        made.append(System(atoms, np.random.default_rng(100 + k)))
    return made


def nvt(*temperatures, tau=0.05):
    return [Drive(1.0, (temperature, temperature), tau) for temperature in temperatures]


def nve(*steps):
    return [Drive(step, (0.0, 0.0), None) for step in steps]


def run(session, batch, drives, steps, interval=10, max_force=MAX_FORCE):
    return len(list(session.advance(batch, drives, steps, interval, max_force)))


def total(system):
    return system.energy + system.atoms.get_kinetic_energy()


def assert_equal(system, other, tolerance):
    assert system.atoms.positions == pytest.approx(other.atoms.positions, abs=tolerance)
    assert system.atoms.get_momenta() == pytest.approx(other.atoms.get_momenta(), abs=tolerance)
    assert system.energy == pytest.approx(other.energy, abs=tolerance * len(system.atoms))
    assert system.forces == pytest.approx(other.forces, abs=10 * tolerance)
    assert system.stress == pytest.approx(other.stress, abs=tolerance)
    assert system.wall_contacts == other.wall_contacts
    assert (system.steps, system.stopped) == (other.steps, other.stopped)
