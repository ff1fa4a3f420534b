"""What goes into an archive: which files, in which bundles, with which bytes, and what must not leave the machine."""

import os
import re
import zipfile
from pathlib import Path

import pytest
import thermoweave
from recorded import FIGURE, small_campaign
from thermoweave import bundles, crate_files, lineage, privacy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(tmp_path):
    return small_campaign(tmp_path)


@pytest.fixture
def graph(made):
    return lineage.from_records(made.folder, [FIGURE])


def test_the_same_files_give_the_same_bytes(tmp_path):
    for name, age in (("a", 0), ("b", 1e8)):
        (tmp_path / f"{name}.txt").write_text("text")
        os.utime(tmp_path / f"{name}.txt", (age, age))
        bundles.write(tmp_path / f"{name}.zip", {"y": b"2", "x/1": tmp_path / f"{name}.txt"})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert file.namelist() == ["x/1", "y"] and file.read("x/1") == b"text"


def test_what_can_be_run_stays_so(tmp_path):
    (tmp_path / "tool.py").write_text("")
    (tmp_path / "tool.py").chmod(0o755)
    bundles.write(tmp_path / "a.zip", {"tool.py": tmp_path / "tool.py", "text": b""})
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert [info.external_attr >> 16 & 0o777 for info in file.infolist()] == [0o644, 0o755]


def test_interrupted_writing_leaves_no_half_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        bundles.write(tmp_path / "a.zip", {"x": b"1", "y": tmp_path / "gone"})
    assert not (tmp_path / "a.zip").exists()


def test_results_come_with_the_weights_that_ran_the_grid(made, graph):
    files = crate_files.result_files(graph, made.folder, trajectories=False)
    assert "results/train/final/nequip/seed1/model.pt" in files and FIGURE in files
    assert not [name for name in files if name.endswith("replica1.nc")]
    assert [name for name in crate_files.result_files(graph, made.folder, True) if name.endswith("T1000/replica1.nc")]


def test_a_result_that_is_gone_is_named(made, graph):
    (made.folder / FIGURE).unlink()
    with pytest.raises(FileNotFoundError, match="arrhenius.csv and 0 more results are gone"):
        crate_files.result_files(graph, made.folder, False)


@pytest.mark.parametrize(("potentials", "figures"), [(1, 10), (3, 10), (20, 10), (200, 12)])
def test_no_more_files_than_repositories_take_and_none_twice_or_lost(potentials, figures):
    drawn = [f"figures/f{k}.{kind}" for k in range(figures) for kind in ("svg", "pdf", "csv")]
    names = [f"results/reduce/p{p}/{name}" for p in range(potentials) for name in drawn]
    names += [f"results/reduce/p{p}/transport.nc" for p in range(potentials)] + ["results/audit/lineage.json"]
    names += [f"results/label/round0/x0.5/batch{k}.csv" for k in range(500)]
    places = crate_files.arrange(names, 7)
    assert set(places) == set(names) and crate_files.count(places) + 7 <= crate_files.MOST
    assert places["results/label/round0/x0.5/batch7.csv"] in ("records.zip", "results.zip")
    if potentials == 1:
        assert places["results/reduce/p0/figures/f1.svg"] is None


def test_the_workflow_is_taken_without_what_belongs_to_the_site():
    root = os.path.join(os.path.dirname(__file__), "../..")
    from pathlib import Path

    files = crate_files.workflow_files(Path(root).resolve())
    for name in (
        "rules/common.smk",
        "scripts/archive_crate.py",
        "envs/analysis.yaml",
        "tools/venv-conda/conda",
        "Makefile",
    ):
        assert name in files
    assert not [name for name in files if "slurm/" in name or "__pycache__" in name or name.startswith("config/quick")]


def test_the_workflow_has_one_version():
    assert re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.M)[1] == thermoweave.VERSION


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"made in {folder}/results", "a folder of this machine"),
        (b"\x00\x01{folder}\x00", "a folder of this machine"),
        (b"by /home/jdoe/data", "the folder /home/jdoe"),
        (b"key s3cr3t-value!", "the environment variable MY_API_TOKEN"),
        (b"ran on login-node-7.", "the name of the host"),
        (b"x" * (2**22 - 5) + b" login-node-7 ", "the name of the host"),  # where two pieces meet
    ],
)
def test_what_tells_of_the_machine_is_found_and_refused(tmp_path, monkeypatch, content, kind):
    monkeypatch.setenv("MY_API_TOKEN", "s3cr3t-value!")
    monkeypatch.setattr(privacy.socket, "gethostname", lambda: "login-node-7")
    wanted = privacy.of_this_machine([tmp_path])
    (tmp_path / "good.csv").write_text("a monkey-login-node-78 walks in results/x0.5\n")
    (tmp_path / "bad.csv").write_bytes(content.replace(b"{folder}", str(tmp_path).encode()))
    privacy.refuse({"good.csv": tmp_path / "good.csv"}, wanted)
    with pytest.raises(ValueError, match=f"1 files would tell.*\n  bad.csv: .*{kind}") as refused:
        privacy.refuse({name: tmp_path / name for name in ("good.csv", "bad.csv")}, wanted)
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("cost.csv", "rule,host\nlabel,n1\n", "names of hosts: take the column `host` out"),
        ("config.yaml", "init: /data/pool/model.pt\n", "the folder /data/pool/model.pt"),
        ("potential.json", '{"file": "/data/pool/model.pt"}', "the folder /data/pool/model.pt"),
    ],
)
def test_hosts_of_a_table_and_paths_of_a_config_are_refused(tmp_path, name, content, told):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=f"\n  {name}: {told}"):
        privacy.refuse({name: tmp_path / name}, {})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "rule,ghost\n"),
        ("a.yaml", "unit: eV/A\nfile: models/a/model.pt\n"),
        ("a.html", "see /docs/archive.md"),
    ],
)
def test_what_only_looks_like_a_host_or_a_folder_stops_nothing(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    privacy.refuse({name: tmp_path / name}, {})


def test_a_host_that_is_called_like_a_word_of_the_workflow_stops_no_archive(tmp_path, monkeypatch):
    monkeypatch.setattr(privacy.socket, "gethostname", lambda: "cluster")
    (tmp_path / "rules.smk").write_text("# rejections cluster\n")
    wanted = privacy.of_this_machine([tmp_path])
    assert "cluster" in wanted and "cluster" not in privacy.ordinary([tmp_path / "rules.smk"], wanted)
    assert str(tmp_path) in privacy.ordinary([tmp_path / "rules.smk"], wanted)


def test_what_the_config_allows_may_be_told(tmp_path):
    (tmp_path / "a.yaml").write_text("init: /home/public/model.pt\nscratch: results/label/scratch/abc\n")
    wanted = privacy.of_this_machine([tmp_path])
    privacy.refuse({"a.yaml": tmp_path / "a.yaml"}, wanted, ["the folder /home/public"])
    with pytest.raises(ValueError, match="a.yaml: the folder /home/public"):
        privacy.refuse({"a.yaml": tmp_path / "a.yaml"}, wanted)
