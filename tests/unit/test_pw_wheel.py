"""pw.x from the wheel, through tools/pw_wheel.py, in the environment pwscf."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INPUT = """
&control
    pseudo_dir = '{pseudo_dir}'
    outdir = 'out'
/
&system
    ibrav = 1, celldm(1) = 8, nat = 2, ntyp = 2, ecutwfc = 12, occupations = 'fixed'
/
&electrons
/
ATOMIC_SPECIES
Li 6.94 Li.gth
Cl 35.45 Cl.gth
ATOMIC_POSITIONS crystal
Li 0.0 0.0 0.0
Cl 0.5 0.0 0.0
K_POINTS gamma
"""


def test_a_pair_of_ions(tmp_path):
    (tmp_path / "pw.in").write_text(INPUT.format(pseudo_dir=ROOT / "resources" / "pseudopotentials"))
    command = [sys.executable, ROOT / "tools" / "pw_wheel.py", "-in", "pw.in"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Program PWSCF v.7.2 starts" in done.stdout
    assert "number of electrons       =         8.00" in done.stdout
    assert "!    total energy" in done.stdout
    assert "JOB DONE" in done.stdout
