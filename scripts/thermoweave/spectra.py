"""
Vibrational density of states (VDOS) of each species, from velocities by Welch's method.

VDOS_s(f) = 2 S_s(f) / (kB T) with S_s the two-sided power spectrum of the mass-weighted velocities of the species, in
modes per THz at f >= 0 (Lin, Blanco, Goddard, J. Chem. Phys. 2003, 119, 11792). T is the temperature that the run has
written down, so that the integral over all species is a check: 3 N - 3 modes with the centre of mass at rest, of which
a species has 3 N_s - 3 M_s / M at equipartition (M: masses). Classical; nothing is subtracted, no mean, no trend.
"""

from typing import NamedTuple

import numpy as np
from ase import units

from thermoweave import bands, statistics, welch
from thermoweave.replica import Replica

AMU_A2_PS2 = units._amu * 1e4 / units._e  # 1 amu (A/ps)^2 in eV
MARGIN = 0.01  # relative: modes that are missing or too many
UNRELATED = 5.0  # standard deviations of a correlation that is not there
PROBED = 8  # atoms whose displacements are held against their velocities
ALIASED_BAND, ALIASED_SHARE = 0.1, 0.01  # share of the frequencies below Nyquist, and of the modes there


class Motion(NamedTuple):
    """
    What one pass over the velocities of a replica leaves, for each species.

    power (species, segment, frequency): of the mass-weighted velocities over kB, two-sided, K / THz; kinetic (species,
    frame): sum of m v^2 over kB, K; flow (species, frame, 3): sum of the velocities in the frame of the centre of mass
    of all atoms, A/ps.
    """

    power: np.ndarray
    kinetic: np.ndarray
    flow: np.ndarray


class Spectrum(NamedTuple):
    """
    VDOS and its error (species, frequency) in modes per THz, their integral (species,) and Birge ratio (species,).

    total (replica,): the modes of all species at the temperature of that replica.
    """

    vdos: np.ndarray
    vdos_std: np.ndarray
    modes: np.ndarray
    modes_std: np.ndarray
    birge_ratio: np.ndarray
    total: np.ndarray


def motion(replica: Replica, groups: list[np.ndarray], plan: welch.Plan) -> Motion:
    """The `Motion` of a replica; groups: indices of the atoms of each species, which hold every atom once."""
    power = np.zeros((len(groups), plan.n_segments, len(plan.frequency)))
    kinetic = np.zeros((len(groups), replica.n_frames))
    flow, momentum = np.zeros((len(groups), replica.n_frames, 3)), np.zeros((replica.n_frames, 3))
    for s, group in enumerate(groups):
        for atoms, values in replica.series("velocities", group) if len(group) else ():
            masses = replica.masses[atoms]
            kinetic[s] += np.einsum("a,fad,fad->f", masses, values, values)
            flow[s] += values.sum(axis=1)
            momentum += np.einsum("a,fad->fd", masses, values)
            for k, transform in enumerate(plan.transforms(values)):
                power[s, k] += np.einsum("a,fad->f", masses, transform.real**2 + transform.imag**2)
    drift = momentum / replica.masses.sum()
    flow -= np.array([len(group) for group in groups])[:, None, None] * drift
    return Motion(power * AMU_A2_PS2 / units.kB, kinetic * AMU_A2_PS2 / units.kB, flow)


def vdos(motions: list[Motion], temperatures: list[np.ndarray], plan: welch.Plan) -> Spectrum:
    """
    `Spectrum` of replicas from their motions and their temperatures (frame,) in K.

    A kinetic energy that fluctuates as a whole moves the temperature, too: the errors are those of the ratio.
    """
    T = np.array([plan.average(temperature) for temperature in temperatures])  # replica, segment
    power = 2 * np.array([motion.power for motion in motions]).swapaxes(1, 2) / T.mean()
    density = power.mean(axis=(0, 1))
    samples = power - density * (T / T.mean() - 1)[:, :, None, None]
    density, error, ratio = welch.mean(samples)
    modes = plan.integral(density)
    pieces = [
        [
            statistics.correlated_mean(series)
            for series in motion.kinetic / T.mean() - np.outer(modes, kelvin / T.mean())
        ]
        for motion, kelvin in zip(motions, temperatures, strict=True)
    ]
    means, errors = np.array(pieces).transpose(2, 0, 1)
    _, modes_error, _ = bands.combined(means, errors**2)
    birge = np.sqrt([r[np.isfinite(r)].mean() if np.isfinite(r).any() else np.nan for r in ratio])
    total = plan.integral(power.mean(axis=1).sum(axis=1)) * T.mean() / T.mean(axis=1)
    return Spectrum(density, error, modes, modes_error, birge, total)


def undetermined(n_species: int) -> Spectrum:
    """A gap: no frequencies, no modes."""
    nothing, nan = np.empty((n_species, 0)), np.full(n_species, np.nan)
    return Spectrum(nothing, nothing, nan, nan, nan, np.empty(0))


def equipartition(groups: list[np.ndarray], masses: np.ndarray) -> np.ndarray:
    """Modes of each group of atoms at equipartition with the centre of mass at rest: 3 N_s - 3 M_s / M."""
    return np.array([3 * len(group) - 3 * masses[group].sum() / masses.sum() for group in groups])


def miscounted(replica: Replica, modes: float) -> str:
    """Why velocities and temperature do not belong together; "" for 3 N - 3 to 3 N modes (free centre of mass)."""
    n_atoms = replica.n_atoms
    if (3 * n_atoms - 3) * (1 - MARGIN) <= modes <= 3 * n_atoms * (1 + MARGIN):
        return ""
    return (
        f"{replica.path.name}: the velocities hold {modes:.4g} modes where {n_atoms} atoms have {3 * n_atoms - 3}: "
        "velocities and temperature do not belong together (velocities in other units than A/ps?); look at the file"
    )


def unrelated(replica: Replica) -> str:
    """
    Why positions and velocities cannot be of one run; "" where they can.

    Displacements from frame to frame go with the mean of both velocities, however far the frames are apart; those of
    another run do not, to within `UNRELATED` standard errors of a correlation.
    """
    product = moved_power = velocity_power = 0.0
    atoms = np.arange(min(PROBED, replica.n_atoms))
    pieces = zip(replica.series("coordinates", atoms), replica.series("velocities", atoms), strict=True)
    for (_, positions), (_, velocities) in pieces:
        moved, mean = np.diff(positions, axis=0), velocities[1:] + velocities[:-1]
        product += np.sum(moved * mean)
        moved_power += np.sum(moved**2)
        velocity_power += np.sum(mean**2)
    n = 3 * len(atoms) * (replica.n_frames - 1)
    if product > UNRELATED / np.sqrt(n) * np.sqrt(moved_power * velocity_power):
        return ""
    return (
        f"{replica.path.name}: displacements do not follow the velocities: positions and velocities of different runs?"
    )


def aliasing(density: np.ndarray, frequency: np.ndarray) -> str:
    """A warning where much of a VDOS summed over species (frequency,) lies just below the Nyquist frequency, or ""."""
    if not len(frequency):
        return ""
    top = frequency > (1 - ALIASED_BAND) * frequency[-1]
    share = density[top].sum() / density.sum()
    if not share > ALIASED_SHARE:
        return ""
    return (
        f"{100 * share:.1f} % of the modes lie above {(1 - ALIASED_BAND) * frequency[-1]:.3g} THz, close to the "
        f"Nyquist frequency of {frequency[-1]:.3g} THz: faster motion is folded back into the spectrum; store frames "
        "more often"
    )
