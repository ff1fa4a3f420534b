"""Put a finished campaign into one RO-Crate: what readers and machines need to look, redraw and run again."""

import contextlib
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from thermoweave import bundles, crate_files, environment, lineage, logs, privacy
from thermoweave.crate_metadata import About, metadata

log = logging.getLogger(__name__)

PLACEHOLDER = "Your Name"  # in config/quickstart.yaml
FORMAT = "1"  # of the archive: what tools/crate.py has to know
SUMS = "checksums.sha256"
TRAJECTORIES = "results/archive/trajectories.sha256"
WORKFLOW_LOCK = "results/archive/environments/workflow.txt"
METADATA = "ro-crate-metadata.json"
DESCRIPTIONS = {
    SUMS: "sha256 of every file, of those in the bundles under the paths that they have once unpacked in place",
    "crate.py": "python3 crate.py verify | unpack | redraw | replay",
    "results/audit/answer.html": "start here: the results, what they rest on, what they cost",
    "results/audit/lineage.json": "every job with its inputs and outputs: the way back from each file",
    "results/archive/labels.extxyz": "all labels; labels.md is their card",
    "results/audit/references.bib": "what to cite",
    TRAJECTORIES: "sha256 of every trajectory, in the archive or not",
    "workflow.zip": "the workflow: rules, scripts, environments, tools",
    "records.zip": "results of single conditions, rounds and batches",
    "potentials.zip": "potentials, their errors and manifests",
    "trajectories.zip": "trajectories, AMBER NetCDF",
}


README = """\
# {about.title}

{about.description}

An RO-Crate (https://www.researchobject.org/ro-crate) of a campaign with Thermoweave, {about.licence}. Open
`results/audit/answer.html` first. Every path is that of the campaign's folder; the bundles (`*.zip`) belong unpacked in
place, which `crate.py` does after it has checked every hash (Python 3.9 or newer, nothing else):

    python3 crate.py verify               every hash, every path; with --reductions, trajectories are reduced again
    python3 crate.py unpack --into NEW    the campaign's folder as it was
    python3 crate.py redraw               every figure and table again, from the reduced data (Python 3.11, PyPI)
    python3 crate.py replay               a small version of the whole campaign, labels included

In the unpacked folder, `python3 tools/trace.py arrhenius:2` prints the way back from the first point of the Arrhenius
figure to the pseudopotentials.

| | |
|---|---|
| `results/audit/` | answer, health verdicts, errors of the potentials, costs, lineage, methods, references.bib |
| `results/reduce/` | reduced data (NetCDF, CF conventions, and CSV), figures with the CSV behind them |
| `results/archive/` | labels with their card, versions of all packages, check sums of the trajectories |
| `potentials.zip`, `records.zip`, `workflow.zip` | potentials; results of single conditions and rounds; the workflow |
"""


@dataclass
class Campaign:
    """What is archived: the campaign's folder, that of the workflow that ran it, and what is known of the run."""

    folder: Path
    root: Path
    graph: lineage.Lineage
    extra: Sequence[str]  # results that are not in the lineage: the audit, the labels, the locks
    config_text: str
    installed: str  # where Snakemake itself ran
    threads: int | str = 1  # of a run: the budget's advice counts them
    pseudopotentials: Mapping[str, str] = field(default_factory=dict)  # by species, where they are not the workflow's
    allowed: Sequence[str] = ()  # what may be told of the machine


