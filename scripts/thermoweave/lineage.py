"""Which job made what from what: the graph behind every file, from the records that Snakemake keeps of its jobs.

Nothing is written down twice: .snakemake/metadata has, for each output, the job's rule, inputs, log and times. The name
of a job is that of its log: results/logs/NAME.log, with its cost in results/benchmarks/NAME.tsv. Standard library only,
so that a point can be traced (tools/trace.py) where nothing is installed.
"""

import base64
import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

FORMAT = 1
LOGS = "results/logs/"
ELSEWHERE = "elsewhere/"  # in place of a folder outside of the campaign
ABSOLUTE = re.compile(r"(^|[\s'\"=:(\[,])/(?:[^/\s'\",]+/)+")  # the folder of an absolute path in a text
BATCH = ".run.json"  # of a job that moves several runs; named by the first of them
CONDITION = re.compile(r"/x(\d+(?:\.\d+)?)/T(\d+(?:\.\d+)?)/")


@dataclass
class Job:
    """A job as Snakemake recorded it: unix times in s; files relative to the campaign's folder."""

    rule: str
    start: float
    end: float
    inputs: list[str]
    outputs: list[str] = field(default_factory=list)
    checksums: dict[str, str] = field(default_factory=dict)  # sha256 of the smaller inputs, when it read them
    params: list[str] = field(default_factory=list)  # as Snakemake wrote them, without folders of the machine

    @property
    def stage(self) -> str:
        return self.rule.partition("_")[0]


class Lineage:
    """Jobs by name, and files that no job made (name: sha256)."""

    def __init__(self, jobs: dict[str, Job], sources: dict[str, str]):
        self.jobs, self.sources = jobs, sources
        self._made = {path: name for name, job in jobs.items() for path in job.outputs}

    def made_by(self, path: str) -> str | None:
        """The job that made a file; None for a source. Raises KeyError for a file that is not in the graph."""
        if path not in self._made and path not in self.sources:
            raise KeyError(f"{path}: no job of this campaign made it, and none used it")
        return self._made.get(path)

    def upstream(self, paths: Iterable[str], keep: Callable[[str], bool] = lambda path: True) -> dict[str, Job]:
        """All jobs that files rest on, those first that came first; `keep`: which inputs are followed."""
        found: dict[str, Job] = {}
        todo = list(paths)
        while todo:
            name = self.made_by(todo.pop())
            if name is not None and name not in found:
                found[name] = self.jobs[name]
                todo += [path for path in found[name].inputs if keep(path)]
        return dict(sorted(found.items(), key=lambda item: (item[1].end, item[0])))


def of_condition(concentration: str | None, temperature: str | None) -> Callable[[str], bool]:
    """Keeps the files of a condition and those of none; None: of any. Values as in the config or as numbers."""

    def keep(path: str) -> bool:
        found = CONDITION.search(path)
        if found is None or path.endswith(BATCH):
            return True
        return _same(concentration, found[1]) and _same(temperature, found[2])

    return keep


def _same(wanted: str | None, found: str) -> bool:
    return not wanted or float(wanted) == float(found)


def from_records(folder: Path, paths: Iterable[str], unlisted: Iterable[str] = ()) -> Lineage:
    """The graph behind `paths`, files below the campaign's `folder`, from Snakemake's records there.

    `unlisted`: sources that are no input of any rule, such as pseudopotentials, which a profile chooses.
    Raises ValueError, naming the file, where a result has no record.
    """
    records = _records(folder)
    outputs: dict[str, list[str]] = {}
    for path, record in records.items():
        outputs.setdefault(_name(path, record), []).append(path)
    jobs: dict[str, Job] = {}
    sources = {_told(path): sha256(folder / path) for path in unlisted}
    todo = list(paths)
    while todo:
        path = todo.pop()
        if path not in records:
            sources[_told(path)] = _source(folder, path)
            continue
        record, name = records[path], _name(path, records[path])
        if name not in jobs:
            made = [other for other in outputs[name] if records[other]["job_hash"] == record["job_hash"]]
            jobs[name] = _job(record, made)
            todo += record["input"]
    return Lineage(dict(sorted(jobs.items())), dict(sorted(sources.items())))


def _records(folder: Path) -> dict[str, dict]:
    """What Snakemake 9.27 (its FilePersistence) has recorded of each file: JSON, named by the file's name in base64.

    A record that a kill or a full disk left unreadable is none, as for Snakemake itself.
    """
    root, found = folder / ".snakemake/metadata", {}
    for file in root.rglob("*") if root.is_dir() else ():
        if file.is_file():
            name = "".join(part.removeprefix("@") for part in file.relative_to(root).parts)
            with contextlib.suppress(json.JSONDecodeError):
                found[base64.urlsafe_b64decode(name).decode()] = json.loads(file.read_text())
    return found


def _job(record: dict, outputs: list[str]) -> Job:
    inputs = sorted({_told(path) for path in record["input"]})
    checksums = {_told(path): value.removeprefix("sha256:") for path, value in record["input_checksums"].items()}
    params = [ABSOLUTE.sub(r"\1elsewhere/", text) for text in record["params"]]
    return Job(record["rule"], record["starttime"], record["endtime"], inputs, sorted(outputs), checksums, params)


def _name(path: str, record: dict) -> str:
    logs = [log for log in record["log"] if log.startswith(LOGS)]
    if len(logs) != 1:
        raise ValueError(f"{path}: its rule {record['rule']} has no single log below {LOGS}, which names its jobs")
    return logs[0].removeprefix(LOGS).removesuffix(".log")


def _source(folder: Path, path: str) -> str:
    """The hash of a file that no job made."""
    if path.startswith("results/"):
        raise ValueError(
            f"{path}: Snakemake has no record of how it was made (.snakemake/metadata was removed, left behind when "
            "the folder was copied, or switched off with --drop-metadata). Remove the file and run Snakemake again"
        )
    return sha256(folder / path)


def _told(path: str) -> str:
    """A path that tells nothing of the machine: of a file elsewhere, its name, below a hash that tells two apart."""
    place = hashlib.sha256(path.encode()).hexdigest()[:8]
    return f"{ELSEWHERE}{place}/{Path(path).name}" if os.path.isabs(path) or path.startswith("..") else path


def sha256(path: str | Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(lineage: Lineage, path: str | Path) -> None:
    """As JSON, under a temporary name first."""
    jobs = {name: asdict(job) for name, job in lineage.jobs.items()}
    partial = Path(f"{path}.partial")
    partial.write_text(json.dumps({"format": FORMAT, "jobs": jobs, "sources": lineage.sources}, indent=1))
    os.replace(partial, path)


def read(path: str | Path) -> Lineage:
    """A graph that `write` wrote. Raises ValueError for that of a newer version."""
    content = json.loads(Path(path).read_text())
    if content["format"] != FORMAT:
        raise ValueError(f"{path}: lineage of format {content['format']}, this version of Thermoweave reads {FORMAT}")
    return Lineage({name: Job(**job) for name, job in content["jobs"].items()}, content["sources"])
