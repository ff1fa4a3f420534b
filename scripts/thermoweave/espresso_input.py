"""Quantum ESPRESSO's pw.x: write the input of one SCF."""

import io

from ase import Atoms
from ase.io.espresso import write_espresso_in

ELECTRONS = {
    "conv_thr", "electron_maxstep", "mixing_beta", "mixing_mode", "mixing_ndim", "diagonalization", "diago_david_ndim",
    "diago_thr_init", "diago_full_acc", "startingpot", "startingwfc",
}  # fmt: skip
SYSTEM = {"ecutwfc", "occupations", "smearing", "degauss", "nbnd"}


def input_text(
    atoms: Atoms,
    settings: dict,
    pseudopotentials: dict[str, str],
    pseudo_dir: str,
    max_seconds: float,
    needs_stress: bool,
) -> str:
    """An SCF input with forces. `settings` is the config's section label.pwscf with a rung's changes,
    `pseudopotentials` the file of each species, `max_seconds` (s) the time after which pw.x stops itself.
    """
    data = {
        "control": {
            "calculation": "scf",
            "tprnfor": True,
            "tstress": needs_stress,
            "disk_io": "nowf",
            "outdir": "out",
            "pseudo_dir": pseudo_dir,
        },
        "system": {"nosym": True, **settings.get("system", {})},
        "electrons": {},
    }
    if max_seconds < float("inf"):
        data["control"]["max_seconds"] = round(max_seconds, 1)
    for section, keys in (("system", SYSTEM), ("electrons", ELECTRONS)):
        data[section].update({key: value for key, value in settings.items() if key in keys})
    kpoints = settings["kpoints"]
    text = io.StringIO()
    write_espresso_in(
        text, atoms, input_data=data, pseudopotentials=pseudopotentials, kpts=None if kpoints == [1, 1, 1] else kpoints
    )
    return text.getvalue()
