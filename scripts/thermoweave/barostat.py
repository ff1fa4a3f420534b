"""Isotropic stochastic cell rescaling: the barostat of M. Bernetti and G. Bussi, J. Chem. Phys. 153, 114107 (2020).

Between two pieces of an engine's `advance` the volume V makes one Euler step of the stochastic equation for sqrt(V)
(the paper's, where the noise does not depend on V):

    d sqrt(V) = -beta sqrt(V) / (2 tau) (P0 - P - kT / 2V) dt + sqrt(kT beta / (2 tau)) dW

whose stationary distribution is the isothermal-isobaric one, exp(-(E + P0 V) / kT) uniform in dV; beta is a
compressibility and tau the time in which the volume relaxes if beta is the system's own: beta / tau alone matters, and
neither changes where the volume ends. Steps of finite length t widen the distribution: for an overdamped volume the
variance comes out larger by about t / 2 tau, the mean stays; a density is good long before a compressibility is.

The cell and the positions are scaled by (V' / V)^(1/3) about the centre of mass, which therefore stays where it is:
about the origin, each change of volume would displace it. An atom that has wandered over several cells is still moved
in proportion to how far it is from there, so diffusion is measured at fixed volume, or with the TOR unwrapping of
S. von Bulow, J. T. Bullerjahn and G. Hummer, J. Chem. Phys. 153, 021101 (2020). Momenta are scaled by the inverse.
What the barostat does to the energy is not counted: a drift of the conserved energy is judged at fixed volume.
"""

import numpy as np
from ase import units

from thermoweave.engines import System
from thermoweave.statistics import correlated_mean

# Molten alkali halides have 0.1 to 0.4 /GPa between melting and 1300 K (G. J. Janz, Molten Salts Handbook, 1967).
COMPRESSIBILITY = 0.2
MAX_SCALE = 0.05  # of a length in one move: beyond it the step is too long for Euler, or the system is far from P0
MAX_VOLUME_RATIO = 2.0  # to its start, of a volume that is still that of a condensed phase


def rescale(
    system: System,
    kelvin: float,
    pressure_GPa: float,
    time_constant_ps: float,
    elapsed_ps: float,
    compressibility_per_GPa: float = COMPRESSIBILITY,
) -> float:
    """Scale cell, positions and momenta of a system in place, for `elapsed_ps` under a target pressure.

    Call it with energy, forces and stress up to date; afterwards they are marked as not evaluated. One random number
    is taken from `system.rng`. Returns the internal pressure that it saw (GPa). Raises ValueError, with the system
    as it was, without a stress, for a time or temperature that is not positive, or where a length would change by more
    than `MAX_SCALE`.
    """
    given = {
        "temperature": kelvin,
        "time constant": time_constant_ps,
        "time elapsed": elapsed_ps,
        "compressibility": compressibility_per_GPa,
    }
    for name, value in given.items():
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"barostat: {name} of {value:g}; it must be positive")
    kT = kelvin * units.kB
    volume = system.atoms.get_volume()
    pressure = internal_pressure(system, kelvin)
    relaxation = compressibility_per_GPa / units.GPa * elapsed_ps / time_constant_ps
    root = next_root_volume(volume, pressure, pressure_GPa * units.GPa, kT, relaxation, system.rng.normal())
    scale = np.cbrt(root * abs(root) / volume)
    if not abs(scale - 1) <= MAX_SCALE:
        raise ValueError(
            f"barostat: one move over {elapsed_ps:g} ps would scale lengths by {scale:.3f}, allowed 1 +- {MAX_SCALE:g} "
            f"(internal pressure {pressure / units.GPa:.2f} GPa, target {pressure_GPa:g} GPa): "
            f"a longer time constant than {time_constant_ps:g} ps, calls at shorter intervals, or a start of a "
            "better density"
        )
    apply(system, float(scale))
    return float(pressure / units.GPa)


def internal_pressure(system: System, kelvin: float) -> float:
    """Instantaneous pressure in eV/A^3: the virial's part, from the stress, and the momenta's.

    The centre of mass rests: momenta have 3N - 3 degrees of freedom, and their 2K / 3V is (N - 1) kT / V on average.
    The kT / V that it would give is added, so that the mean is that of N atoms. Raises ValueError without a stress.
    """
    if system.stress is None:
        raise ValueError(
            "barostat: no stress at the present positions; evaluate the system first, with a potential that has one"
        )
    if not np.isfinite(system.stress).all():
        raise ValueError("barostat: the stress is not a finite number")
    volume = system.atoms.get_volume()
    kinetic = (2 * system.atoms.get_kinetic_energy() / 3 + kelvin * units.kB) / volume
    return float(kinetic - np.mean(system.stress[:3]))


def next_root_volume(volume, pressure, target, kT, relaxation, normal):
    """
    One Euler step of sqrt(V) (A^1.5): Bernetti and Bussi 2020, the isotropic equation in lambda = sqrt(V). Elementwise.

    volume (A^3); pressure, target (eV/A^3); kT (eV); relaxation: beta dt / tau (A^3/eV); normal: a random number of
    unit variance.
    """
    root = np.sqrt(volume)
    drift = -relaxation * root / 2 * (target - pressure - kT / (2 * volume))
    return root + drift + np.sqrt(kT * relaxation / 2) * normal


def apply(system: System, scale: float) -> None:
    """Scale lengths by `scale` about the centre of mass and momenta by its inverse; what was evaluated is outdated."""
    atoms = system.atoms
    centre = atoms.get_center_of_mass()
    momenta = atoms.get_momenta()
    atoms.set_cell(atoms.cell.array * scale)
    atoms.positions[:] = centre + scale * (atoms.positions - centre)
    atoms.set_momenta(momenta / scale)
    system.energy, system.forces, system.stress, system.wall_contacts = np.nan, None, None, 0


def runaway(volumes: list[float]) -> str:
    """A sentence where a volume (A^3) has left its start by more than `MAX_VOLUME_RATIO` either way, or ""."""
    ratio = volumes[-1] / volumes[0]
    if 1 / MAX_VOLUME_RATIO < ratio < MAX_VOLUME_RATIO:
        return ""
    return f"the volume went to {ratio:.2f} times its start while the density was looked for: evaporated or collapsed"


def found(volumes: list[float]) -> tuple[float, float]:
    """The volume (A^3) that a series found, the mean of its second half, and its standard error."""
    return correlated_mean(np.array(volumes[len(volumes) // 2 :]))


def settle(system: System, volumes: list[float]) -> None:
    """Scale a system to the volume that was found."""
    apply(system, float(np.cbrt(found(volumes)[0] / system.atoms.get_volume())))
