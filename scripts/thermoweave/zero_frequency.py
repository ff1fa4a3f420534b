"""
Transport coefficients as the zero-frequency limit of a power spectrum (Green-Kubo), with their errors.

The integral of an autocorrelation function is half the power spectrum at frequency zero. The periodogram there is
noisy, but its noise is known: at each frequency it is the spectrum times a gamma variable, independent of the others.
So the logarithm of the spectrum is fitted as a series of cosines by maximum likelihood (Bloomfield, Biometrika 1973,
60, 217; for transport coefficients, by least squares of the cepstrum: Ercole, Marcolongo, Baroni, Sci. Rep. 2017, 7,
15835). How many cosines is a matter of evidence: all orders are averaged with their Akaike weights, and what they
disagree about is part of the error (Burnham and Anderson, Model Selection and Multimodel Inference, 2002, eq. 4.9).

How far from zero to fit is the other question: what is slow may be a narrow feature of little power beside the
vibrations. The band grows from the lowest frequencies on, by factors of two, until the limit leaves the errors of those
of narrower bands or the spectrum takes many cosines (Lepski, Theory Probab. Appl. 1991, 35, 454); then it is taken two
steps back, where what was seen does not yet matter.
"""

from typing import NamedTuple

import numpy as np

FIRST_BAND = 16  # points of the spectrum
LOWEST = 4  # of them, that must be alike the others
MAX_RATIO, MIN_P_VALUE = 2.0, 0.001  # between the two, and of its chance
POWER_SHARE = 0.5  # the widest band ends where the frequencies below have this share of the power
MAX_ORDER = 16
MANY = 8.0  # cosines, on average: a band that takes more is too wide
AGREEMENT = 1.5  # standard errors of a narrower band
BACK = 2  # bands
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

    step: time between frames. Where the spectrum still changes by a factor of two within its first points, the
    correlations last about as long as the run (or nothing moves on), and the reason says so.
    """
    power = [periodogram(one, step) for one in series]
    frequency, each = power[0][0], np.array([one.mean(axis=1) for _, one in power])
    mean, shape = each.mean(axis=0), len(series) * series[0].shape[1]  # of the gamma: a complex amplitude each
    if not mean.any():
        return undetermined("nothing fluctuates", len(series))
    if len(mean) < FIRST_BAND:
        return undetermined(f"{len(series[0])} frames are too few for a spectrum", len(series))
    found = widest_band(mean, shape)
    n = len(found.spectrum)
    far = np.flatnonzero(np.abs(found.spectrum - found.ln) > np.log(2))
    reason = ""
    if still_changing(mean, shape) or (len(far) and far[0] < MIN_HALF):
        reason = f"correlations last as long as the run ({len(series[0]) * step:g} ps): lengthen it"
    return Limit(
        value=float(np.exp(found.ln)),
        ln_std=float(np.sqrt(found.variance)),
        replicas=np.exp(found.ln) * (each[:, :n] @ found.weights),
        cutoff=float(frequency[n - 1]),
        order=found.order,
        reason=reason,
    )


def still_changing(power: np.ndarray, shape: float) -> bool:
    """Whether the lowest points of a periodogram differ from the next by more than chance and a factor of two."""
    from scipy.stats import f as f_distribution

    ratio = power[:LOWEST].mean() / power[LOWEST:FIRST_BAND].mean()
    degrees = 2 * LOWEST * shape, 2 * (FIRST_BAND - LOWEST) * shape
    p_value = 2 * min(f_distribution.sf(ratio, *degrees), f_distribution.cdf(ratio, *degrees))
    return bool(p_value < MIN_P_VALUE and abs(np.log(ratio)) > np.log(MAX_RATIO))


class Fit(NamedTuple):
    """
    A fit to a band (n,): ln of the limit and its variance, number of cosines, ln of the spectrum at each frequency, and
    the weights (n,) that make of a periodogram its share of the limit: those of the mean periodogram give 1.
    """

    ln: float
    variance: float
    order: float
    spectrum: np.ndarray
    weights: np.ndarray


def widest_band(power: np.ndarray, shape: float) -> Fit:
    """The fit to the band that is as wide as the spectrum allows."""
    share = int(np.searchsorted(power.cumsum(), POWER_SHARE * power.sum())) + 1
    last = min(len(power), max(FIRST_BAND, share))
    sizes = [FIRST_BAND * 2**k for k in range(64) if FIRST_BAND * 2**k < last] + [last]
    accepted: list[Fit] = []
    for size in sizes:
        found = averaged(power[:size], shape)
        apart = [abs(found.ln - one.ln) > AGREEMENT * np.sqrt(one.variance) for one in accepted]
        if accepted and (found.order > MANY or any(apart)):
            return accepted[max(0, len(accepted) - 1 - BACK)]
        accepted.append(found)
    return accepted[-1]


def averaged(power: np.ndarray, shape: float) -> Fit:
    """The average over all orders, weighted with Akaike's criterion (corrected for the number of points)."""
    fits, criteria = zip(*[fit(power, shape, n) for n in range(1, min(MAX_ORDER, len(power) // 4) + 1)], strict=True)
    evidence = np.exp((min(criteria) - np.array(criteria)) / 2)
    evidence /= evidence.sum()
    ln, order, spectrum, weights = (
        evidence @ [getattr(one, name) for one in fits] for name in ("ln", "order", "spectrum", "weights")
    )
    variance = evidence @ [one.variance + (one.ln - ln) ** 2 for one in fits]
    return Fit(float(ln), float(variance), float(order), spectrum, weights)


def fit(power: np.ndarray, shape: float, order: int) -> tuple[Fit, float]:
    """
    Maximum likelihood of `order` cosines for the logarithm of a spectrum, from its gamma distributed periodogram (n,),
    and Akaike's criterion.

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
    found = Fit(float(at_zero @ parameters), float(variance), order, spectrum, weights)
    return found, 2 * shape * now + 2 * order + small


def undetermined(reason: str, n_replicas: int) -> Limit:
    """A gap: everything NaN but the reason."""
    nan = float("nan")
    return Limit(nan, nan, np.full(n_replicas, nan), nan, nan, reason)
