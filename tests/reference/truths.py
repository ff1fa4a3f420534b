"""Noise and motion whose answers are known exactly: particles, ions, hops, series, crystals; in A and ps."""

import numpy as np
from scipy.signal import lfilter


def brownian(rng: np.random.Generator, n_frames: int, n_atoms: int, D: float, step: float) -> np.ndarray:
    """Positions (frame, atom, 3) of free particles; D in A^2/ps."""
    return np.cumsum(rng.normal(size=(n_frames, n_atoms, 3)) * np.sqrt(2 * D * step), axis=0)


def langevin(
    rng: np.random.Generator, n_frames: int, n_atoms: int, D: float, step: float, friction: float
) -> np.ndarray:
    """Positions of free particles with inertia, exact at any step; friction time in frames (Chandrasekhar 1943)."""
    time, decay = friction * step, np.exp(-1 / friction)
    vv, xv = D / time * (1 - decay**2), D * (1 - decay) ** 2
    xx = 2 * D * step - D * time * (3 - 4 * decay + decay**2)
    root = np.linalg.cholesky([[xx, xv], [xv, vv]])
    moved, kick = np.einsum("ij,jfad->ifad", root, rng.normal(size=(2, n_frames, n_atoms, 3)))
    kick[0] = rng.normal(size=(n_atoms, 3)) * np.sqrt(D / time)
    velocity = lfilter([1], [1, -decay], kick, axis=0)
    moved[0] = 0
    moved[1:] += time * (1 - decay) * velocity[:-1]
    return np.cumsum(moved, axis=0)


def langevin_msd(friction: float, step: float):
    """MSD in one dimension at lags in frames of `langevin` with D = 1 A^2/ps; friction 0: of `brownian`."""
    return lambda lag: 2 * step * (lag - friction * (1 - np.exp(-lag / friction)) if friction else lag * 1.0)


def rattling(rng: np.random.Generator, n_frames: int, n_atoms: int, width: float, memory: float) -> np.ndarray:
    """Displacements from the sites: Gaussian of the given width (A), forgotten with a time constant in frames."""
    return width * correlated(rng, n_frames, memory, (n_atoms, 3))


def correlated(rng: np.random.Generator, n: int, memory: float, shape: tuple[int, ...] = ()) -> np.ndarray:
    """AR(1) noise (n, *shape) of variance 1 with the correlation exp(-t / memory); memory 0: white."""
    if not memory:
        return rng.normal(size=(n, *shape))
    decay = np.exp(-1 / memory)
    kicks = rng.normal(size=(n, *shape)) * np.sqrt(1 - decay**2)
    kicks[0] /= np.sqrt(1 - decay**2)
    return lfilter([1], [1, -decay], kicks, axis=0)


def correlated_mean_std(n: int, memory: float) -> float:
    """Exact standard error of the mean of `correlated`."""
    t = np.arange(1, n)
    rho = np.exp(-t / memory) if memory else np.zeros(n - 1)
    return float(np.sqrt((1 + 2 * np.sum((1 - t / n) * rho)) / n))


def hops(rng: np.random.Generator, n_frames: int, n_atoms: int, D: float, step: float, length: float) -> np.ndarray:
    """
    Positions of independent particles that hop at random on a simple cubic lattice of the given spacing (A).

    Hops each way along each axis are Poisson events of the rate D / length^2: any number within a frame, exactly.
    """
    there, back = rng.poisson(D * step / length**2, size=(2, n_frames, n_atoms, 3))
    return length * np.cumsum(there - back, axis=0)


def hop_cumulant(D: float, step: float, length: float) -> float:
    """Fourth cumulant (A^4) of the displacement of `hops` in one frame and one dimension."""
    return 2 * D * step * length**2


