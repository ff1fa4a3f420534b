"""The forecast of a sweep and its progress in one screen."""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from simulate_plan import simulate_plan
from thermoweave import trajectory
from thermoweave.protocol import Protocol

PROGRESS = Path(__file__).parents[2] / "tools/progress.py"
PROTOCOL = Protocol(
    timestep_fs=2.0,
    heating_ps=1.0,
    equilibration_ps=9.0,
    production_ps=90.0,
    frame_interval=10,
    equilibration_thermostat_ps=0.1,
    production_thermostat_ps=0.5,
    density="fixed",
)


def plan(folder, **changes):
    """One potential, 50,000 steps of 7.2 ms a run: a tenth of an hour."""
    found = {
        "engine": "ase",
        "atoms": 64,
        "load_s": 36.0,
        "ms_per_step": 7.2,
        "ms_per_step_std": 0.36,
        "frame_bytes": 1000,
    }
    measured = {("nequip", "0.25"): found, ("nequip", "0.50"): {**found, "ms_per_step": 14.4}}
    options = {"protocol": PROTOCOL, "batches": [4, 4, 2], "threads": 1, "at_once": 8, **changes}
    simulate_plan(measured, folder / "plan.csv", folder / "plan.html", **options)
    with open(folder / "plan.csv") as file:
        return list(csv.DictReader(file))


def test_core_hours_jobs_and_disk_add_up(tmp_path):
    first, second, total = plan(tmp_path)
    assert float(first["core_h"]) == pytest.approx(10 * 0.1 + 3 * 0.01)
    assert float(first["job_h"]) == pytest.approx(4 * 0.1 + 0.01) and first["jobs"] == "3"
    assert float(first["disk_GB"]) == pytest.approx(10 * 4500 * 1000 / 1e9)
    assert float(first["core_h_std"]) == pytest.approx(0.05 * 10 * 0.1)
    assert float(first["ns_per_day"]) == pytest.approx(24.0)
    assert float(total["core_h"]) == pytest.approx(float(first["core_h"]) + float(second["core_h"]))
    assert "3.06 ± 0.1 core-hours, 0.81 hours with 8 side by side" in (tmp_path / "plan.html").read_text()


def test_no_more_cores_than_jobs_can_use(tmp_path):
    plan(tmp_path, at_once=1000)
    assert "0.81 hours with 1000 side by side" in (tmp_path / "plan.html").read_text()


def test_a_frame_takes_the_room_that_is_forecast(tmp_path):
    import argon

    folder = argon.run(tmp_path)
    header = 4000
    forecast = 80 * trajectory.frame_bytes(32)
    assert forecast < (folder / "trajectory.nc").stat().st_size < forecast + header


def run(folder, x, t, replica, progress=None, facts=False, verdict=None):
    """What a run leaves: a folder, and beside it a verdict."""
    place = folder / f"results/simulate/nequip/{x}/{t}/replica{replica}"
    place.mkdir(parents=True)
    if progress is not None:
        report = {
            "steps": 0, "steps_planned": 100, "stage": "produce", "half_step": False, "temperature_K": 950.0,
            "drift_eV_atom_ns": 0.01, "ns_per_day": 30.0, "seconds_left": 120, "written": time.time(), "sick": "",
            **progress,
        }  # fmt: skip
        (place / "progress.json").write_text(json.dumps(report))
    if facts:
        (place / "facts.json").write_text("{}")
    if verdict is not None:
        place.with_suffix(".json").write_text(json.dumps(verdict))


def shown(folder):
    done = subprocess.run([sys.executable, str(PROGRESS), str(folder)], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_the_sweep_in_one_screen(tmp_path):
    run(tmp_path, "x0.25", "T900", 1, {"steps": 100}, True, {"passed": True, "reason": ""})
    run(tmp_path, "x0.25", "T1000", 1, {"steps": 40}, True, {"passed": False, "reason": "Li-Cl at 0.90 A"})
    run(tmp_path, "x0.50", "T900", 1, {"steps": 50, "half_step": True})
    run(tmp_path, "x0.50", "T1000", 1, {"steps": 25, "written": time.time() - 3600})
    start = tmp_path / "results/generate/x0.75/T900/start1.extxyz"
    start.parent.mkdir(parents=True)
    start.write_text("")
    code, text = shown(tmp_path)
    assert code == 0
    lines = text.splitlines()
    assert lines[0] == "nequip: 5 runs: 1 passed, 1 failed, 1 under way, 1 silent, 1 waiting"
    assert lines[1].split() == ["T900", "T1000"]
    assert lines[2].split() == ["x0.25", "1/1", "0/1", "1", "failed"]
    assert lines[3].split() == ["x0.50", "50%", "25%"] and lines[4].split() == ["x0.75", "0%"]
    assert "x0.50 T900 replica 1: 50%, produce, 950 K, 30.00 ns/day, 2 min of its own left" in text
    assert "with half the time step" in text and "silent since 60 min" in text
    assert "x0.25 T1000 replica 1 failed: Li-Cl at 0.90 A" in text


def test_before_the_first_run(tmp_path):
    code, text = shown(tmp_path)
    assert code == 1 and "no run has begun" in text
