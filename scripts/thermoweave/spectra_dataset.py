"""Spectra of one condition as a CF-style dataset: VDOS, conductivity, infrared absorption, structure factors.

What cannot be determined is NaN over an empty axis, with the reason. Spectra nobody asked for are not there.
"""

import logging
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from thermoweave import current_spectrum, spectra, structure_factor_dataset, welch
from thermoweave.conditions import Condition
from thermoweave.reduced import text, variable

if TYPE_CHECKING:
    import xarray

log = logging.getLogger(__name__)

QUANTUM = {
    "none": "none: classical line shapes",
    "harmonic": "harmonic, beta h f / (1 - exp(-beta h f)), on S(q, f)",
}
RESPONSE = "conductivity and infrared absorption are the same for none and harmonic (factor and prefactor cancel)"
SAME_CHARGE = 1e-6  # e
BROKEN = 5.0  # standard errors off the sum rule


def spectra_dataset(
    condition: Condition,
    species: list[str],
    charges: dict[str, float],
    resolution_THz: float,
    born_charges: dict[str, float] | str,
    quantum_correction: str,
    structure_factor: dict | str,
) -> "xarray.Dataset":
    """
    All spectra of a condition; `charges` (e) are formal, `born_charges` isotropic effective ones (e) or "none".

    quantum_correction: "none" or "harmonic". structure_factor: "none" or {"q_max_per_A": 8.0, "dynamic_q_per_A": [1]}.
    """
    import xarray

    found, motions, plan, gap = vibrations(condition, [condition.members(name) for name in species], resolution_THz)
    data = vdos_variables(found, condition, species, gap) | plan_variables(plan)
    notes = [
        spectra.aliasing(found.vdos.sum(axis=0), plan.frequency),
        welch.few(len(condition.replicas), plan.n_segments),
    ]
    for prefix, values in (("conductivity", charges), ("ir", born_charges)):
        if values != "none":
            more, note = current_variables(prefix, condition, species, values, gap, motions, plan)
            data |= more
            notes.append(note)
    if structure_factor != "none":
        data |= structure_factor_dataset.static_variables(condition, species, charges, structure_factor["q_max_per_A"])
        data |= structure_factor_dataset.dynamic_variables(
            condition, species, charges, structure_factor["dynamic_q_per_A"], quantum_correction, gap, plan
        )
    note = "; ".join(filter(None, notes))
    if note:
        log.warning("%s", note)
    data["note"] = text((), note, "what to mind")
    pairs = [f"{a}-{b}" for a, b in combinations_with_replacement(species, 2)]
    coordinates = {
        "species": text(("species",), species, "chemical element"),
        "pair": text(("pair",), pairs, "pair of species"),
        "frequency": variable(("frequency",), plan.frequency, "THz", "frequency"),
    }
    attributes = {
        "window": "Welch: Hann, half overlapping, nothing subtracted",
        "normalisation": "VDOS: twice the power of the mass-weighted velocities over kB T, 3 N - 3 modes in all",
        "reference_frame": "conductivity and infrared: centre of mass of all atoms (mass weighted)",
        "quantum_correction": f"{QUANTUM[quantum_correction]}; the VDOS is classical; {RESPONSE}",
    }
    return xarray.Dataset(data, coordinates, attributes)


def vibrations(
    condition: Condition, groups: list[np.ndarray], resolution: float
) -> tuple[spectra.Spectrum, list[spectra.Motion], welch.Plan, str]:
    """VDOS of a condition, the motions behind it, how the runs were cut, and why there is none, "" where there is."""
    replicas, gap = condition.replicas, condition.gap
    if not gap:
        run = replicas[0].n_frames, replicas[0].step, resolution
        gap = welch.fault(*run) or next(filter(None, map(spectra.unrelated, replicas)), "")
    if not gap:
        plan = welch.plan(*run)
        motions = [spectra.motion(replica, groups, plan) for replica in replicas]
        found = spectra.vdos(motions, [replica.temperature for replica in replicas], plan)
        gap = next(filter(None, map(spectra.miscounted, replicas, found.total)), "")
    if gap:
        log.warning("no spectra: %s", gap)
        return spectra.undetermined(len(groups)), [], welch.NONE, gap
    return found, motions, plan, gap


