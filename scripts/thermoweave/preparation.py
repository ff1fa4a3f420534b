"""Before a run: relax its worst contacts, give it velocities."""

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixCom
from ase.md.velocitydistribution import thermalize_momenta
from ase.optimize import FIRE

from thermoweave.engines import System


class Evaluated(Calculator):
    """An engine's session as an ASE calculator of one system, for ASE's optimisers."""

    implemented_properties = ("energy", "forces")

    def __init__(self, session, system: System):
        super().__init__()
        self.session, self.system = session, system

    def calculate(self, atoms=None, properties=("energy",), system_changes=tuple(all_changes)):
        super().calculate(atoms, properties, system_changes)
        self.system.atoms.positions[:] = atoms.positions
        self.session.evaluate([self.system])
        self.results = {"energy": self.system.energy, "forces": self.system.forces}


def relax(session, system: System, fmax: float = 2.0, steps: int = 50) -> None:
    """Move the atoms of a system, in place, until no force is above `fmax` (eV/A), or for so many steps of FIRE."""
    copy = Atoms(system.atoms.numbers, system.atoms.positions, cell=system.atoms.cell, pbc=True)
    copy.calc = Evaluated(session, system)
    FIRE(copy, logfile=None).run(fmax=fmax, steps=steps)
    system.atoms.positions[:] = copy.positions


def thermalise(system: System, kelvin: float) -> None:
    """Draw momenta from the Maxwell-Boltzmann distribution; the centre of mass rests."""
    system.atoms.set_constraint(FixCom())
    thermalize_momenta(system.atoms, temperature_K=kelvin, rng=system.rng)
    system.atoms.set_constraint()
