"""Shear viscosity from the fluctuations of the stress, and the diffusion coefficient of an infinite cell from it."""

import numpy as np
from ase import units

from thermoweave import coefficient, zero_frequency
from thermoweave.coefficient import Coefficient

PASCAL_S = 1e-12 * units._e * 1e30  # 1 eV/A^3 ps in Pa s
XI = 2.837297  # of a cubic lattice (Yeh and Hummer, J. Phys. Chem. B 2004, 108, 15873, eq. 12)
ALIASED = 0.05  # of the fluctuations in the highest tenth of the frequencies: above, they are folded back to zero, too
CUBIC = 0.02  # a cell whose edges or angles differ by less is cubic for this purpose


def viscosity(stresses: list[np.ndarray], volume: float, kelvin: float, step: float) -> Coefficient:
    """
    eta (Pa s) = V / (kB T) times the time integral of the autocorrelation of the shear stress, from its five
    independent components, stresses [(frame, 5), ...] in eV/A^3; volume in A^3, step in ps.
    """
    found = zero_frequency.limit(stresses, step)
    reason, share = found.reason, aliased(stresses)
    if share > ALIASED:
        reason = f"{100 * share:.0f} % of the stress fluctuates as fast as frames are stored: store them more often"
    scale = volume / (2 * units.kB * kelvin) * PASCAL_S
    return coefficient.combined(scale * found.value, found.ln_std, scale * found.replicas, reason)


def aliased(stresses: list[np.ndarray]) -> float:
    """
    Share of the fluctuations in the highest tenth of the frequencies that frames resolve.

    Frames hold the stress of a moment: what is faster than they are is folded back, to zero as well, and the viscosity
    comes out too large. White noise has a tenth there.
    """
    power = np.mean([zero_frequency.periodogram(one, 1.0)[1].mean(axis=1) for one in stresses], axis=0)
    return float(power[-max(1, len(power) // 10) :].sum() / power.sum())


def infinite_cell(
    D: np.ndarray, D_std: np.ndarray, eta: float, ln_eta_std: float, cell: np.ndarray, kelvin: float
) -> tuple[np.ndarray, np.ndarray]:
    """
    D (m^2/s) of a cubic cell without its images: D + xi kB T / (6 pi eta L), and its standard error.

    The hydrodynamic interaction of a particle with its own images slows it down (Dunweg and Kremer, J. Chem. Phys.
    1993, 99, 6983; Yeh and Hummer 2004). eta in Pa s. Raises ValueError for a cell that is not cubic: xi is another.
    """
    lengths = np.linalg.norm(cell, axis=1)
    angles = (cell @ cell.T / np.outer(lengths, lengths))[np.triu_indices(3, 1)]
    if np.ptp(lengths) > CUBIC * lengths.mean() or np.abs(angles).max() > CUBIC:
        raise ValueError("the finite-size correction is known for cubic cells, this one is not")
    correction = XI * units._k * kelvin / (6 * np.pi * eta * lengths.mean() * 1e-10)
    return D + correction, np.sqrt(D_std**2 + (correction * ln_eta_std) ** 2)
