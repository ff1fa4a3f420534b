"""Names, units and bounds of the transport coefficients in a dataset; an error and a reason beside each."""

import numpy as np

from thermoweave.coefficient import Coefficient
from thermoweave.onsager import Onsager
from thermoweave.reduced import text, variable
from thermoweave.transport import MIN_SIGNIFICANCE

ONE_SIDED = 1.645  # standard errors of a 95 % bound


def diffusion(each: dict[str, np.ndarray], n_atoms: np.ndarray) -> dict:
    """The fields of `transport.Diffusion`, one value for each species."""
    s = ("species",)
    what, bar = "self-diffusion coefficient", "standard error of the self-diffusion coefficient"
    return {
        "D": variable(s, each["D"], "m2 s-1", what, "D_std"),
        "D_std": variable(s, each["D_std"], "m2 s-1", bar),
        "lnD": variable(s, each["lnD"], "1", "ln(D / (m2 s-1))", "lnD_var"),
        "lnD_var": variable(s, each["lnD_var"], "1", "variance of ln D"),
        "D_estimate": variable(s, each["D_estimate"], "m2 s-1", f"{what}, reported or not", "D_estimate_std"),
        "D_estimate_std": variable(s, each["D_estimate_std"], "m2 s-1", f"{bar}, reported or not"),
        "D_upper_bound": variable(s, each["D_upper_bound"], "m2 s-1", "one-sided 95 % upper bound of D"),
        "regime": text(s, each["regime"].astype(object), "diffusive, unresolved, subdiffusive or ballistic"),
        "onset": variable(s, each["onset"], "ps", "first fitted lag: onset of diffusion"),
        "fit_end": variable(s, each["fit_end"], "ps", "last fitted lag"),
        "msd_slope": variable(s, each["slope"], "angstrom2 ps-1", "slope 6 D of the line fitted to the MSD"),
        "msd_intercept": variable(s, each["intercept"], "angstrom2", "intercept of the line fitted to the MSD"),
        "chi2": variable(s, each["chi2"], "1", "chi squared of the straight line"),
        "dof": variable(s, each["dof"].astype(np.int32), "1", "degrees of freedom of the straight line"),
        "p_value": variable(s, each["p_value"], "1", "probability of a larger chi squared"),
        "n_atoms": variable(s, n_atoms, "1", "number of atoms"),
        "n_independent": variable(s, each["n_independent"], "1", "independent particles that the atoms are worth"),
        "birge_ratio": variable(s, each["birge_ratio"], "1", "scatter of the replicas over their errors"),
        "D_replica": variable((*s, "replica"), each["replicas"], "m2 s-1", "D of each replica, same fit"),
        "reason": text(s, each["reason"].astype(object), "why there is no D"),
    }


def curves(msd: list[np.ndarray]) -> dict:
    """The MSD of each species and its error, [(2, n_lags), ...] in A^2."""
    mean, std = np.array(msd).transpose(1, 0, 2)
    sl, name = ("species", "lag"), "mean squared displacement"
    return {
        "msd": variable(sl, mean, "angstrom2", name, "msd_std"),
        "msd_std": variable(sl, std, "angstrom2", f"standard error of the {name}"),
    }


def infinite_cell(D: np.ndarray, D_std: np.ndarray, reason: str) -> dict:
    """D corrected for the size of the cell, one value for each species."""
    s, what = ("species",), "self-diffusion coefficient in an infinite cell (Yeh and Hummer 2004)"
    return {
        "D_corrected": variable(s, D, "m2 s-1", what, "D_corrected_std"),
        "D_corrected_std": variable(s, D_std, "m2 s-1", f"standard error: {what}"),
        "D_corrected_reason": text((), reason, "why D is not corrected"),
    }


def unresolved(what: str, ln_std: float) -> str:
    """Why an estimate with that standard error of its logarithm is no number to report; "" where it is."""
    if np.isnan(ln_std) or ln_std * MIN_SIGNIFICANCE <= 1:
        return ""
    return f"{what} known within a factor of {np.exp(ln_std):.2g} only: lengthen the runs or add replicas"


