"""One condition of the grid: the replicas that passed, why the others did not, and the labels of its datasets."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from thermoweave.reduced import text, variable
from thermoweave.replica import Replica, open_passed

if TYPE_CHECKING:
    import xarray

log = logging.getLogger(__name__)


class Condition(NamedTuple):
    """
    Concentration and temperature as the user wrote them, and the runs that were made there.

    replicas: those that passed the simulate gate, with their numbers in `passed`; numbers: of all; reasons: why one did
    not pass, "" where it did; gap: why there is no replica at all, "" where there is one.
    """

    concentration: str
    temperature: str
    replicas: list[Replica]
    passed: list[int]
    numbers: list[int]
    reasons: list[str]
    gap: str

    def members(self, species: str) -> np.ndarray:
        """Indices of the atoms of an element, the same in each replica; empty without a replica."""
        return self.replicas[0].members(species) if self.replicas else np.empty(0, int)

    def missing(self, species: str) -> str:
        """Why a species has no result at all; "" where it has atoms."""
        return "" if len(self.members(species)) else self.gap or f"no {species} at this concentration"


def read(
    trajectories: Sequence[Path], verdicts: Sequence[Path], concentration: str, temperature: str, memory_MB: float
) -> Condition:
    """The condition of some trajectories, replica{n}.nc, with their verdicts; errors as in `replica.open_passed`."""
    replicas, reasons = open_passed(trajectories, verdicts, memory_MB)
    numbers = [int(re.search(r"(\d+)$", Path(path).stem)[1]) for path in trajectories]
    rejected = [f"replica {k}: {reason}" for k, reason in zip(numbers, reasons, strict=True) if reason]
    for line in rejected:
        log.warning("not read: %s", line)
    return Condition(
        concentration,
        temperature,
        replicas=[replica for replica in replicas if replica is not None],
        passed=[k for k, replica in zip(numbers, replicas, strict=True) if replica is not None],
        numbers=numbers,
        reasons=reasons,
        gap="; ".join(rejected) if len(rejected) == len(numbers) else "",
    )


def columns(found: list[NamedTuple]) -> dict[str, np.ndarray]:
    """A list of results as one array for each of their fields."""
    return {name: np.array([getattr(result, name) for result in found]) for name in found[0]._fields}


def label(dataset: "xarray.Dataset", condition: Condition) -> "xarray.Dataset":
    """A dataset with the coordinates that say which condition it is, as numbers and in the user's own words."""
    x, T = condition.concentration, condition.temperature
    return dataset.assign_coords(
        concentration=variable((), float(x), "1", "concentration (mole fraction)"),
        temperature=variable((), float(T), "K", "temperature"),
        concentration_label=text((), x, "concentration as written in the config"),
        temperature_label=text((), T, "temperature as written in the config"),
    )
