"""What an unpacked crate is redrawn from, in which environments, and what counts as the same.

A program that makes the files it is asked for stands in for Snakemake; tests/workflow/test_archive.py has the real one.
"""

import json
import os
import sys
from pathlib import Path

import crate_runs
import pytest
from crate_runs import Failed, make_environments, near, recompute, redraw, replay

FIGURES = "results/reduce/nequip/figures"
VERDICT, TRAJECTORY = (f"results/simulate/nequip/x0.5/T900/replica1.{ending}" for ending in ("json", "nc"))
REDUCED = "results/reduce/nequip/x0.5/T900/transport.nc"
ERRORS = [f"results/audit/nequip/errors.{ending}" for ending in ("csv", "html")]
GRID = [f"results/reduce/nequip/transport.{ending}" for ending in ("nc", "csv")]
JOBS = {
    "simulate_judge/1": ("simulate_judge", [VERDICT.replace(".json", ".run.json")], [TRAJECTORY, VERDICT]),
    "reduce_transport/1": ("reduce_transport", [TRAJECTORY, VERDICT], [REDUCED]),
    "reduce_grid/1": ("reduce_grid", [REDUCED], GRID),
    "reduce_plot_msd/1": (
        "reduce_plot_msd",
        [GRID[0]],
        [f"{FIGURES}/msd.{ending}" for ending in ("csv", "pdf", "svg")],
    ),
    "train_plot_parity/1": ("train_plot_parity", [VERDICT], ["results/train/parity.svg"]),
    "train_final/1": ("train_final", [VERDICT], ["results/train/final/potential.json", "results/train/errors.csv"]),
    "label_summary/round0": ("label_summary", [VERDICT], ["results/label/round0/summary.csv"]),
    "audit_errors/1": ("audit_errors", [VERDICT], ERRORS),
}
SNAKEMAKE = """#!{python}
import json, os, shutil, sys
from pathlib import Path
words = sys.argv[1:]
with open("calls.jsonl", "a") as calls:
    pip = {{key: os.environ[key] for key in sorted(os.environ) if key.startswith("PIP_")}}
    calls.write(json.dumps([words, pip, os.environ["PWD"]]) + "\\n")
for target in words[words.index("--") + 1 :] if "--" in words else ():
    made = Path("made") / target
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    assert not Path(target).exists(), target
    shutil.copy(made if made.exists() else Path("archived") / target, target)
sys.exit(int(Path("status").read_text()) if Path("status").exists() else 0)
"""


@pytest.fixture
def campaign(tmp_path, monkeypatch) -> Path:
    """An unpacked crate without trajectories; its Snakemake makes the same files again, or those in made/."""
    folder = tmp_path / "unpacked"
    for rule, (_, inputs, outputs) in JOBS.items():
        for path in (*inputs, *outputs):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text("x,y\n1.5,2\n" if path.endswith(".csv") else rule)
    (folder / TRAJECTORY).unlink()
    (folder / "results/audit/lineage.html").write_text("")
    jobs = {
        name: {"rule": rule, "inputs": inputs, "outputs": outputs, "params": ["'a digest'"]}
        for name, (rule, inputs, outputs) in JOBS.items()
    }
    (folder / "results/audit/lineage.json").write_text(json.dumps({"format": 1, "jobs": jobs, "sources": {}}))
    program(folder / ".venv/bin/snakemake")
    (folder / "tools").mkdir()
    (folder / "tools/redraw.smk").write_text("")
    monkeypatch.chdir(folder)
    return folder


