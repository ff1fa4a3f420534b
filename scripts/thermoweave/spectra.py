"""
Vibrational density of states (VDOS) of each species, from velocities by Welch's method.

The mass-weighted power spectrum of the velocities, one-sided, normalised so that the sum over species integrates to 3 N
modes (Wiener-Khinchin; e.g. Lin, Blanco, Goddard, J. Chem. Phys. 2003, 119, 11792). A species' share then is
3 N_s T_s / T with its kinetic temperature T_s: equipartition can be read off. Nothing is subtracted, no mean, no trend.
"""

from typing import NamedTuple

import numpy as np

OVERLAP_CORRELATION = 1 / 36  # between the spectra of Hann segments that overlap by half (Welch 1967, eq. 15)


class Spectrum(NamedTuple):
    """
    vdos and vdos_std (species, frequency) in modes per THz; frequency in THz.

    modes, modes_std (species,): integral of each species; resolution and nyquist in THz; n_segments: of all replicas.
    """

    frequency: np.ndarray
    vdos: np.ndarray
    vdos_std: np.ndarray
    modes: np.ndarray
    modes_std: np.ndarray
    resolution: float
    nyquist: float
    n_segments: int


def segment_spectra(velocities: np.ndarray, masses: np.ndarray, step: float, n_segment: int):
    """
    Frequencies (THz) and mass-weighted power spectra of half-overlapping Hann segments, (atom, segment, frequency).

    velocities (frame, atom, 3) in Angstrom/ps, masses (atom,) in amu, step in ps. The integral over frequency is the
    mean of m v^2, up to the window.
    """
    from scipy.signal import spectrogram

    series = velocities * np.sqrt(masses)[:, None]
    hop = n_segment // 2
    frequency, _, power = spectrogram(
        series.reshape(len(series), -1).T.astype(float),
        fs=1 / step,
        window="hann",
        nperseg=n_segment,
        noverlap=n_segment - hop,
        detrend=False,
        mode="psd",
    )
    return frequency, power.reshape(len(masses), 3, *power.shape[1:]).sum(axis=1).transpose(0, 2, 1)


def vdos(replicas: list[np.ndarray], masses: np.ndarray, groups: list[np.ndarray], step: float, resolution: float):
    """
    `Spectrum` of the atoms in each group (index arrays that together hold every atom once) from replicas' velocities.

    resolution: spacing of the frequencies, THz; a segment lasts 1 / resolution. The error is the scatter between
    segments and replicas, corrected for the overlap. Raises ValueError where a run is shorter than one segment.
    """
    n_segment = 2 * round(1 / (resolution * step) / 2)
    for velocities in replicas:
        if len(velocities) < n_segment:
            raise ValueError(
                f"a resolution of {resolution:g} THz takes a run of {1 / resolution:g} ps, this one has "
                f"{len(velocities) * step:g} ps: lengthen the production run or ask for a coarser vdos resolution"
            )
    parts = [segment_spectra(velocities, masses, step, n_segment) for velocities in replicas]
    frequency = parts[0][0]
    atoms = np.concatenate([power for _, power in parts], axis=1)
    power = np.array([atoms[group].sum(axis=0) for group in groups])  # species, segment, frequency
    spacing = frequency[1]
    n_segments = power.shape[1]
    total = power.mean(axis=1).sum() * spacing
    power *= 3 * len(masses) / total
    error = np.sqrt((1 + 2 * OVERLAP_CORRELATION) / n_segments) if n_segments > 1 else np.nan
    spread = dict(axis=1, ddof=1 if n_segments > 1 else 0)
    modes = power.sum(axis=2) * spacing
    return Spectrum(
        frequency,
        power.mean(axis=1),
        power.std(**spread) * error,
        modes.mean(axis=1),
        modes.std(**spread) * error,
        resolution=float(spacing),
        nyquist=0.5 / step,
        n_segments=n_segments,
    )


def undetermined(n_species: int) -> Spectrum:
    """A gap: no frequencies, no modes."""
    nothing, nan = np.empty((n_species, 0)), np.full(n_species, np.nan)
    return Spectrum(np.empty(0), nothing, nothing, nan, nan, np.nan, np.nan, 0)
