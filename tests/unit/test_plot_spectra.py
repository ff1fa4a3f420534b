"""The figures of the spectra from small grids: with gaps, and with nothing but gaps."""

import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import reduce_grid
import reduce_plot_conductivity_spectrum
import reduce_plot_structure_factor
import reduce_plot_vdos
import synthetic
from reduce_spectra import reduce_spectra
from thermoweave import reduced

SPECIES = ["Li", "K", "Cl"]
CHARGES = {"Li": 1.0, "K": 1.0, "Cl": -1.0}
FIGURES = {
    "vdos": reduce_plot_vdos.plot_vdos,
    "conductivity_spectrum": reduce_plot_conductivity_spectrum.plot_conductivity_spectrum,
    "structure_factor": reduce_plot_structure_factor.plot_structure_factor,
}


def grid(folder: Path, failed: dict[tuple[str, str], tuple[int, ...]]) -> Path:
    """The grid dataset of two concentrations and two temperatures with failed replicas in some conditions."""
    paths = []
    for x in ("0.00", "0.50"):
        for T in ("800", "1e3"):
            where = folder / f"x{x}" / f"T{T}"
            files = synthetic.write_condition(where, x, T, 2, 300, failed.get((x, T), ()))
            reduce_spectra(
                *files, where / "spectra.nc", x, T, SPECIES, CHARGES, memory_MB=50.0, resolution_THz=1.0,
                born_charges={"Li": 1.1, "K": 1.1, "Cl": -1.1}, quantum_correction="harmonic",
                structure_factor={"q_max_per_A": 2.0, "dynamic_q_per_A": [1.0]},
            )  # fmt: skip
            paths.append(where / "spectra.nc")
    reduced.save(reduce_grid.combine(paths), folder / "spectra.nc")
    return folder / "spectra.nc"


@pytest.fixture(scope="module")
def partly(tmp_path_factory) -> Path:
    return grid(tmp_path_factory.mktemp("partly"), {("0.50", "1e3"): (0, 1), ("0.00", "800"): (1,)})


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_its_table_and_names_its_gaps(partly, name):
    out = partly.parent / f"{name}.svg"
    FIGURES[name](partly, out)
    words = " ".join(text.strip() for text in ET.parse(out).getroot().itertext())
    assert "x = 0.50, 1e3 K: replica 0: Li-Cl at 0.40 A" in words
    assert out.with_suffix(".pdf").stat().st_size > 1000
    with open(out.with_suffix(".csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["concentration"], row["temperature"]) for row in rows} == {
        ("0.00", "800"),
        ("0.00", "1e3"),
        ("0.50", "800"),
    }


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_but_gaps_is_a_figure_too(tmp_path, name):
    conditions = [(x, T) for x in ("0.00", "0.50") for T in ("800", "1e3")]
    everything = grid(tmp_path, dict.fromkeys(conditions, (0, 1)))
    FIGURES[name](everything, tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").exists()


def test_every_variable_has_a_name_units_and_its_error(partly):
    dataset = reduced.load(partly)
    for key, variable in dataset.variables.items():
        assert variable.attrs.get("long_name"), key
        assert variable.dtype.kind in "UOT" or variable.attrs.get("units"), key
        if "ancillary_variables" in variable.attrs:
            assert variable.attrs["ancillary_variables"] in dataset, key
    assert dataset["reason"].sel(concentration=0.0, temperature=800, species="K") == "no K at this concentration"
    assert dataset["conductivity"].sel(concentration=0.5, temperature=1000).isnull().all()
    assert dataset["vdos_birge_ratio"].sel(concentration=0.5, temperature=800).notnull().all()


def test_structure_factors_that_nobody_asked_for_are_named(partly, tmp_path):
    dataset = reduced.load(partly).drop_vars("structure_factor")
    reduced.save(dataset, tmp_path / "spectra.nc")
    with pytest.raises(ValueError, match="no structure factors; ask for them with reduce.spectra.structure_factor"):
        reduce_plot_structure_factor.plot_structure_factor(tmp_path / "spectra.nc", tmp_path / "figure.svg")
