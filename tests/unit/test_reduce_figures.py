"""The figures of the reduce stage: they name gaps, carry no date, and can be drawn of nothing."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import reduce_grid
import reduce_plot_msd
import synthetic
from reduced_grid import PLOTS, STAGES, TEMPERATURES, draw, fit, make_grid, reduce_one, rows


@pytest.fixture(scope="module")
def grid(tmp_path_factory) -> Path:
    return make_grid(tmp_path_factory.mktemp("grid"))


@pytest.fixture(scope="module")
def drawn(grid) -> dict[str, Path]:
    return draw(grid)


@pytest.mark.parametrize("name", PLOTS)
def test_figures_name_the_gap_and_carry_no_date(drawn, name):
    text = drawn[name].read_text(encoding="utf-8")
    words = " ".join(ET.fromstring(text).itertext())
    assert name == "activation" or "x = 0.50, 1e3 K" in words
    assert "dc:date" not in text
    assert b"CreationDate" not in drawn[name].with_suffix(".pdf").read_bytes()
    assert rows(drawn[name].with_suffix(".csv"))


def test_the_same_data_give_the_same_bytes(grid, drawn, tmp_path):
    reduce_plot_msd.plot_msd(grid / "transport.nc", tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_bytes() == drawn["msd"].read_bytes()


def test_a_grid_without_any_result_can_be_drawn(tmp_path):
    outputs = []
    for temperature in TEMPERATURES:
        files = synthetic.write_condition(tmp_path / temperature, "0.50", temperature, 1, 10, failed=(0,))
        outputs.append(reduce_one(tmp_path / temperature, "0.50", temperature, files))
    for stage in STAGES:
        paths = [output[stage] for output in outputs]
        reduce_grid.reduce_grid(paths, stage, tmp_path / f"{stage}.nc", tmp_path / f"{stage}.csv")
    fit(tmp_path)
    assert all(path.exists() for path in draw(tmp_path).values())
    assert all("3 are needed" in row["note"] for row in rows(tmp_path / "arrhenius.csv"))
