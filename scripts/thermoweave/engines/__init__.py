"""Engines of molecular dynamics: one module each in this folder, found by its file name; the same systems in, the same
frames out.

An engine is a plain module with

    REFERENCES    list of str: the papers to cite
    TOGETHER      bool: whether it gains by moving many systems at once
    fault(backend, device) -> str       why it cannot run that adapter's potentials there and what to do, or "";
                                        imports nothing but the standard library
    Session(potential, device)          a loaded potential.json, with the methods

        evaluate(systems)               energy, forces, stress and wall contacts at the present positions
        advance(systems, drives, steps, interval, max_force)
                                        a generator that moves the systems by `steps`, each under its `Drive`, and
                                        yields whenever all have done `interval` more (or all that were left), with
                                        every field of `System` up to date

`advance` begins from positions, momenta, cell and random numbers alone, so that a run that goes on from a saved state
is, to the bit, the run that was never stopped. After each step it looks at the forces: a system with one above
`max_force` (eV/A), or one that is no number, is `stopped` and stays where it is while the others go on; so does one
that the caller stops. Velocity Verlet, in float64 whatever the network's precision; the thermostat is the global
stochastic velocity rescaling of G. Bussi, D. Donadio and M. Parrinello, J. Chem. Phys. 126, 014101 (2007), which unlike
a local Langevin friction leaves diffusion alone. The centre of mass rests, and its three degrees of freedom are not
counted: empty and counted, they would have the thermostat heat the others by 3N / (3N - 3).
"""

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from ase import Atoms

from thermoweave import adapters


@dataclass
class System:
    """One run as an engine sees it: moved in place.

    `atoms` has positions (A, never wrapped), momenta, masses and cell, and no calculator or constraint. What `evaluate`
    and `advance` fill in belongs to these positions: energy (eV), forces (eV/A, (n, 3)), stress (eV/A^3, ASE's sign and
    Voigt order, or None), wall contacts (pairs inside the wall). `thermostat_work` (eV) is what the thermostat has
    given the system since its beginning: total energy less that is conserved.
    """

    atoms: Atoms
    rng: np.random.Generator
    energy: float = np.nan
    forces: np.ndarray | None = None
    stress: np.ndarray | None = None
    wall_contacts: int = 0
    thermostat_work: float = 0.0
    steps: int = 0
    stopped: bool = False


@dataclass(frozen=True)
class Drive:
    """What a system is under for the steps of one `advance`: time step (fs), target temperature (K) at its beginning
    and its end, with a straight line between, and the thermostat's time constant (ps; None: NVE).
    """

    timestep_fs: float
    temperature: tuple[float, float]
    thermostat_ps: float | None


def available() -> list[str]:
    """Names of the engines; nothing is imported."""
    return adapters.names(Path(__file__).parent, {"__init__"})


def engine(name: str) -> ModuleType:
    """Import the engine `name`. Raises ValueError, with the nearest name, if there is none."""
    return adapters.load(__name__, name, available(), "engine")


def choose(name: str, backend: str, device: str) -> tuple[str, str]:
    """The engine that runs a backend's potentials on a device (cpu, cuda), and the reason, for the log.

    `name`: of an engine, or auto. Raises ValueError where the engine cannot do it.
    """
    if name != "auto":
        fault = engine(name).fault(backend, device)
        if fault:
            raise ValueError(fault)
        return name, "as the config says"
    for candidate, reason in PREFERENCE[device]:
        if not engine(candidate).fault(backend, device):
            return candidate, reason
    raise ValueError(f"no engine runs {backend} on {device}")


# Tried in this order by `auto`; docs/performance.md has the measurements.
PREFERENCE = {
    "cpu": [
        ("lammps", "DeePMD's own plugin takes half the time of its ASE calculator"),
        ("ase", "on a CPU a batched evaluation is no faster than one system after another"),
    ],
    "cuda": [
        ("torchsim", "one GPU is filled by many systems at once"),
        ("ase", "no batched model of this backend"),
    ],
}
