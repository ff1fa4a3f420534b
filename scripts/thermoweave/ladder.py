"""The recovery ladder of config/ladder.toml: what is tried next after a failed attempt.

Each row is a rung: {rung = "its name", after = [outcomes it is tried after], setting = value, ...}. A number or word
replaces the setting, "x0.6" multiplies it. Every rung starts from the config's settings, not from the rung before.
"""

import difflib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from thermoweave import gate

OUTCOMES = gate.STRUCTURE_FAULTS.keys() | gate.MACHINE_FAULTS.keys()


@dataclass
class Rung:
    """One row of the table. `after` is None for the first, which every structure begins with."""

    name: str
    after: set[str] | None = None
    changes: dict = field(default_factory=dict)
    changes_physics: bool = False

    def applied(self, settings: dict, chosen: dict) -> dict:
        """The settings with this rung's changes; `chosen` holds what the program chose for settings not given."""
        base = {**chosen, **settings}
        changed = {key: _changed(base.get(key), value) for key, value in self.changes.items()}
        return {**settings, **{key: value for key, value in changed.items() if value is not None}}

    def needs_chosen(self, settings: dict) -> bool:
        """Whether it multiplies a setting that is not given: only an attempt tells what the program chose for it."""
        return any(_factor(value) is not None and key not in settings for key, value in self.changes.items())

    def physics(self, settings: dict, numerics: set[str]) -> dict:
        """The changed settings that a label made on this rung depends on, with their values."""
        return {k: v for k, v in self.applied(settings, {}).items() if k in self.changes and k not in numerics}


def read(path: Path, labeller: str, numerics: set[str], allowed: list[str]) -> list[Rung]:
    """The rungs of a labeller in order; those that change the physics only where `allowed` names them."""
    rungs = []
    for row in tomllib.loads(path.read_text())[labeller]:
        changes = {key: value for key, value in row.items() if key not in ("rung", "after")}
        after = set(row["after"]) if "after" in row else None
        rung = Rung(row["rung"], after, changes, changes_physics=not changes.keys() <= numerics)
        if not rung.changes_physics or rung.name in allowed:
            rungs.append(rung)
    return rungs


def following(rungs: list[Rung], last: str, outcome: str, settings: dict, chosen: dict | None) -> Rung | None:
    """The next rung to try after rung `last` (its name) ended with `outcome`; None at the ladder's end.

    A rung whose changes change nothing (npool: x0.5 of 1) is passed over, if what the program chose is known.
    """
    names = [rung.name for rung in rungs]
    base = {**(chosen or {}), **settings}
    for rung in rungs[names.index(last) + 1 :]:
        idle = rung.changes and chosen is not None and rung.applied(base, {}) == base
        if outcome in rung.after and not idle:
            return rung
    return None


def faults(path: Path, labeller: str, settings_keys: set[str], allowed: list[str], numerics: set[str]) -> list[str]:
    """Sentences for every row of the table that cannot be used."""
    try:
        rows = tomllib.loads(path.read_text()).get(labeller)
    except (OSError, tomllib.TOMLDecodeError) as error:
        return [f"{path}: not readable ({error})"]
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) and "rung" in row for row in rows):
        return [f"{path}: {labeller}: expected a list of rows, each with rung: NAME"]
    found = []
    names = [row["rung"] for row in rows]
    found += [
        f"{path}: {labeller}: two rungs are called {name}" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if rows[0].keys() != {"rung"}:
        found.append(
            f"{path}: {labeller}: {names[0]}: the first rung takes the settings as they are; leave only its name"
        )
    for row in rows[1:]:
        where = f"{path}: {labeller}: {row['rung']}"
        after = row.get("after")
        if not isinstance(after, list) or not after:
            found.append(f"{where}: after: name the outcomes that it is tried after")
        for outcome in after if isinstance(after, list) else []:
            if outcome not in OUTCOMES:
                found.append(f"{where}: after: unknown outcome {outcome}{_near(str(outcome), OUTCOMES)}")
        for key in row.keys() - {"rung", "after"} - settings_keys:
            found.append(f"{where}: unknown setting {key}{_near(key, settings_keys)}")
        for key, value in row.items():
            if isinstance(value, str) and re.match(r"x[\d.]", value) and _factor(value) is None:
                found.append(f'{where}: {key}: {value!r} is no factor; write it like "x0.6"')
    physics = [row["rung"] for row in rows if not row.keys() - {"rung", "after"} <= numerics]
    for name in allowed:
        if name not in physics:
            found.append(
                f"label.allowed_rungs: {name}: no rung of {labeller} in {path.name} that changes the physics has that "
                f"name (there are {', '.join(physics) or 'none'})"
            )
    return found


def _changed(old, change):
    """`change` itself, or `old` times the number behind its x; whole numbers stay whole and positive."""
    factor = _factor(change)
    if factor is None:
        return change
    if old is None:
        return None
    new = old * factor
    return max(1, round(new)) if isinstance(old, int) else new


def _factor(change) -> float | None:
    """0.6 of "x0.6"; None of all else."""
    found = re.fullmatch(r"x(\d+\.?\d*|\.\d+)", change) if isinstance(change, str) else None
    return float(found.group(1)) if found else None


def _near(name: str, options) -> str:
    near = difflib.get_close_matches(name, sorted(options), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else f"; there are {', '.join(sorted(options))}"
