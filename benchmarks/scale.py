#!/usr/bin/env python3
"""What Snakemake itself takes for a large campaign: the tables of docs/cluster.md.

Run with the Python that Snakemake runs in, on a machine that does nothing else:

    scale.py --out FOLDER [--quick] [--profile profiles/slurm] [--repeats 2]

The campaign: the quickstart with 20 concentrations, 50 temperatures, 3 replicas and 5000 labels, in a temporary folder.
Timed are, each a process of its own, a dry run before anything was computed, a dry run and a real one when everything
is finished, and a dry run with one temperature more. Nothing is computed: every output is a file of zeros, as long as
in a campaign with 500 ions (Snakemake compares small inputs by their sha256), and `snakemake --touch` makes Snakemake
itself give them times in the order of the jobs and its records of their inputs, parameters and environments. These are
built first where they are missing. Writes scale.csv, jobs.csv and summary.md.
"""

import argparse
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path

import yaml
from simulate_tables import markdown, write_csv

ROOT = Path(__file__).resolve().parents[1]
REPLICAS = 3
# Bytes of outputs; what none of these fits has OTHER. Holes: they take no room on the disk.
SIZES = {
    "*/simulate/*.nc": 50_000_000,
    "*/train/*/model*": 3_000_000,
    "*/structures.extxyz": 980_000,
    "*/candidates.extxyz": 400_000,
    "*/label/*.extxyz": 140_000,
    "*/start?.extxyz": 54_000,
    "*/reduce/*/x*/*.nc": 30_000,
    "*/reduce/*.nc": 5_000_000,
    "*.svg": 300_000,
}
OTHER = 1500
# Without the tenth of a second that it waits before each job.
TOUCH = """
import sys
from snakemake.cli import main
from snakemake.executors import touch
touch.Executor.SLEEPING_TIME = 0
main(sys.argv[1:])
"""
NOTHING = "Nothing to be done"
# nothing of these for a new temperature
DONE_BEFORE = {"generate_structures", "label_structures", "label_selected", "train_potential"}


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    n = (4, 10) if options.quick else (20, 50)
    rows = []

    def measure(what: str, *dry_run: str) -> str:
        said = ""
        for turn in range(options.repeats):
            row, said = snakemake(campaign, options.profile, *dry_run)
            rows.append({"what": what, "turn": turn + 1, **row})
            print(rows[-1], flush=True)
        return said

    with tempfile.TemporaryDirectory() as folder:
        campaign = Path(folder)
        configure(campaign, *n)
        measure("new: the jobs and what they need of each other", "--dry-run", "--quiet")
        jobs = counts(measure("new: every job listed", "--dry-run"))
        finish(campaign, options.profile)
        for what, asked in (("finished: dry run", ["--dry-run"]), ("finished: run", [])):
            said = measure(what, *asked)
            if NOTHING not in said or "metadata" in said:
                sys.exit(f"something is left to do in a finished campaign:\n{said[-3000:]}")
        configure(campaign, n[0], n[1] + 1)
        added = counts(measure("one temperature more: dry run", "--dry-run"))
        if wrong := DONE_BEFORE & set(added):
            sys.exit(f"one temperature more runs again what it does not change: {', '.join(sorted(wrong))}")
    local = local_rules()
    table = [
        {"rule": rule, "jobs": jobs.get(rule, 0), "one temperature more": added.get(rule, 0),
         "where": "beside Snakemake" if rule in local else "SLURM"}
        for rule in {**jobs, **added}
    ]  # fmt: skip
    write_csv(options.out / "scale.csv", rows)
    write_csv(options.out / "jobs.csv", table)
    report = f"{' x '.join(map(str, (*n, REPLICAS)))} runs, {sum(jobs.values())} jobs; {machine()}"
    (options.out / "summary.md").write_text(f"{report}\n\n{markdown(rows)}\n{markdown(table)}")
    print((options.out / "summary.md").read_text())


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for scale.csv, jobs.csv and summary.md")
    parser.add_argument("--quick", action="store_true", help="a small campaign, to see that it works")
    parser.add_argument("--profile", type=Path, default=ROOT / "profiles" / "slurm")
    parser.add_argument("--repeats", type=int, default=2, help="of each measurement")
    return parser.parse_args()


