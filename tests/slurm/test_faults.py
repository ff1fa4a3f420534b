"""What goes wrong on clusters, tried on the finished miniature campaign; docs/cluster.md has a row for each test."""

import base64
import json
import re
import shutil
import signal

import numpy as np
import psutil
import pytest
import yaml
from miniature import rows
from on_slurm import ask, change, run, site, start
from scipy.io import netcdf_file

RUN = "results/simulate/nequip/x0.50/T1000/replica1"


@pytest.fixture
def campaign(campaigns, cluster, tmp_path):
    """A copy of the finished campaign of its own, without a GPU, whose jobs each move one run."""
    folder = tmp_path / "campaign"
    shutil.copytree(campaigns[0], folder, symlinks=True)
    site(folder, gpu_partition="")
    change(folder, simulate={"batch": 1})
    return folder


@pytest.fixture
def jobs(cluster):
    """Jobs of a rule that were sent after the beginning of the test."""
    before = {job.number for job in cluster.jobs()}
    return lambda rule: [job for job in cluster.jobs(rule) if job.number not in before]


def production(folder, share: float) -> int:
    """Let runs last so many times as long as they did, and be other runs; returns the planned number of frames."""
    frames = int(share * json.loads((folder / RUN / "facts.json").read_text())["frames"])
    protocol = yaml.safe_load((folder / "config/test.yaml").read_text())["simulate"]["protocol"]
    length = {"production_ps": frames * protocol["frame_interval"] * protocol["timestep_fs"] / 1000}
    change(folder, simulate={"protocol": {**protocol, **length}})
    return frames


def has_begun(folder) -> bool:
    """Whether the run moves; what is left there of the finished one says that it has ended."""
    path = folder / RUN / "progress.json"
    return path.exists() and json.loads(path.read_text())["stage"] != "ended"


def saved_steps(folder) -> int:
    """Steps that a kill cannot take; what progress.json tells is newer than that."""
    with np.load(folder / RUN / "state.npz", allow_pickle=False) as state:
        return json.loads(str(state["text"]))["progress"]["steps"]


