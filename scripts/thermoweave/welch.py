"""
Power spectra by Welch's method: half-overlapping Hann segments, nothing subtracted, and the error of their mean.

Welch, IEEE Trans. Audio Electroacoust. 1967, 15, 70. All densities are two-sided: the integral over all frequencies,
negative ones included, is the mean square. That makes the value at zero frequency the limit of its neighbours.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from thermoweave import bands

NOISE_BANDWIDTH = 1.5  # of the Hann window, in units of the resolution (Harris, Proc. IEEE 1978, 66, 51)
OVERLAP_CORRELATION = 1 / 36  # between the power of Hann segments that overlap by half (Welch 1967, eq. 15)
SHORTEST = 8  # frames of a segment
ENOUGH = 10  # segments of all replicas: two bars hold 92 % of the squares of three components, 88 % with three segments
DIGITS = 6  # of a frequency in THz: time steps that differ by rounding have the same axis


class Plan(NamedTuple):
    """How a run is cut: frames of a segment, number of segments, step (ps), non-negative frequencies (THz)."""

    length: int
    n_segments: int
    step: float
    frequency: np.ndarray

    @property
    def resolution(self) -> float:
        """Spacing of the frequencies, THz."""
        return 1 / (self.length * self.step)

    @property
    def window(self) -> np.ndarray:
        """Hann window (frame,), scaled such that the squared Fourier transform is a density per THz."""
        from scipy.signal.windows import hann

        window = hann(self.length, sym=False)
        return window * np.sqrt(self.step / (window @ window))

    def segments(self, series: np.ndarray) -> Iterator[np.ndarray]:
        """The segments of a series (frame, ...): each (length, ...)."""
        for k in range(self.n_segments):
            first = k * (self.length // 2)
            yield series[first : first + self.length]

    def transforms(self, series: np.ndarray) -> Iterator[np.ndarray]:
        """Fourier transforms of the segments of a real series (frame, ...): each (frequency, ...)."""
        window = self.window.reshape(-1, *[1] * (series.ndim - 1))
        for segment in self.segments(series):
            yield np.fft.rfft(segment * window, axis=0)

    def average(self, series: np.ndarray) -> np.ndarray:
        """Means (segment,) of a real series (frame,) with the weights that the power of each segment has."""
        weights = self.window**2 / self.step
        return np.array([weights @ segment for segment in self.segments(series)])

    def integral(self, density: np.ndarray) -> np.ndarray:
        """Integral of a density (..., frequency) over the non-negative frequencies: exactly half the mean square."""
        return (density.sum(axis=-1) - 0.5 * (density[..., 0] + density[..., -1])) * self.resolution


NONE = Plan(0, 0, float("nan"), np.empty(0))  # of a gap


def plan(n_frames: int, step: float, resolution: float) -> Plan:
    """The `Plan` of a run whose segments last about 1 / resolution (THz); the step is in ps. See `fault`."""
    length = segment_length(step, resolution)
    n_segments = max(0, (n_frames - length) // (length // 2) + 1)
    return Plan(length, n_segments, step, np.round(np.fft.rfftfreq(length, step), DIGITS))


def fault(n_frames: int, step: float, resolution: float) -> str:
    """Why a run has no spectrum of this resolution; "" where it has."""
    length = segment_length(step, resolution)
    if length < SHORTEST:
        return (
            f"a resolution of {resolution:g} THz is too coarse for frames every {step:g} ps: "
            f"ask for at most {1 / (SHORTEST * step):.2g} THz"
        )
    if 2 * n_frames < 3 * length:
        return (
            f"a resolution of {resolution:g} THz takes a run of at least {1.5 * length * step:.4g} ps (two overlapping "
            f"segments), this one has {n_frames * step:.4g} ps: lengthen the production run or ask for a coarser "
            f"resolution_THz"
        )
    return ""


def few(n_replicas: int, n_segments: int) -> str:
    """A warning where so few segments stand behind a spectrum that three components of a current do not suffice."""
    if not 0 < n_replicas * n_segments < ENOUGH:
        return ""
    return (
        f"{n_replicas * n_segments} segments in all: what is a sum over few components, such as the conductivity, is "
        "skewed, and two of its bars hold less than 95 %; lengthen the runs or ask for a coarser resolution_THz"
    )


def segment_length(step: float, resolution: float) -> int:
    """Frames in a segment: an even number."""
    return 2 * round(1 / (2 * resolution * step))


def mean(samples: np.ndarray, scale: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Mean spectrum of all replicas' segments, its standard error, and the squared Birge ratio: each (..., frequency).

    samples: (replica, segment, ..., frequency), at least two segments. scale: what the standard deviation of a sample
    goes with along the frequency, the mean itself for a power (the default); for a cross spectrum the geometric mean
    of both powers. The scatter over segments, relative to that scale, is pooled over neighbouring frequencies, and so
    is that of the replicas (`bands`). The end frequencies have half the degrees of freedom, twice the variance.
    """
    n_replicas, n = samples.shape[:2]
    means = samples.mean(axis=1)
    scale = means.mean(axis=0) if scale is None else scale
    ends = np.ones(samples.shape[-1])
    ends[[0, -1]] = 2.0
    expected = ends * scale**2
    scatter = samples.var(axis=1, ddof=1).mean(axis=0)
    relative = np.divide(scatter, expected, out=np.full(scatter.shape, np.nan), where=expected > 0)
    relative = bands.pooled(relative, n_replicas * (n - 1))
    overlap = 1 + 2 * OVERLAP_CORRELATION * (n - 1) / n
    variance = np.nan_to_num(relative) * expected * overlap * (n - 1) / (n * (n - overlap))
    return bands.combined(means, np.broadcast_to(variance, means.shape))
