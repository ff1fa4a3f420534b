"""The graph behind a result, from Snakemake's records, and the way back from a point."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from recorded import FIGURE, PSEUDOPOTENTIAL, small_campaign
from thermoweave import lineage, trace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(tmp_path):
    return small_campaign(tmp_path)


@pytest.fixture
def graph(made):
    return lineage.from_records(made.folder, [FIGURE], [PSEUDOPOTENTIAL])


def test_every_job_behind_a_figure_is_there_with_all_that_it_made(graph):
    assert len(graph.jobs) == 10 and list(graph.sources) == [PSEUDOPOTENTIAL]
    drawing = graph.jobs["reduce_plot_arrhenius/nequip"]
    assert drawing.outputs == [FIGURE, FIGURE.replace(".csv", ".svg")] and drawing.stage == "reduce"
    names = list(graph.upstream([FIGURE]))
    assert names[0] == "generate_structures/x0.5" and names[-1] == "reduce_plot_arrhenius/nequip"


def test_a_condition_rests_on_its_own_runs_and_on_all_labels(graph):
    jobs = graph.upstream([FIGURE], lineage.of_condition("0.50", "1100"))
    assert "simulate_judge/nequip_x0.5_T1100_replica1" in jobs and "label_structures/x0.5_batch0" in jobs
    assert "simulate_md/nequip_x0.5_T1000_replica1" in jobs  # the job that moved this run, named by its first
    assert not [name for name in jobs if name.startswith("reduce_transport") and "T1000" in name]


def test_records_of_jobs_that_nothing_rests_on_are_left_out(made):
    made.job("reduce_grid/old", [], {"results/reduce/old/transport.csv": ""})
    assert "reduce_grid/old" not in lineage.from_records(made.folder, [FIGURE]).jobs


def test_outputs_of_an_earlier_run_of_a_job_are_not_its_own(made):
    made.job("reduce_plot_arrhenius/nequip", ["results/reduce/nequip/transport.nc"], {FIGURE: "a\n1\n"})
    assert lineage.from_records(made.folder, [FIGURE]).jobs["reduce_plot_arrhenius/nequip"].outputs == [FIGURE]


def test_names_of_any_length_are_found(made):
    path = f"results/reduce/{'long_' * 60}.csv"  # not to be written: the names of Snakemake's records are longer still
    record = {"rule": "reduce_grid", "input": [], "log": ["results/logs/reduce_grid/long.log"], "params": [],
              "starttime": 1.0, "endtime": 2.0, "job_hash": 1, "input_checksums": {}}  # fmt: skip
    made.write_record(path, record)
    assert lineage.from_records(made.folder, [path]).made_by(path) == "reduce_grid/long"


def test_a_result_without_a_record_is_named(made):
    made.write("results/reduce/nequip/by_hand.csv", "")
    with pytest.raises(ValueError, match=r"by_hand.csv: Snakemake has no record.*--drop-metadata"):
        lineage.from_records(made.folder, ["results/reduce/nequip/by_hand.csv"])


def test_paths_of_the_machine_stay_there(made, tmp_path):
    outside = tmp_path / "elsewhere.json"
    outside.write_text("{}")
    params = [f"'{tmp_path}/models/big.json'", f"{{'start': '{tmp_path}/a b/c.pt', 'share': 0.5}}"]
    made.job("train_potential/x", [str(outside)], {"results/train/x.csv": ""}, params)
    graph = lineage.from_records(made.folder, ["results/train/x.csv"])
    job = graph.jobs["train_potential/x"]
    assert [Path(path).name for path in job.inputs] == ["elsewhere.json"] and list(graph.sources) == job.inputs
    assert str(tmp_path) not in json.dumps([job.params, job.checksums]) and "big.json" in job.params[0]


def test_what_is_written_is_read_and_a_newer_format_refused(graph, tmp_path):
    path = tmp_path / "lineage.json"
    lineage.write(graph, path)
    assert lineage.read(path).jobs == graph.jobs
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(ValueError, match="format 2, this version of Thermoweave reads 1"):
        lineage.read(path)


def told(found: trace.Trace) -> str:
    return "\n".join(line for _, lines in found.steps for line in lines)


def test_a_point_is_followed_to_the_pseudopotential(made, graph):
    row = trace.find_row(made.folder / FIGURE, None, {"temperature": "1100"})
    found = trace.follow(graph, made.folder, FIGURE, row)
    text = told(found)
    assert found.faults == [] and [title for title, _ in found.steps][0] == "point"
    for part in ("T1100/replica1.json: 10 frames", "nequip 0.19.1, seed 1", "2 labels, by pw.x 7.2", "functional PBE",
                 "Li.upf, sha256 ", "files are as they were"):  # fmt: skip
        assert part in text
    assert "T1000/replica1.json" not in text


def test_between_grid_points_all_temperatures_count(made, graph):
    text = told(trace.follow(graph, made.folder, FIGURE, {"concentration": "0.5", "temperature": "1050"}))
    assert "T1000/replica1.json: 10" in text and "T1100/replica1.json: 10" in text


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("results/label/round0/x0.5/batch0.extxyz", "changed since it was used"),
        ("results/train/final/nequip/seed1/model.pt", "is not the file that"),
        ("results/train/final/nequip/seed1/compiled/potential.json", "changed since it was used"),
        ("results/simulate/nequip/x0.5/T1000/replica1.run.json", "changed since it was used"),
    ],
)
def test_what_was_changed_on_the_way_is_named(made, graph, path, what):
    text = (made.folder / path).read_text()
    made.write(path, text + " ")
    faults = trace.follow(graph, made.folder, FIGURE, {}).faults
    assert any(what in fault for fault in faults)
    made.write(path, text)
    assert trace.follow(graph, made.folder, FIGURE, {}).faults == []


def test_a_run_that_is_not_the_one_of_its_job_is_named(made, graph):
    path = "results/simulate/nequip/x0.5/T1000/replica1.json"
    made.write(path, (made.folder / path).read_text().replace("f1000", "f9999"))
    faults = trace.follow(graph, made.folder, FIGURE, {}).faults
    assert [fault for fault in faults if fault.startswith(f"{path}: not a run of the job that wrote")]


def command(folder, *words):
    return subprocess.run(
        [sys.executable, ROOT / "tools/trace.py", "--campaign", folder, *words], capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing"], "no such table"),
        (["arrhenius:9"], "lines 2 to 4, not on line 9"),
        (["arrhenius", "colour=red"], "no column colour"),
        (["arrhenius", "quantity=D Li"], "3 rows"),
        (["arrhenius", "D"], "not COLUMN=VALUE"),
        ([], "a table is needed"),
    ],
)
def test_what_cannot_be_traced_is_said(made, graph, words, message):
    lineage.write(graph, made.folder / "lineage.json")
    made.write("results/audit/lineage.json", (made.folder / "lineage.json").read_text())
    ended = command(made.folder, *words)
    assert ended.returncode == 2 and message in ended.stderr and "Traceback" not in ended.stderr


def test_the_command_prints_the_chain_and_fails_where_a_hash_does_not_agree(made, graph):
    made.write("results/audit/lineage.json", "")
    lineage.write(graph, made.folder / "results/audit/lineage.json")
    ended = command(made.folder, "arrhenius:2")
    assert ended.returncode == 0 and "T1000/replica1.json: 10 frames" in ended.stdout
    made.write("results/label/round0/x0.5/batch0.extxyz", "")
    ended = command(made.folder, "arrhenius:2")
    assert ended.returncode == 1 and "DOES NOT AGREE: results/label/round0/x0.5/batch0.extxyz" in ended.stdout


def runs_behind(made, table, row):
    graph = lineage.from_records(made.folder, [table])
    text = told(trace.follow(graph, made.folder, table, row))
    return {temperature for temperature in ("1000", "1100") if f"T{temperature}/replica1.json: 10 frames" in text}


def test_what_is_fitted_rests_on_all_temperatures_wherever_it_is_read(made):
    predictions = "results/reduce/nequip/predictions.csv"
    made.job("reduce_arrhenius/nequip", ["results/reduce/nequip/transport.nc"], {predictions: "temperature\n1000\n"})
    assert runs_behind(made, predictions, {"concentration": "0.5", "temperature": "1000"}) == {"1000", "1100"}
    assert runs_behind(made, FIGURE, {"concentration": "0.5", "temperature": "1000"}) == {"1000"}


@pytest.mark.parametrize(
    "row", [{"concentration": "0.45"}, {"concentration": "0.5", "kind": "curve"}, {"concentration": "all"}]
)
def test_a_curve_along_concentration_rests_on_all_conditions(made, row):
    assert runs_behind(made, FIGURE, {**row, "temperature": "all"}) == {"1000", "1100"}


def test_an_unreadable_record_is_none(made, graph):
    (made.folder / ".snakemake/metadata/bm90aGluZw==").write_text("")
    assert lineage.from_records(made.folder, [FIGURE]).jobs == graph.jobs


def test_two_files_of_one_name_elsewhere_stay_two(made, tmp_path):
    paths = [tmp_path / name / "potential.json" for name in ("a", "b")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(path.parent.name)
    made.job("train_potential/x", [str(path) for path in paths], {"results/train/x.csv": ""})
    assert len(lineage.from_records(made.folder, ["results/train/x.csv"]).sources) == 2


def test_a_pseudopotential_from_elsewhere_is_named_without_its_folder(made, tmp_path):
    outside = tmp_path / "site/pseudo/Li.upf"
    outside.parent.mkdir(parents=True)
    outside.write_text("<UPF>")
    (made.folder / PSEUDOPOTENTIAL).unlink()
    graph = lineage.from_records(made.folder, [FIGURE], [str(outside)])
    text = told(trace.follow(graph, made.folder, FIGURE, {}))
    assert "Li.upf, sha256 " in text and str(tmp_path) not in text + json.dumps(graph.sources)


def test_a_file_that_two_jobs_used_must_be_that_of_both(made):
    batch = "results/label/round0/x0.5/batch0.extxyz"
    text = (made.folder / batch).read_text()
    made.write(batch, text + " ")
    made.job("reduce_plot_arrhenius/nequip", ["results/reduce/nequip/transport.nc", batch], {FIGURE: "a\n1\n"})
    graph = lineage.from_records(made.folder, [FIGURE])
    assert f"{batch}: changed since it was used" in trace.follow(graph, made.folder, FIGURE, {}).faults
