"""Which files of a campaign go into its archive, and which of them by themselves."""

import json
import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path

from thermoweave.lineage import ELSEWHERE, Lineage

MOST = 100  # files that data repositories take
# Of the workflow's folder: what running it again needs, and what says how.
WORKFLOW = (
    "Makefile", "LICENSE", "config/schema.yaml", "config/ladder.toml", "rules", "scripts", "envs", "tools",
    "profiles/default", "report", "resources",
)  # fmt: skip
# The other profiles hold what is true of a site, and stay there.
PROFILE = "profiles/local/config.yaml"
PROFILE_TEXT = """\
# One machine without a scheduler; what was set for the site is not archived.
cores: all
retries: 0
set-threads:
  simulate_md: {threads}  # as it was
"""
PSEUDOPOTENTIALS = "resources/pseudopotentials/"
SKIPPED = ("__pycache__", ".pyc", ".partial", ".ruff_cache")
TRAJECTORY = "results/simulate/"


def workflow_files(root: Path) -> dict[str, Path]:
    """Files of the workflow, by their paths in it."""
    found = [
        path for name in WORKFLOW for path in ([root / name] if (root / name).is_file() else (root / name).rglob("*"))
    ]
    files = {path.relative_to(root).as_posix(): path for path in found if path.is_file()}
    return {name: path for name, path in sorted(files.items()) if not any(part in name for part in SKIPPED)}


def is_trajectory(path: str) -> bool:
    return path.startswith(TRAJECTORY) and path.endswith(".nc")


def result_files(graph: Lineage, folder: Path, trajectories: bool) -> dict[str, Path]:
    """All that jobs made on the way to the results, and the weights of the potentials that ran the grid.

    Raises FileNotFoundError where a result is gone.
    """
    names = [path for job in graph.jobs.values() for path in job.outputs if trajectories or not is_trajectory(path)]
    files = {name: folder / name for name in names}
    for name in [name for name in names if name.startswith("results/train/final/") and name.endswith("potential.json")]:
        manifest = json.loads(files[name].read_text())
        for weights in manifest["weights"]:
            path = (Path(name).parent / weights).as_posix()
            files[posixpath.normpath(path)] = folder / path
    gone = [name for name, path in files.items() if not path.is_file()]
    if gone:
        raise FileNotFoundError(
            f"{gone[0]} and {len(gone) - 1} more results are gone: run Snakemake, which makes them again"
        )
    return dict(sorted(files.items()))


def source_files(graph: Lineage, folder: Path) -> dict[str, Path]:
    """Files of the campaign's folder that no job made: potentials that trainings began from, with their weights."""
    found = {name: folder / name for name in graph.sources if not name.startswith(ELSEWHERE)}
    for name in [name for name in found if name.endswith("potential.json")]:
        for weights in json.loads(found[name].read_text()).get("weights", ()):
            path = posixpath.normpath((Path(name).parent / weights).as_posix())
            found[path] = folder / path
    return found


def bundle_of(path: str) -> str | None:
    """The bundle that a file belongs into; None for what a reader looks for by itself."""
    if path.startswith("results/train/"):
        return None if path.startswith("results/train/compare") or "/figures/" in path else "potentials.zip"
    if is_trajectory(path) or path.startswith("results/archive/trajectories/"):
        return "trajectories.zip"
    if path.startswith(("results/audit/", "results/archive/")):
        return None
    if path.startswith("results/reduce/") and "/x" not in path:
        return None
    if path.startswith("results/explore/") and "/round" not in path:
        return None
    return "records.zip"


def arrange(names: Iterable[str], taken: int) -> dict[str, str | None]:
    """The bundle of every result (None: by itself), so that with `taken` other files there are at most MOST.

    Where there are more, the figures of each potential become a bundle, then all of its results, then all results.
    """
    alone = {name: bundle_of(name) for name in names}
    places = alone
    for step in (_figures, _of_potential, lambda name: "results.zip"):
        if taken + count(places) <= MOST:
            break
        places = {name: place or step(name) for name, place in alone.items()}
    return places


def _figures(name: str) -> str | None:
    return _folder(name, 4) if "/figures/" in name else None


def _of_potential(name: str) -> str | None:
    """The bundle of all that is below results/reduce/NAME or results/audit/NAME."""
    return _folder(name, 3) if name.startswith(("results/reduce/", "results/audit/")) and name.count("/") > 2 else None


def _folder(name: str, depth: int) -> str:
    return "/".join(name.split("/")[:depth]) + ".zip"


def count(places: Mapping[str, str | None]) -> int:
    """Files in the archive: those by themselves, and bundles."""
    return sum(place is None for place in places.values()) + len(set(filter(None, places.values())))
