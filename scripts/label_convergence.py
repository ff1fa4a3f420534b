"""Compare labels of the same structures at several levels of theory: table, numbers for the error budget, figure."""

import json
import logging
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ase import Atoms
from thermoweave import convergence, environment, figures, logs
from thermoweave.convergence import Interval
from thermoweave.frames import read_frames
from thermoweave.gate import ACCEPTED
from thermoweave.tables import read_csv, write_csv

if TYPE_CHECKING:
    import matplotlib.axes

log = logging.getLogger(__name__)

# Name and axis of each estimate with an interval.
ESTIMATES = {
    "energy_shift_meV_atom": "energy, mean shift (meV/atom)",
    "energy_rms_meV_atom": "energy, rms (meV/atom)",
    "force_rms_meV_A": "force, rms (meV/Å)",
    "force_relative_percent": "force, relative (%)",
    "stress_rms_GPa": "stress, rms (GPa)",
    "pressure_shift_GPa": "pressure, mean shift (GPa)",
    "core_s_per_label": "core-seconds a label",
}
PANELS = ("force_rms_meV_A", "energy_rms_meV_atom", "stress_rms_GPa", "core_s_per_label")
COLUMNS = ["level", "settings", "n_structures", "n_left_out"]
COLUMNS += [column for name in ESTIMATES for column in (name, f"{name}_low", f"{name}_high")]
COLUMNS += ["force_max_meV_A", "n_timed", "note"]


def label_convergence(
    structures: list[Atoms], labels: dict[str, list[Atoms]], attempts: dict[str, list[dict]], levels: dict[str, dict],
    records: list[dict], out_csv: Path, out_json: Path, out_figure: Path,
) -> None:  # fmt: skip
    """Compare every level with the last one and write the table (CSV), the same as JSON, and the figure (SVG).

    `labels` and `attempts` are frames and rows of the record by level, `levels` the settings that each level changes,
    `records` rows of the campaign's own record (for what labels from the store had cost).
    """
    reference = list(levels)[-1]
    everywhere = [row for rows in (*attempts.values(), records) for row in rows]
    results = {}
    for level, changes in levels.items():
        found = _compared(structures, labels[level], labels[reference], is_reference=level == reference)
        times = convergence.core_seconds(attempts[level], everywhere)
        found.update(changes=changes, n_timed=len(times), core_s_per_label=convergence.mean(times) if times else None)
        results[level] = found
        _tell(level, found, attempts[level])
    write_csv(out_csv, [_row(level, found) for level, found in results.items()], COLUMNS)
    _write_json(out_json, {"reference": reference, "interval": convergence.SHARE, "levels": results})
    draw(results, reference, out_figure)


def _compared(structures: list[Atoms], level: list[Atoms], reference: list[Atoms], is_reference: bool) -> dict:
    """Differences over the structures that have both labels, and which have not."""
    ours, theirs = ({convergence.name(atoms): atoms for atoms in frames} for frames in (level, reference))
    both = [name for name in map(convergence.name, structures) if name in ours and name in theirs]
    left_out = [name for name in map(convergence.name, structures) if name not in both]
    found = {"n_structures": len(both), "left_out": left_out, "note": ""}
    if is_reference:
        return {**found, "note": "the reference"}
    if len(both) < 2:
        return {**found, "note": f"no comparison: {len(both)} of {len(structures)} structures have both labels"}
    found.update(convergence.compare([ours[name] for name in both], [theirs[name] for name in both]))
    if found["energy_rms_meV_atom"] is None:
        found["note"] = "energy: as many species' energies to fit as structures; compare more"
    return found


def _tell(level: str, found: dict, attempts: list[dict]) -> None:
    """What was compared, and what was left out and why, in the log."""
    last = {row["label_id"]: row for row in attempts}
    log.info("%s: %d structures%s", level, found["n_structures"], f"; {found['note']}" if found["note"] else "")
    for name in found["left_out"]:
        log.warning("%s: left out, without this label or the reference's: %s", level, name)
    for row in last.values():
        if row["outcome"] not in ACCEPTED:
            told = row["concentration"], row["temperature"], row["outcome"], row["evidence"]
            log.warning("%s: rejected: %s %s, %s: %s", level, *told)


