"""docs/cluster.md says what a test shows."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/cluster.md").read_text()
FAULTS = PAGE.partition("| fault | what happens | test |\n|---|---|---|\n")[2].partition("\n\n")[0].splitlines()
TESTS = {name for path in ROOT.glob("tests/*/test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}


@pytest.mark.parametrize("row", FAULTS)
def test_each_fault_has_a_test(row):
    assert re.fullmatch(r"\|.+\|.+\| `(test_\w+)` \|", row) and row.split("`")[-2] in TESTS


def test_the_table_is_there():
    assert len(FAULTS) >= 7


def test_the_site_section_is_described_whole():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    described = PAGE.partition("| variable | |")[2].partition("\n\n")[0]
    assert [name for name in profile["__variables__"] if f"`{name}`" not in described] == []


def test_every_entry_of_the_profile_has_a_comment():
    """On its line, or on the lines above it."""
    lines = (ROOT / "profiles/slurm/config.yaml").read_text().splitlines()
    for before, line in zip(lines, lines[1:], strict=False):
        if re.match(r"[a-z][\w-]*:", line):
            assert before.startswith("#") or "#" in line, line
