"""The same questions to kinisi, pymatgen-analysis-diffusion and an unweighted straight line; D in A^2/ps."""

import contextlib
import io
import warnings

import numpy as np
from ase import Atoms
from ase.units import kB

CM2_PER_S = 1e4  # in A^2/ps
BOX = 1000.0  # A: nothing is wrapped


def kinisi_diffusion(
    x: np.ndarray, step: float, start: float, lags: np.ndarray | None, seed: int
) -> tuple[float, float]:
    """
    Mean and standard deviation of kinisi's samples of D, from positions (frame, atom, 3) of one run.

    start: where the diffusive regime begins (ps); lags in frames, None: kinisi's default, every lag of the run.
    """
    import scipp
    from kinisi.analyze import DiffusionAnalyzer

    frames = [Atoms(f"Li{x.shape[1]}", positions=positions, cell=[BOX] * 3, pbc=True) for positions in x + BOX / 2]
    ps = scipp.Unit("ps")
    intervals = None if lags is None else scipp.array(dims=["time interval"], values=lags * step, unit=ps)
    with quiet():
        analyzer = DiffusionAnalyzer.from_ase(
            frames, specie="Li", time_step=step * ps, step_skip=scipp.scalar(1), dt=intervals, progress=False
        )
        analyzer.diffusion(start * ps, progress=False, random_state=np.random.RandomState(seed))
    samples = analyzer.D.values * CM2_PER_S
    return float(samples.mean()), float(samples.std())


def pymatgen_diffusion(x: np.ndarray, step: float, kelvin: float, smoothed: str | bool = "max") -> tuple[float, float]:
    """Diffusivity and its standard deviation as DiffusionAnalyzer gives them."""
    from pymatgen.analysis.diffusion.analyzer import DiffusionAnalyzer
    from pymatgen.core import Lattice, Structure

    structure = Structure(Lattice.cubic(BOX), ["Li"] * x.shape[1] + ["O"], np.vstack([x[0] / BOX, [[0.5, 0.5, 0.5]]]))
    moved = np.concatenate([x - x[0], np.zeros((len(x), 1, 3))], axis=1).transpose(1, 0, 2)  # the O stands still
    with quiet():
        found = DiffusionAnalyzer(structure, moved, "Li", kelvin, 1000 * step, 1, smoothed)  # fs
    return found.diffusivity * CM2_PER_S, found.diffusivity_std_dev * CM2_PER_S


def straight_line(x: np.ndarray, step: float, start: float) -> tuple[float, float]:
    """An unweighted line through the MSD at all lags from `start` (ps) to half the run, and numpy.polyfit's error."""
    lags = np.arange(max(1, round(start / step)), len(x) // 2 + 1)
    msd = np.array([((x[lag:] - x[:-lag]) ** 2).sum(axis=2).mean() for lag in lags])
    (slope, _), covariance = np.polyfit(lags * step, msd, 1, cov=True)
    return slope / 6, float(np.sqrt(covariance[0, 0])) / 6


def kinisi_arrhenius(T: np.ndarray, D: np.ndarray, D_std: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of kinisi's samples of Ea (eV), as in its tutorial: default priors, mcmc."""
    import scipp
    from kinisi.arrhenius import Arrhenius

    data = scipp.array(dims=["temperature"], values=D / CM2_PER_S, variances=(D_std / CM2_PER_S) ** 2, unit="cm^2/s")
    coordinates = {"temperature": scipp.array(dims=["temperature"], values=T, unit="K")}
    with quiet():
        fit = Arrhenius(scipp.DataArray(data, coords=coordinates))
        fit.mcmc()
    samples = fit.activation_energy.values
    return float(samples.mean()), float(samples.std())


def pymatgen_arrhenius(T: np.ndarray, D: np.ndarray) -> tuple[float, float]:
    """fit_arrhenius with its defaults: an unweighted line through ln D."""
    from pymatgen.analysis.diffusion.analyzer import fit_arrhenius

    Ea, _, std = fit_arrhenius(T, D)
    return Ea, std


def unweighted_arrhenius(T: np.ndarray, D: np.ndarray) -> tuple[float, float]:
    """numpy.polyfit of ln D on 1 / kT."""
    (slope, _), covariance = np.polyfit(1 / (kB * T), np.log(D), 1, cov=len(T) > 2)
    return -slope, float(np.sqrt(covariance[0, 0]))


@contextlib.contextmanager
def quiet():
    """Progress bars that cannot be switched off, and warnings about a condition number, are no part of the answer."""
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