def archive_crate(campaign: Campaign, about: About, trajectories: bool, out: Path) -> None:
    """Write the crate of a campaign to `out`; nothing until it is whole. `trajectories`: whether the full ones are in.

    Raises ValueError where a file would tell of this machine (`privacy`), and where nobody said who the authors are;
    RuntimeError where a file changed meanwhile.
    """
    if PLACEHOLDER in [author["name"] for author in about.authors]:
        raise ValueError(f"archive.authors: {PLACEHOLDER!r} is a placeholder; put the authors of the data there")
    graph = campaign.graph
    sources = crate_files.source_files(graph, campaign.folder)
    results = crate_files.result_files(graph, campaign.folder, trajectories) | sources
    results |= {name: campaign.folder / name for name in campaign.extra}
    with emptied(out.parent / ".crate") as work:
        top, workflow = of_the_workflow(campaign, about, work)
        results = {name: path for name, path in results.items() if name not in workflow}
        here = privacy.of_this_machine([campaign.folder, campaign.root])
        privacy.refuse(workflow, {text: kind for text, kind in here.items() if not kind.startswith("the name of")})
        privacy.refuse(results | top, privacy.ordinary(workflow.values(), here), campaign.allowed)
        sums = {name: lineage.sha256(path) for name, path in (results | workflow | top).items()}
        places = crate_files.arrange(results, len(top) + len(("workflow.zip", SUMS, METADATA)))
        inside = {"workflow.zip": workflow}
        for name, place in places.items():
            (top if place is None else inside.setdefault(place, {}))[name] = results[name]
        for place, members in inside.items():
            top[place] = work / place.replace("/", "_")
            bundles.write(top[place], members)
            sums[place] = lineage.sha256(top[place])
        top[SUMS] = written(work / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
        top[METADATA] = written(work / METADATA, described(about, graph, top, places))
        whole = work / out.name
        bundles.write(whole, top)
        verify(campaign.root, whole)
        os.replace(whole, out)
    log.info("%d files, %.1f MB", len(top), out.stat().st_size / 1e6)


def verify(root: Path, crate: Path) -> None:
    """Let the program that comes with the archive check it, before anyone else has to."""
    command = [sys.executable, root / "tools/crate.py", "verify", crate]
    ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if ended.returncode:
        raise RuntimeError(
            f"files changed while they were archived; let nothing else run, and try again. {ended.stderr}"
        )


@contextlib.contextmanager
def emptied(folder: Path) -> Iterator[Path]:
    """A folder to work in, of one name: what a killed job left there goes with the next one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def of_the_workflow(campaign: Campaign, about: About, work: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """Files that lie in the archive by themselves, and those of workflow.zip; new ones are written to `work`."""
    top = {
        "Snakefile": campaign.root / "Snakefile", "crate.py": campaign.root / "tools/crate.py",
        "README.md": written(work / "README.md", README.format(about=about)),
        "config/config.yaml": written(work / "config.yaml", campaign.config_text),
        WORKFLOW_LOCK: written(work / "installed", campaign.installed),
        TRAJECTORIES: written(work / "trajectories", checksums_of_trajectories(campaign.graph, campaign.folder)),
    }  # fmt: skip
    profile = written(work / "profile.yaml", crate_files.PROFILE_TEXT.format(threads=campaign.threads))
    workflow = crate_files.workflow_files(campaign.root) | {crate_files.PROFILE: profile}
    if campaign.pseudopotentials:
        files = {name: path for name, path in workflow.items() if not name.startswith(crate_files.PSEUDOPOTENTIALS)}
        paths = [campaign.folder / path for path in campaign.pseudopotentials.values()]
        sums = "".join(f"{lineage.sha256(path)}  {path.name}\n" for path in sorted(paths))
        used = {path.name: path for path in paths} | {"SHA256SUMS": written(work / "SHA256SUMS", sums)}
        workflow = files | {f"{crate_files.PSEUDOPOTENTIALS}{name}": path for name, path in used.items()}
    return top, workflow


def checksums_of_trajectories(graph: lineage.Lineage, folder: Path) -> str:
    """A line for each production run: sha256, name."""
    names = sorted(name for job in graph.jobs.values() for name in job.outputs if crate_files.is_trajectory(name))
    return "".join(f"{lineage.sha256(folder / name)}  {name}\n" for name in names)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def described(about: About, graph: lineage.Lineage, top: Mapping[str, Path], places: Mapping[str, str | None]) -> str:
    """The metadata of all files that lie in the archive by themselves, itself left out."""
    files = {}
    for name, path in sorted(top.items()):
        files[name] = {"sha256": lineage.sha256(path), "contentSize": str(path.stat().st_size)}
        if name in DESCRIPTIONS:
            files[name]["description"] = DESCRIPTIONS[name]
    files[SUMS]["version"] = FORMAT
    return json.dumps(metadata(about, graph, files, places), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    files, options = snakemake.input, snakemake.params
    extra = {*files, *(path for path, _ in options.convergence)} - set(files.results)
    archive_crate(
        Campaign(
            Path(), Path(snakemake.resources.root), lineage.read(files.lineage), sorted(extra), options.config_text,
            options.installed, options.threads, options.pseudopotentials, options.allowed,
        ),
        About(**options.about, citations=json.loads(Path(files.citations).read_text())),
        options.full,
        Path(snakemake.output[0]),
    )  # fmt: skip
