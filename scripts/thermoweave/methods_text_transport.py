"""Methods text: diffusion, conductivity, viscosity, activation energies: estimators, and how many values they gave."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thermoweave import arrhenius, reduced
from thermoweave.methods_text import listed, method, number, numbers, share
from thermoweave.tables import read_csv

if TYPE_CHECKING:
    import xarray

BUDGET = {  # columns of budget.csv
    "sampling": "the length of the runs", "replica": "differences between runs", "committee": "differences between "
    "potentials", "label": "the convergence of labels", "size": "the size of the cell", "form": "the form of the fit",
}  # fmt: skip
KINK = 0.05  # p below which a break is said to be there
TITLES = {"D": "*D*", "D_corrected": "*D* of the infinite cell", "conductivity": "the conductivity",
          "conductivity_ne": "the Nernst–Einstein conductivity", "viscosity": "the viscosity"}  # fmt: skip


def known(data: "xarray.Dataset", name: str, bound: str = "upper_bound") -> tuple[int, int, int]:
    """Values with an error, those of which only a bound is known, and all that were asked for."""
    numbers_ = np.isfinite(data[name].values)
    bounds = np.isfinite(data[f"{name}_{bound}"].values) & ~numbers_ if f"{name}_{bound}" in data else np.zeros(1, bool)
    return int(numbers_.sum()), int(bounds.sum()), numbers_.size


def told(counts: tuple[int, int, int], noun: str, bound: str = "an upper") -> str:
    """`41 of 45 values have an error bar, of 3 only an upper 95 % bound is known, and 1 was refused`."""
    n, bounds, total = counts
    rest = total - n - bounds
    parts = [f"{share(n, total)} {noun} {'has' if n == 1 else 'have'} an error bar"]
    parts += [f"of {bounds} only {bound} 95 % bound is known"] if bounds else []
    parts += [f"{rest} {'was' if rest == 1 else 'were'} refused"] if rest else []
    return listed(parts)


def transport(path: Path, config: Mapping) -> list[str]:
    """From transport.nc of one backend."""
    data = reduced.load(path)
    species = [str(name) for name in data["species"].values]
    floor = number(config["reduce"]["onset_floor_ps"])
    replicas = int(data["n_replicas"].max())
    sentences = [
        f"Self-diffusion coefficients *D* of {listed(species)} were estimated by generalised least squares from the "
        f"mean squared displacements, relative to the centre of mass of all atoms, with the covariance of Brownian "
        f"motion{method('diffusion')}; the fit begins where diffusion does, found by a specification "
        f"test{method('onset')}, and not before {floor} ps. Of *D*, {told(known(data, 'D'), 'values')}.",
    ]
    if replicas > 1:
        sentences.append(
            f"Results are unweighted means over up to {replicas} runs; where runs scatter more than their errors say, "
            f"the error is widened by the Birge ratio{method('replicas')}."
        )
    corrected, total = int(np.isfinite(data["D_corrected"]).sum()), data["D_corrected"].size
    if corrected:
        sentences.append(
            f"Beside *D*, that of an infinite cell{method('finite_size')} is given for {share(corrected, total)} "
            "values, from the viscosity of the same runs."
        )
    return [*sentences, *collective(data)]


def collective(data: "xarray.Dataset") -> list[str]:
    """Conductivity, Onsager matrix, viscosity."""
    matrices = int(np.isfinite(data["onsager"].values).all(axis=(-2, -1)).sum())
    nernst, _, total = known(data, "conductivity_ne")
    sentences = [
        f"The ionic conductivity (Green–Kubo) is the zero-frequency limit of the spectrum of the charge displacements, "
        f"its logarithm a series of cosines{method('zero_frequency')}, averaged over orders{method('order')}, in a "
        f"band that grows as long as its limit stays{method('band')}: {told(known(data, 'conductivity'), 'values')}. "
        f"Beside it stand the Nernst–Einstein conductivity, from *D* ({share(nernst, total)} values), "
        f"and the Einstein–Helfand one with the matrix of Onsager coefficients and transference "
        f"numbers{method('onsager')} ({share(matrices, total)} conditions).",
        f"The shear viscosity is the same limit for the five independent shear stresses{method('viscosity')}: "
        f"{told(known(data, 'viscosity', 'lower_bound'), 'values', 'a lower')}.",
    ]
    notes = sorted({str(note) for note in data["viscosity_note"].values.ravel()} - {""})
    if known(data, "viscosity", "lower_bound")[:2] != (0, 0) and notes:
        sentences.append(f"Of the viscosity, the records say “{'; '.join(notes)}”.")
    return sentences


def activation(table: Path, dataset: Path, config: Mapping) -> list[str]:
    """From arrhenius.csv and arrhenius.nc of one backend."""
    rows = read_csv(table)
    fitted = [row for row in rows if row["form"]]
    kinds = list(dict.fromkeys(row["quantity"].split()[0] for row in rows))
    sentences = [
        f"Activation energies were sought for {listed(TITLES.get(kind, kind) for kind in kinds)} at each composition, "
        f"from at least {arrhenius.MIN_TEMPERATURES} temperatures: {share(len(fitted), len(rows))} series could be "
        "fitted."
    ]
    if not fitted:
        return sentences
    bounded = [row for row in fitted if row["temperatures_uncertain"] or row["temperatures_upper_bounds"]]
    free = len(fitted) - len(bounded)
    ways = []
    if free:
        ways.append(f"by generalised least squares of the logarithms on 1/*T*{method('arrhenius')} ({free} series)")
    if bounded:
        ways.append(
            f"by maximum likelihood, bounds and uncertain values taking part{method('bounds')} ({len(bounded)} series)"
        )
    sentences.append(f"The fits were made {listed(ways)}.")
    compared = [row for row in fitted if row["ln_odds_vtf"]]
    if compared:
        curved = sum(row["form"] == "VTF" for row in fitted)
        sentences.append(
            f"The Arrhenius form was compared with that of Vogel, Fulcher and Tammann by their "
            f"evidence{method('vtf')}; the latter was chosen for {share(curved, len(compared))} series."
        )
    bad = sum("does not describe" in row["note"] for row in fitted)
    if bad:
        sentences.append(f"In {bad} of {len(fitted)} fits a line does not describe the points within their errors.")
    tested = [row for row in fitted if row["kink_p_value"]]
    if tested:
        broken = sum(float(row["kink_p_value"]) < KINK for row in tested)
        sentences.append(
            f"A break between two lines, its place searched for{method('kink')}, has p below {KINK} in "
            f"{share(broken, len(tested))} series."
        )
    if config["reduce"]["predict"]:
        sentences.append(
            f"Values at {numbers(map(float, config['reduce']['predict']))} K come from both forms, weighed by their "
            f"evidence{method('predictions')}."
        )
    if np.isfinite(reduced.load(dataset)["Ea_curve"]).any():
        sentences.append(
            f"Along *x*, activation energies were described by polynomials up to second order, averaged by the "
            f"Bayesian information criterion{method('concentrations')}."
        )
    return sentences


def budget(table: Path) -> list[str]:
    """Which lines of the error budget are known, from budget.csv."""
    rows = read_csv(table)
    if not rows:
        return []
    there = [title for key, title in BUDGET.items() if any(row[key] not in ("", "–") for row in rows)]
    missing = [title for title in BUDGET.values() if title not in there]
    compared = {BUDGET["replica"], BUDGET["committee"]} & set(there)
    how = f", by variance components{method('budget')}," if compared else ""
    text = f"The error budget{how} has a figure for {listed(there)}" if there else "The error budget has no figure"
    more = f"; nothing is known of {listed(missing)}, so that totals are lower bounds" if missing else ""
    return [f"{text}{more}."]
