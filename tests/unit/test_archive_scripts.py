"""The labels' card, thinned trajectories and the whole archive, from small real files."""

import hashlib
import json
import re
import zipfile
from pathlib import Path

import archived
import netCDF4
import numpy as np
import pytest
from archive_labels import archive_labels
from archive_trajectory import archive_trajectory
from archived import archive, campaign, small_archive
from ase import Atoms
from recorded import FIGURE
from thermoweave import bundles, frames, lineage
from thermoweave.attempts import COLUMNS
from thermoweave.tables import write_csv

ROOT = Path(__file__).parents[2]
SETTINGS = {"pwscf": {"functional": "PBE", "ecutwfc": 40}}


def labelled(identifier: str, temperature: str) -> Atoms:
    atoms = Atoms("LiCl", positions=[[0, 0, 0], [2.5, 0, 0]], cell=[6, 6, 6], pbc=True)
    atoms.info |= {
        "label_id": identifier,
        "REF_energy": -1.0,
        "concentration": "x0.5",
        "temperature": temperature,
        "round": 0,
    }
    atoms.info |= {"labeller": "pw.x 7.2", "level": "settings:abc"}
    atoms.arrays["REF_forces"] = np.zeros((2, 3))
    return atoms


def attempt(identifier: str, outcome: str) -> dict:
    row = dict.fromkeys(["batch", *COLUMNS], "")
    return row | {"label_id": identifier, "outcome": outcome, "concentration": "x0.5", "temperature": "T900",
                  "evidence": "accuracy 1e-3 after 100 iterations"}  # fmt: skip


def test_the_card_counts_every_label_and_every_rejection(tmp_path):
    frames.write_frames(tmp_path / "a.extxyz", [labelled("a", "T900"), labelled("b", "T900")])
    frames.write_frames(tmp_path / "b.extxyz", [labelled("c", "T1000")])
    frames.write_frames(tmp_path / "c.extxyz", [])
    rows = [attempt("d", "UNCONVERGED"), attempt("d", "UNCONVERGED")] + [attempt(name, "SUCCESS") for name in "abc"]
    write_csv(tmp_path / "summary.csv", rows, list(rows[0]))
    paths = [tmp_path / f"{name}.extxyz" for name in "abc"]
    archive_labels(paths, [tmp_path / "summary.csv"], SETTINGS, tmp_path / "labels.extxyz", tmp_path / "labels.md")
    card = (tmp_path / "labels.md").read_text()
    assert [atoms.info["label_id"] for atoms in frames.read_frames(tmp_path / "labels.extxyz")] == ["a", "b", "c"]
    assert "3 labelled structures of Cl, Li with 2 atoms" in card and "of 4 that were sent (rejected: 1)" in card
    assert "| 0 | 0.5 | 900 | 2 |" in card and "| x0.5 | T900 | UNCONVERGED | 1 |" in card
    assert "- d: UNCONVERGED: accuracy 1e-3" in card and '"ecutwfc": 40' in card


def test_labels_and_record_must_agree(tmp_path):
    frames.write_frames(tmp_path / "a.extxyz", [labelled("a", "T900")])
    rows = [attempt("b", "SUCCESS")]
    write_csv(tmp_path / "summary.csv", rows, list(rows[0]))
    with pytest.raises(RuntimeError, match="1 labels of the record are in no file, 1 in the files are not on record"):
        archive_labels([tmp_path / "a.extxyz"], [tmp_path / "summary.csv"], {}, tmp_path / "out", tmp_path / "card")


def test_a_thinned_trajectory_is_one(tmp_path):
    with netCDF4.Dataset(tmp_path / "run.nc", "w", format="NETCDF3_64BIT_OFFSET") as file:
        file.Conventions = "AMBER"
        file.createDimension("frame", None)
        file.createDimension("atom", 2)
        file.createVariable("time", "f8", ("frame",))[:] = np.arange(10.0)
        file["time"].units = "picosecond"
        file.createVariable("masses", "f8", ("atom",))[:] = [6.9, 35.5]
    archive_trajectory(tmp_path / "run.nc", tmp_path / "thin.nc", 4)
    with netCDF4.Dataset(tmp_path / "thin.nc") as thin:
        assert thin["time"][:].tolist() == [0.0, 4.0, 8.0] and thin["masses"][:].tolist() == [6.9, 35.5]
        assert (thin.Conventions, thin.every_nth_frame, thin["time"].units) == ("AMBER", 4, "picosecond")
        assert thin.dimensions["frame"].isunlimited() and thin.data_model == "NETCDF3_64BIT_OFFSET"


def members(path) -> dict[str, bytes]:
    """Files of an archive, and those in its bundles under their paths once unpacked."""
    found = {}
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            found[name] = file.read(name)
            if name.endswith(".zip"):
                with file.open(name) as inner, zipfile.ZipFile(inner) as bundle:
                    found |= {each: bundle.read(each) for each in bundle.namelist()}
    return found


