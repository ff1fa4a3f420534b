"""The loop of benchmarks/explore.py: rounds of labels for one seed and one way to choose them, without Snakemake.

Each step calls the function of the rule of the same name (rules/). A step whose output is there is not done again.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from explore_setup import (  # isort: skip
    CONCENTRATIONS, CONDITIONS, FIRST_STEPS, HYPERS, LABELS_PER_ROUND, LIMITS, MELT, MEMBERS, PACE, RANDOM_SHARE,
    ROUNDS, SPACING_PS, STEPS, STRUCTURES, SYSTEM, TARGET, TEMPERATURES, WINDOW,
)  # fmt: skip
import numpy as np
from ase import Atoms
from explore_calibrate import explore_calibrate
from explore_check import explore_check
from explore_judge import explore_judge
from explore_md import explore
from explore_select import explore_select
from explore_truth import label
from generate_structures import generate_structures
from thermoweave import calibration as calibrations
from thermoweave import datasets, potentials
from thermoweave.frames import closest_distance, read_frames, write_frames
from thermoweave.potentials.committee import deviation, frame_deviation, frame_error
from thermoweave.potentials.start import NO_WALL
from thermoweave.potentials.wall import Walled
from thermoweave.seeds import generator_for, stream
from thermoweave.tables import read_csv
from train_potential import train_potential

CHECKED = "checked.json"
MIN_DISTANCE = 0.7  # A, of a structure that is labelled, as in config/quickstart.yaml


class Campaign(NamedTuple):
    """The folders of one seed and strategy. What a seed's strategies have in common is there once."""

    shared: Path
    own: Path
    strategy: str
    seed: int

    def learned(self, round: int) -> Path:
        """Where the potentials and walks of a round are: those of round 0 serve all strategies."""
        return (self.shared if round == 0 else self.own) / f"round{round}"

    def labels(self, round: int) -> list[Path]:
        return [self.learned(k) / "labels.extxyz" for k in range(round + 1)]

    def potentials(self, round: int) -> list[Path]:
        return [self.learned(round) / f"member{k}" / "potential.json" for k in MEMBERS]

    def walked(self, round: int, name: str) -> list[Path]:
        return [self.learned(round) / f"x{x}" / name for x in CONCENTRATIONS]

    def pairs(self, round: int) -> list[Path]:
        """Tables of deviations and errors on the fresh labels of all rounds before that chose some."""
        fresh = [self.own / f"round{k}" / "fresh.csv" for k in range(round)]
        return [path for path in fresh if path.exists()]


def run(
    folder: Path, strategy: str, seed: int, hidden: Sequence[Atoms], there: Sequence[int],
    report: Callable[[dict], None],
) -> None:  # fmt: skip
    """All rounds; `report` is told a row after each that is not `there`."""
    campaign = Campaign(folder / f"seed{seed}", folder / f"seed{seed}" / strategy, strategy, seed)
    first_labels(campaign)
    for round in range(ROUNDS + 1):
        if round in there:
            continue
        train(campaign, round)
        folder = campaign.learned(round)
        held_out, known = folder / "held_out.csv", folder / "calibration.json"
        predictions = [path.with_name("predictions.npz") for path in campaign.potentials(round)]
        explore_calibrate(predictions, campaign.pairs(round), held_out, known, round)
        stated = {}
        if round < ROUNDS:
            walk(campaign, round, known)
            select(campaign, round)
            stated = judge(campaign, round, known)
        n_labels = sum(len(read_frames(path)) for path in campaign.labels(round))
        row = {"strategy": strategy, "seed": seed, "round": round, "n_labels": n_labels}
        report({**row, **measured(campaign, round, hidden), "stated_meV_A": stated})


def first_labels(campaign: Campaign) -> None:
    """Ordinary structures of the ionic pair potential, few of them, labelled."""
    output = campaign.labels(0)[0]
    if output.exists():
        return
    frames = []
    for x in CONCENTRATIONS:
        path = campaign.shared / "generate" / f"x{x}" / "structures.extxyz"
        path.parent.mkdir(parents=True, exist_ok=True)
        rules = {key: SYSTEM[key] for key in ("composition", "density", "n_units")}
        generate_structures(path, x, **rules, **STRUCTURES, **MELT, seed=campaign.seed)
        frames += read_frames(path)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_frames(output, label(frames))


def train(campaign: Campaign, round: int) -> None:
    """The committee on all labels so far, each member from its weights of the round before."""
    labels = campaign.labels(round)
    n_train = len(datasets.split(datasets.read_labels(labels))["train"])
    steps = STEPS if round else FIRST_STEPS
    epochs = int(np.ceil(steps / np.ceil(n_train / HYPERS["batch_size"])))
    before = campaign.potentials(round - 1) if round else [None] * len(MEMBERS)
    for member, path, start in zip(MEMBERS, campaign.potentials(round), before, strict=True):
        if path.exists():
            continue
        train_potential(
            labels, path, path.with_name("errors.json"), path.with_name("predictions.npz"), path.parent / "training",
            "nequip", {**HYPERS, "epochs": epochs}, stream(campaign.seed, "member", member) % 2**31,
            {"concentrations": CONCENTRATIONS, "temperatures": STRUCTURES["temperatures"]}, start=start,
        )  # fmt: skip


