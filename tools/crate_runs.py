#!/usr/bin/env python3
"""Runs in an unpacked crate, a campaign's folder, for crate.py: redraw, verify (of the reductions) and replay.

Standard library only, any Python 3.9 or newer: what runs needs the environments that are made here first.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

LINEAGE, LOCKS = Path("results/audit/lineage.json"), Path("results/archive/environments")
ARCHIVED, COMPARED = Path("archived"), Path("results/archive/recomputed.csv")
CONFIG, MINIATURE = "config/config.yaml", "config/miniature.yaml"
STAGES, PAGES = ("reduce", "train", "explore", "audit"), (".svg", ".pdf", ".html")
DRAWN = (*PAGES, ".csv", ".nc")
REDUCTIONS = ("reduce_transport", "reduce_structure", "reduce_spectra")
CLOSE, DIGITS = Decimal("1e-9"), 8  # of a number in a table; digits from which on the last one may be rounded otherwise


class Failed(Exception):
    """What could not be done, in sentences."""


def run(command: list, what: str, **variables: str) -> None:
    """A command in this folder; `what` could not be done where it fails."""
    environment = {**os.environ, "PWD": os.getcwd(), **variables}  # the profile's place of environments follows PWD
    with subprocess.Popen(list(map(str, command)), env=environment) as process:
        try:
            status = process.wait()
        finally:
            process.terminate()  # when this one is ended before: Snakemake ends its jobs
    if status:
        raise Failed(f"{what} (messages above); what was done so far is in {os.getcwd()}")


def snakemake(checkout: Path, *arguments: str, config: str = CONFIG) -> list:
    """The command line of a checkout's Snakemake, with its environments."""
    prefix = [checkout / ".venv/bin/snakemake", "--profile", "profiles/local", "--configfile", config]
    return [*prefix, "--conda-prefix", checkout / ".snakemake/conda", "--quiet", "host", "reason", "rules", *arguments]


def make_environments(names: list[str], wheels: Path | None) -> None:
    """Make the workflow's environment and those of rules, with the versions that the crate names."""
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wheels.as_uri(), "PIP_CONFIG_FILE": os.devnull} if wheels else {}
    for name in ["workflow", *names]:
        lock = LOCKS / f"{name}.txt"
        if not lock.is_file():
            raise Failed(f"the crate does not say what is in the environment {name}: there is no {lock}")
        print(f"making the environment {name}: {lock.read_text().splitlines()[0].lstrip('# ')}", flush=True)
        # A build of one package index (torch 2.8+cpu) is not in another: the version counts.
        constraints = Path(f".snakemake/constraints/{name}.txt").resolve()
        constraints.parent.mkdir(parents=True, exist_ok=True)
        constraints.write_text(re.sub(r"\+\S+$", "", lock.read_text(), flags=re.M))
        if name == "workflow":
            command = [sys.executable, "tools/venv-conda/conda", "env", "create", "--file", "envs/workflow.yaml",
                       "--prefix", ".venv"]  # fmt: skip
        else:
            command = [".venv/bin/snakemake", "--profile", "profiles/local", "--snakefile", "tools/environments.smk",
                       "--quiet", "host", "--conda-create-envs-only", "--config", f"environments={name}"]  # fmt: skip
        # an address and no path, which pip would split at spaces
        run(command, f"the environment {name} could not be made", PIP_CONSTRAINT=constraints.as_uri(), **index)


def jobs() -> list[dict]:
    """The jobs of the campaign all of whose inputs are in the crate."""
    found = json.loads(LINEAGE.read_text())["jobs"].values()
    return [job for job in found if all(map(os.path.isfile, job["inputs"]))]


def run_only(checkout: Path, rules: Iterable[str], targets: Iterable[str], what: str) -> None:
    """Run jobs of these rules; no environment is made for others (tools/redraw.smk)."""
    shutil.copy("tools/redraw.smk", ".")  # where it lies is the workflow's folder
    options = ["--snakefile", "redraw.smk", "--allowed-rules", *sorted(set(rules)), "--", *targets]
    run(snakemake(checkout, *options), what)


def again(checkout: Path, todo: list[dict]) -> None:
    """Put what these jobs made aside, and run them and no other."""
    targets = [path for job in todo for path in job["outputs"]]
    for path in targets:
        (ARCHIVED / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, ARCHIVED / path)
    run_only(checkout, (job["rule"] for job in todo), targets, "not everything could be made again")


