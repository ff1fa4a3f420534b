"""The scripts of the reduce stage on a small grid of synthetic melts: gates, gaps, files, figures."""

import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import reduce_arrhenius
import reduce_condition
import reduce_grid
import reduce_plot_arrhenius
import reduce_plot_msd
import reduce_plot_rdf
import reduce_plot_vdos
import synthetic
from ase.units import kB
from thermoweave import reduced

STAGES = ("transport", "structure", "spectra")
SPECIES = ["Li", "K", "Cl"]
CHARGES = {"Li": 1.0, "K": 1.0, "Cl": -1.0}
CONCENTRATIONS = ("0.00", "0.50")
TEMPERATURES = ("800", "1e3", "1300")
EMPTY = ("0.50", "1e3")  # no replica passed


def reduce_one(
    folder: Path, concentration: str, temperature: str, files: tuple[list[Path], list[Path]]
) -> dict[str, Path]:
    outputs = {stage: folder / f"{stage}.nc" for stage in STAGES}
    reduce_condition.reduce_condition(
        *files, outputs, concentration, temperature, SPECIES, CHARGES,
        onset_floor_ps=0.4, n_lags=40, rdf_bin_A=0.1, vdos_resolution_THz=1.0,
    )  # fmt: skip
    return outputs


@pytest.fixture(scope="module")
def grid(tmp_path_factory) -> Path:
    """A folder with the reduced grid: one condition without a trajectory, one with a replica that failed."""
    folder = tmp_path_factory.mktemp("grid")
    conditions = {stage: [] for stage in STAGES}
    for concentration in CONCENTRATIONS:
        for temperature in TEMPERATURES:
            where = folder / f"x{concentration}" / f"T{temperature}"
            failed = (0, 1) if (concentration, temperature) == EMPTY else (1,) if temperature == "800" else ()
            files = synthetic.write_condition(where, concentration, temperature, 2, 400, failed)
            for stage, path in reduce_one(where, concentration, temperature, files).items():
                conditions[stage].append(path)
    datasets = {stage: folder / f"{stage}.nc" for stage in STAGES}
    tables = {stage: folder / f"{stage}.csv" for stage in STAGES}
    reduce_grid.reduce_grid({stage: paths[::-1] for stage, paths in conditions.items()}, datasets, tables)
    reduce_arrhenius.reduce_arrhenius(datasets["transport"], folder / "arrhenius.nc", folder / "arrhenius.csv")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_transport_has_the_grid_and_the_users_own_words(grid):
    transport = reduced.load(grid / "transport.nc")
    assert transport["D"].dims == ("temperature", "concentration", "species")
    assert transport["temperature"].values.tolist() == [800, 1000, 1300]
    assert transport["temperature_label"].values.tolist() == list(TEMPERATURES)
    assert transport["concentration_label"].values.tolist() == list(CONCENTRATIONS)
    assert transport.attrs["reference_frame"].startswith("centre of mass")


@pytest.mark.parametrize("name", [*STAGES, "arrhenius"])
def test_every_variable_has_a_name_units_and_its_error(grid, name):
    dataset = reduced.load(grid / f"{name}.nc")
    assert dataset.attrs["Conventions"] == "CF-1.11"
    for key, variable in dataset.variables.items():
        assert variable.attrs.get("long_name"), key
        assert variable.dtype.kind in "UOT" or variable.attrs.get("units"), key
        if "ancillary_variables" in variable.attrs:
            assert variable.attrs["ancillary_variables"] in dataset, key


def test_D_lies_at_the_truth(grid):
    transport = reduced.load(grid / "transport.nc")
    z = []
    for T in transport["temperature"].values:
        for species in SPECIES:
            truth = np.log(1e-8 * synthetic.diffusivity(species, T))
            one = transport.sel(temperature=T, species=species)
            z += ((one["lnD"] - truth) / np.sqrt(one["lnD_var"])).values.tolist()
    z = np.array(z)[np.isfinite(z)]
    assert len(z) >= 10
    # the centre of mass of these free particles diffuses, too: 0 to 3 % are taken from D with it
    assert np.abs(z).max() < 3.5
    assert np.mean(np.abs(z) < 2) > 0.8


