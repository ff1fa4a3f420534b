"""The production run of one replica on disk, read in pieces: no reduction holds more of it than its memory allows."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers
from ase.geometry import cellpar_to_cell

SPACING = 1e-3  # relative: frames that are unevenly spaced by more than rounding
COPIES = 8  # of a piece: what is read while the last one is still in use, and what is computed from either
NEVER_WRITTEN = 9e36  # NetCDF fills what nobody wrote with 9.97e36
WRAPPED = 0.5  # of the cell's smallest width: no atom moves that far from frame to frame, a wrapped one jumps further


class Replica:
    """
    A trajectory of `trajectory`: one production run, evenly spaced in time, in a fixed cell.

    step in ps; numbers and masses (amu) of the atoms; cell (3, 3) in A, its volume in A^3 and smallest width in A;
    temperature (K) and wall_contacts of the frames. Raises ValueError that names the file: fewer than two frames,
    frames unevenly spaced, a temperature that is not above zero, a cell that changes.
    """

    def __init__(self, path: Path, memory_MB: float):
        from netCDF4 import Dataset

        self.path, self.memory = Path(path), memory_MB * 1e6
        with Dataset(path) as file:
            file.set_auto_mask(False)
            time, lengths, angles = (file[name][:] for name in ("time", "cell_lengths", "cell_angles"))
            self.numbers, self.masses = file["atomic_numbers"][:], file["masses"][:].astype(float)
            self.temperature = file["temperature"][:].astype(float)
            self.wall_contacts = file["wall_contacts"][:].astype(float)
        self.n_frames, self.n_atoms = len(time), len(self.numbers)
        if len(time) < 2 or not np.allclose(np.diff(time), time[1] - time[0], rtol=SPACING):
            raise ValueError(f"{path}: {len(time)} frames, not equidistant in time; a reduction needs an even spacing")
        if not (self.temperature > 0).all():
            raise ValueError(f"{path}: the temperature of frame {np.argmin(self.temperature > 0)} is not above zero")
        cellpars = np.concatenate([lengths, angles], axis=1)
        if not np.allclose(cellpars, cellpars[0], rtol=1e-6):
            raise ValueError(f"{path}: the cell changes from frame to frame; reduce a production run in a fixed cell")
        self.step = float((time[-1] - time[0]) / (len(time) - 1))
        self.cell = cellpar_to_cell(cellpars[0])
        self.volume = float(abs(np.linalg.det(self.cell)))
        self.width = float(1 / np.linalg.norm(np.linalg.inv(self.cell), axis=0).max())

    def members(self, species: str) -> np.ndarray:
        """Indices of the atoms of a chemical element."""
        return np.flatnonzero(self.numbers == atomic_numbers[species])

    def kept(self, name: str) -> bool:
        """Whether a variable was written: what a potential or an engine does not give is NaN, or zero throughout."""
        from netCDF4 import Dataset

        with Dataset(self.path) as file:
            file.set_auto_mask(False)
            first = np.abs(file[name][0])
        return bool((first < NEVER_WRITTEN).all() and first.any())

    def frames(self, *names: str, stride: int = 1) -> Iterator[tuple[np.ndarray, ...]]:
        """Consecutive pieces of every `stride`-th frame, (k, ...) of each named variable, as float64."""
        from netCDF4 import Dataset

        with Dataset(self.path) as file:
            file.set_auto_mask(False)
            sizes = [int(np.prod(file[name].shape[1:])) for name in names]
            piece = max(1, int(self.memory / COPIES / (8 * sum(sizes))))
            for first in range(0, self.n_frames, piece * stride):
                chosen = slice(first, min(first + piece * stride, self.n_frames), stride)
                found = tuple(file[name][chosen].astype(float, copy=False) for name in names)
                for name, values in zip(names, found, strict=True):
                    self._check(name, values, first, stride)
                yield found

    def series(self, name: str, atoms: Sequence[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """
        Coordinates or velocities of atoms, few at a time over all frames: indices (k,) and values (frame, k, 3).

        Raises ValueError for coordinates that were wrapped into the cell: displacements need the path as it was.
        """
        from netCDF4 import Dataset

        atoms = np.asarray(atoms)
        piece = max(1, int(self.memory / COPIES / (24 * self.n_frames)))
        with Dataset(self.path) as file:
            file.set_auto_mask(False)
            for low in range(atoms.min(), atoms.max() + 1, piece):  # slices: a list of indices is read far more slowly
                chosen = atoms[(atoms >= low) & (atoms < low + piece)]
                if not len(chosen):
                    continue
                values = file[name][:, low : low + piece].astype(float, copy=False)
                if len(chosen) < values.shape[1]:
                    values = values[:, chosen - low]
                self._check(name, values, 0, 1)
                if name == "coordinates":
                    self._check_path(values, chosen)
                yield chosen, values

    def _check(self, name: str, values: np.ndarray, first: int, stride: int) -> None:
        if not (values.min() > -NEVER_WRITTEN and values.max() < NEVER_WRITTEN):  # false for NaN, too
            written = np.abs(values.reshape(len(values), -1)).max(axis=1) < NEVER_WRITTEN
            bad = np.flatnonzero(~written)[0]
            raise ValueError(
                f"{self.path}: {name} of frame {first + bad * stride} are not finite or were never written; "
                "simulate the run again"
            )

    def _check_path(self, values: np.ndarray, atoms: np.ndarray) -> None:
        jump = np.abs(np.diff(values, axis=0)).max(axis=(0, 2))
        if jump.max() > WRAPPED * self.width:
            raise ValueError(
                f"{self.path}: atom {atoms[jump.argmax()]} jumps by {jump.max():.1f} A from one frame to the next in a "
                f"cell {self.width:.1f} A wide: wrapped coordinates? displacements need them unwrapped"
            )


def open_passed(
    trajectories: Sequence[Path], verdicts: Sequence[Path], memory_MB: float
) -> tuple[list[Replica | None], list[str]]:
    """
    For every replica its trajectory, None where it did not pass the simulate gate, and why it did not, "" where it did.

    A trajectory that did not pass is not even opened. Raises ValueError where those that passed do not match.
    """
    judged = [json.loads(Path(path).read_text(encoding="utf-8")) for path in verdicts]
    reasons = ["" if verdict["passed"] else verdict["reason"] or "no reason given" for verdict in judged]
    replicas = [
        None if reason else Replica(path, memory_MB) for path, reason in zip(trajectories, reasons, strict=True)
    ]
    passed = [replica for replica in replicas if replica is not None]
    if len({(replica.n_frames, round(replica.step, 6), tuple(replica.numbers)) for replica in passed}) > 1:
        found = [f"{replica.n_frames} frames every {replica.step:g} ps, {replica.n_atoms} atoms" for replica in passed]
        raise ValueError(
            f"replicas differ: {'; '.join(found)} ({Path(trajectories[0]).parent}); run them with one protocol"
        )
    return replicas, reasons
