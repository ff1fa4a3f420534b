"""The shipped K potential, with the real ld1.x and pw.x."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from thermoweave.labellers import Machine, pwscf

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "resources" / "pseudopotentials"
SETTINGS = {
    "functional": "LDA",
    "ecutwfc": 25,
    "conv_thr": 1e-6,
    "mixing_beta": 0.7,
    "electron_maxstep": 100,
    "occupations": "fixed",
    "kpoints": [1, 1, 1],
}


def section(path: Path, name: str) -> np.ndarray:
    text = path.read_text()
    start = text.index(">", text.index(f"<{name}")) + 1
    return np.array(text[start : text.index(f"</{name}", start)].split(), float)


def test_its_recipe_makes_it_again(tmp_path):
    shutil.copy(FOLDER / "K.ld1.in", tmp_path)
    command = [sys.executable, "-m", "qepy", "--ld1.x", "-in", "K.ld1.in"]
    subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    for name in ("PP_LOCAL", "PP_BETA.1", "PP_BETA.2", "PP_DIJ"):
        np.testing.assert_allclose(section(tmp_path / "K.upf", name), section(FOLDER / "K.upf", name), atol=1e-6)


@pytest.mark.parametrize(("distance", "low", "high"), [(2.4, 1.0, 5.0), (2.7, -0.4, 0.4), (3.0, -1.2, -0.4)])
def test_potassium_keeps_chlorine_at_its_distance(tmp_path, distance, low, high):
    """Measured bond length 2.667 A. A K without its 3s and 3p electrons (GTH q1) pulls Cl in at all of them."""
    atoms = Atoms("KCl", [[0.1, 0, 0], [0.1 + distance, 0, 0]], cell=[8] * 3, pbc=True)
    machine = Machine(pw_command=f"{sys.executable} {ROOT}/tools/pw_wheel.py", pseudo_dir=FOLDER)
    calculation = pwscf.calculate(atoms, SETTINGS, machine, tmp_path, needs_stress=False)
    assert calculation.fault is None
    assert low < calculation.forces[1, 0] < high