def test_a_condition_without_a_trajectory_is_a_gap_with_its_reason(grid):
    for stage, key in (("transport", "D"), ("structure", "rdf"), ("spectra", "vdos")):
        gap = reduced.load(grid / f"{stage}.nc").sel(concentration=0.5, temperature=1000)
        assert gap[key].isnull().all()
        assert set(gap["reason"].values) == {"replica 0: Li-Cl at 0.40 A; replica 1: Li-Cl at 0.40 A"}
    transport = reduced.load(grid / "transport.nc").sel(concentration=0.5, temperature=1000)
    assert transport["n_replicas"] == 0
    assert transport["rejection"].values.tolist() == ["Li-Cl at 0.40 A"] * 2
    assert np.isnan(transport["conductivity_ne"])
    table = [r for r in rows(grid / "transport.csv") if (r["concentration"], r["temperature"]) == EMPTY]
    assert [r["D_m2_s"] for r in table] == [""] * 3
    assert all("0.40 A" in r["reason"] for r in table)


def test_a_rejected_replica_is_not_read_and_keeps_its_place(grid):
    transport = reduced.load(grid / "transport.nc").sel(concentration=0.5, temperature=800)
    assert transport["n_replicas"] == 1
    assert transport["rejection"].values.tolist() == ["", "Li-Cl at 0.40 A"]
    assert np.isfinite(transport["D_replica"].sel(replica=0)).all()
    assert np.isnan(transport["D_replica"].sel(replica=1)).all()
    assert np.isnan(transport["birge_ratio"]).all()


def test_a_species_that_is_not_there_is_no_zero(grid):
    transport = reduced.load(grid / "transport.nc").sel(concentration=0, species="K")
    assert transport["D"].isnull().all()
    assert set(transport["reason"].values) == {"no K at this concentration"}
    spectra = reduced.load(grid / "spectra.nc").sel(concentration=0, species="K")
    assert spectra["vdos"].isnull().all()


def test_nernst_einstein_conductivity(grid):
    transport = reduced.load(grid / "transport.nc").sel(concentration=0, temperature=1300)
    D = transport["D"].sel(species=["Li", "Cl"]).values
    expected = 1.602e-19**2 * 32 * D.sum() / (1728e-30 * 1.3807e-23 * float(transport["temperature_mean"]))
    assert float(transport["conductivity_ne"]) == pytest.approx(expected, rel=1e-3)
    assert 0 < transport["conductivity_ne_std"] < 0.5 * transport["conductivity_ne"]


def test_modes_of_the_spectrum(grid):
    spectra = reduced.load(grid / "spectra.nc").sel(concentration=0.5, temperature=1300)
    assert float(spectra["modes"].sum()) == pytest.approx(192)
    assert np.allclose(spectra["modes"], 3 * spectra["n_atoms"], rtol=0.15)
    assert float(spectra["resolution"]) == pytest.approx(1.0)


def test_arrhenius_table(grid):
    table = rows(grid / "arrhenius.csv")
    assert list(table[0]) == reduce_arrhenius.COLUMNS
    chosen = {(r["concentration"], r["species"]): r for r in table}
    assert len(chosen) == 6
    lithium = chosen["0.00", "Li"]
    assert lithium["temperatures_used"] == "800 1e3 1300"
    assert lithium["gaps"] == ""
    assert abs(float(lithium["Ea_eV"]) - 0.30) < 3 * float(lithium["Ea_std_eV"])
    assert float(lithium["Ea_kJ_mol"]) == pytest.approx(96.485 * float(lithium["Ea_eV"]), rel=1e-4)
    assert chosen["0.50", "Li"]["gaps"] == "1e3"
    assert chosen["0.50", "Li"]["Ea_eV"] == ""
    assert "3 are needed" in chosen["0.50", "Li"]["note"]


