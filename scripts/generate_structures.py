"""Write the first structures of one concentration: what the first labels are computed for."""

import itertools
import logging
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from ase import Atoms
from numpy.random import Generator
from thermoweave import environment, logs
from thermoweave.composition import atom_counts, cell_volume, realised_shares, unit_counts
from thermoweave.engines import Drive, System
from thermoweave.engines.ase import Session
from thermoweave.frames import closest_distance, write_frames
from thermoweave.generators import ionic_melt
from thermoweave.potentials import start as starts
from thermoweave.preparation import relax, thermalise
from thermoweave.seeds import generator_for

log = logging.getLogger(__name__)

# Of a walk with a teacher: its thermostat (ps), and what ends it (eV/A, A).
THERMOSTAT_PS, MAX_FORCE, MIN_DISTANCE = 0.1, 100.0, 0.7


def squeeze_pair(atoms: Atoms, pair: tuple[str, str], scale: float) -> bool:
    """Bring the nearest pair of the two species to `scale` times its distance, in place; False if there is no such
    pair.

    Labels of ordinary melt frames hold no contact of two cations; a network that never saw one lets them collapse.
    """
    first = [i for i, s in enumerate(atoms.symbols) if s == pair[0]]
    second = [i for i, s in enumerate(atoms.symbols) if s == pair[1]]
    candidates = [(atoms.get_distance(i, j, mic=True), i, j) for i in first for j in second if i != j]
    if not candidates:
        return False
    distance, i, j = min(candidates)
    step = 0.5 * (1 - scale) * atoms.get_distance(i, j, mic=True, vector=True)
    atoms.positions[i] += step
    atoms.positions[j] -= step
    return True


def squeezed_indices(n: int, n_temperatures: int, share: float) -> set[int]:
    """Which of n structures, whose temperatures come in turn, are squeezed: that share of them (rounded up), spread
    over the list and shifted by one at each turn, so that every temperature has structures of both kinds.
    """
    turn = [(index + index // n_temperatures) * share % 1 for index in range(n)]
    return set(sorted(range(n), key=lambda index: (-turn[index], index))[: math.ceil(share * n - 1e-9)])


def walk_of(teacher: dict, species: Iterable[str]) -> Callable[[Atoms, float, Generator], None]:
    """A function (atoms, temperature in K, rng) that moves atoms as molecular dynamics of the teacher does, in place.

    It raises RuntimeError where the teacher does not hold the melt together.
    """
    with TemporaryDirectory(prefix="thermoweave-teacher-") as scratch:
        session = Session(starts.teacher(teacher["potential"], teacher["backend"], species, Path(scratch)))
    n_steps = round(1000 * teacher["md_ps"] / teacher["timestep_fs"])

    def walk(atoms: Atoms, kelvin: float, rng: Generator) -> None:
        moved = System(Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True), rng)
        relax(session, moved)
        thermalise(moved, kelvin)
        drive = Drive(teacher["timestep_fs"], (kelvin, kelvin), THERMOSTAT_PS)
        for _ in session.advance([moved], [drive], n_steps, n_steps, MAX_FORCE):
            pass
        closest = closest_distance(moved.atoms)
        if moved.stopped or closest < MIN_DISTANCE:
            raise RuntimeError(
                f"the teacher {teacher['potential']} loses the melt at {kelvin:.0f} K: after {moved.steps} of "
                f"{n_steps} steps the closest pair is {closest:.2f} A apart; it does not know this melt: take another "
                "one, or shorten generate.teacher.md_ps"
            )
        atoms.positions = moved.atoms.get_positions(wrap=True)

    return walk


def generate_structures(
    output: Path,
    concentration: str,
    composition: dict,
    density: dict,
    charges: dict,
    radii: dict,
    n_units: int,
    n_structures: int,
    temperatures: list[str],
    strain: float,
    superheat: float,
    contact_share: float,
    contact_scale: list[float],
    md_ps: float,
    seed: int,
    teacher: dict | None = None,
) -> None:
    """`n_structures` melts, temperatures in turn, cells strained and heated at random, a share with one squeezed
    pair. With a `teacher` (backend, potential, md_ps, timestep_fs) each melt then walks with that trained potential.
    """
    units = unit_counts(composition, concentration, n_units)
    counts = atom_counts(units)
    log.info("x = %s: %s, mole fractions %s", concentration, counts, realised_shares(units))
    pairs = itertools.cycle(itertools.combinations_with_replacement(counts, 2))
    options = {"charges": charges, "radii": radii, "md_ps": md_ps}
    to_squeeze = squeezed_indices(n_structures, len(temperatures), contact_share)
    frames = []
    walk = walk_of(teacher, counts) if teacher else None
    for index in range(n_structures):
        rng = generator_for(seed, "generate", concentration, index)
        temperature = temperatures[index % len(temperatures)]
        volume = cell_volume(units, concentration, temperature, density) * (1 + strain * rng.uniform(-1, 1)) ** 3
        kelvin = float(temperature) * rng.uniform(1, superheat)
        atoms = ionic_melt.generate(counts, volume, kelvin, rng, options)
        if walk:
            walk(atoms, kelvin, rng)
        squeezed = index in to_squeeze and squeeze_pair(atoms, next(pairs), rng.uniform(*contact_scale))
        atoms.info["squeezed"] = squeezed
        atoms.info.update(concentration=f"x{concentration}", temperature=f"T{temperature}", round=0, index=index)
        log.info(
            "structure %d: %.0f K, %.2f A cell, closest pair %.2f A",
            index,
            kelvin,
            volume ** (1 / 3),
            closest_distance(atoms),
        )
        frames.append(atoms)
    write_frames(output, frames)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    generate_structures(Path(snakemake.output.structures), snakemake.wildcards.concentration, **snakemake.params)
