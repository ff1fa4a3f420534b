"""The scripts and the shared package are imported as Snakemake does it: from the folder scripts/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
