"""Attempts of jobs, from the files that `logs` keeps beside their logs: when each began, lived last, and ended."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from thermoweave.logs import BEGINS, ENDS, FAILED

LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) [A-Z]+ +(\S+): (.*)")


@dataclass
class Attempt:
    """One run of a job."""

    begin: float  # unix time, s
    last: float  # of its last line, s: where it was killed, a lower bound of its end
    done: bool = False  # it came to its end by itself, and without an exception
    said: list[str] = field(default_factory=list)  # its messages

    @property
    def wall_s(self) -> float:
        return self.last - self.begin


def read(path: Path) -> list[Attempt]:
    """All attempts of a job, the first one first; none where there is no such file."""
    found: list[Attempt] = []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
        told = LINE.match(line)
        if told is None:  # of a traceback, or cut off
            continue
        stamp, milliseconds, name, message = told.groups()
        moment = datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp() + int(milliseconds) / 1000
        if not found or (name, message) == ("attempt", BEGINS):
            found.append(Attempt(moment, moment))
        attempt = found[-1]
        attempt.last = max(moment, attempt.last)
        attempt.said.append(message)
        if (name, message) == ("attempt", ENDS):
            attempt.done = FAILED not in attempt.said
    return found


def behind(attempts: list[Attempt]) -> Attempt | None:
    """The attempt whose results are there: the last one that came to its end."""
    return next((one for one in reversed(attempts) if one.done), None)
