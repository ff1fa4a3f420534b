"""Walks for tests: two Lennard-Jones potentials that differ, and frames as a walk leaves them."""

import numpy as np
from ase import Atoms
from thermoweave import calibration
from thermoweave.calibration import Pair
from thermoweave.potentials.committee import frame_deviation
from thermoweave.potentials.manifest import sha256, write_json

WELL, REPULSION = [0.2, 0.5], [0.3, 0.0]  # eV, of (2.5 A / r)^12 and -(2.5 A / r)^6
DENSITY = {"rule": "additive_volumes", "coefficients": {"LiCl": [1.8842, -4.328e-4]}}


def potential(folder, scale):
    """potential.json of a Lennard-Jones LiCl whose wells are `scale` times as deep."""
    folder.mkdir(parents=True)
    pairs = [["Cl", "Cl", *REPULSION], ["Cl", "Li", *(scale * value for value in WELL)], ["Li", "Li", *REPULSION]]
    write_json(folder / "model.json", {"r_max": 5.0, "energies": {"Cl": 0.0, "Li": 0.0}, "pairs": pairs})
    write_json(
        folder / "potential.json",
        {
            "backend": "lennard_jones",
            "files": {"model.json": sha256(folder / "model.json")},
            "weights": ["model.json"],
            "compiled": None,
            "elements": ["Cl", "Li"],
            "cutoff_A": 5.0,
            "dtype": "float64",
            "wall": {"stiffness_eV_per_A2": 30.0, "r_min_A": {"Cl-Li": 1.5}, "unseen": []},
            "energy_shifts_eV": {"Cl": 0.0, "Li": 0.0},
        },
    )
    return folder / "potential.json"


def rock_salt(n=2, lattice=5.6):
    """A cell of LiCl, a little off its lattice."""
    from ase.build import bulk

    atoms = bulk("LiCl", "rocksalt", a=lattice, cubic=True) * (n, n, n)
    atoms.rattle(0.1, seed=1)
    return atoms


def calibrated(folder, ratio=1.5, n=40):
    """calibration.json of errors that are `ratio` times the deviation."""
    rng = np.random.default_rng(0)
    pairs = []
    for k in range(n):
        d = float(np.exp(rng.normal(np.log(100), 0.5)))
        where = f"x0.00 T{(900, 1000)[k % 2]}"
        pairs.append(Pair(d, float(d * ratio * np.exp(rng.normal(0, 0.1))), where, "round 0 fresh"))
    path = folder / "calibration.json"
    write_json(path, calibration.as_json(calibration.fit(pairs, "round 0 fresh")))
    return path


def frame(walk="x0.00 T900", time_ps=0.1, error=50.0, contacts=0, distance=2.5, seed=0):
    """A candidate: a Li and a Cl and some more, expected to be wrong by `error` (95 % bound: twice as much)."""
    rng = np.random.default_rng(seed)
    positions = [[0, 0, 0], [distance, 0, 0], *(np.array([4, 4, 4]) + rng.uniform(-0.5, 0.5, (2, 3)) + [[0], [2.5]])]
    atoms = Atoms("LiClLiCl", positions, cell=[9] * 3, pbc=True)
    concentration, temperature = walk.split()[:2]
    atoms.info.update(walk=walk, concentration=concentration, temperature=temperature, round=1, time_ps=time_ps)
    atoms.info.update(expected_error=error, expected_error_high=2 * error)
    atoms.arrays["deviation"] = rng.uniform(0.5, 1.5, 4) * error / 1000
    atoms.info.update(wall_contacts=contacts, wall_force=100.0 * contacts)
    atoms.info.update(deviation=frame_deviation(atoms.arrays["deviation"]))
    atoms.arrays["committee_forces"] = rng.normal(0, 1, (4, 3))
    return atoms
