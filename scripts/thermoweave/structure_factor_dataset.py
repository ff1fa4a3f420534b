"""The structure factors of one condition as variables of the spectra dataset, with their axes `q` and `q_dynamic`."""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from thermoweave import current_spectrum, dynamic_structure_factor, structure_factor, welch
from thermoweave.conditions import Condition
from thermoweave.reduced import text, variable

NORMALISATION = "Ashcroft-Langreth, 1 for like and 0 for unlike species in an ideal gas"


def static_variables(condition: Condition, species: list[str], charges: dict[str, float], q_max: float) -> dict:
    """S(q) of each pair of species, of number and of charge, up to q_max (1/A)."""
    pairs = list(combinations_with_replacement(species, 2))
    groups = [condition.members(name) for name in species]
    z = np.array([charges.get(name, 0.0) for name in species])
    gap = condition.gap or structure_factor.fault(condition.replicas[0], q_max)
    found = structure_factor.undetermined(len(pairs))
    if not gap:
        found = structure_factor.static(condition.replicas, groups, z, q_max)
    missing = [condition.missing(a) or condition.missing(b) or gap for a, b in pairs]
    there = np.array([np.nan if reason else 1.0 for reason in missing])[:, None]
    charged = 1.0 if not current_spectrum.fault(species, groups, charges) else np.nan
    data = {
        "q": variable(("q",), found.q, "angstrom-1", f"wave number, centre of a bin of {structure_factor.BIN} 1/A"),
        "structure_factor_reason": text(("pair",), np.array(missing, object), "why there is no structure factor"),
    }
    partial = found.partial * there, found.partial_std * there
    charge = found.charge * charged, found.charge_std * charged
    for name, dims, (mean, std), what in (
        ("structure_factor", ("pair", "q"), partial, f"partial static structure factor, {NORMALISATION}"),
        ("structure_factor_number", ("q",), (found.number, found.number_std), "number structure factor"),
        ("structure_factor_charge", ("q",), charge, "charge structure factor over the mean squared charge"),
    ):
        data[name] = variable(dims, mean, "1", what, f"{name}_std")
        data[f"{name}_std"] = variable(dims, std, "1", f"standard error: {what}")
    return data


def dynamic_variables(
    condition: Condition,
    species: list[str],
    charges: dict[str, float],
    wanted: Sequence[float],
    quantum_correction: str,
    gap: str,
    plan: welch.Plan,
) -> dict:
    """S(q, f) of number and charge at the allowed wave numbers nearest to the wanted ones (1/A)."""
    groups = [condition.members(name) for name in species]
    z = np.array([charges.get(name, 0.0) for name in species])
    found = dynamic_structure_factor.undetermined(len(wanted))
    if not gap and len(wanted):
        found = dynamic_structure_factor.dynamic(condition.replicas, groups, z, wanted, plan, quantum_correction)
    charged = 1.0 if not current_spectrum.fault(species, groups, charges) else np.nan
    dims, charge = ("q_dynamic", "frequency"), (found.charge * charged, found.charge_std * charged)
    axis = variable(("q_dynamic",), np.array(wanted, float), "angstrom-1", "wave number asked for")
    data = {
        "q_dynamic": axis,
        "q_dynamic_found": variable(("q_dynamic",), found.q, "angstrom-1", "allowed wave number nearest to that"),
        "dynamic_reason": text((), gap, "why there is no dynamic structure factor"),
    }
    for name, (mean, std), what in (
        ("dynamic_structure_factor_number", (found.number, found.number_std), "number dynamic structure factor"),
        ("dynamic_structure_factor_charge", charge, "charge dynamic structure factor over the mean squared charge"),
    ):
        data[name] = variable(dims, mean, "ps", what, f"{name}_std")
        data[f"{name}_std"] = variable(dims, std, "ps", f"standard error: {what}")
    return data