def ions(rng: np.random.Generator, n_frames: int, covariance: np.ndarray, step: float, memory: float) -> np.ndarray:
    """
    Positions (frame, atom, 3) of ions whose diffusion matrix was chosen: `covariance` (atom, atom) in A^2/ps.

    Their velocities forget with a time constant in frames: like `langevin`, at the level of frames.
    """
    velocity = correlated(rng, n_frames, memory, (3, len(covariance)))
    decay = np.exp(-1 / memory) if memory else 0.0
    scale = np.sqrt(2 * step * (1 - decay) / (1 + decay))  # of a frame's step, so that the sum diffuses as asked
    return np.cumsum(scale * velocity @ np.linalg.cholesky(covariance).T, axis=0).swapaxes(1, 2)


def ions_msd(memory: float, step: float):
    """MSD in one dimension at lags in frames of `ions` of the diffusion coefficient 1 A^2/ps."""
    a = np.exp(-1 / memory) if memory else 0.0
    return lambda lag: 2 * step * (lag - 2 * a * (1 - a**lag) / (1 - a**2))


def crystal_modes(n_cells: int, mass: float, stiffness: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Sites (atom, 3) in units of the cubic cell, frequencies (mode,) in rad/ps and normal modes (3 atoms, mode) of an fcc
    crystal with springs between nearest neighbours; mass in amu, stiffness in amu/ps^2. The three translations are out.
    """
    cells = np.array(np.meshgrid(*[np.arange(n_cells)] * 3, indexing="ij")).reshape(3, -1).T
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    sites = (cells[:, None] + basis).reshape(-1, 3)
    apart = sites[:, None] - sites
    apart -= n_cells * np.round(apart / n_cells)
    distance = np.linalg.norm(apart, axis=-1)
    bonded = np.isclose(distance, np.sqrt(0.5))
    direction = np.where(bonded[..., None], apart / np.where(bonded, distance, 1)[..., None], 0)
    blocks = -stiffness * np.einsum("ijx,ijy->ixjy", direction, direction)
    n = len(sites)
    blocks[np.arange(n), :, np.arange(n)] -= blocks.sum(axis=2)
    squared, modes = np.linalg.eigh(blocks.reshape(3 * n, 3 * n) / mass)
    return sites, np.sqrt(squared[3:]), modes[:, 3:]


def damped_modes(
    rng: np.random.Generator, n_frames: int, omega: np.ndarray, friction: float, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """Normal coordinates and velocities (frame, mode) of Langevin oscillators with unit mean square velocity, exact."""
    propagator, noise = oscillator(omega, friction, step)
    root = np.linalg.cholesky(noise)
    state = rng.normal(size=(len(omega), 2)) * np.column_stack([1 / omega, np.ones_like(omega)])
    kicks = np.einsum("mij,fmj->fmi", root, rng.normal(size=(n_frames, len(omega), 2)))
    found = np.empty((n_frames, len(omega), 2))
    for k in range(n_frames):
        found[k] = state
        state = np.einsum("mij,mj->mi", propagator, state) + kicks[k]
    return found[..., 0], found[..., 1]


def oscillator(omega: np.ndarray, friction: float, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Propagator and covariance of the noise of a step, (mode, 2, 2) each, of (coordinate, velocity)."""
    from scipy.linalg import expm

    zero = np.zeros_like(omega)
    drift = np.array([[zero, zero + 1], [-(omega**2), zero - friction]]).transpose(2, 0, 1)
    propagator = np.array([expm(one * step) for one in drift])
    stationary = np.array([[omega**-2, zero], [zero, zero + 1]]).transpose(2, 0, 1)
    return propagator, stationary - propagator @ stationary @ propagator.transpose(0, 2, 1)


def oscillator_spectrum(omega: np.ndarray, friction: float, step: float, frequency: np.ndarray) -> np.ndarray:
    """Two-sided power spectrum (frequency,) of the sampled velocities, summed over the oscillators, exact."""
    propagator, noise = oscillator(omega, friction, step)
    turn = np.exp(-2j * np.pi * frequency * step)
    response = np.linalg.inv(np.eye(2) - turn[:, None, None, None] * propagator)[..., 1, :]
    return step * np.einsum("fmi,mij,fmj->f", response, noise, response.conj()).real
