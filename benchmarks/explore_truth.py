"""The truth of benchmarks/explore.py: GFN1-xTB as a labeller, and the hidden test set, walked by GFN1-xTB itself."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

from explore_setup import CONDITIONS, MELT, SYSTEM, TIMESTEP_FS  # isort: skip
import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from thermoweave.composition import atom_counts, cell_volume, unit_counts
from thermoweave.engines import Drive, System
from thermoweave.engines.ase import Session
from thermoweave.frames import write_frames
from thermoweave.generators import ionic_melt
from thermoweave.potentials.start import NO_WALL
from thermoweave.potentials.wall import Walled
from thermoweave.preparation import relax, thermalise
from thermoweave.seeds import generator_for

METHOD = "GFN1-xTB"
# tblite's accuracy for walking: a third of the time, forces within 2 meV/A of those of the labels (accuracy 1)
COARSE = 100.0
SETTLE_PS, SPACING_PS, FRAMES, WALKS = 0.5, 0.2, 4, 2  # of the hidden test set: frames a walk, walks a condition
THERMOSTAT_PS, MAX_FORCE = 0.1, 100.0


def truth(accuracy: float = 1.0) -> Calculator:
    from tblite.ase import TBLite

    return TBLite(method=METHOD, verbosity=0, accuracy=accuracy)


def label(frames: Sequence[Atoms]) -> list[Atoms]:
    """The frames with REF_energy (eV), REF_forces (eV/A) and all else that a label has."""
    labelled = []
    for frame in frames:
        atoms = Atoms(frame.symbols, frame.positions, cell=frame.cell, pbc=True)
        content = repr((str(atoms.symbols), atoms.positions.round(8).tolist(), atoms.cell.array.round(8).tolist()))
        atoms.info.update(frame.info, label_id=hashlib.sha256(content.encode()).hexdigest(), level="settings:1")
        atoms.calc = truth()  # a new one: the density of the structure before would leave its trace
        atoms.info["REF_energy"], atoms.arrays["REF_forces"] = atoms.get_potential_energy(), atoms.get_forces().copy()
        atoms.calc = None
        labelled.append(atoms)
    return labelled


def hidden_test_set(output: Path, seed: int) -> None:
    """Frames of molecular dynamics of the truth at every condition, labelled; some 20 minutes."""
    frames = []
    for x, T in CONDITIONS:
        begin = time.perf_counter()
        for walk in range(WALKS):
            frames += label(walked(x, T, walk, generator_for(seed, "hidden", x, T, walk)))
        print(f"x = {x}, {T} K: {len(frames)} frames, {time.perf_counter() - begin:.0f} s", flush=True)
    write_frames(output, frames)


def walked(x: str, T: str, walk: int, rng: np.random.Generator) -> list[Atoms]:
    """Frames of one walk, from a melt of the ionic pair potential."""
    units = unit_counts(SYSTEM["composition"], x, SYSTEM["n_units"])
    volume = cell_volume(units, x, T, SYSTEM["density"])
    melt = ionic_melt.generate(atom_counts(units), volume, float(T), rng, MELT)
    session = Session(Walled(truth(COARSE), NO_WALL, dict.fromkeys(("Li", "K", "Cl"), 0.0)))
    system = System(Atoms(melt.symbols, melt.positions, cell=melt.cell, pbc=True), rng)
    relax(session, system)
    thermalise(system, float(T))
    drive = Drive(TIMESTEP_FS, (float(T), float(T)), THERMOSTAT_PS)
    steps = [round(1000 * ps / TIMESTEP_FS) for ps in (SETTLE_PS, (FRAMES - 1) * SPACING_PS, SPACING_PS)]
    for _ in session.advance([system], [drive], steps[0], steps[0], MAX_FORCE):
        pass
    frames = [frame_of(system, x, T, walk)]
    for _ in session.advance([system], [drive], steps[1], steps[2], MAX_FORCE):
        frames.append(frame_of(system, x, T, walk))
    if system.stopped:
        raise RuntimeError(f"x = {x}, {T} K: a force above {MAX_FORCE:g} eV/A in the walk of {METHOD}")
    return frames


def frame_of(system: System, x: str, T: str, walk: int) -> Atoms:
    frame = Atoms(system.atoms.symbols, system.atoms.get_positions(wrap=True), cell=system.atoms.cell, pbc=True)
    frame.info.update(concentration=f"x{x}", temperature=f"T{T}", round=0, walk=walk)
    return frame
