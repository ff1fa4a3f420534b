"""Labelled frames for training: read, without duplicates, and split so that a frame never changes sides.

Frames are extended XYZ with REF_energy (eV) and REF_forces (eV/A), and in `info` label_id (hex sha256), concentration
and temperature (the strings of the config behind an x and a T: x0.50, T1000) and round.
"""

import hashlib
import logging
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from thermoweave.frames import read_frames

STRINGS = ("label_id", "concentration", "temperature")
EVERY = 8  # of eight frames (in order of label_id) six train, one validates, one tests
MINIMUM = 4  # the fewest labels that can be split three ways

log = logging.getLogger(__name__)


def read_labels(paths: Sequence[str | Path]) -> list[Atoms]:
    """All labelled frames of the files, sorted by label_id; a label_id that was seen before is dropped, and counted in
    the log.

    Raises ValueError where a frame lacks one of the keys, its energy, forces or stress are not finite, or there is no
    frame.
    """
    frames, levels, dropped = {}, {}, 0
    for path in paths:
        for number, atoms in enumerate(read_frames(path)):
            _check(atoms, f"{path}, frame {number}")
            dropped += atoms.info["label_id"] in frames
            frames.setdefault(atoms.info["label_id"], atoms)
            _agree(levels, atoms, f"{path}, frame {number}")
    if not frames:
        raise ValueError(f"no labels in {', '.join(map(str, paths)) or 'no file'}: nothing to train on")
    if dropped:
        log.warning("dropped %d labels whose label_id was there already", dropped)
    return [frames[key] for key in sorted(frames)]


def _check(atoms: Atoms, where: str) -> None:
    missing = [key for key in ("REF_energy", *STRINGS, "round", "level") if key not in atoms.info]
    missing += [key for key in ("REF_forces",) if key not in atoms.arrays]
    if missing:
        raise ValueError(f"{where} is no label: it lacks {', '.join(missing)}")
    numbers = [key for key in STRINGS if not isinstance(atoms.info[key], str)]
    if numbers:
        raise ValueError(
            f"{where}: {', '.join(numbers)} was read as a number, so 0.50 and 0.5 cannot be told apart; "
            "write conditions as x0.50 and T1000"
        )
    numbers = atoms.info["REF_energy"], atoms.arrays["REF_forces"], atoms.info.get("REF_stress", 0.0)
    if not all(np.isfinite(values).all() for values in numbers):
        label = atoms.info["label_id"][:12]
        raise ValueError(f"{where} (label {label}) has an energy, a force or a stress that is not finite")


def _agree(levels: dict[str, str], atoms: Atoms, where: str) -> None:
    """Compare a label's level of theory ("settings:HASH Li:HASH ...") with that of the labels before, in `levels`."""
    for part in atoms.info["level"].split():
        key, _, found = part.partition(":")
        if levels.setdefault(key, found) != found:
            what = "DFT settings" if key == "settings" else f"the pseudopotential of {key}"
            raise ValueError(
                f"{where}: {what} differ from those of other labels ({found} and {levels[key]}); "
                "energies do not compare. Delete the older batch files, and they are labelled again like the others"
            )


def split(frames: Sequence[Atoms], every: int = EVERY) -> dict[str, list[Atoms]]:
    """Frames for "train", "valid" and "test".

    Within each (round, concentration) the frames are ranked by label_id, which is random with respect to all else; of
    each `every` in a row the second goes to test, the fourth to valid. So no frame changes sides as rounds or
    concentrations are added, and every concentration with two such frames in a round is tested. Frames marked
    `squeezed` all train: they say where the wall stands, and a test on one of them would measure the wall.

    Raises ValueError with fewer than `MINIMUM` frames, an empty side, or an element that only held-out frames have.
    """
    if every < 4:
        raise ValueError(f"every = {every}: of each so many frames one tests and one validates; it must be 4 or more")
    groups = defaultdict(list)
    for atoms in sorted(frames, key=lambda atoms: atoms.info["label_id"]):
        if not atoms.info.get("squeezed", False):
            groups[int(atoms.info["round"]), atoms.info["concentration"]].append(atoms)
    side = {1: "test", 3: "valid"}
    parts = {"train": [atoms for atoms in frames if atoms.info.get("squeezed", False)], "valid": [], "test": []}
    for _, group in sorted(groups.items()):
        for rank, atoms in enumerate(group):
            parts[side.get(rank % every, "train")].append(atoms)
    if len(frames) < MINIMUM or not all(parts.values()):
        raise ValueError(
            f"{len(frames)} labels, in {len(groups)} groups of one round and concentration, give "
            f"{', '.join(f'{len(part)} to {name}' for name, part in parts.items())}: each needs one or more; "
            "label at least four structures that are not squeezed in one round at one concentration"
        )
    seen = {symbol for atoms in parts["train"] for symbol in atoms.symbols}
    unknown = {symbol for atoms in frames for symbol in atoms.symbols} - seen
    if unknown:
        raise ValueError(f"no training frame holds {', '.join(sorted(unknown))}: label more structures that do")
    return parts


def check_coverage(train: Sequence[Atoms], concentrations: Sequence[str], temperatures: Sequence[str]) -> None:
    """Raises ValueError where a concentration has no training frame, or all of them are of one temperature though
    structures were made for several: the potential would be used where nothing was labelled.
    """
    at_concentrations, at_temperatures = (set(values) for values in zip(*map(condition, train), strict=True))
    missing = [x for x in concentrations if x not in at_concentrations]
    if missing:
        raise ValueError(
            f"no training label at concentration {', '.join(missing)} (there are some at "
            f"{', '.join(sorted(at_concentrations))}): were all of its structures rejected? "
            "results/label/round*/rejected.csv says why"
        )
    if len(temperatures) > 1 and len(at_temperatures) == 1:
        raise ValueError(
            f"all {len(train)} training labels are of one temperature ({at_temperatures.pop()} K), structures were "
            f"made for {', '.join(temperatures)} K: were others rejected? results/label/round*/rejected.csv says why"
        )


def first_share(frames: Sequence[Atoms], share: float) -> list[Atoms]:
    """A share of the frames, of each concentration and of squeezed ones apart, one at least of each; a larger share
    holds a smaller one. Frames are taken in order of label_id, which is random with respect to all else.
    """
    groups = defaultdict(list)
    for atoms in sorted(frames, key=lambda atoms: atoms.info["label_id"]):
        groups[atoms.info["concentration"], bool(atoms.info.get("squeezed", False))].append(atoms)
    chosen = [atoms for _, group in sorted(groups.items()) for atoms in group[: math.ceil(share * len(group) - 1e-9)]]
    return sorted(chosen, key=lambda atoms: atoms.info["label_id"])


def digest(frames: Sequence[Atoms]) -> str:
    """Hex sha256 of a set of frames: of their label_ids, in sorted order."""
    return hashlib.sha256("\n".join(sorted(atoms.info["label_id"] for atoms in frames)).encode()).hexdigest()


def condition(atoms: Atoms) -> tuple[str, str]:
    """(concentration, temperature) of a frame, as the config has them: ("0.50", "1000")."""
    return atoms.info["concentration"].removeprefix("x"), atoms.info["temperature"].removeprefix("T")
