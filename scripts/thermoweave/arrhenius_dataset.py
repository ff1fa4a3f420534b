"""Activation energies of all quantities and concentrations as a CF-style dataset and as flat tables."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thermoweave import activation, arrhenius, arrhenius_points, extrapolation, kink, vtf
from thermoweave.arrhenius import KJ_PER_MOL, Arrhenius
from thermoweave.arrhenius_points import Quantity
from thermoweave.kink import Kink
from thermoweave.reduced import text, variable
from thermoweave.vtf import Vtf

if TYPE_CHECKING:
    import xarray

BAND_POINTS = 51
LN_MANY = np.log(1e6)  # odds beyond are a matter of the tails of the errors
BAND = ("", "_std", "_lower_68", "_upper_68", "_lower_95", "_upper_95")  # in the order of extrapolation.Prediction


class Fit(NamedTuple):
    """What was found for a quantity at a concentration; p_value, dof and Ea of the chosen form."""

    quantity: Quantity
    line: Arrhenius
    curve: Vtf
    kink: Kink

    @property
    def form(self) -> str:
        """The chosen form, or nothing without a fit."""
        return "" if np.isnan(self.line.Ea_eV) else "VTF" if self.curve.preferred else "Arrhenius"

    @property
    def temperatures(self) -> tuple[float, ...]:
        """Those in the fit (K); none without a fit."""
        return self.line.temperatures_used + self.line.censored if self.form else ()

    @property
    def Ea(self) -> tuple[float, float]:
        """Activation energy (eV) and its standard error: of the line, or apparent at the reference temperature."""
        return self.curve.Ea if self.curve.preferred else (self.line.Ea_eV, self.line.Ea_std_eV)

    @property
    def p_value(self) -> float:
        from scipy.stats import chi2

        dof = self.curve.n - 3
        return float(chi2.sf(self.curve.chi2, dof)) if self.curve.preferred else self.line.p_value

    @property
    def note(self) -> str:
        """In words, all there is to say."""
        notes = [self.quantity.absent or self.line.note]
        described = self.p_value >= arrhenius.MIN_P_VALUE or np.isnan(self.p_value)
        if self.curve.preferred:
            odds = f"{np.exp(self.curve.ln_odds):.2g}" if self.curve.ln_odds < LN_MANY else "more than a million"
            notes.append(f"curved: VTF is {odds} times as probable as Arrhenius, Ea is at {self.curve.reference:.0f} K")
            notes.append("" if described else f"nor does VTF describe the points (p = {self.p_value:.2g})")
        if not (self.curve.preferred and described):
            notes.append(kink.note(self.kink))
        return "; ".join(filter(None, notes))


def fit(quantity: Quantity) -> Fit:
    """All that is to be known of a quantity along temperature."""
    line = arrhenius.fit_points(quantity.points)
    if np.isnan(line.Ea_eV):
        return Fit(quantity, line, vtf.refused(), Kink(*[float("nan")] * 4))
    return Fit(quantity, line, vtf.fit(quantity.points), kink.search(quantity.points))


def fit_all(grid: "xarray.Dataset", run_temperature: bool = False) -> list[list[Fit]]:
    """
    The fits of each concentration and quantity of the grid, in their order.

    run_temperature: at the mean temperatures of the runs, where nothing held them at the grid's (NVE). Under a
    thermostat the mean of a short run scatters about the temperature that it samples, which is the grid's.
    """
    names = arrhenius_points.names(grid)
    columns = [grid.isel(concentration=i) for i in range(grid.sizes["concentration"])]
    if run_temperature:
        columns = [arrhenius_points.at_run_temperature(one) for one in columns]
    return [[fit(arrhenius_points.quantity(one, name)) for name in names] for one in columns]


def _each(fits: list[list[Fit]], get) -> np.ndarray:
    return np.array([[get(fit) for fit in row] for row in fits])


def dataset(fits: list[list[Fit]], grid: "xarray.Dataset", predict: list[str]) -> "xarray.Dataset":
    """
    Parameters of all fits, bands along temperature, predictions at the temperatures `predict` (K, as the user wrote
    them), and Ea along concentration.
    """
    import xarray

    grid_T, asked = grid["temperature"].values, np.array([float(T) for T in predict])
    ends = np.concatenate([grid_T, asked])
    inverse = [np.linspace(1 / T.max(), 1 / T.min(), BAND_POINTS) for T in (grid_T, ends)]
    along = 1 / np.unique(np.concatenate(inverse))
    cqt = ("concentration", "quantity", "temperature")
    used = np.array([[arrhenius_points.used_as(fit.quantity.points) for fit in row] for row in fits], object)
    reasons = np.array([[fit.quantity.reasons for fit in row] for row in fits], object)
    data = _parameters(fits)
    data["used_as"] = text(cqt, used, "what the point is to the fit: number, uncertain, upper bound or gap")
    data["reason"] = text(cqt, reasons, "why the point is no number")
    data |= _bands(fits, along, "temperature_fit", "fit")
    data |= _bands(fits, asked, "temperature_predicted", "predicted")
    data |= _along_concentration(fits, grid["concentration"].values)
    coordinates = {
        "concentration": grid["concentration"],
        "concentration_label": grid["concentration_label"],
        "quantity": text(("quantity",), arrhenius_points.names(grid), "quantity, with its species"),
        "quantity_units": text(("quantity",), [fit.quantity.units for fit in fits[0]], "units of the quantity X"),
        "temperature": grid["temperature"],
        "temperature_label": grid["temperature_label"],
        "temperature_fit": variable(("temperature_fit",), along, "K", "temperature along the fit"),
        "temperature_predicted": variable(("temperature_predicted",), asked, "K", "temperature asked for"),
        "temperature_predicted_label": text(("temperature_predicted",), np.array(predict, object), "as in the config"),
    }
    attributes = {
        "Arrhenius": "ln X = ln X0 - Ea / (kB T); of the viscosity: + Ea / (kB T)",
        "VTF": "ln X = ln A - B / (T - T0); of the viscosity: + B / (T - T0)",
        "method": "maximum likelihood with known errors, not inflated; bands: both forms, weighed by evidence",
    }
    return xarray.Dataset(data, coordinates, attributes)


def _parameters(fits: list[list[Fit]]) -> dict:
    cq = ("concentration", "quantity")
    rows = {
        "Ea": ("Ea_std", "eV", "activation energy of the chosen form", lambda f: f.Ea),
        "Ea_kJ_mol": ("Ea_kJ_mol_std", "kJ mol-1", "activation energy", lambda f: np.multiply(f.Ea, KJ_PER_MOL)),
        "Ea_arrhenius": ("Ea_arrhenius_std", "eV", "Ea of the line", lambda f: (f.line.Ea_eV, f.line.Ea_std_eV)),
        "ln_X0": ("ln_X0_std", "1", "ln(X0 / unit of X) of the line", lambda f: (f.line.lnX0, f.line.lnX0_std)),
        "Ea_vtf": ("Ea_vtf_std", "eV", "apparent Ea of VTF at Ea_temperature", lambda f: f.curve.Ea),
        "T0": ("T0_std", "K", "T0 of VTF, where chosen", lambda f: _where_chosen(f, f.curve.T0_mean)),
        "B": ("B_std", "K", "B of VTF, where chosen", lambda f: _where_chosen(f, f.curve.B)),
    }  # fmt: skip
    data = {}
    for name, (error, units, what, get) in rows.items():
        values = _each(fits, get)
        data[name] = variable(cq, values[..., 0], units, what, error)
        data[error] = variable(cq, values[..., 1], units, f"standard error: {what}")
    alone = {
        "cov": ("eV", "covariance of Ea and ln X0 of the Arrhenius line", lambda f: f.line.cov),
        "Ea_temperature": ("K", "where an apparent Ea is meant: mean of 1/T", lambda f: f.curve.reference),
        "Ea_form_std": ("eV", "spread of Ea over the forms, by evidence", lambda f: f.curve.Ea_form_std),
        "T0_lower_95": ("K", "T0, 2.5 % quantile", lambda f: _where_chosen(f, (f.curve.T0_quantile(0.025),))[0]),
        "T0_upper_95": ("K", "T0, 97.5 % quantile", lambda f: _where_chosen(f, (f.curve.T0_quantile(0.975),))[0]),
        "ln_odds_vtf": ("1", "ln(evidence of VTF / of Arrhenius)", lambda f: f.curve.ln_odds),
        "probability_vtf": ("1", "probability of VTF, 1/2 before the data", lambda f: f.curve.probability),
        "n_temperatures": ("1", "temperatures in the fit", lambda f: np.int32(f.line.n_temperatures)),
        "n_resolved": ("1", "of them resolved", lambda f: np.int32(len(f.line.temperatures_used))),
        "chi2": ("1", "chi squared of the Arrhenius line", lambda f: f.line.chi2),
        "dof": ("1", "degrees of freedom of the Arrhenius line", lambda f: np.int32(f.line.dof)),
        "p_value": ("1", "probability of a larger chi squared of the chosen form", lambda f: f.p_value),
        "kink_p_value": ("1", "p of a break between two lines, its search included", lambda f: f.kink.p_value),
        "kink_below": ("K", "temperature below the best break", lambda f: f.kink.below),
        "kink_above": ("K", "temperature above the best break", lambda f: f.kink.above),
    }
    data |= {name: variable(cq, _each(fits, get), units, what) for name, (units, what, get) in alone.items()}
    data["form"] = text(cq, _each(fits, lambda f: f.form).astype(object), "chosen form: Arrhenius or VTF")
    data["note"] = text(cq, _each(fits, lambda f: f.note).astype(object), "what is to be known of the fit")
    return data


def _where_chosen(fit: Fit, values: tuple) -> tuple:
    return values if fit.curve.preferred else tuple(float("nan") for _ in values)


def _bands(fits: list[list[Fit]], temperature: np.ndarray, dimension: str, name: str) -> dict:
    """ln X and its bands at temperatures, and whether each is within those that were fitted."""
    dims = ("concentration", "quantity", dimension)
    found = np.array([[extrapolation.predict(fit.curve, temperature) for fit in row] for row in fits])
    words = "chosen form", "half the width of the 68 % band", "lower 68 %", "upper 68 %", "lower 95 %", "upper 95 %"
    data = {}
    for k, (part, word) in enumerate(zip(BAND, words, strict=True)):
        error = "" if part else f"ln_X_{name}_std"
        data[f"ln_X_{name}{part}"] = variable(dims, found[:, :, k], "1", f"ln(X / unit of X), {word}", error)

    where = _each(fits, lambda fit: extrapolation.region(temperature, fit.temperatures)).astype(object)
    data[f"region_{name}"] = text(dims, where, "interpolation or extrapolation")
    return data


def _along_concentration(fits: list[list[Fit]], concentration: np.ndarray) -> dict:
    """Polynomials through Ea of each quantity, and their bands on a fine axis, as data of the dataset."""
    along = np.linspace(concentration.min(), concentration.max(), BAND_POINTS)
    Ea = _each(fits, lambda fit: fit.Ea)  # concentration, quantity, 2
    curves = [activation.fit(concentration, *Ea[:, k].T) for k in range(Ea.shape[1])]
    band = np.array([curve.predict(along) for curve in curves])
    q, qc = ("quantity",), ("quantity", "concentration_fit")
    what = "activation energy along concentration"
    return {
        "concentration_fit": variable(("concentration_fit",), along, "1", "concentration along the curve"),
        "Ea_curve": variable(qc, band[:, 0], "eV", what, "Ea_curve_std"),
        "Ea_curve_std": variable(qc, band[:, 1], "eV", f"standard error: {what}"),
        "Ea_curve_order": variable(q, np.array([c.order for c in curves], np.int32), "1", "most probable order"),
        "Ea_curve_p_value": variable(q, [c.p_value for c in curves], "1", "probability of a larger chi squared"),
        "Ea_curve_note": text(q, np.array([c.note for c in curves], object), "what is wrong with the curve"),
    }
