"""Melts of ions from nothing: random packing, relaxed and then run with a Born-Mayer-Huggins pair potential.

The pair potential is only a sampler: what it gets wrong is corrected by the labels. Repulsion as in F. G. Fumi and
M. P. Tosi, J. Phys. Chem. Solids 25, 31 (1964) without dispersion, with one softness for all pairs; electrostatics by
the damped shifted force of C. J. Fennell and J. D. Gezelter, J. Chem. Phys. 124, 234104 (2006), eq. 19.
"""

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixCom
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import thermalize_momenta
from ase.optimize import FIRE

BORN_EV = 0.211  # Fumi and Tosi's b = 0.338e-19 J
SOFTNESS_A = 0.33  # their rho: 0.342 (LiCl) and 0.337 (KCl), others 0.30-0.34
HELIUM_LIKE = 4  # Li+ and Be2+ have two outer electrons, the other simple ions eight
DAMPING = 0.25  # 1/A
CUTOFF_A = 8.0
TIMESTEP_FS = 2.0
FRICTION_PER_PS = 10.0


class BornMayer(Calculator):
    """Energy (eV) and forces (eV/A) of ions with formal charges and radii; no stress."""

    implemented_properties = ["energy", "forces"]

    def __init__(self, charges: dict[str, float], radii: dict[str, float]):
        super().__init__()
        from vesin import NeighborList

        self.charges, self.radii = charges, radii
        self.neighbours = NeighborList(cutoff=CUTOFF_A, full_list=False, n_threads=1)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        symbols = atoms.get_chemical_symbols()
        q = np.array([self.charges[s] for s in symbols], float)
        outer = np.where(atoms.numbers <= HELIUM_LIKE, 2, 8)  # electrons in the ion's outer shell
        radius = np.array([self.radii[s] for s in symbols])
        i, j, vectors, r = self.neighbours.compute(atoms.positions, atoms.cell.array, True, "ijDd")
        pauling = 1 + q[i] / outer[i] + q[j] / outer[j]
        repulsion = BORN_EV * pauling * np.exp((radius[i] + radius[j] - r) / SOFTNESS_A)
        coulomb, coulomb_slope = damped_shifted_force(r)
        qq = q[i] * q[j]
        slope = -repulsion / SOFTNESS_A + qq * coulomb_slope
        pair_force = (slope / r)[:, None] * vectors
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, i, pair_force)
        np.add.at(forces, j, -pair_force)
        self.results = {"energy": float(np.sum(repulsion + qq * coulomb)), "forces": forces}


def damped_shifted_force(r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Energy (eV) and derivative (eV/A) for unit charges at distances r < CUTOFF_A (A); both vanish at the cutoff."""
    from scipy.special import erfc

    ke = units.Hartree * units.Bohr
    gauss = 2 * DAMPING / np.sqrt(np.pi)

    def bare(d):
        return erfc(DAMPING * d) / d, -erfc(DAMPING * d) / d**2 - gauss * np.exp(-((DAMPING * d) ** 2)) / d

    v, dv = bare(r)
    v_cut, dv_cut = bare(CUTOFF_A)
    return ke * (v - v_cut - dv_cut * (r - CUTOFF_A)), ke * (dv - dv_cut)


def random_packing(counts: dict[str, int], volume: float, radii: dict[str, float], rng: np.random.Generator) -> Atoms:
    """Random sequential insertion into a cubic cell of `volume` (A^3), no pair nearer than a share of its radii's sum.

    The share starts at 0.9 and shrinks by 2 % after every 200 refusals, so the packing always ends.
    """
    length = volume ** (1 / 3)
    symbols = [s for s, n in counts.items() for _ in range(n)]
    rng.shuffle(symbols)
    positions = np.empty((0, 3))
    placed = np.empty(0)
    share, refused = 0.9, 0
    while len(positions) < len(symbols):
        trial = rng.random(3) * length
        radius = radii[symbols[len(positions)]]
        delta = positions - trial
        delta -= length * np.round(delta / length)
        if np.any(np.linalg.norm(delta, axis=1) < share * (placed + radius)):
            refused += 1
            share *= 0.98 if refused % 200 == 0 else 1.0
            continue
        positions = np.vstack([positions, trial])
        placed = np.append(placed, radius)
    order = np.argsort([list(counts).index(s) for s in symbols], kind="stable")
    return Atoms([symbols[k] for k in order], positions[order], cell=[length] * 3, pbc=True)


def generate(
    counts: dict[str, int], volume: float, temperature: float, rng: np.random.Generator, options: dict
) -> Atoms:
    """A periodic cubic melt of `counts` ions in `volume` (A^3), sampled at `temperature` (K).

    `options`: formal `charges` (e) and ionic `radii` (A) of the species, and `md_ps`, the length of the run.
    """
    atoms = random_packing(counts, volume, options["radii"], rng)
    atoms.calc = BornMayer(options["charges"], options["radii"])
    FIRE(atoms, logfile=None).run(fmax=1.0, steps=200)
    atoms.set_constraint(FixCom())
    thermalize_momenta(atoms, temperature_K=temperature, rng=rng)
    dynamics = Langevin(
        atoms,
        TIMESTEP_FS * units.fs,
        temperature_K=temperature,
        friction=FRICTION_PER_PS / (1000 * units.fs),
        fixcm=False,
        rng=rng,
    )
    dynamics.run(round(options["md_ps"] * 1000 / TIMESTEP_FS))
    atoms.calc = None
    atoms.set_constraint()
    atoms.wrap()
    return atoms