def _row(level: str, found: dict) -> dict:
    """A line of the table; what is not known is empty."""
    row = {key: found[key] for key in ("n_structures", "n_timed", "note")}
    row.update(level=level, n_left_out=len(found["left_out"]), settings=_settings(found["changes"]))
    for name in ESTIMATES:
        for key, value in _known(found.get(name)).items():
            row[name if key == "value" else f"{name}_{key}"] = f"{value:.4g}"
    if "force_max_meV_A" in found:
        row["force_max_meV_A"] = f"{found['force_max_meV_A']:.4g}"
    return row


def _known(estimate: Interval | None) -> dict[str, float]:
    """The numbers of an estimate that are numbers: a single value has no interval."""
    return {key: value for key, value in asdict(estimate).items() if math.isfinite(value)} if estimate else {}


def _settings(changes: dict) -> str:
    return ", ".join(f"{key} {value}" for key, value in changes.items()) or "those of the campaign"


def _write_json(path: Path, results: dict) -> None:
    partial = Path(f"{path}.partial")
    partial.write_text(json.dumps(results, indent=1, default=_known))
    os.replace(partial, path)


def draw(results: dict[str, dict], reference: str, out_figure: Path) -> None:
    """A panel for each quantity that is known, its value at each level with its interval."""
    figures.style()
    shown = [name for name in PANELS if any(found.get(name) for found in results.values())]
    fig, axes = figures.panels(1, max(1, len(shown)), width=2.6)
    for ax, name in zip(axes[0], shown, strict=False):
        points = {k: found[name] for k, found in enumerate(results.values()) if found.get(name)}
        _draw_panel(ax, points, figures.COLORS[1] if name == "core_s_per_label" else figures.COLORS[0])
        ax.set(ylabel=ESTIMATES[name], xlim=(-0.5, len(results) - 0.5))
        ax.set_xticks(range(len(results)), list(results), rotation=30, ha="right", rotation_mode="anchor")
    if "force_rms_meV_A" in shown:
        _mark_relative(axes[0, 0], results)
    notes = [f"Compared with {reference} ({_settings(results[reference]['changes'])}). Bars: 68 % intervals."]
    notes += [f"{level}: {found['note']}" for level, found in results.items() if found["note"] and level != reference]
    notes += [
        f"{level}: left out {', '.join(found['left_out'])}" for level, found in results.items() if found["left_out"]
    ]
    figures.footnote(fig, notes)
    figures.save(fig, out_figure)


def _draw_panel(ax: "matplotlib.axes.Axes", points: dict[int, Interval], color: str) -> None:
    """Points with bars; on a logarithmic axis unless one is zero or its bar has no ends."""
    values = list(points.values())
    bars = [[p.value - p.low for p in values], [p.high - p.value for p in values]]
    ax.errorbar(list(points), [p.value for p in values], yerr=bars, fmt="o", color=color, markersize=5, capsize=3)
    if all(min(p.value, p.low) > 0 for p in values):
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:.0e}"[0] in "235" else "")
    else:
        ax.set_ylim(0, None)


def _mark_relative(ax: "matplotlib.axes.Axes", results: dict[str, dict]) -> None:
    """The share of the rms force beside each point of the force panel."""
    for k, found in enumerate(results.values()):
        if "force_rms_meV_A" in found:
            text = f"{found['force_relative_percent'].value:.2g} %"
            at = (k, found["force_rms_meV_A"].value)
            ax.annotate(text, at, (7, 0), textcoords="offset points", fontsize=7, va="center", color=figures.INK)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    levels, records = snakemake.params.levels, sorted(Path().glob(snakemake.params.records))
    label_convergence(
        read_frames(snakemake.input.structures),
        {level: read_frames(path) for level, path in zip(levels, snakemake.input.frames, strict=True)},
        {level: read_csv(path) for level, path in zip(levels, snakemake.input.attempts, strict=True)},
        levels,
        [row for path in records for row in read_csv(path)],
        Path(snakemake.output.csv),
        Path(snakemake.output.json),
        Path(snakemake.output.figure),
    )
