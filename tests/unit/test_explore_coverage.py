"""Tables and figures of what the labels cover."""

import pytest
from explore_coverage import conditions, explore_coverage
from thermoweave import committee_errors, coverage
from thermoweave.tables import read_csv, write_csv


def line(round=1, x="0.25", T="900", margin="", error=50.0, verdict=coverage.COVERED, reason=""):
    numbers = {"expected_error_meV_A": f"{error}", "low_meV_A": f"{0.8 * error}", "high_meV_A": f"{1.3 * error}"}
    row = dict.fromkeys(coverage.COLUMNS, "") | numbers
    row |= {"round": str(round), "concentration": f"x{x}", "temperature": f"T{T}", "margin": margin}
    return row | {"verdict": verdict, "reason": reason, "share_above_target": "0.02", "frames": "10", "n_labels": "3"}


MISSED = dict(verdict="not covered", reason="expected to be wrong by 200 meV/A, target 100")
ROWS = [
    *(line(0, T=T, error=200.0, **MISSED) for T in ("900", "1100", "1300")),
    line(T="900"), line(T="1100", error=70.0), line(T="1300", error=200.0, **MISSED),
    line(T="1300", margin="denser", error=300.0, **MISSED),
]  # fmt: skip


def test_a_condition_between_walks_is_as_bad_as_the_worse_of_its_neighbours():
    table = {row["temperature"]: row for row in conditions(ROWS, ["0.25"], ["900", "1000", "1200"])}
    assert table["900"]["verdict"] == coverage.COVERED and table["900"]["reason"] == ""
    assert table["1000"]["verdict"] == coverage.COVERED and table["1000"]["expected_error_meV_A"] == "70.0"
    assert table["1000"]["reason"] == "no walk here: the worse of those at 900 and 1100 K"
    assert table["1200"]["verdict"] == "not covered" and "200 meV/A" in table["1200"]["reason"]


def test_a_walk_without_a_frame_covers_nothing_between_its_neighbours():
    nothing = line(T="1100", verdict="not covered", reason="no frame: hot") | {"high_meV_A": ""}
    (row,) = conditions([line(T="900"), nothing], ["0.25"], ["1000"])
    assert row["verdict"] == "not covered" and row["reason"].startswith("no frame: hot")


@pytest.mark.parametrize("rows", [ROWS, [line(T="900"), line(T="1300")]])
def test_tables_and_figures_are_written(tmp_path, rows):
    write_csv(tmp_path / "a.csv", rows, list(coverage.COLUMNS))
    errors = dict.fromkeys(committee_errors.COLUMNS, "") | {"low_meV_A": "50", "high_meV_A": "90"}
    fresh = [
        errors | {"round": "1", "chosen": chosen, "error_meV_A": error}
        for chosen, error in (("uncertain", "70"), ("random", "95"))
    ]
    write_csv(tmp_path / "fresh.csv", fresh, list(committee_errors.COLUMNS))
    out = [tmp_path / f"out/{name}" for name in ("all.csv", "grid.csv", "a.html", "coverage.svg", "calibration.svg")]
    out[0].parent.mkdir()
    explore_coverage([tmp_path / "a.csv"], [tmp_path / "fresh.csv"], *out, ["0.25"], ["900", "1300"], 100.0)
    assert len(read_csv(out[0])) == len(rows) and len(read_csv(out[1])) == 2
    figure, calibration = (path.read_text() for path in out[3:])
    assert "1 of 2 inside their 90 % interval" in calibration
    missed = [row for row in read_csv(out[1]) if row["verdict"] != coverage.COVERED]
    assert ("x = 0.25, 1300 K: not covered by labels" in figure) == bool(missed)
    assert out[3].with_suffix(".pdf").exists() and len(read_csv(out[3].with_suffix(".csv"))) == len(rows)
