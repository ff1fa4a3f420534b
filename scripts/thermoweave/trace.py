"""The way back from a point of a figure or a row of a table to the pseudopotentials that it rests on.

Follows the lineage (`lineage`) and reads the manifests on the way: verdicts of runs, potential.json, labelled frames.
Hashes that one step has of another are compared with the files as they are now. Standard library only.
"""

import ast
import csv
import functools
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from thermoweave import lineage
from thermoweave.lineage import Job, Lineage

SHOWN = 4  # files of a step, in full
RUNS_SHOWN = 12
FRAME = re.compile(r'\b(label_id|labeller|level)=(?:"([^"]*)"|(\S+))')
FITS = ("reduce_arrhenius", "reduce_plot_activation")  # along temperature


@dataclass
class Trace:
    """Steps (title, lines), and what does not agree."""

    steps: list[tuple[str, list[str]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def unchanged(read):
    """Let a function of a file read it once for as long as the file does not change: many tables rest on the same."""

    @functools.lru_cache(maxsize=100_000)
    def remembered(path: Path, _mtime: int, _size: int):
        return read(path)

    def now(path: Path):
        state = path.stat()
        return remembered(path, state.st_mtime_ns, state.st_size)

    return now


sha256 = unchanged(lineage.sha256)


@unchanged
def json_of(path: Path) -> dict:
    return json.loads(path.read_text())


@unchanged
def labelled(path: Path) -> list[dict[str, str]]:
    """The identities of the labelled frames of an extended XYZ file: label_id, labeller, level."""
    heads = [line for line in path.read_text().splitlines() if "label_id=" in line]
    return [{key: quoted or bare for key, quoted, bare in FRAME.findall(line)} for line in heads]


def find_table(graph: Lineage, name: str) -> str:
    """The table that a name means: a path, or the end of one, as in "arrhenius", "nequip/budget.csv".

    Raises ValueError where none or several match.
    """
    tables = [path for job in graph.jobs.values() for path in job.outputs if path.endswith(".csv")]
    if name in tables:
        return name
    wanted = f"/{name.removesuffix('.csv').removesuffix('.svg').removesuffix('.pdf')}.csv"
    found = [path for path in tables if path.endswith(wanted)]
    drawn = [path for path in found if "/figures/" in path]
    if len(drawn or found) != 1:
        listed = "\n  ".join(sorted(drawn or found) or sorted(tables))
        raise ValueError(f"{name}: {'several tables match' if found else 'no such table; there are'}:\n  {listed}")
    return (drawn or found)[0]


def find_row(path: Path, line: int | None, wanted: dict[str, str]) -> dict[str, str]:
    """The one row of a CSV file on a line of it (the header is line 1), or with these values; empty: the whole table.

    Raises ValueError, saying what there is, where no row or several match.
    """
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    if line is not None:
        if not 2 <= line <= len(rows) + 1:
            raise ValueError(f"{path} has points on lines 2 to {len(rows) + 1}, not on line {line}")
        return rows[line - 2]
    if unknown := wanted.keys() - rows[0].keys():
        raise ValueError(f"{path} has no column {', '.join(sorted(unknown))}; its columns are {', '.join(rows[0])}")
    found = [row for row in rows if all(_equal(row[key], value) for key, value in wanted.items())]
    if wanted and len(found) != 1:
        told = "no row" if not found else f"{len(found)} rows"
        more = [key for key in rows[0] if key not in wanted and len({row[key] for row in found or rows}) > 1]
        raise ValueError(f"{path}: {told} with {wanted}; columns that tell rows apart: {', '.join(more)}")
    return found[0] if wanted else {}


def _equal(found: str, wanted: str) -> bool:
    try:
        return float(found) == float(wanted)
    except ValueError:
        return found == wanted


def follow(graph: Lineage, folder: Path, table: str, row: dict[str, str]) -> Trace:
    """All steps from a row of a table (or, empty, from all of it) to the labels, in the campaign's `folder`."""
    jobs = graph.upstream([table], lineage.of_condition(*condition_of(graph, table, row)))
    trace = Trace()
    told = ", ".join(f"{key} {value}" for key, value in row.items() if value) or "the whole table"
    trace.steps.append(("point", [table, told]))
    for title, stages in (("reduction", ("audit", "reduce")), ("trajectory", ("simulate",))):
        trace.steps.append((title, made_by(jobs, stages)))
    trace.steps[-1][1].extend(runs(jobs, folder, trace))
    trace.steps.append(("potential", potentials(jobs, folder, trace)))
    trace.steps.append(("training", made_by(jobs, ("train", "explore"))))
    trace.steps.append(("labels", made_by(jobs, ("label", "generate")) + labels(jobs, folder)))
    trace.steps.append(("level of theory", level_of_theory(jobs, graph.sources, folder)))
    trace.steps.append(("checked", checked(jobs, folder, trace)))
    trace.steps = [(title, lines) for title, lines in trace.steps if lines]
    return trace


def condition_of(graph: Lineage, table: str, row: dict[str, str]) -> tuple[str | None, str | None]:
    """The concentration and temperature whose runs a row rests on; None: those of all.

    A value between the grid's points rests on all of them, and so does one of a fit, wherever it is read.
    """
    jobs = graph.upstream([table])
    grid = [found.groups() for job in jobs.values() for path in job.inputs if (found := lineage.CONDITION.search(path))]
    x, t = (row.get(key, "").lstrip("xT") for key in ("concentration", "temperature"))
    made_by = graph.made_by(table)
    if not any(_equal(each, x) for each, _ in grid) or row.get("kind") == "curve":
        return None, None
    if not any(_equal(each, t) for _, each in grid) or (made_by and graph.jobs[made_by].rule in FITS):
        return x, None
    return x, t


def made_by(jobs: dict[str, Job], stages: Sequence[str]) -> list[str]:
    """A line for each rule of some stages, the last first: jobs, their first files, when."""
    rules: dict[str, list[Job]] = {}
    for job in reversed(jobs.values()):
        if job.stage in stages:
            rules.setdefault(job.rule, []).append(job)
    lines = []
    for rule, made in rules.items():
        day = time.strftime("%Y-%m-%d %H:%M", time.gmtime(max(job.end for job in made)))
        files = [job.outputs[0] for job in made]
        more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
        lines.append(f"{rule} ({len(made)} job{'s' * (len(made) > 1)}, {day} UTC): {', '.join(files[:SHOWN])}{more}")
    return lines


def read_json(folder: Path, path: str) -> dict | None:
    return json_of(folder / path) if (folder / path).is_file() else None


def runs(jobs: dict[str, Job], folder: Path, trace: Trace) -> list[str]:
    """What each run was, and whether it is the one that its job wrote down: the potential's files decide that, too."""
    made = {path: job for job in jobs.values() for path in job.outputs}
    lines = []
    for job in (job for job in jobs.values() if job.rule == "simulate_judge"):
        record = next(path for path in job.inputs if path.endswith(lineage.BATCH))
        wanted = read_json(folder, record)
        for path in (path for path in job.outputs if path.endswith(".json")):
            facts = read_json(folder, path)
            if facts is None or wanted is None:
                continue
            if facts["run_sha256"] not in wanted["runs"].values():
                trace.faults.append(f"{path}: not a run of the job that wrote {record}")
            potential = ", ".join(name for name in made[record].inputs if name.endswith("potential.json"))
            lines.append(
                f"{path}: {facts['frames']} frames, {facts['steps']} steps of {facts['timestep_fs']:g} fs, "
                f"{facts['atoms']} atoms, engine {facts['engine']}, run by {potential}; "
                f"{'passed' if facts['passed'] else 'failed: ' + facts['reason']}"
            )
    more = len(lines) - RUNS_SHOWN
    return lines[:RUNS_SHOWN] + ([f"and {more} more runs"] if more > 0 else [])


def manifests(jobs: dict[str, Job]) -> list[str]:
    """The manifests of the potentials that moved runs."""
    found = {path for job in jobs.values() if job.rule == "simulate_md" for path in job.inputs}
    return sorted(path for path in found if path.endswith("potential.json"))


def potentials(jobs: dict[str, Job], folder: Path, trace: Trace) -> list[str]:
    """What each potential is, and whether its files are those that its manifest names."""
    lines = []
    for path in manifests(jobs):
        content = read_json(folder, path)
        if content is None:
            lines.append(f"{path}: not here")
            continue
        for name, digest in content["files"].items():
            file = (folder / path).parent / name
            if file.is_file() and sha256(file) != digest:
                trace.faults.append(f"{file}: is not the file that {path} was written for")
        start = content.get("start")
        lines.append(
            f"{path}: {content['backend']} {content['version']}, seed {content['seed']}, {content['n_train']} labels "
            f"to train, {content['n_valid']} to validate, {content['n_test']} to test; training set "
            f"{content['training_set_sha256'][:12]}{', began from ' + start['file'] if start else ''}"
        )
    return lines


def labels(jobs: dict[str, Job], folder: Path) -> list[str]:
    """How many labels there are, and what made them."""
    frames = frames_of(jobs, folder)
    if not frames:
        return []
    programs = sorted({frame["labeller"] for frame in frames})
    n = len({frame["label_id"] for frame in frames})
    return [f"{n} label{'s' * (n != 1)}, by {', '.join(programs)}"]


def frames_of(jobs: dict[str, Job], folder: Path) -> list[dict[str, str]]:
    """The identities of all labelled frames."""
    paths = [folder / path for job in jobs.values() if job.stage == "label" for path in job.outputs]
    return [frame for path in paths if path.suffix == ".extxyz" and path.is_file() for frame in labelled(path)]


def level_of_theory(jobs: dict[str, Job], sources: Mapping[str, str], folder: Path) -> list[str]:
    """Settings of the labels, as their jobs had them, and the pseudopotential files by their sha256."""
    hashes = {word for frame in frames_of(jobs, folder) for word in frame.get("level", "").split()}
    dicts = [
        ast.literal_eval(text) for job in jobs.values() if job.stage == "label" for text in job.params if text[0] == "{"
    ]
    lines = [", ".join(f"{key} {value}" for key, value in each.items()) for each in dicts]
    for word in sorted(hashes):
        name, _, digest = word.partition(":")
        names = [f"{Path(path).name}, sha256 {full}" for path, full in sources.items() if full.startswith(digest)]
        lines.append(f"{name} {digest}" + (f": {names[0]}" if names else ""))
    return list(dict.fromkeys(lines))


def checked(jobs: dict[str, Job], folder: Path, trace: Trace) -> list[str]:
    """How many of the hashes that jobs recorded of their inputs are those of the files as they are now."""
    sums = sorted({pair for job in jobs.values() for pair in job.checksums.items()})
    here = [(path, digest) for path, digest in sums if (folder / path).is_file()]
    changed = [path for path, digest in here if sha256(folder / path) != digest]
    trace.faults += [f"{path}: changed since it was used" for path in changed]
    gone = f"; {len(sums) - len(here)} files are not here" if len(here) < len(sums) else ""
    return [f"{len(here) - len(changed)} of {len(here)} files are as they were when they were used{gone}"]