def test_an_archive_holds_every_file_under_its_path_with_its_hash(tmp_path):
    made = campaign(tmp_path)
    found = members(archive(tmp_path))
    lines = found["checksums.sha256"].decode().splitlines()
    sums = dict(reversed(line.split("  ", 1)) for line in lines)
    assert {name: hashlib.sha256(content).hexdigest() for name, content in found.items() if name in sums} == sums
    assert set(found) - set(sums) == {"checksums.sha256", "ro-crate-metadata.json"}
    assert found[FIGURE] == (made.folder / FIGURE).read_bytes() and found["config/config.yaml"] == b"name: small\n"
    assert b"results/simulate/nequip/x0.5/T1000/replica1.nc" in found["results/archive/trajectories.sha256"]
    assert "results/simulate/nequip/x0.5/T1000/replica1.nc" not in found
    assert "results/simulate/nequip/x0.5/T1000/replica1.nc" in members(archive(tmp_path, trajectories=True))


def test_two_archives_of_a_campaign_are_the_same_bytes(tmp_path):
    campaign(tmp_path)
    assert archive(tmp_path, "a.zip").read_bytes() == archive(tmp_path, "b.zip").read_bytes()


def test_the_metadata_describes_every_file_and_every_rule(tmp_path):
    path = small_archive(tmp_path)
    found = members(path)
    graph = {each["@id"]: each for each in json.loads(found["ro-crate-metadata.json"])["@graph"]}
    root = graph["./"]
    with zipfile.ZipFile(path) as file:
        assert {part["@id"] for part in root["hasPart"]} == set(file.namelist()) - {"ro-crate-metadata.json"}
    assert graph["checksums.sha256"]["version"] == "1" and graph["Snakefile"]["programmingLanguage"]
    assert root["license"] == {"@id": "https://spdx.org/licenses/CC-BY-4.0"} and len(root["citation"]) == 2
    assert graph["#action-reduce_transport"]["name"] == "reduce_transport: 2 jobs"
    lists = [value for entity in graph.values() for value in entity.values() if isinstance(value, list)]
    referred = {each["@id"] for value in lists for each in value if isinstance(each, dict)}
    assert not [name for name in referred if name not in graph and not name.startswith("http")]


def test_what_tells_of_the_machine_stops_the_archive_and_leaves_nothing(tmp_path):
    made = campaign(tmp_path)
    made.write("results/reduce/nequip/transport.csv", f"from {made.folder}\n")
    with pytest.raises(ValueError, match=r"1 files would tell of this.*\n  results/reduce/nequip/transport.csv"):
        archive(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".zip" or path.name.startswith(".crate")]


def test_a_file_that_changes_while_it_is_archived_leaves_no_archive(tmp_path, monkeypatch):
    made = campaign(tmp_path)

    def write_late(path, files):
        made.write(FIGURE, "changed\n")
        return write(path, files)

    write = bundles.write
    monkeypatch.setattr(bundles, "write", write_late)
    with pytest.raises(RuntimeError, match=f"(?s)files changed while they were archived.*{FIGURE}: changed"):
        archive(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["campaign", "workflow"]


def test_pseudopotentials_from_elsewhere_take_the_place_of_those_of_the_workflow(tmp_path):
    campaign(tmp_path)
    (tmp_path / "workflow/resources/pseudopotentials").mkdir(parents=True)
    (tmp_path / "workflow/resources/pseudopotentials/Li.gth").write_text("the workflow's")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours/Li.upf").write_text("ours")
    found = members(archive(tmp_path, pseudopotentials={"Li": "../ours/Li.upf"}))
    folder = "resources/pseudopotentials/"
    assert {name for name in found if name.startswith(folder)} == {f"{folder}Li.upf", f"{folder}SHA256SUMS"}
    digest = hashlib.sha256(b"ours").hexdigest()
    assert found[f"{folder}SHA256SUMS"].decode() == f"{digest}  Li.upf\n"


def test_a_model_that_training_began_from_comes_along(tmp_path):
    made = campaign(tmp_path)
    made.write("models/big.json", "{}")
    made.job("reduce_plot_arrhenius/nequip", ["models/big.json"], {FIGURE: "a\n"})
    lineage.write(lineage.from_records(made.folder, [FIGURE]), made.folder / "results/audit/lineage.json")
    assert members(archive(tmp_path))["models/big.json"] == b"{}"


def test_the_placeholder_of_the_quickstart_is_no_author(tmp_path, monkeypatch):
    (name,) = re.findall(r"authors: \[\{name: (.*?)\}\]", (ROOT / "config/quickstart.yaml").read_text())
    campaign(tmp_path)
    monkeypatch.setattr(archived, "AUTHORS", [{"name": name}])
    with pytest.raises(ValueError, match="archive.authors: 'Your Name' is a placeholder"):
        archive(tmp_path)
