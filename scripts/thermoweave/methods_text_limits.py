"""Methods text: what was not done or is not known, and the programs behind the tables and figures."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from thermoweave import reduced
from thermoweave.citations import PROGRAMS
from thermoweave.methods_text import cite, listed

LIBRARIES = {"numpy": "NumPy", "scipy": "SciPy", "xarray": "xarray", "matplotlib": "Matplotlib", "ase": "ASE"}


def limits(
    config: Mapping, n_rounds: int, converged: bool, verdicts: Sequence[Sequence[Path]], transport: Sequence[Path],
    spot_checks: Sequence[Path],
) -> list[str]:  # fmt: skip
    """What a referee would ask for and nobody did. Verdicts and transport.nc of each backend."""
    runs = [[json.loads(Path(path).read_text()) for path in paths] for paths in verdicts]
    data = [reduced.load(path) for path in transport]
    missing = {
        "No structures were chosen by active learning.": n_rounds < 2,
        "Labels were not compared with labels of higher settings.": not converged,
        "Labels have no stress: pressures of the potentials are untested.": not config["label"]["stress"],
        "No frame of a production run was labelled as a check.": not spot_checks,
        "Each condition was simulated once: how far independent runs differ is not known.": all(
            len({run["replica"] for run in of_backend}) == 1 for of_backend in runs
        ),
        "All runs of a condition had the same potential: how far potentials of other seeds differ is not known.": all(
            min(len({run["replica"] for run in of_backend}), len(config["train"]["seeds"])) == 1 for of_backend in runs
        ),
        "*D* was nowhere corrected for the size of the cell.": not any(
            np.isfinite(each["D_corrected"]).any() for each in data
        ),
        "Cells of other sizes were not simulated.": True,  # a campaign has one size
    }
    return [sentence for sentence, true in missing.items() if true]


def pins(environment: Path) -> dict[str, str]:
    """Packages and versions that a file of envs/ fixes."""
    return dict(re.findall(r"^ +- ([\w.-]+)(?:\[[\w,]+\])?==(\S+)$", Path(environment).read_text(), re.M))


def software(pins: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Programs of the analysis, and where versions come from. `pins`: packages by environment."""
    analysis = pins["analysis"]
    told = [f"{title} {analysis[name]}{cite(*PROGRAMS[name])}" for name, title in LIBRARIES.items() if name in analysis]
    return [
        f"The analysis used {listed(told)}.",
        "Versions of the programs that made labels and potentials are those in their records; all others are those "
        "that the environment files of the workflow fix.",
    ]
