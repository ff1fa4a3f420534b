"""
Transport coefficients as the zero-frequency limit of a power spectrum (Green-Kubo), with their errors.

The integral of an autocorrelation function is half the power spectrum at frequency zero. The periodogram there is
noisy, but its noise is known: at each frequency it is the spectrum times a gamma variable, independent of the others.
So the logarithm of the spectrum is fitted as a series of cosines by maximum likelihood (Bloomfield, Biometrika 1973,
60, 217; for transport coefficients, by least squares of the cepstrum: Ercole, Marcolongo, Baroni, Sci. Rep. 2017, 7,
15835). How many cosines is a matter of evidence: all orders are averaged with their Akaike weights, and what they
disagree about is part of the error (Burnham and Anderson, Model Selection and Multimodel Inference, 2002, eq. 4.9).
"""

from typing import NamedTuple

import numpy as np

POWER_SHARE = 0.5  # the fit takes the frequencies below which this share of the power lies: its low end, no far peaks
MIN_ORDINATES = 8
MAX_ORDER = 16
MIN_HALF = 8  # points below the frequency where the spectrum differs by a factor of two from its limit, at least
TOLERANCE = 1e-9  # of the log likelihood


class Limit(NamedTuple):
    """
    The limit of a spectrum at frequency zero, in the spectrum's units.

    ln_std: standard error of its logarithm; replicas (n_replicas,): the same linear estimate for each; cutoff: highest
    frequency of the fit; order: mean number of cosines; reason: why it is no number to report, or "".
    """

    value: float
    ln_std: float
    replicas: np.ndarray
    cutoff: float
    order: float
    reason: str


def periodogram(series: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """
    Frequencies (n_frequencies,) and two-sided periodogram (n_frequencies, ...) of series (frame, ...), without zero.

    Normalised so that its limit at zero is the integral of the autocorrelation function over all times, both signs.
    """
    n = len(series)
    transform = np.fft.rfft(series, axis=0)[1 : (n + 1) // 2]  # the mean is no fluctuation; Nyquist's is a real number
    return np.arange(1, len(transform) + 1) / (n * step), np.abs(transform) ** 2 * step / n


def limit(series: list[np.ndarray], step: float) -> Limit:
    """
    The zero-frequency limit of independent, equivalent series (replica: (frame, component)), averaged over components.

    step: time between frames. Where the spectrum still changes by a factor of two within its first eight points, the
    correlations last about as long as the run, and the reason says so.
    """
    power = [periodogram(one, step) for one in series]
    frequency, each = power[0][0], np.array([one.mean(axis=1) for _, one in power])
    mean = each.mean(axis=0)
    if not mean.any():
        return undetermined("nothing fluctuates", len(series))
    if len(mean) < MIN_ORDINATES:
        return undetermined(f"{len(series[0])} frames are too few for a spectrum", len(series))
    share = np.searchsorted(mean.cumsum(), POWER_SHARE * mean.sum()) + 1
    n = int(min(len(mean), max(MIN_ORDINATES, share)))
    shape = len(series) * series[0].shape[1]  # of the gamma distribution: a complex amplitude each
    fits = [fit(mean[:n], shape, order) for order in range(1, min(MAX_ORDER, n // 3) + 1)]
    criterion = np.array([one.criterion for one in fits])
    evidence = np.exp((criterion.min() - criterion) / 2)
    evidence /= evidence.sum()
    ln = evidence @ [one.ln for one in fits]
    variance = evidence @ [one.variance + (one.ln - ln) ** 2 for one in fits]
    spectrum = evidence @ [one.spectrum for one in fits]
    far = np.flatnonzero(np.abs(spectrum - ln) > np.log(2))
    reason = ""
    if len(far) and far[0] < MIN_HALF:
        reason = f"correlations last as long as the run ({len(series[0]) * step:g} ps): lengthen it"
    weights = evidence @ [one.weights for one in fits]
    return Limit(
        value=float(np.exp(ln)),
        ln_std=float(np.sqrt(variance)),
        replicas=np.exp(ln) * (each[:, :n] @ weights),
        cutoff=float(frequency[n - 1]),
        order=float(evidence @ np.arange(1, len(fits) + 1)),
        reason=reason,
    )


class Fit(NamedTuple):
    """
    One order: ln of the limit and its variance, Akaike's criterion, ln of the spectrum at each frequency, and the
    weights (n,) that make of a periodogram its share of the limit: those of the mean periodogram give 1.
    """

    ln: float
    variance: float
    criterion: float
    spectrum: np.ndarray
    weights: np.ndarray


def fit(power: np.ndarray, shape: float, order: int) -> Fit:
    """
    Maximum likelihood of `order` cosines for the logarithm of a spectrum, from its gamma distributed periodogram (n,).

    Newton's method on a convex function; the steps use the expected curvature, halved where they overshoot.
    """
    n = len(power)
    design = np.cos(np.pi * np.outer(np.arange(1, n + 1) / n, np.arange(order)))
    curvature = np.linalg.inv(design.T @ design)
    ln = np.log(power)
    parameters = curvature @ (design.T @ (ln - ln.mean()))
    parameters[0] += np.log(power.mean())

    def deficit(at: np.ndarray) -> float:  # minus the log likelihood over the shape
        return float(np.sum(design @ at + power * np.exp(-design @ at)))

    now = deficit(parameters)
    for _ in range(200):
        step = curvature @ (design.T @ (power * np.exp(-design @ parameters) - 1))
        size = 1.0
        while (new := deficit(parameters + size * step)) > now and size > 1e-6:
            size /= 2
        parameters, gain, now = parameters + size * step, now - new, new
        if gain * shape < TOLERANCE:
            break
    spectrum = design @ parameters
    at_zero = np.ones(order)
    variance = at_zero @ curvature @ at_zero / shape
    small = 2 * order * (order + 1) / max(1, n - order - 1)
    weights = (design @ curvature @ at_zero) * np.exp(-spectrum)
    return Fit(float(at_zero @ parameters), float(variance), 2 * shape * now + 2 * order + small, spectrum, weights)


def undetermined(reason: str, n_replicas: int) -> Limit:
    """A gap: everything NaN but the reason."""
    nan = float("nan")
    return Limit(nan, nan, np.full(n_replicas, nan), nan, nan, reason)
