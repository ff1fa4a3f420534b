"""Trajectories in the AMBER NetCDF convention (version 1.0), written as the run goes.

NetCDF-3 with 64-bit offsets, so that MDAnalysis, VMD, OVITO, cpptraj and `xarray.open_dataset` read it unmodified.
Differences from what AMBER itself writes, all allowed for by readers: coordinates are float64 and unwrapped, and the
variables `potential_energy`, `conserved_energy`, `temperature`, `stress`, `pressure`, `wall_contacts`, `masses` and
`atomic_numbers` come along.
"""

import math
from pathlib import Path

import numpy as np
from ase import Atoms, units

from thermoweave.barostat import internal_pressure
from thermoweave.engines import System
from thermoweave.health import temperature

PS = 1000 * units.fs
# name, type, dimensions, attributes
VARIABLES = [
    ("time", "f8", ("frame",), {"units": "picosecond"}),
    ("coordinates", "f8", ("frame", "atom", "spatial"), {"units": "angstrom"}),
    ("velocities", "f4", ("frame", "atom", "spatial"), {"units": "angstrom/picosecond"}),
    ("cell_lengths", "f8", ("frame", "cell_spatial"), {"units": "angstrom"}),
    ("cell_angles", "f8", ("frame", "cell_angular"), {"units": "degree"}),
    ("potential_energy", "f8", ("frame",), {"units": "eV"}),
    ("temperature", "f8", ("frame",), {"units": "K", "long_name": "of the kinetic energy, 3 N - 3 degrees of freedom"}),
    ("conserved_energy", "f8", ("frame",), {"units": "eV", "long_name": "total energy less what the thermostat gave"}),
    (
        "stress",
        "f4",
        ("frame", "voigt"),
        {"units": "eV/angstrom3", "long_name": "xx yy zz yz xz xy, no kinetic part"},
    ),
    ("pressure", "f8", ("frame",), {"units": "GPa", "long_name": "internal pressure, kinetic part included"}),
    ("wall_contacts", "i4", ("frame",), {"units": "1", "long_name": "ion pairs inside the wall where the labels end"}),
]
NUMRECS_OFFSET = 4  # in the header of a NetCDF-3 file: the number of records, 4 bytes, big-endian


def create(path: Path, atoms: Atoms, attributes: dict[str, str | int | float]) -> None:
    """A trajectory without frames for the given atoms. `attributes` say what run it is."""
    from netCDF4 import Dataset

    with Dataset(path, "w", format="NETCDF3_64BIT_OFFSET") as file:
        convention = {
            "Conventions": "AMBER",
            "ConventionVersion": "1.0",
            "program": "Thermoweave",
            "programVersion": "0.1",
        }
        file.setncatts({**convention, **attributes})
        sizes = {
            "frame": None,
            "atom": len(atoms),
            "spatial": 3,
            "cell_spatial": 3,
            "cell_angular": 3,
            "label": 5,
            "voigt": 6,
        }
        for name, size in sizes.items():
            file.createDimension(name, size)
        file.createVariable("spatial", "S1", ("spatial",))[:] = np.array(list("xyz"), "S1")
        file.createVariable("cell_spatial", "S1", ("cell_spatial",))[:] = np.array(list("abc"), "S1")
        angles = np.array([list("alpha"), list("beta "), list("gamma")], "S1")
        file.createVariable("cell_angular", "S1", ("cell_angular", "label"))[:] = angles
        file.createVariable("atomic_numbers", "i4", ("atom",))[:] = atoms.numbers
        file.createVariable("masses", "f8", ("atom",)).setncattr("units", "amu")
        file["masses"][:] = atoms.get_masses()
        for name, kind, dimensions, units in VARIABLES:
            file.createVariable(name, kind, dimensions).setncatts(units)


def frame(system: System, time_ps: float, kelvin: float) -> dict[str, float | np.ndarray]:
    """The present values of a system at a temperature, for all `VARIABLES`; positions as they are: never wrap them."""
    atoms = system.atoms
    lengths_angles = atoms.cell.cellpar()
    kinetic = atoms.get_kinetic_energy()
    stress, pressure = np.full(6, np.nan), np.nan
    if system.stress is not None:
        stress, pressure = np.array(system.stress), internal_pressure(system, kelvin) / units.GPa
    return {
        "time": time_ps,
        "coordinates": atoms.positions.copy(),
        "velocities": (atoms.get_velocities() * PS).astype("f4"),
        "cell_lengths": lengths_angles[:3],
        "cell_angles": lengths_angles[3:],
        "potential_energy": system.energy,
        "temperature": temperature(system),
        "conserved_energy": system.energy + kinetic - system.thermostat_work,
        "stress": stress,
        "pressure": pressure,
        "wall_contacts": system.wall_contacts,
    }


def append(file, frames: list[dict]) -> None:
    """Append frames (of `frame`) to an open netCDF4.Dataset, in one go: one by one costs a third of a millisecond."""
    if not frames:
        return
    first = len(file.dimensions["frame"])
    for name, *_ in VARIABLES:
        file[name][first : first + len(frames)] = np.array([values[name] for values in frames])


def frame_bytes(n_atoms: int) -> int:
    """Bytes of one frame on the disk."""
    sizes = {"frame": 1, "atom": n_atoms, "spatial": 3, "cell_spatial": 3, "cell_angular": 3, "voigt": 6}
    return sum(int(kind[1]) * math.prod(sizes[name] for name in dimensions) for _, kind, dimensions, _ in VARIABLES)


def cut(path: Path, n_frames: int, n_bytes: int) -> None:
    """Keep the first `n_frames` frames, so that what was written after the last saved state is never read.

    `n_bytes`: the size of the file when that state was saved. Raises ValueError if the file is not NetCDF-3, holds
    fewer frames than that or is shorter.
    """
    with open(path, "r+b") as file:
        header = file.read(NUMRECS_OFFSET + 4)
        if header[:3] != b"CDF" or header[3] not in (1, 2) or len(header) < 8:
            raise ValueError(f"{path}: not a NetCDF-3 file")
        found = int.from_bytes(header[NUMRECS_OFFSET:], "big")
        size = path.stat().st_size
        if found < n_frames or size < n_bytes:
            raise ValueError(
                f"{path}: holds {found} frames in {size} bytes, its saved state says {n_frames} in {n_bytes}; "
                "it was cut short or replaced"
            )
        file.seek(NUMRECS_OFFSET)
        file.write(n_frames.to_bytes(4, "big"))
