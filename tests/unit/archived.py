"""A small campaign and its archive, made by the script that makes real ones."""

import shutil
from pathlib import Path

from archive_crate import Campaign, archive_crate
from recorded import FIGURE, Recorded, small_campaign
from thermoweave import lineage
from thermoweave.crate_metadata import About

ROOT = Path(__file__).parents[2]
WORKFLOW = ("Snakefile", "Makefile", "rules/common.smk", "tools/crate.py", "envs/analysis.yaml")
AUTHORS = [
    {"name": "Jane Doe", "orcid": "0000-0002-1825-0097", "affiliation": "An Institute"},
    {"name": "Ann Other", "orcid": "0000-0001-5109-3700", "affiliation": "Another"},
]
CITATIONS = [{"key": "a", "doi": "10.1000/x", "title": "A paper"}, {"key": "b", "title": "A program"}]


def campaign(folder: Path) -> Recorded:
    """Its results, and a workflow beside them that does nothing."""
    made = small_campaign(folder / "campaign")
    for name in WORKFLOW:
        path = folder / "workflow" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    shutil.copy(ROOT / "tools/crate.py", folder / "workflow/tools")
    made.write("results/audit/lineage.json", "")
    lineage.write(lineage.from_records(made.folder, [FIGURE]), made.folder / "results/audit/lineage.json")
    return made


def archive(folder: Path, name: str = "small.crate.zip", trajectories: bool = False, pseudopotentials=None) -> Path:
    """The archive of the campaign in `folder`."""
    graph = lineage.read(folder / "campaign/results/audit/lineage.json")
    about = About("small", "A title", "For a test.", AUTHORS, "CC-BY-4.0", CITATIONS, "9.27.1")
    campaign = Campaign(
        folder / "campaign", folder / "workflow", graph, ["results/audit/lineage.json"], "name: small\n",
        "snakemake==9.27.1\n", pseudopotentials=pseudopotentials or {},
    )  # fmt: skip
    archive_crate(campaign, about, trajectories, folder / name)
    return folder / name


def small_archive(folder: Path) -> Path:
    campaign(folder)
    return archive(folder)