def halt(folder) -> None:
    """Stop the process that moves the run, as a machine that hangs would."""
    scripts = f"{folder}/.snakemake/scripts/"
    processes = {process: process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"])}
    (run,) = [process for process, words in processes.items() if any(word.startswith(scripts) for word in words)]
    run.send_signal(signal.SIGSTOP)


def times(folder) -> list[float]:
    with netcdf_file(folder / f"{RUN}.nc", mmap=False) as file:
        return file.variables["time"][:].tolist()


def is_whole(folder, frames: int) -> bool:
    """Whether the trajectory has all its frames, evenly spaced."""
    found = times(folder)
    return len(found) == frames and max(b - a for a, b in zip(found, found[1:], strict=False)) < 0.0081


def test_out_of_time_gets_more_time_and_goes_on(campaign, cluster, jobs):
    """The run is halted once it was saved, so that its time is out however fast this machine is just now."""
    ms_per_step = json.loads((campaign / RUN / "facts.json").read_text())["ms_per_step"]
    frames = production(campaign, 240 / (ms_per_step * 2.4))  # some four minutes; it is saved every minute
    ask(campaign, "simulate_md", runtime="3 * attempt ** 2")
    process = start(campaign, cluster, "--", f"{RUN}.json")
    try:
        cluster.wait(lambda: has_begun(campaign) and saved_steps(campaign) > 0, "a saved state", seconds=200)
        halt(campaign)
        assert process.wait(timeout=1200) == 0, (campaign / "run.log").read_text()[-5000:]
    finally:
        process.kill()
    first, *_, last = jobs("simulate_md")
    assert (first.state, first.time_limit) == ("TIMEOUT", "3:00")
    assert last.state == "COMPLETED" and last.time_limit in ("12:00", "27:00")
    (log,) = campaign.glob("results/logs/simulate_md/*x0.50_T1000*.log")
    assert int(re.search(r"goes on after (\d+) steps", log.read_text())[1]) > 0
    assert is_whole(campaign, frames)


def test_out_of_memory_gets_more_memory(campaign, cluster, jobs):
    ask(campaign, "simulate_md", mem_mb="330 * attempt ** 2")
    production(campaign, 1.01)
    status, text = run(campaign, cluster, "--", f"{RUN}.json")
    assert status == 0, text[-5000:]
    first, *_, last = jobs("simulate_md")
    assert first.state in ("OUT_OF_MEMORY", "FAILED") and first.memory == "330M"
    assert last.state == "COMPLETED" and last.memory in ("1320M", "2970M")


def test_a_node_that_dies_is_survived(campaign, cluster, jobs):
    frames = production(campaign, 8)
    process = start(campaign, cluster, "--", f"{RUN}.json")
    try:
        cluster.wait(lambda: [job for job in jobs("simulate_md") if job.state == "RUNNING"], "the run")
        (job,) = jobs("simulate_md")
        node = job.node
        cluster.wait(lambda: has_begun(campaign), "its beginning")
        cluster.kill_node(node)
        assert process.wait(timeout=400) == 0, (campaign / "run.log").read_text()[-5000:]
    finally:
        process.kill()
        cluster.revive_node(node)
    first, *_, last = jobs("simulate_md")
    assert first.state == "NODE_FAIL" and (last.state, last.node != node) == ("COMPLETED", True)
    assert is_whole(campaign, frames)


@pytest.mark.parametrize(("status_command", "step", "state"), [("squeue", "", "CANCELLED"), ("sacct", ".0", "FAILED")])
def test_a_cancelled_job_is_sent_again(campaign, cluster, jobs, status_command, step, state):
    """Of a job, sacct says `CANCELLED by 0`, which the plugin waits on without end: there, cancel its only step."""
    production(campaign, 8)
    process = start(campaign, cluster, "--slurm-status-command", status_command, "--", f"{RUN}.json")
    try:
        cluster.wait(lambda: [job for job in jobs("simulate_md") if job.state == "RUNNING"], "the run")
        cluster.wait(lambda: has_begun(campaign), "its beginning")
        cluster.tell("scancel", jobs("simulate_md")[0].number + step)
        assert process.wait(timeout=400) == 0, (campaign / "run.log").read_text()[-5000:]
    finally:
        process.kill()
    assert [job.state for job in jobs("simulate_md")] == [state, "COMPLETED"]


def test_a_condition_that_fails_stops_no_other_and_the_end_says_how_to_go_on(campaign, cluster, jobs):
    production(campaign, 1.01)
    verdicts = [f"results/simulate/nequip/x0.50/T{temperature}/replica1.json" for temperature in (1000, 1100)]
    broken = campaign / "results/simulate/nequip/x0.50/T1100/replica1"
    shutil.rmtree(broken)
    broken.write_text("no folder")
    status, text = run(campaign, cluster, "--", *verdicts)
    summary = text.partition("1 job failed:")[2]
    assert status == 1 and json.loads((campaign / verdicts[0]).read_text())["frames"] > 0
    assert "temperature=1100 replica=1 (3 attempts)" in summary and "Error: " in summary
    assert "1 that need what failed did not run" in summary and "--profile profiles/slurm" in summary
    assert [job.state for job in jobs("simulate_md")].count("FAILED") == 3
    broken.unlink()
    status, text = run(campaign, cluster, "--", *verdicts)
    assert status == 0 and len(jobs("simulate_md")) == 5, text[-5000:]


def test_what_the_site_does_not_have_is_named(campaign, cluster, jobs):
    production(campaign, 1.01)
    site(campaign, partition="mian")
    status, text = run(campaign, cluster, "--", f"{RUN}.json")
    summary = text.partition("1 job failed:")[2]
    assert status == 1 and "invalid partition" in summary and "mian" in summary and jobs("simulate_md") == []


def test_a_killed_snakemake_loses_no_label_and_computes_none_twice(campaign, cluster, jobs):
    record = "results/label/round0/summary.csv"
    shutil.rmtree(campaign / "results/label")
    prefix = base64.b64encode(b"results/label/r").decode()  # of Snakemake's records of what was removed
    for path in (campaign / ".snakemake/metadata").glob(f"{prefix}*"):
        path.unlink()
    ask(campaign, "label_structures", mem_mb=20000)  # one a node: two wait
    process = start(campaign, cluster, "--", record)
    cluster.wait(lambda: list(campaign.glob("results/label/store/*/*.extxyz")), "the first label")
    process.send_signal(signal.SIGKILL)
    process.wait()
    cluster.tell("scontrol", "update", "partitionname=main", "state=down")  # what waits goes on waiting

    status, text = run(campaign, cluster, "--", record)
    assert status == 1 and "--unlock" in text
    assert run(campaign, cluster, "--unlock", "--", record)[0] == 0
    waiting = [job.number for job in jobs("label_structures") if job.state == "PENDING"]
    status, text = run(campaign, cluster, "--", record)
    assert status == 1 and "still in SLURM's queue" in text and re.search(rf"scancel .*{' '.join(waiting)}", text)
    assert len(waiting) >= 1 and len(jobs("label_structures")) == 4

    cluster.tell("scontrol", "update", "partitionname=main", "state=up")
    cluster.wait(lambda: all(job.state == "COMPLETED" for job in jobs("label_structures")), "the jobs left behind")
    labels = {path: path.stat().st_mtime_ns for path in campaign.glob("results/label/store/*/*.extxyz")}
    status, text = run(campaign, cluster, "--", record)
    assert status == 0 and "looked at again: label_structures" in text, text[-5000:]
    assert {path: path.stat().st_mtime_ns for path in campaign.glob("results/label/store/*/*.extxyz")} == labels
    assert {row["label_id"] for row in rows(campaign / record)} == {path.stem for path in labels}
    assert {row["outcome"] for row in rows(campaign / record)} == {"STORED"}
