"""Trajectories in the AMBER NetCDF convention (version 1.0), written as the run goes.

NetCDF-3 with 64-bit offsets, so that MDAnalysis, VMD, OVITO, cpptraj and `xarray.open_dataset` read it unmodified.
Differences from what AMBER itself writes, all allowed for by readers: coordinates are float64 and unwrapped, and the
variables `potential_energy`, `temperature`, `wall_contacts` and `atomic_numbers` come along.
"""

from pathlib import Path

import numpy as np
from ase import Atoms

# name, type, dimensions, attributes
VARIABLES = [
    ("time", "f8", ("frame",), {"units": "picosecond"}),
    ("coordinates", "f8", ("frame", "atom", "spatial"), {"units": "angstrom"}),
    ("velocities", "f4", ("frame", "atom", "spatial"), {"units": "angstrom/picosecond"}),
    ("cell_lengths", "f8", ("frame", "cell_spatial"), {"units": "angstrom"}),
    ("cell_angles", "f8", ("frame", "cell_angular"), {"units": "degree"}),
    ("potential_energy", "f8", ("frame",), {"units": "eV"}),
    ("temperature", "f8", ("frame",), {"units": "K"}),
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
        sizes = {"frame": None, "atom": len(atoms), "spatial": 3, "cell_spatial": 3, "cell_angular": 3, "label": 5}
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


def append(file, time_ps: float, atoms: Atoms, wall_contacts: int) -> None:
    """Append one frame to an open netCDF4.Dataset; positions are taken as they are, so never wrap them."""
    from ase import units

    k = len(file.dimensions["frame"])
    file["time"][k] = time_ps
    file["coordinates"][k] = atoms.positions
    file["velocities"][k] = atoms.get_velocities() * (1000 * units.fs)
    lengths_angles = atoms.cell.cellpar()
    file["cell_lengths"][k] = lengths_angles[:3]
    file["cell_angles"][k] = lengths_angles[3:]
    file["potential_energy"][k] = atoms.get_potential_energy()
    file["temperature"][k] = atoms.get_temperature()
    file["wall_contacts"][k] = wall_contacts


def cut(path: Path, n_frames: int) -> None:
    """Keep the first `n_frames` frames, so that what was written after the last saved state is never read.

    Raises ValueError if the file is not NetCDF-3 or holds fewer frames than that.
    """
    with open(path, "r+b") as file:
        header = file.read(NUMRECS_OFFSET + 4)
        if header[:3] != b"CDF" or header[3] not in (1, 2) or len(header) < 8:
            raise ValueError(f"{path}: not a NetCDF-3 file; delete it and the run starts afresh")
        found = int.from_bytes(header[NUMRECS_OFFSET:], "big")
        if found < n_frames:
            raise ValueError(
                f"{path}: holds {found} frames, its saved state says {n_frames}; delete both to start afresh"
            )
        file.seek(NUMRECS_OFFSET)
        file.write(n_frames.to_bytes(4, "big"))