def test_the_band_is_that_of_the_fit(grid):
    fits = reduced.load(grid / "arrhenius.nc").sel(concentration=0, species="Cl")
    line = fits["lnD0"] - fits["Ea"] / (kB * fits["temperature_fit"])
    assert np.allclose(fits["lnD_fit"], line)
    assert (fits["lnD_fit_std"] > 0).all()


@pytest.fixture(scope="module")
def drawn(grid) -> dict[str, Path]:
    paths = {name: grid / f"{name}.svg" for name in ("arrhenius", "msd", "rdf", "vdos")}
    reduce_plot_arrhenius.plot_arrhenius(grid / "transport.nc", grid / "arrhenius.nc", paths["arrhenius"])
    reduce_plot_msd.plot_msd(grid / "transport.nc", paths["msd"])
    reduce_plot_rdf.plot_rdf(grid / "structure.nc", paths["rdf"])
    reduce_plot_vdos.plot_vdos(grid / "spectra.nc", paths["vdos"])
    return paths


@pytest.mark.parametrize("name", ["arrhenius", "msd", "rdf", "vdos"])
def test_figures_name_the_gap_and_carry_no_date(drawn, name):
    text = drawn[name].read_text(encoding="utf-8")
    words = " ".join(ET.fromstring(text).itertext())
    assert "x = 0.50, 1e3 K: replica 0: Li-Cl at 0.40 A" in words
    assert "dc:date" not in text


def test_the_same_data_give_the_same_bytes(grid, drawn, tmp_path):
    reduce_plot_msd.plot_msd(grid / "transport.nc", tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_bytes() == drawn["msd"].read_bytes()


def test_a_grid_without_any_result_can_be_drawn(tmp_path):
    outputs = []
    for temperature in TEMPERATURES:
        files = synthetic.write_condition(tmp_path / temperature, "0.50", temperature, 1, 10, failed=(0,))
        outputs.append(reduce_one(tmp_path / temperature, "0.50", temperature, files))
    datasets = {stage: tmp_path / f"{stage}.nc" for stage in STAGES}
    tables = {stage: tmp_path / f"{stage}.csv" for stage in STAGES}
    reduce_grid.reduce_grid({stage: [o[stage] for o in outputs] for stage in STAGES}, datasets, tables)
    reduce_arrhenius.reduce_arrhenius(datasets["transport"], tmp_path / "arrhenius.nc", tmp_path / "arrhenius.csv")
    reduce_plot_arrhenius.plot_arrhenius(datasets["transport"], tmp_path / "arrhenius.nc", tmp_path / "arrhenius.svg")
    reduce_plot_msd.plot_msd(datasets["transport"], tmp_path / "msd.svg")
    reduce_plot_rdf.plot_rdf(datasets["structure"], tmp_path / "rdf.svg")
    reduce_plot_vdos.plot_vdos(datasets["spectra"], tmp_path / "vdos.svg")
    assert all("3 are needed" in row["note"] for row in rows(tmp_path / "arrhenius.csv"))


def test_replicas_of_different_length_are_an_error(tmp_path):
    first, verdicts = synthetic.write_condition(tmp_path / "a", "0.50", "900", 1, 300)
    second, _ = synthetic.write_condition(tmp_path / "b", "0.50", "900", 1, 400)
    with pytest.raises(ValueError, match="replicas differ: 300 frames every 0.01 ps, 64 atoms; 400 frames"):
        reduce_one(tmp_path, "0.50", "900", (first + second, verdicts * 2))


def test_a_hole_in_the_grid_and_a_double_condition_are_errors(grid):
    paths = [grid / f"x{x}" / f"T{T}" / "transport.nc" for x in CONCENTRATIONS for T in TEMPERATURES]
    with pytest.raises(ValueError, match=r"no file for the conditions .*\(0.5, 1300.0\)"):
        reduce_grid.combine(paths[:-1])
    with pytest.raises(ValueError, match="concentration 0.5, temperature 1300 is there already"):
        reduce_grid.combine([*paths, paths[-1]])
