"""Activation energies of a synthetic grid: Ea along concentration, the files and the figures of the scripts."""

import csv
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import reduce_arrhenius
import reduce_plot_activation
import reduce_plot_arrhenius
import xarray
from ase.units import kB
from thermoweave import activation, reduced

T = np.array([800.0, 900, 1000, 1150, 1300])
LABELS = ["800", "900", "1e3", "1150", "1300"]
X = np.array([0.0, 0.25, 0.5])
EA = {"Li": 0.30, "K": 0.35, "conductivity": 0.25, "conductivity_ne": 0.28, "viscosity": 0.32}
HOT = {"Li": 1e-8, "K": 6e-9, "conductivity": 300.0, "conductivity_ne": 350.0, "viscosity": 1e-3}
TC, GRID = ("temperature", "concentration"), (5, 3)


def truth(name: str) -> np.ndarray:
    sign = 1 if name == "viscosity" else -1
    return np.log(HOT[name]) + sign * EA[name] / kB * (1 / T - 1 / T[-1])


def transport(rel: float = 0.1, seed: int = 1) -> xarray.Dataset:
    """A grid with all kinds of points: K is absent at x = 0; Li at x = 0 is unresolved at 800 K and not yet diffusive
    at 900 K; a gap of all at x = 0.5, 1000 K."""
    rng, data = np.random.default_rng(seed), {}
    X_ = np.stack([np.exp(truth(s)[:, None] + rel * rng.normal(size=GRID)) for s in ("Li", "K")], axis=2)
    std, regime, reason = rel * X_, np.full((5, 3, 2), "diffusive", object), np.full((5, 3, 2), "", object)
    n_atoms = np.full((5, 3, 2), 32)
    n_atoms[:, 0, 1] = 0
    for where, word, why in (
        ((slice(None), 0, 1), "", "no K at this concentration"),
        ((2, 2), "", "replica 1: too hot"),
        ((0, 0, 0), "unresolved", "diffusion not resolved"),
        ((1, 0, 0), "subdiffusive", "diffusive regime not reached"),
    ):
        regime[where], reason[where] = word, why
    std[0, 0, 0], X_[1, 0, 0] = 0.7 * X_[0, 0, 0], 2 * X_[1, 0, 0]
    found, known = np.isin(regime, ["diffusive"]), regime != ""
    data["D"], data["D_std"] = np.where(found, X_, np.nan), np.where(found, std, np.nan)
    data["D_estimate"], data["D_estimate_std"] = np.where(known, X_, np.nan), np.where(known, std, np.nan)
    data["D_corrected"], data["D_corrected_std"] = 1.1 * data["D"], 1.1 * data["D_std"]
    data["D_corrected"][3, 1, 0] = np.nan
    data["lnD"], data["lnD_var"] = np.log(data["D"]), (data["D_std"] / data["D"]) ** 2
    data |= {"regime": regime, "reason": reason, "n_atoms": n_atoms, "fit_end": np.where(known, 50.0, np.nan)}
    grid = {name: ((*TC, "species"), values) for name, values in data.items()}
    for name, side in (("conductivity", "upper"), ("conductivity_ne", "upper"), ("viscosity", "lower")):
        grid |= scalar(name, side, np.exp(truth(name)[:, None] + rel * rng.normal(size=GRID)), rel)
    grid["n_replicas"] = (TC, np.ones(GRID, np.int32))
    coordinates = {"temperature": T, "concentration": X, "species": ["Li", "K"]}
    labels = {
        "temperature_label": ("temperature", LABELS),
        "concentration_label": ("concentration", ["0.0", "0.25", "0.5"]),
    }
    return xarray.Dataset(grid, {**coordinates, **labels})


def scalar(name: str, side: str, value: np.ndarray, rel: float) -> dict:
    """A positive quantity: a gap at x = 0.5, 1000 K, uncertain at x = 0.25, 800 K."""
    error, why = np.full(GRID, rel), np.full(GRID, "", object)
    error[0, 1], why[0, 1] = 0.9, f"{name} known within a factor of 2.5 only"
    why[2, 2] = "replica 1: too hot"
    value[2, 2] = np.nan
    shown = np.where(why == "", value, np.nan)
    return {
        name: (TC, shown, {"units": "Pa s" if name == "viscosity" else "S m-1"}),
        f"{name}_std": (TC, shown * error),
        f"ln_{name}_var": (TC, np.where(np.isfinite(shown), error**2, np.nan)),
        f"{name}_estimate": (TC, value),
        f"{name}_estimate_std": (TC, value * error),
        f"{name}_{side}_bound": (TC, value * np.exp((1 if side == "upper" else -1) * 1.645 * error)),
        f"{name}_reason": (TC, why),
    }


