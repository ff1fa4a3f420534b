"""Time step and frame interval from the elements and the temperature, where the config leaves them to us."""

import math
from collections.abc import Iterable

from ase.data import atomic_masses, atomic_numbers

HYDROGEN_FS = 0.6  # time step for H at 1000 K and below
LONGEST_FS = 4.0
GRAIN_FS = 0.05
STRETCH_THZ = 110.0  # X-H against a heavy X: 3670 cm^-1, the O-H of hydroxides
MARGIN = 1.15


def automatic(species: Iterable[str], highest_temperature_K: float) -> float:
    """
    Time step in fs: 0.6 fs sqrt(m / m_H) min(1, sqrt(1000 K / T)) of the lightest element, at most 4, down to 0.05.

    The highest frequency goes with 1 / sqrt(m): whatever the element, the stretch of a single bond is sampled some 14
    times a period (10 is the usual least, D. Frenkel and B. Smit, Understanding Molecular Simulation, ch. 4). Above
    1000 K collisions are faster in proportion to sqrt(T) and climb steeper walls. It gives H 0.6, Li 1.55, C 2.05,
    Na 2.85 fs, where practice has 0.5 for H, 1 to 2 for Li and C, and 5 for heavy metals (ASE's manual). Masses are the
    standard atomic weights. The drift of the conserved energy, measured in every run, has the last word.

    Raises ValueError for no or unknown species, or a temperature that is not positive.
    """
    if not (math.isfinite(highest_temperature_K) and highest_temperature_K > 0):
        raise ValueError(f"time step: temperature of {highest_temperature_K:g} K; it must be positive")
    lightest = masses(species)[0] / hydrogen()
    step = HYDROGEN_FS * math.sqrt(lightest) * min(1.0, math.sqrt(1000 / highest_temperature_K))
    grains = math.floor(min(step, LONGEST_FS) / GRAIN_FS + 1e-9)
    return round(max(1, grains) * GRAIN_FS, 2)


def highest_frequency_THz(species: Iterable[str]) -> float:
    """
    The highest frequency that atoms of these elements are expected to have: 110 THz sqrt(m_H / mu) times 1.15.

    Assumes that no bond is stiffer than O-H, with 15 % to spare, and that it joins the two lightest elements (a lone
    element to itself): mu is their reduced mass. (With the lightest element's own mass, which is right for hydrogen,
    carbonate and nitrate would lie above.) Ionic bonds are far softer; hydroxides, borates, carbonates, nitrates,
    phosphates, silicates lie below. Triple bonds do not (cyanide 62 THz, N2 71): there the interval must be given.
    """
    lightest = masses(species)
    one, other = lightest[0], lightest[min(1, len(lightest) - 1)]
    return MARGIN * STRETCH_THZ * math.sqrt(hydrogen() * (one + other) / (one * other))


def frame_interval(species: Iterable[str], timestep_fs: float) -> int:
    """
    Steps between frames: the most that leave `highest_frequency_THz` below the Nyquist frequency of the velocities.

    Faster motion would be folded into the vibrational spectrum where it does not belong. Raises ValueError where not
    even every step is often enough.
    """
    highest = highest_frequency_THz(species := list(species))
    interval = math.floor(nyquist_THz(timestep_fs, 1) / highest)
    if interval < 1:
        raise ValueError(
            f"timestep_fs of {timestep_fs:g} cannot follow {highest:.0f} THz, which {', '.join(species)} may have: "
            f"at most {automatic(species, 1000.0):g} fs"
        )
    return interval


def nyquist_THz(timestep_fs: float, interval: int) -> float:
    """The highest frequency that frames `interval` steps apart can tell: 1 / (2 interval dt), in THz."""
    if not (timestep_fs > 0 and interval >= 1):
        raise ValueError(f"time step of {timestep_fs:g} fs, {interval} steps between frames: both must be positive")
    return 1000 / (2 * interval * timestep_fs)


def masses(species: Iterable[str]) -> list[float]:
    """Standard atomic weights of the different elements, the lightest first. Raises ValueError for an unknown one."""
    symbols = set(species)
    unknown = sorted(s for s in symbols if atomic_numbers.get(s, 0) < 1)
    if unknown or not symbols:
        raise ValueError(f"time step: no chemical element {', '.join(unknown) or 'given'}")
    return sorted(float(atomic_masses[atomic_numbers[s]]) for s in symbols)


def hydrogen() -> float:
    """Mass of H in amu."""
    return float(atomic_masses[1])