def walk(campaign: Campaign, round: int, known: Path) -> None:
    for x in CONCENTRATIONS:
        folder = campaign.learned(round) / f"x{x}"
        if (folder / "walks.csv").exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        explore(
            campaign.shared / "generate" / f"x{x}" / "structures.extxyz", campaign.potentials(round), known,
            folder / "candidates.extxyz", folder / "walks.csv", folder / "walks", x, round, **SYSTEM,
            temperatures=list(TEMPERATURES), margins={"hotter_K": 0, "denser": 0}, pace=PACE, limits=LIMITS,
            seed=campaign.seed,
        )  # fmt: skip


def select(campaign: Campaign, round: int) -> None:
    """The strategy's choice of what to label, and its labels."""
    selected, labels = campaign.own / f"round{round}" / "selected.extxyz", campaign.labels(round + 1)[-1]
    if labels.exists():
        return
    selected.parent.mkdir(parents=True, exist_ok=True)
    candidates = campaign.walked(round, "candidates.extxyz")
    if campaign.strategy == "threshold":
        write_frames(selected, in_window(candidates, generator_for(campaign.seed, "threshold", round)))
    else:
        share = 1.0 if campaign.strategy == "random" else RANDOM_SHARE
        explore_select(
            candidates, selected, selected.with_name("selection.csv"), round, LABELS_PER_ROUND, share, TARGET,
            SPACING_PS, MIN_DISTANCE, campaign.seed,
        )  # fmt: skip
    labels.parent.mkdir(parents=True, exist_ok=True)
    write_frames(labels, label(read_frames(selected)))


def in_window(candidates: Sequence[Path], rng: np.random.Generator) -> list[Atoms]:
    """Frames whose worst atom deviates by an amount inside `WINDOW`, at random from all conditions pooled, as many as a
    round labels or all there are.
    """
    low, high = WINDOW
    frames = [frame for path in candidates for frame in read_frames(path) if closest_distance(frame) >= MIN_DISTANCE]
    doubtful = [frame for frame in frames if low <= frame.arrays["deviation"].max() < high]
    order = rng.permutation(len(doubtful))[:LABELS_PER_ROUND]
    for index, k in enumerate(order):
        touching = doubtful[k].info["wall_contacts"] > 0
        doubtful[k].info.update(index=index, chosen="threshold", squeezed=touching)
    return [doubtful[k] for k in order]


def judge(campaign: Campaign, round: int, known: Path) -> dict[str, list[float]]:
    """What the round's fresh labels say: expected error of each condition and the ends of its interval (meV/A);
    of nothing where nothing was chosen.
    """
    folder = campaign.own / f"round{round}"
    if not read_frames(folder / "selected.extxyz"):
        return {}
    earlier, fresh = [*campaign.pairs(round), campaign.learned(round) / "held_out.csv"], folder / "fresh.csv"
    explore_check(
        folder / "selected.extxyz", campaign.labels(round + 1)[-1:], earlier, known, fresh, folder / CHECKED, round,
        len(MEMBERS),
    )  # fmt: skip
    explore_judge(
        folder / CHECKED, [*earlier, fresh], campaign.walked(round, "candidates.extxyz"),
        campaign.walked(round, "walks.csv"), folder / "coverage.csv", round, TARGET, campaign.seed,
    )  # fmt: skip
    columns = ("expected_error_meV_A", "low_meV_A", "high_meV_A")
    return {
        f"{row['concentration']} {row['temperature']}": [float(row[key]) for key in columns]
        for row in read_csv(folder / "coverage.csv")
        if int(row["frames"])
    }


def measured(campaign: Campaign, round: int, hidden: Sequence[Atoms]) -> dict:
    """Errors of the committee on the hidden test set (meV/A, root mean square over force components and members) at
    each condition, with the wall and of the networks alone; the share of frames whose error is inside the interval that
    their deviation lets expect, and of those that touch the wall.
    """
    own, learned = campaign.own / f"round{round}" / CHECKED, campaign.learned(round) / "calibration.json"
    known = calibrations.read(own if own.exists() else learned)
    members = [potentials.load(path) for path in campaign.potentials(round)]
    bare = [Walled(member.network, NO_WALL, member.manifest["energy_shifts_eV"]) for member in members]
    squares = {ways: {f"x{x} T{T}": [] for x, T in CONDITIONS} for ways in ("rmse", "network_rmse")}
    inside, touching = [], []
    for atoms in hidden:
        condition, reference = f"{atoms.info['concentration']} {atoms.info['temperature']}", atoms.arrays["REF_forces"]
        found = deviation(bare, atoms)
        error = frame_error(found.mean_forces, found.forces, reference, len(members))
        squares["network_rmse"][condition].append(error**2)
        low, high = calibrations.interval(known, condition, frame_deviation(found.forces))
        inside.append(bool(low < error < high))
        found = deviation(members, atoms)
        error = frame_error(found.mean_forces, found.forces, reference, len(members))
        squares["rmse"][condition].append(error**2)
        touching.append(members[0].results["wall_contacts"] > 0)
    row = {"frames_inside": float(np.mean(inside)), "frames_in_wall": float(np.mean(touching))}
    for name, of_condition in squares.items():
        rmse = {condition: float(np.sqrt(np.mean(values))) for condition, values in of_condition.items()}
        row |= {f"{name}_meV_A": rmse, f"worst_{name}_meV_A": max(rmse.values())}
        row[f"mean_{name}_meV_A"] = float(np.mean(list(rmse.values())))
    return row
