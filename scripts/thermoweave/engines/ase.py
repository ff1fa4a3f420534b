"""Molecular dynamics through ASE: any potential, one system a process.

The thermostat is the global stochastic velocity rescaling of G. Bussi, D. Donadio and M. Parrinello, J. Chem. Phys.
126, 014101 (2007): unlike a local Langevin friction it leaves diffusion alone.
"""

import numpy as np
from ase import Atoms, units
from ase.constraints import FixCom
from ase.md.bussi import Bussi
from ase.md.velocitydistribution import thermalize_momenta
from ase.optimize import FIRE


def prepare(atoms: Atoms, calculator, temperature: float, rng: np.random.Generator, fmax: float = 2.0) -> None:
    """Attach the calculator, relax the worst contacts and draw velocities at `temperature` (K), in place.

    The centre of mass is fixed: with its three degrees of freedom counted and empty, the thermostat would heat the
    others by 3N / (3N - 3), 1.6 % for 64 atoms.
    """
    atoms.calc = calculator
    FIRE(atoms, logfile=None).run(fmax=fmax, steps=50)
    atoms.set_constraint(FixCom())
    thermalize_momenta(atoms, temperature_K=temperature, rng=rng)


def thermostatted(
    atoms: Atoms, temperature: float, timestep_fs: float, time_constant_ps: float, rng: np.random.Generator
) -> Bussi:
    """Velocity Verlet with stochastic velocity rescaling; call `.run(n_steps)` as often as wanted."""
    return Bussi(
        atoms,
        timestep_fs * units.fs,
        temperature_K=temperature,
        taut=time_constant_ps * 1000 * units.fs,
        rng=rng,
    )


def advance(dynamics: Bussi, steps: int, max_force: float) -> int:
    """Run up to `steps`, but stop at a force above `max_force` (eV/A) or one that is no number; returns the steps done.

    Looking at every step costs microseconds. A collapsing system would have its neighbour list explode before the next
    frame is due.
    """
    for done in range(1, steps + 1):
        dynamics.run(1)
        forces = dynamics.atoms.get_forces(apply_constraint=False)
        if not np.linalg.norm(forces, axis=1).max() <= max_force:
            return done
    return steps
