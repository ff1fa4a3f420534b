"""The config of the quickstart, and the same with one key changed."""

from copy import deepcopy
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PSEUDOPOTENTIALS = ROOT / "resources" / "pseudopotentials"
TBLITE = {
    "method": "GFN1-xTB",
    "accuracy": 1.0,
    "electronic_temperature": 300,
    "mixer_damping": 0.4,
    "max_iterations": 250,
}
GOOD = yaml.safe_load((ROOT / "config/config.yaml").read_text())


def changed(keys, value):
    """GOOD with the value at a path of keys changed, or without that key where the value is None."""
    config = deepcopy(GOOD)
    section = config
    for key in keys[:-1]:
        section = section[key]
    if value is None:
        del section[keys[-1]]
    else:
        section[keys[-1]] = value
    return config
