"""What the sweep will cost, from measured steps: core-hours, hours, disk."""

import json
import logging
from pathlib import Path

from thermoweave import environment, logs
from thermoweave.protocol import Protocol
from thermoweave.tables import write_csv, write_html

log = logging.getLogger(__name__)

COLUMNS = {
    "backend": "potential",
    "concentration": "x",
    "engine": "engine",
    "atoms": "atoms",
    "ms_per_step": "ms / step",
    "ns_per_day": "ns/day, one run",
    "runs": "runs",
    "jobs": "jobs",
    "job_h": "hours of the longest job",
    "core_h": "core-hours",
    "core_h_std": "± from the timing",
    "disk_GB": "GB",
}
CAPTION = (
    "Measured with a start of each concentration on this machine, at its present load; every run from its start, "
    "whether it has been done or not. Disk: the trajectories. Dumps and checks of the runs come on top "
    "(docs/performance.md). With an engine that moves many runs at once, ms / step is the share of one run."
)


def simulate_plan(
    measured: dict[tuple[str, str], dict], out_csv: Path, out_html: Path, protocol: Protocol, batches: list[int],
    threads: int, at_once: int,
) -> None:  # fmt: skip
    """Write the forecast. measured: by (backend, concentration), from `simulate_time`; batches: how many runs each job
    of a concentration has.
    """
    runs, jobs = sum(batches), len(batches)
    rows = []
    for (backend, concentration), found in measured.items():
        run_s = protocol.n_steps * found["ms_per_step"] / 1000
        rows.append(
            {
                "backend": backend,
                "concentration": f"x{concentration}",
                **{key: found[key] for key in ("engine", "atoms", "ms_per_step")},
                "ns_per_day": 86400e-6 * protocol.timestep_fs / (found["ms_per_step"] / 1000),
                "runs": runs,
                "jobs": jobs,
                "job_h": (found["load_s"] + max(batches) * run_s) / 3600,
                "core_h": threads * (jobs * found["load_s"] + runs * run_s) / 3600,
                "core_h_std": threads * runs * run_s * found["ms_per_step_std"] / found["ms_per_step"] / 3600,
                "disk_GB": runs * protocol.n_frames * found["frame_bytes"] / 1e9,
            }
        )
    total = {key: sum(row[key] for row in rows) for key in ("runs", "jobs", "core_h", "core_h_std", "disk_GB")}
    longest = max(row["job_h"] for row in rows)
    wall_h = max(longest, total["core_h"] / at_once)
    rows.append({"backend": "all", **total, "job_h": longest})
    for row in rows:
        row.update(
            {key: f"{row[key]:.4g}" for key in ("ns_per_day", "job_h", "core_h", "core_h_std", "disk_GB") if key in row}
        )
    write_csv(out_csv, rows, list(COLUMNS))
    hours = f"{wall_h:.3g} hours with {at_once} side by side"
    title = f"{total['core_h']:.3g} ± {total['core_h_std']:.1g} core-hours, {hours}, {total['disk_GB']:.3g} GB of disk"
    write_html(out_html, title, CAPTION, COLUMNS, [{key: row.get(key, "") for key in COLUMNS} for row in rows])
    log.info("%s (%s)", title, out_csv)


if __name__ == "__main__":
    environment.isolate()
    logs.start(snakemake.log[0])
    options = dict(snakemake.params)
    measured = {
        tuple(names): json.loads(Path(path).read_text())
        for names, path in zip(options.pop("names"), snakemake.input.measured, strict=True)
    }
    simulate_plan(
        measured,
        Path(snakemake.output.csv),
        Path(snakemake.output.html),
        Protocol(**options.pop("protocol")),
        **options,
    )
