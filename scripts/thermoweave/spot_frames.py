"""The frames of production runs that DFT spot checks label: spread over replicas and time, the same in every run."""

import math

import numpy as np
from ase import Atoms

from thermoweave.conditions import Condition
from thermoweave.replica import Replica

GOLDEN = (math.sqrt(5) - 1) / 2
FRAMES_A_CHECK = 3  # of a run, for no frame to be drawn twice


def positions(n_frames: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """`n` different frames of a run of `n_frames`, spread over it: (n,), in the order in which they were drawn.

    Steps of the golden ratio, modulo the run, from a random start: each frame has the same chance, two are at least
    0.38 / n of the run apart (three-gap theorem: Sos, Ann. Univ. Sci. Budapest Eotvos Sect. Math. 1958, 1, 127), and
    more of them begin with the same ones, so that labels which are there stay in use.
    Raises ValueError where the run is too short for that.
    """
    if n < 1 or n * FRAMES_A_CHECK > n_frames:
        raise ValueError(
            f"reduce.spot_checks: {n} of the {n_frames} frames of a production run cannot be drawn; 1 to "
            f"{n_frames // FRAMES_A_CHECK} can (one in {FRAMES_A_CHECK}: others are neighbours, and the same structure)"
        )
    return np.floor((rng.random() + GOLDEN * np.arange(n)) % 1 * n_frames).astype(int)


def draw(condition: Condition, n: int, seeds: dict[int, str], rng: np.random.Generator) -> list[Atoms]:
    """`n` frames of a condition, from each replica that passed in turn; none where no replica passed.

    seeds: that of the potential that ran each replica. A frame knows its `concentration`, `temperature`, `index`,
    `replica`, `frame`, `time_ps` (as in the trajectory), `potential` ("seed1") and `md_energy` (eV, of the run).
    """
    if not condition.replicas:
        return []
    first = int(rng.integers(len(condition.replicas)))
    frames = []
    for index, number in enumerate(positions(condition.replicas[0].n_frames, n, rng)):
        which = (first + index) % len(condition.replicas)
        atoms = frame(condition.replicas[which], int(number))
        replica = condition.passed[which]
        atoms.info.update(
            concentration=f"x{condition.concentration}", temperature=f"T{condition.temperature}", index=index,
            replica=replica, frame=int(number), potential=f"seed{seeds[replica]}",
        )  # fmt: skip
        frames.append(atoms)
    return frames


def frame(replica: Replica, number: int) -> Atoms:
    """One frame, its atoms wrapped into the cell, with `time_ps` and `md_energy`; nothing else of the file is read."""
    from netCDF4 import Dataset

    with Dataset(replica.path) as file:
        file.set_auto_mask(False)
        coordinates, time, energy = (file[name][number] for name in ("coordinates", "time", "potential_energy"))
    atoms = Atoms(replica.numbers, coordinates, cell=replica.cell, pbc=True)
    atoms.wrap()
    atoms.info.update(time_ps=round(float(time), 6), md_energy=float(energy))
    return atoms