def program(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(SNAKEMAKE.format(python=sys.executable))
    path.chmod(0o755)


def calls() -> list:
    return [json.loads(line) for line in Path("calls.jsonl").read_text().splitlines()]


def asked(words: list[str]) -> tuple[set[str], set[str]]:
    """Rules that may run, and targets."""
    return set(words[words.index("--allowed-rules") + 1 : words.index("--")]), set(words[words.index("--") + 1 :])


def made(path: str, text: str) -> None:
    """Let a file be another one when it is made again."""
    Path("made", path).parent.mkdir(parents=True, exist_ok=True)
    Path("made", path).write_text(text)


def test_figures_and_tables_with_all_their_inputs_are_made_again_and_nothing_else(campaign):
    assert redraw(campaign) == (
        "8 figures and tables made again, 8 of them bit-equal; as they were archived: results/audit/lineage.html"
    )
    ((words, _, folder),) = calls()
    assert folder == str(campaign)
    assert words[words.index("--snakefile") + 1] == "redraw.smk" and Path("redraw.smk").is_file()
    drawn = {"reduce_grid", "reduce_plot_msd", "train_plot_parity", "audit_errors"}
    assert asked(words) == (drawn, {path for rule, _, outputs in JOBS.values() if rule in drawn for path in outputs})


def test_a_table_but_for_rounding_and_its_figure_are_the_same(campaign):
    made(f"{FIGURES}/msd.csv", "x,y\n1.5000000001,2\n")
    made(f"{FIGURES}/msd.svg", "other fonts")
    assert redraw(campaign).splitlines()[1:] == [
        "Not bit-equal, but the same:",
        f"{FIGURES}/msd.csv: the same numbers but for rounding",
        f"{FIGURES}/msd.svg: drawn otherwise, from the same numbers",
    ]


@pytest.mark.parametrize(
    "text", ["x,y\n1.50001,2\n", "x,z\n1.5,2\n", "x,y\n1.5,2\n3,4\n", "x,y\n1.5\n", "x,y\nnan,2\n", ""]
)
def test_another_table_is_named_with_its_figures(campaign, text):
    made(f"{FIGURES}/msd.csv", text)
    made(f"{FIGURES}/msd.pdf", "other figure")
    with pytest.raises(Failed) as failed:
        redraw(campaign)
    assert str(failed.value).splitlines()[1:] == [
        "Not all of the others are the same:",
        f"{FIGURES}/msd.csv: NOT THE SAME",
        f"{FIGURES}/msd.pdf: NOT THE SAME",
    ]


def test_a_figure_without_a_table_must_be_bit_equal(campaign):
    made("results/train/parity.svg", "other fonts")
    with pytest.raises(Failed, match=r"results/train/parity.svg: NOT THE SAME"):
        redraw(campaign)


def test_a_dataset_that_is_not_bit_equal_is_compared_by_its_values(campaign):
    made("results/reduce/nequip/transport.nc", "other bytes")
    made("results/archive/recomputed.csv", "file\n")
    told = redraw(campaign)
    assert told.endswith("results/reduce/nequip/transport.nc: the same values (results/archive/recomputed.csv)")
    assert asked(calls()[-1][0]) == ({"archive_recomputed"}, {"results/archive/recomputed.csv"})


def test_jobs_that_fail_are_told_of_with_the_folder(campaign):
    Path("status").write_text("1")
    with pytest.raises(Failed, match=f"not everything could be made again .* is in {campaign}"):
        redraw(campaign)


def test_reductions_need_whole_trajectories(campaign, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["crate_runs.py", "verify"])
    assert crate_runs.main() == 0 and "no whole trajectories" in capsys.readouterr().out
    assert not Path("calls.jsonl").exists()


def test_reductions_of_whole_trajectories_are_made_again_and_compared(campaign):
    Path(TRAJECTORY).write_text("frames")
    made("results/archive/recomputed.csv", "file\n")
    assert recompute(campaign).startswith("1 reductions of archived trajectories made again")
    assert [asked(words) for words, *_ in calls()] == [
        ({"reduce_transport"}, {REDUCED}),
        ({"archive_recomputed"}, {"results/archive/recomputed.csv"}),
    ]
    assert Path("archived", REDUCED).is_file()


def test_a_replay_runs_the_miniature_of_the_config(campaign):
    Path(".venv/bin/python").write_text('#!/bin/sh\necho "$@" > small\n')
    Path(".venv/bin/python").chmod(0o755)
    assert "ran in miniature (config/miniature.yaml), to its 1 figures" in replay(campaign)
    assert Path("small").read_text() == "tools/miniature_config.py config/config.yaml config/miniature.yaml\n"
    ((words, *_),) = calls()
    assert words[words.index("--configfile") + 1] == "config/miniature.yaml" and "--allowed-rules" not in words


@pytest.fixture
def locks(campaign) -> Path:
    """The locks of two environments, and a conda that notes how it is called."""
    folder = campaign / "results/archive/environments"
    folder.mkdir(parents=True)
    (folder / "workflow.txt").write_text("# Python 3.11.7, Linux x86_64\nsnakemake==9.27.1\n")
    (folder / "nequip.txt").write_text("# Python 3.11.7, Linux x86_64\ntorch==2.13.0+cpu\nnumpy==2.4.6\n")
    program(campaign / "tools/venv-conda/conda")
    return folder


def test_environments_are_made_with_the_versions_of_the_crate(locks, capfd):
    make_environments(["nequip"], None)
    (first, pip, _), (second, other, _) = calls()
    assert first == ["env", "create", "--file", "envs/workflow.yaml", "--prefix", ".venv"]
    assert second[-3:] == ["--conda-create-envs-only", "--config", "environments=nequip"]
    assert (pip["PIP_CONSTRAINT"], "PIP_NO_INDEX" in pip) == (
        Path(".snakemake/constraints/workflow.txt").resolve().as_uri(),
        False,
    )
    constraints = Path(".snakemake/constraints/nequip.txt")
    assert other["PIP_CONSTRAINT"] == constraints.resolve().as_uri()
    assert constraints.read_text() == "# Python 3.11.7, Linux x86_64\ntorch==2.13.0\nnumpy==2.4.6\n"
    assert "making the environment nequip: Python 3.11.7, Linux x86_64" in capfd.readouterr().out


def test_a_folder_of_wheels_takes_the_place_of_the_index(locks, tmp_path):
    make_environments([], tmp_path / "my wheels")
    ((_, pip, _),) = calls()
    assert (pip["PIP_NO_INDEX"], pip["PIP_FIND_LINKS"]) == ("1", (tmp_path / "my wheels").as_uri())
    assert pip["PIP_CONFIG_FILE"] == os.devnull


def test_an_environment_that_the_crate_does_not_name_is_not_made(locks):
    with pytest.raises(Failed, match=r"environment mace: there is no results/archive/environments/mace.txt"):
        make_environments(["mace"], None)


def test_an_environment_that_cannot_be_made_is_named(locks):
    Path("status").write_text("1")
    with pytest.raises(Failed, match="the environment workflow could not be made"):
        make_environments(["nequip"], None)
    assert len(calls()) == 1


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("1.5", "1.5", True),
        ("1.5", "1.50", True),
        ("", "", True),
        ("nan", "nan", True),
        ("nan", "1", False),
        ("inf", "-inf", False),
        ("12", "13", False),
        ("0.5", "0.6", False),
        ("1.2345678", "1.2345679", True),  # its last digit, rounded otherwise
        ("1.2345678e-09", "1.2345677e-09", True),
        ("1.2345678", "1.234568", False),
        ("0.12345678901234567", "0.12345678901999999", True),
        ("0.12345678901234567", "0.12345678999999999", False),
        ("Li", "K", False),
    ],
)
def test_numbers_are_near_within_their_rounding(a, b, same):
    assert near(a, b) is same and near(b, a) is same


def test_a_folder_with_a_space_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "my crate").mkdir()
    monkeypatch.chdir(tmp_path / "my crate")
    monkeypatch.setattr(sys, "argv", ["crate_runs.py", "redraw"])
    assert crate_runs.main() == 1
    assert "my crate: Snakemake cannot enter environments where a path has a space" in capsys.readouterr().err
