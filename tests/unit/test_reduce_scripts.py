"""The scripts of the reduce stage on a small grid of synthetic melts: gates, gaps, files."""

from pathlib import Path

import numpy as np
import pytest
import reduce_grid
import synthetic
from ase.units import kB
from reduced_grid import CONCENTRATIONS, EMPTY, SPECIES, STAGES, TEMPERATURES, make_grid, reduce_one, rows
from thermoweave import reduced


@pytest.fixture(scope="module")
def grid(tmp_path_factory) -> Path:
    return make_grid(tmp_path_factory.mktemp("grid"))


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
    assert float(spectra["modes"].sum()) == pytest.approx(192, rel=0.02)
    assert np.allclose(spectra["modes"], 3 * spectra["n_atoms"], rtol=0.15)
    assert float(spectra["resolution"]) == pytest.approx(1.0)


def test_arrhenius_table(grid):
    table = rows(grid / "arrhenius.csv")
    chosen = {(r["concentration"], r["quantity"]): r for r in table}
    assert {("0.00", f"D {species}") for species in SPECIES} <= chosen.keys()
    lithium = chosen["0.00", "D Li"]
    assert lithium["temperatures_numbers"] == "800 1e3 1300"
    assert lithium["temperatures_gaps"] == ""
    assert abs(float(lithium["Ea_eV"]) - 0.30) < 3 * float(lithium["Ea_std_eV"])
    assert float(lithium["Ea_kJ_mol"]) == pytest.approx(96.485 * float(lithium["Ea_eV"]), rel=1e-4)
    assert chosen["0.50", "D Li"]["temperatures_gaps"] == "1e3"
    assert chosen["0.50", "D Li"]["Ea_eV"] == ""
    assert "3 are needed" in chosen["0.50", "D Li"]["note"]


def test_predictions_say_where_they_extrapolate(grid):
    table = {(r["concentration"], r["quantity"], r["temperature"]): r for r in rows(grid / "predictions.csv")}
    inside, outside = (table["0.00", "D Cl", T] for T in ("1100", "298"))
    assert (inside["region"], outside["region"]) == ("interpolation", "extrapolation")
    truth = np.log(1e-8 * synthetic.diffusivity("Cl", 1100))
    assert abs(float(inside["ln_value"]) - truth) < 3 * float(inside["ln_value_std"])
    assert float(outside["ln_value_std"]) > 3 * float(inside["ln_value_std"])


def test_the_band_is_that_of_the_fit(grid):
    fits = reduced.load(grid / "arrhenius.nc").sel(concentration=0, quantity="D Cl")
    line = fits["ln_X0"] - fits["Ea"] / (kB * fits["temperature_fit"])
    assert np.allclose(fits["ln_X_fit"], line)
    assert (fits["ln_X_fit_std"] > 0).all()


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
