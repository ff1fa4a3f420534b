"""
The Lennard-Jones liquid at its triple point, simulated by LAMMPS, written to disk, reduced, against published values.

T* = 0.722, rho* = 0.8442, cut off at 2.5. Shear viscosity 3.277 +- 0.098: Meier, Laesecke, Kabelac, J. Chem. Phys.
2004, 121, 3671; 3.268 +- 0.055: Viscardi, Servantie, Gaspard, J. Chem. Phys. 2007, 126, 184512. Self-diffusion 0.0325
with 1372 atoms: Meier, Laesecke, Kabelac, J. Chem. Phys. 2004, 121, 9526, as the examples of RUMD quote it, without an
error, here corrected to an infinite cell as ours is (Yeh and Hummer 2004). The simulation itself is checked at
T* = 0.85, rho* = 0.776, cut off at 3 with the tail: U/N = -5.5121(4), NIST Standard Reference Simulation Website.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import ours
from ase import Atoms, units
from scoring import Answer
from thermoweave.engines import lammps_library

T, RHO = 0.722, 0.8442
N_CELLS, N_FRAMES, N_REPLICAS = 5, 5000, 3  # N = 4 N_CELLS^3
TIMESTEP = 0.002  # with 0.004 U/N comes out 0.005 too high, more than its bar
FRAME, WARM_UP = 0.02, 40.0  # time between frames, before the first
SIGMA, EPSILON, MASS = 3.405, 119.8 * units.kB, 39.948  # of argon: A, eV, amu
TIME = SIGMA * np.sqrt(MASS * ours.AMU_A2_PS2 / EPSILON)  # ps
FLOOR = 1.0  # ps
VISCOSITY = {"Meier 2004": (3.277, 0.098), "Viscardi 2007": (3.268, 0.055)}
DIFFUSION, D_ATOMS = 0.0325, 1372
ENERGY, ENERGY_STD, ENERGY_T, ENERGY_RHO = -5.5121, 0.0004, 0.85, 0.776
XI = 2.837297

INPUT = """
units lj
atom_style atomic
lattice fcc {rho}
region box block 0 {n} 0 {n} 0 {n}
create_box 1 box
create_atoms 1 box
mass 1 1.0
pair_style lj/cut {cutoff}
pair_coeff 1 1 1.0 1.0
pair_modify tail {tail}
neigh_modify delay 0 every 5 check yes
velocity all create {T} {seed} mom yes rot no
timestep {timestep}
fix move all nve
fix bath all temp/csvr {T} {T} 1.0 {seed}
compute virial all pressure NULL virial
thermo_style custom step temp pe c_virial[1]
thermo 1000000
run {warm_up}
"""


def trial(seed: int) -> list[Answer]:
    """Viscosity and D of some runs, energy of one."""
    with TemporaryDirectory() as folder:
        runs = [simulate(seed * 100 + k) for k in range(1, N_REPLICAS + 1)]
        n_atoms, length = runs[0][0].shape[1], (4 * N_CELLS**3 / RHO) ** (1 / 3)
        atoms = Atoms(f"Ar{n_atoms}", cell=[length * SIGMA] * 3, pbc=True)
        atoms.set_masses([MASS] * n_atoms)
        found = ours.transport_of(
            Path(folder), atoms, [x * SIGMA for x, _, _ in runs], FRAME * TIME, {"Ar": 0.0},
            T * EPSILON / units.kB, FLOOR, [(v * SIGMA / TIME, stress * EPSILON / SIGMA**3) for _, v, stress in runs],
        )  # fmt: skip
    pascal_s = EPSILON * units._e * TIME * 1e-12 / (SIGMA * 1e-10) ** 3
    eta, eta_std = float(found["viscosity_estimate"]) / pascal_s, float(found["viscosity_estimate_std"]) / pascal_s
    name = "Lennard-Jones, triple point"
    answers = [
        Answer(name, f"viscosity* ({source})", ours.NAME, eta, float(np.hypot(eta_std, error)), value)
        for source, (value, error) in VISCOSITY.items()
    ]
    unit = SIGMA**2 / TIME * 1e-8  # m^2/s
    D, D_std = float(found["D_corrected"].values[0]) / unit, float(found["D_corrected_std"].values[0]) / unit
    images = XI * T / (6 * np.pi * VISCOSITY["Meier 2004"][0] * (D_ATOMS / RHO) ** (1 / 3))
    answers.append(Answer(name, "D* of an infinite cell (Meier 2004)", ours.NAME, D, D_std, DIFFUSION + images))
    U, U_std = ours.mean([energies(seed * 100)])
    bar = float(np.hypot(U_std, ENERGY_STD))
    return [*answers, Answer("Lennard-Jones, T* = 0.85, rho* = 0.776", "U*/N (NIST)", ours.NAME, U, bar, ENERGY)]


def start(T: float, rho: float, cutoff: float, tail: str, seed: int):
    """LAMMPS, warmed up."""
    lammps_library._preload()  # MPI
    from lammps import lammps

    engine = lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    settings = dict(rho=rho, n=N_CELLS, cutoff=cutoff, tail=tail, T=T, seed=seed + 1)
    engine.commands_string(INPUT.format(**settings, timestep=TIMESTEP, warm_up=round(WARM_UP / TIMESTEP)))
    return engine


def simulate(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unwrapped positions and velocities (frame, atom, 3), and the potential part of the stress (frame, 6), reduced."""
    engine = start(T, RHO, 2.5, "no", seed)
    n = engine.get_natoms()
    length = np.subtract(*engine.extract_box()[1::-1])
    x, v, stress = np.empty((N_FRAMES, n, 3)), np.empty((N_FRAMES, n, 3)), np.empty((N_FRAMES, 6))
    for k in range(N_FRAMES):
        engine.command(f"run {round(FRAME / TIMESTEP)} pre {'no' if k else 'yes'} post no")
        images = np.array(engine.gather_atoms("image", 0, 3)).reshape(n, 3)
        x[k] = np.array(engine.gather_atoms("x", 1, 3)).reshape(n, 3) + images * length
        v[k] = np.array(engine.gather_atoms("v", 1, 3)).reshape(n, 3)
        virial = engine.numpy.extract_compute("virial", 0, 1)  # xx yy zz xy xz yz
        stress[k] = -np.array(virial)[[0, 1, 2, 5, 4, 3]]
    engine.close()
    return x, v, stress


def energies(seed: int) -> np.ndarray:
    """Potential energy per atom of each frame of one run."""
    engine = start(ENERGY_T, ENERGY_RHO, 3.0, "yes", seed)
    found = np.empty(N_FRAMES)
    for k in range(N_FRAMES):
        engine.command(f"run {round(FRAME / TIMESTEP)} pre {'no' if k else 'yes'} post no")
        found[k] = engine.get_thermo("pe")
    engine.close()
    return found