def vdos_variables(found: spectra.Spectrum, condition: Condition, species: list[str], gap: str) -> dict:
    """VDOS and modes of each species; NaN where it has no atoms."""
    s, sf = ("species",), ("species", "frequency")
    groups = [condition.members(name) for name in species]
    there = np.array([1.0 if len(group) else np.nan for group in groups])
    masses = condition.replicas[0].masses if condition.replicas else np.ones(1)
    expected = spectra.equipartition(groups, masses) if condition.replicas else np.full(len(species), np.nan)
    reasons = np.array([condition.missing(name) or gap for name in species], object)
    birge = "scatter of the replicas over their errors, mean over frequencies"
    return {
        "vdos": variable(sf, found.vdos * there[:, None], "THz-1", "vibrational density of states", "vdos_std"),
        "vdos_std": variable(sf, found.vdos_std * there[:, None], "THz-1", "standard error of the VDOS"),
        "modes": variable(s, found.modes * there, "1", "integral of the VDOS", "modes_std"),
        "modes_std": variable(s, found.modes_std * there, "1", "standard error of the integral of the VDOS"),
        "modes_expected": variable(s, expected * there, "1", "modes at equipartition, centre of mass at rest"),
        "vdos_birge_ratio": variable(s, found.birge_ratio * there, "1", birge),
        "n_atoms": variable(s, np.array([len(group) for group in groups], np.int32), "1", "number of atoms"),
        "n_replicas": variable((), np.int32(len(condition.replicas)), "1", "replicas that passed the simulate gate"),
        "reason": text(s, reasons, "why there is no spectrum"),
    }


def plan_variables(plan: welch.Plan) -> dict:
    """What a reader must know about the frequencies."""
    bandwidth = welch.NOISE_BANDWIDTH * plan.resolution
    nyquist = 0.5 / plan.step
    return {
        "n_segments": variable((), np.int32(plan.n_segments), "1", "segments of each replica"),
        "resolution": variable((), plan.resolution, "THz", "spacing of the frequencies, 1 / segment length"),
        "noise_bandwidth": variable((), bandwidth, "THz", "equivalent noise bandwidth of the window"),
        "nyquist": variable((), nyquist, "THz", "Nyquist frequency of the stored frames"),
    }


def current_variables(
    prefix: str,
    condition: Condition,
    species: list[str],
    charges: dict[str, float],
    gap: str,
    motions: list[spectra.Motion],
    plan: welch.Plan,
) -> tuple[dict, str]:
    """Conductivity with its parts and sum rule, or infrared absorption (prefix "ir"), and a note on the charges."""
    groups = [condition.members(name) for name in species]
    reason = gap or current_spectrum.fault(species, groups, charges)
    found = current_spectrum.undetermined(len(species) * (len(species) + 1) // 2, len(plan.frequency))
    z = np.array([charges.get(name, 0.0) for name in species])
    note = ""
    if not reason:
        found = current_spectrum.conductivity(condition.replicas, motions, z, groups, plan)
        net = z @ np.array([len(group) for group in groups])
        what = "formal" if prefix == "conductivity" else "Born"
        notes = [f"the {what} charges of the cell sum to {net:+.3g} e, not to zero"] if abs(net) > SAME_CHARGE else []
        if abs(found.sum_rule - 1) > BROKEN * found.sum_rule_std:
            rule = f"{found.sum_rule:.3f} +- {found.sum_rule_std:.3f} of what its sum rule wants"
            notes.append(f"the spectrum of the current ({what} charges) integrates to {rule}: masses, a run too short?")
        note = "; ".join(notes)
    f, p = ("frequency",), ("pair", "frequency")
    why = {f"{prefix}_reason": text((), reason, "why there is no spectrum of the current")}
    if prefix == "ir":
        name, factor = "infrared absorption coefficient times refractive index", current_spectrum.PER_CM_PER_SIEMENS
        return why | {
            "ir_absorption": variable(f, found.total * factor, "cm-1", name, "ir_absorption_std"),
            "ir_absorption_std": variable(f, found.total_std * factor, "cm-1", f"standard error: {name}"),
        }, note
    name, part = "real part of the conductivity", "part of a pair of species in the conductivity, both orders"
    rule = "integral of the conductivity over what the sum rule wants"
    return why | {
        "conductivity": variable(f, found.total, "S m-1", name, "conductivity_std"),
        "conductivity_std": variable(f, found.total_std, "S m-1", f"standard error of the {name}"),
        "conductivity_partial": variable(p, found.partial, "S m-1", part, "conductivity_partial_std"),
        "conductivity_partial_std": variable(p, found.partial_std, "S m-1", f"standard error: {part}"),
        "sum_rule": variable((), found.sum_rule, "1", rule, "sum_rule_std"),
        "sum_rule_std": variable((), found.sum_rule_std, "1", f"standard error: {rule}"),
    }, note