def configure(campaign: Path, n_concentrations: int, n_temperatures: int) -> None:
    """Write the campaign's config; a temperature more is added at the end, as a user would."""
    config = yaml.safe_load((ROOT / "config" / "quickstart.yaml").read_text())
    config["concentrations"] = [f"{0.02 + 0.048 * k:.3f}" for k in range(n_concentrations)]
    config["temperatures"] = [str(850 + 8 * k) for k in range(n_temperatures)]
    config["replicas"] = REPLICAS
    config["train"]["seeds"] = ["1", "2", "3"]
    config["generate"] |= {"formula_units": 20, "structures": 200}
    config["explore"]["temperatures"] = ["850", "1050", "1300"]
    config["explore"] |= {"rounds": 1, "labels_per_round": 50 * len(config["concentrations"])}
    config["label"]["batch"] = 25
    config["simulate"] |= {"formula_units": 250, "batch": 10}
    (campaign / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def command(campaign: Path, profile: Path, *options: str) -> list[str]:
    folders = ["--directory", str(campaign), "--snakefile", str(ROOT / "Snakefile"), "--profile", str(profile)]
    return [*folders, "--configfile", str(campaign / "config.yaml"), *options]


def snakemake(campaign: Path, profile: Path, *options: str) -> tuple[dict, str]:
    """Seconds and memory of a run of Snakemake with `options` on the campaign, and what it printed."""
    load, began = os.getloadavg()[0], time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        arguments = [sys.executable, "-m", "snakemake", *command(campaign, profile, *options)]
        process = subprocess.Popen(arguments, stdout=said, stderr=subprocess.STDOUT, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        wall, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
    if process.returncode:
        sys.exit(f"snakemake {' '.join(options)} ended with {process.returncode}:\n{text[-3000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    measured = {"wall_s": wall, "cpu_s": cpu, "peak_MB": usage.ru_maxrss / 1024, "load_before": load}
    return {key: round(value, 2) for key, value in measured.items()}, text


def finish(campaign: Path, profile: Path) -> None:
    """Make all outputs, and let Snakemake record them as if it had run the jobs."""
    outputs = [line.split("\t")[0] for line in run("-m", "snakemake", *command(campaign, profile, "--summary"))[1:]]
    for name in outputs:
        path = campaign / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            file.truncate(next((size for pattern, size in SIZES.items() if fnmatch(name, pattern)), OTHER))
    run("-m", "snakemake", *command(campaign, profile, "--conda-create-envs-only"))
    run("-c", TOUCH, *command(campaign, profile, "--touch", "--forceall", "--cores", "10000"))
    print(f"{len(outputs)} outputs made and recorded", flush=True)


def run(*arguments: str) -> list[str]:
    """Lines that Python prints with these arguments."""
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments[2:])} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout.splitlines()


def counts(said: str) -> dict[str, int]:
    """Jobs of each rule, from the last table that a dry run printed."""
    table = said.rpartition("Job stats:")[2]
    found = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)}
    found.pop("total")
    return found


def local_rules() -> set[str]:
    """Rules whose jobs run beside Snakemake and not in SLURM's queue."""
    blocks = [block for file in [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
              for block in re.split(r"^(?=rule |use rule )", file.read_text(), flags=re.M)]  # fmt: skip
    return {found[1] for block in blocks if "localrule: True" in block and (found := re.match(r"rule (\w+):", block))}


def machine() -> str:
    from importlib import metadata

    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cores = f"{len(os.sched_getaffinity(0))} cores of {processor[1] if processor else platform.machine()}"
    return f"{cores}, Python {platform.python_version()}, Snakemake {metadata.version('snakemake')}"


if __name__ == "__main__":
    main()