def reduce(grid: xarray.Dataset, folder: Path, predict=()) -> Path:
    reduced.save(grid, folder / "transport.nc")
    outputs = (folder / name for name in ("arrhenius.nc", "arrhenius.csv", "predictions.csv"))
    reduce_arrhenius.reduce_arrhenius(folder / "transport.nc", *outputs, predict)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return reduce(transport(), tmp_path_factory.mktemp("grid"), ["298", "1e3"])


def rows(path: Path) -> dict:
    with open(path, newline="", encoding="utf-8") as file:
        return {(r["concentration"], r["quantity"], r.get("temperature", "")): r for r in csv.DictReader(file)}


def test_every_variable_has_a_name_units_and_its_error(folder):
    dataset = reduced.load(folder / "arrhenius.nc")
    own = set(dataset.variables) - {"concentration", "concentration_label", "temperature", "temperature_label"}
    for key in own:
        attributes = dataset[key].attrs
        assert attributes.get("long_name"), key
        assert dataset[key].dtype.kind in "UOT" or attributes.get("units"), key
        assert attributes.get("ancillary_variables", key) in dataset, key


def test_the_energies_are_those_put_in(folder):
    fits = reduced.load(folder / "arrhenius.nc")
    expected = {f"{kind} {s}": EA[s] for kind in ("D", "D_corrected") for s in ("Li", "K")} | EA
    z = [(fits["Ea"].sel(quantity=q) - expected[q]) / fits["Ea_std"].sel(quantity=q) for q in fits["quantity"].values]
    z = np.array(z)[np.isfinite(z)]
    assert len(z) == 3 * 7 - 3
    assert np.abs(z).max() < 3.5


def test_each_point_is_used_for_what_it_is(folder):
    table = rows(folder / "arrhenius.csv")
    lithium = table["0.0", "D Li", ""]
    assert lithium["temperatures_numbers"] == "1e3 1150 1300"
    assert lithium["temperatures_uncertain"] == "800"
    assert lithium["temperatures_upper_bounds"] == "900"
    assert (lithium["n_temperatures"], lithium["n_resolved"], lithium["dof"]) == ("5", "3", "2")
    assert table["0.5", "D Li", ""]["temperatures_gaps"] == "1e3"
    assert table["0.25", "conductivity", ""]["temperatures_uncertain"] == "800"
    assert table["0.5", "viscosity", ""]["temperatures_gaps"] == "1e3"
    assert float(lithium["Ea_kJ_mol"]) == pytest.approx(96.485 * float(lithium["Ea_eV"]), rel=1e-4)
    assert lithium["units"] == "m2 s-1"


def test_what_is_not_there_has_no_energy_and_says_why(folder):
    table = rows(folder / "arrhenius.csv")
    assert table["0.0", "D K", ""]["Ea_eV"] == ""
    assert table["0.0", "D K", ""]["note"] == "no K at this concentration"
    assert table["0.25", "D_corrected Li", ""]["Ea_eV"] == ""
    assert table["0.25", "D_corrected Li", ""]["note"] == "D not corrected for the size of the cell at 1150 K"


def test_predictions_are_flagged(folder):
    table = rows(folder / "predictions.csv")
    cold, inside = table["0.25", "D Li", "298"], table["0.25", "D Li", "1e3"]
    assert (cold["region"], inside["region"]) == ("extrapolation", "interpolation")
    assert float(cold["value_lower_95"]) == 0
    assert float(inside["value_lower_68"]) < float(inside["value"]) < float(inside["value_upper_68"])
    assert np.log(float(inside["value"])) == pytest.approx(truth("Li")[2], abs=0.3)
    assert table["0.0", "D K", "298"]["value"] == table["0.0", "D K", "298"]["region"] == ""