def redraw(checkout: Path) -> str:
    """Make all figures and tables again. Raises Failed where one is not what it was."""
    todo = [
        job for job in jobs()
        if job["rule"].split("_")[0] in STAGES and job["rule"] not in REDUCTIONS
        and all(path.endswith(DRAWN) for path in job["outputs"])
    ]  # fmt: skip
    if not todo:
        raise Failed("the crate has no figure and no table whose inputs it has, too: there is nothing to make again")
    again(checkout, todo)
    paths = [path for job in todo for path in job["outputs"]]
    changed = [path for path in paths if sha256(path) != sha256(ARCHIVED / path)]
    kept = sorted(str(path) for path in Path("results").rglob("*") if path.suffix in PAGES and str(path) not in paths)
    told = f"{len(paths)} figures and tables made again, {len(paths) - len(changed)} of them bit-equal"
    told += f"; as they were archived: {', '.join(kept)}" if kept else ""
    if not changed:
        return told
    if any(path.endswith(".nc") for path in changed):
        compare_datasets(checkout)
    tables = {path for path in paths if path.endswith(".csv") and (path not in changed or close(path))}
    same = {path for path in changed if path.endswith(".nc") or table_of(path) in tables}
    lines = [f"{path}: {how(path) if path in same else 'NOT THE SAME'}" for path in changed]
    if len(same) < len(changed):
        raise Failed("\n".join([told, "Not all of the others are the same:", *lines]))
    return "\n".join([told, "Not bit-equal, but the same:", *lines])


def sha256(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def table_of(path: str) -> str:
    """The table behind a figure or a page."""
    return str(Path(path).with_suffix(".csv"))


def how(path: str) -> str:
    """In what way a file that differs is still the same."""
    if path.endswith(".nc"):
        return f"the same values ({COMPARED})"
    return "the same numbers but for rounding" if path.endswith(".csv") else "drawn otherwise, from the same numbers"


def close(path: str) -> bool:
    """Whether a table has the same text as the archived one, and the same numbers but for rounding."""
    old, new = (list(csv.reader(io.StringIO(Path(file).read_text()))) for file in (ARCHIVED / path, path))
    cells = map(near, itertools.chain.from_iterable(old), itertools.chain.from_iterable(new))
    return list(map(len, old)) == list(map(len, new)) and all(cells)


def near(a: str, b: str) -> bool:
    """Whether two cells have the same text or, but for rounding, number: the last of many digits may differ by one."""
    try:
        x, y = Decimal(a), Decimal(b)
    except ArithmeticError:  # a text
        return a == b
    if not (x.is_finite() and y.is_finite()):
        return a == b
    (_, digits_x, place_x), (_, digits_y, place_y) = x.as_tuple(), y.as_tuple()
    last = Decimal(1).scaleb(min(place_x, place_y)) if max(len(digits_x), len(digits_y)) >= DIGITS else 0
    return abs(x - y) <= max(CLOSE * abs(x), last)


def compare_datasets(checkout: Path) -> None:
    """Compare the datasets that were put aside with those made again: scripts/archive_recomputed.py."""
    COMPARED.unlink(missing_ok=True)
    run_only(checkout, ["archive_recomputed"], [str(COMPARED)], "datasets are not what they were")


def reductions() -> list[dict]:
    """Jobs that reduced trajectories which are in the crate, and whole."""
    return [job for job in jobs() if job["rule"] in REDUCTIONS]


def recompute(checkout: Path) -> str:
    """Reduce the trajectories in the crate again. Raises Failed where one is not reduced to what it was."""
    todo = reductions()
    again(checkout, todo)
    compare_datasets(checkout)
    return f"{len(todo)} reductions of archived trajectories made again; all have the archived values ({COMPARED})"


def replay(checkout: Path) -> str:
    """Run the campaign in miniature."""
    command = [checkout / ".venv/bin/python", "tools/miniature_config.py", CONFIG, MINIATURE]
    run(command, f"{CONFIG} could not be made smaller")
    run(snakemake(checkout, config=MINIATURE), "the miniature did not end")
    n = len(list(Path("results/reduce").glob("*/figures/*.svg")))
    return f"the campaign ran in miniature ({MINIATURE}), to its {n} figures of results; its numbers mean nothing"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["redraw", "verify", "replay"])
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--environments", type=Path)
    given = parser.parse_args()
    try:
        if re.search(r"\s", os.getcwd()):
            raise Failed(f"{os.getcwd()}: Snakemake cannot enter environments where a path has a space: see --into")
        if given.command == "verify" and not reductions():
            print("the crate has no whole trajectories: there is nothing that could be reduced again")
            return 0
        if not given.environments:
            rules = [lock.stem for lock in sorted(LOCKS.glob("*.txt")) if lock.stem not in ("workflow", "analysis")]
            make_environments(["analysis", *(rules if given.command == "replay" else [])], given.wheels)
        command = {"redraw": redraw, "verify": recompute, "replay": replay}[given.command]
        print(command(given.environments or Path.cwd()))
    except Failed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
