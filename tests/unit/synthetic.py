"""Trajectories with known answers: Langevin particles in a periodic box, in the workflow's own file format."""

import json
from pathlib import Path

import numpy as np
from ase import Atoms, units
from thermoweave import trajectory

AMU_A2_PS2 = units._amu * 1e4 / units._e  # 1 amu (A/ps)^2 in eV


def langevin(
    rng: np.random.Generator, n_frames: int, n_atoms: int, D: float, friction_time: float, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """
    Positions (A) and velocities (A/ps) of free Langevin particles, exact at any step: each (frame, atom, 3).

    D in A^2/ps, times in ps. Joint Gaussian update of Chandrasekhar, Rev. Mod. Phys. 1943, 15, 1.
    """
    decay = np.exp(-step / friction_time)
    vv = D / friction_time * (1 - decay**2)
    xv = D * (1 - decay) ** 2
    xx = 2 * D * step - D * friction_time * (3 - 4 * decay + decay**2)
    root = np.linalg.cholesky([[xx, xv], [xv, vv]])
    kick = np.einsum("ij,jfad->ifad", root, rng.normal(size=(2, n_frames, n_atoms, 3)))
    x, v = np.zeros((n_frames, n_atoms, 3)), np.empty((n_frames, n_atoms, 3))
    v[0] = rng.normal(size=(n_atoms, 3)) * np.sqrt(D / friction_time)
    for k in range(1, n_frames):
        x[k] = x[k - 1] + friction_time * (1 - decay) * v[k - 1] + kick[0, k]
        v[k] = decay * v[k - 1] + kick[1, k]
    return x, v


def write_trajectory(
    path: Path, atoms: Atoms, time: np.ndarray, x: np.ndarray, v: np.ndarray, **attributes: str
) -> None:
    """A trajectory file of the workflow from arrays; temperatures from the velocities."""
    from netCDF4 import Dataset

    trajectory.create(path, atoms, attributes)
    kinetic = 0.5 * np.einsum("a,fad->f", atoms.get_masses(), v**2) * AMU_A2_PS2
    with Dataset(path, "a") as file:
        file["time"][:] = time
        file["coordinates"][:] = x
        file["velocities"][:] = v
        file["cell_lengths"][:] = np.tile(atoms.cell.lengths(), (len(time), 1))
        file["cell_angles"][:] = np.tile(atoms.cell.angles(), (len(time), 1))
        for name in ("potential_energy", "conserved_energy", "pressure", "stress"):
            file[name][:] = np.zeros(file[name].shape)
        file["temperature"][:] = kinetic / (1.5 * len(atoms) * units.kB)
        file["wall_contacts"][:] = np.zeros(len(time), int)


def diffusivity(species: str, temperature: float) -> float:
    """The known D in A^2/ps: Arrhenius with D0 = 15, 10, 6 A^2/ps and Ea = 0.30, 0.28, 0.26 eV."""
    D0, Ea = {"Li": (15.0, 0.30), "K": (10.0, 0.28), "Cl": (6.0, 0.26)}[species]
    return D0 * np.exp(-Ea / (units.kB * temperature))


def write_condition(
    folder: Path, concentration: str, temperature: str, n_replicas: int, n_frames: int, failed: tuple[int, ...] = ()
) -> tuple[list[Path], list[Path]]:
    """
    Trajectories and verdicts of one condition of a melt of 32 (Li, K)Cl; a failed replica's trajectory is not NetCDF.

    Each species has the D of `diffusivity`, and the kinetic temperature, with a friction time that follows from both.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n_K = round(32 * float(concentration))
    atoms = Atoms(f"Li{32 - n_K}K{n_K}Cl32", cell=[12.0, 12.0, 12.0], pbc=True)
    rng = np.random.default_rng([round(1000 * float(concentration)), round(float(temperature))])
    paths, verdicts, step = [], [], 0.01
    for replica in range(n_replicas):
        x, v = np.empty((2, n_frames, 64, 3))
        for species in ("Li", "K", "Cl"):
            chosen = np.flatnonzero(atoms.symbols == species)
            D = diffusivity(species, float(temperature))
            mass = {"Li": 6.94, "K": 39.0983, "Cl": 35.45}[species]
            friction_time = D * mass * AMU_A2_PS2 / (units.kB * float(temperature))
            x[:, chosen], v[:, chosen] = langevin(rng, n_frames, len(chosen), D, friction_time, step)
        x += rng.uniform(0, 12, size=(64, 3))
        path, verdict = folder / f"replica{replica}.nc", folder / f"replica{replica}.json"
        time = step * np.arange(1, n_frames + 1)
        write_trajectory(path, atoms, time, x, v, concentration=concentration, temperature=temperature)
        if replica in failed:
            path.write_text("never read")
        judged = {"passed": replica not in failed, "reason": "Li-Cl at 0.40 A" if replica in failed else ""}
        verdict.write_text(json.dumps(judged))
        paths.append(path)
        verdicts.append(verdict)
    return paths, verdicts