def test_a_number_without_an_error_is_a_gap(tmp_path):
    grid = transport()
    grid["lnD_var"][4, 1, 0], grid["lnD_var"][3, 1, 0] = 0.0, np.nan
    table = rows(reduce(grid, tmp_path) / "arrhenius.csv")
    assert table["0.25", "D Li", ""]["temperatures_gaps"] == "1150 1300"
    reasons = reduced.load(tmp_path / "arrhenius.nc")["reason"].sel(concentration=0.25, quantity="D Li")
    assert reasons.values.tolist()[3:] == ["no error of its own: it cannot be weighed"] * 2


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_temperatures_can_be_drawn_and_say_so(tmp_path, n):
    grid = transport().isel(temperature=slice(3, 3 + n)) if n else transport()
    if not n:
        grid = grid.map(lambda values: values if values.dtype.kind in "OUi" else values * np.nan)
        grid["regime"][:] = ""
    table = rows(reduce(grid, tmp_path) / "arrhenius.csv")
    assert {row["Ea_eV"] for row in table.values()} == {""}
    assert "are needed" in table["0.5", "D Li", ""]["note"]
    draw(tmp_path)


def test_one_concentration_has_no_curve(tmp_path):
    fits = reduced.load(reduce(transport().isel(concentration=[1]), tmp_path) / "arrhenius.nc")
    assert fits["Ea_curve"].isnull().all()
    assert set(fits["Ea_curve_note"].values) >= {"1 concentrations with an Ea, 3 are needed: no curve"}
    draw(tmp_path)


def draw(folder: Path) -> list[Path]:
    paths = [folder / "figure_arrhenius.svg", folder / "figure_activation.svg"]
    reduce_plot_arrhenius.plot_arrhenius(folder / "transport.nc", folder / "arrhenius.nc", paths[0])
    reduce_plot_activation.plot_activation(folder / "arrhenius.nc", paths[1])
    return paths


def test_figures_say_what_is_missing_and_are_the_same_bytes_again(folder):
    paths = draw(folder)
    first = [path.read_bytes() for path in paths]
    words = " ".join(ET.fromstring(first[0]).itertext())
    assert "x = 0.0, 800 K, D Li: diffusion not resolved" in words
    assert "replica 1: too hot" in words
    assert "K at this concentration" not in words
    assert "eV" in words
    assert [path.read_bytes() for path in draw(folder)] == first


def test_polynomials_cover_and_choose():
    rng, c, std = np.random.default_rng(9), np.array([0.1, 0.25, 0.4, 0.6]), np.array([0.02, 0.03, 0.02, 0.03])
    at = np.array([0.3, 0.6])
    for shape in ([0.3], [0.3, 0.2], [0.3, -0.4, 0.8]):
        truth_c, truth_at = (np.polynomial.polynomial.polyval(x, shape) for x in (c, at))
        z = []
        for _ in range(400):
            mean, error = activation.fit(c, truth_c + std * rng.normal(size=4), std).predict(at)
            z.append((mean - truth_at) / error)
        covered = np.mean(np.abs(z) < 1.96, axis=0)
        assert (covered > 0.88).all(), shape  # 90 % where a curvature is just as large as its error
        assert (covered < 0.99).all(), shape
    steep = activation.fit(c, 0.3 + 2 * c, std)
    assert steep.order == 1
    assert activation.fit(c, np.array([0.3, 0.6, 0.3, 0.6]), std / 9).note.startswith("no smooth curve")


def test_runs_that_nothing_held_are_fitted_at_their_own_temperature(tmp_path):
    """NVE runs that came out 3 % hotter the higher the temperature: the energy is that of where they were."""
    grid = transport()
    actual = grid["temperature"].values * np.array([1.0, 1.0075, 1.015, 1.0225, 1.03])
    means = np.repeat(actual[:, None], grid.sizes["concentration"], axis=1)
    grid["temperature_mean"] = (("temperature", "concentration"), means)
    paths = [tmp_path / name for name in ("transport.nc", "a.nc", "a.csv", "p.csv", "b.nc", "b.csv")]
    reduced.save(grid, paths[0])
    reduce_arrhenius.reduce_arrhenius(*paths[:4], run_temperature=True)
    reduce_arrhenius.reduce_arrhenius(paths[0], *paths[4:], paths[3])
    at_run, at_grid = (reduced.load(path)["Ea"].sel(quantity="D Li") for path in (paths[1], paths[4]))
    assert (at_run < 0.97 * at_grid).all()
    assert np.allclose(reduced.load(paths[1])["temperature"], T)