def positive(
    name: str, what: str, units: str, bound: str, value: float, ln_std: float, replicas: np.ndarray, birge_ratio: float,
    reason: str,
) -> dict:  # fmt: skip
    """
    An estimate that is positive, with the standard error of its logarithm, as variables.

    Reported where it is resolved; otherwise a `bound` (upper or lower, one-sided 95 %) and the reason, and the bare
    estimate. A reason of its own leaves no bound: the estimate is then not only uncertain.
    """
    why = reason or unresolved(what.split(" (")[0], ln_std)
    std, side = value * ln_std, 1.0 if bound == "upper" else -1.0
    shown = np.array([value, std, ln_std**2]) if not why else np.full(3, np.nan)
    limit = np.nan if reason else value * np.exp(side * ONE_SIDED * ln_std)
    return {
        name: variable((), shown[0], units, what, f"{name}_std"),
        f"{name}_std": variable((), shown[1], units, f"standard error of the {what}"),
        f"ln_{name}_var": variable((), shown[2], "1", f"variance of the logarithm of the {what}"),
        f"{name}_estimate": variable((), value, units, f"{what}, reported or not", f"{name}_estimate_std"),
        f"{name}_estimate_std": variable((), std, units, f"standard error of the {what}, reported or not"),
        f"{name}_{bound}_bound": variable((), limit, units, f"one-sided 95 % {bound} bound of the {what}"),
        f"{name}_reason": text((), why, f"why there is no {what}"),
        f"{name}_replica": variable(("replica",), replicas, units, f"{what} of each replica"),
        f"{name}_birge_ratio": variable((), birge_ratio, "1", f"scatter of the replicas over their errors: {what}"),
    }


def conductivities(uncorrelated: Coefficient, green_kubo: Coefficient, helfand: Onsager) -> dict:
    """Conductivities by three ways, the Haven ratio, the Onsager matrix and transference numbers."""
    data = {}
    for name, what, found in (
        ("conductivity", "ionic conductivity (Green-Kubo, all cross terms)", green_kubo),
        ("conductivity_eh", "ionic conductivity (Einstein-Helfand, all cross terms)", helfand.sigma),
        ("conductivity_ne", "Nernst-Einstein conductivity (no cross terms)", uncorrelated),
    ):
        data |= positive(name, what, "S m-1", "upper", *found)
    both = [data[name][1] for name in ("conductivity_ne", "conductivity")]
    haven = both[0] / both[1]
    # those of the two conductivities are taken as independent; they rather go up and down together
    error = haven * np.sqrt(data["ln_conductivity_ne_var"][1] + data["ln_conductivity_var"][1])
    what = "Haven ratio, Nernst-Einstein over collective conductivity"
    data["haven_ratio"] = variable((), haven, "1", what, "haven_ratio_std")
    data["haven_ratio_std"] = variable((), error, "1", f"standard error of the {what}")
    return data | matrix(helfand)


def matrix(found: Onsager) -> dict:
    """The Onsager matrix and the transference numbers."""
    sp, s = ("species", "partner"), ("species",)
    what, share = "Onsager coefficient (Einstein-Helfand)", "transference number in the reference frame"
    return {
        "onsager": variable(sp, found.L, "J-1 m-1 s-1", what, "onsager_std"),
        "onsager_std": variable(sp, found.L_std, "J-1 m-1 s-1", f"standard error of the {what}"),
        "transference": variable(s, found.transference, "1", share, "transference_std"),
        "transference_std": variable(s, found.transference_std, "1", f"standard error of the {share}"),
        "onsager_onset": variable((), found.onset, "ps", "first fitted lag of the collective displacements"),
        "onsager_reason": text((), found.reason, "why there is no Onsager matrix"),
    }


def viscosity(found: Coefficient, note: str) -> dict:
    """The shear viscosity, and what to know about its stress."""
    return positive("viscosity", "shear viscosity", "Pa s", "lower", *found) | {
        "viscosity_note": text((), note, "what to know about the viscosity")
    }
