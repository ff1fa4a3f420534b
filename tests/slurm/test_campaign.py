"""The miniature campaign on SLURM, through profiles/slurm: what it asked for, and numbers as those of one machine."""

import re

import numpy as np
from ase.io import read
from miniature import rows
from on_slurm import run

GPU_RULES = {"train_potential", "train_compile", "explore_md", "simulate_md"}


def test_labels_are_equal_to_the_bit(campaigns):
    stores = [sorted(folder.glob("results/label/store/*/*.extxyz")) for folder in campaigns[:2]]
    generated = [{p.stem: p for p in paths} for paths in stores]
    first = [{row["label_id"] for row in rows(f / "results/label/round0/summary.csv")} for f in campaigns[:2]]
    assert first[0] == first[1] and len(first[0]) >= 10
    for identifier in first[0]:
        here, there = (read(paths[identifier]) for paths in generated)
        assert here.info["REF_energy"] == there.info["REF_energy"]
        assert np.array_equal(here.arrays["REF_forces"], there.arrays["REF_forces"])


def test_statistics_agree_within_their_bars(campaigns):
    tables = [
        {(row["concentration"], row["temperature"], row["species"]): row for row in rows(path)}
        for path in (folder / "results/reduce/nequip/transport.csv" for folder in campaigns[:2])
    ]
    assert tables[0].keys() == tables[1].keys()
    both = [(table, other) for key, table in tables[0].items() for other in [tables[1][key]]]
    assert all((here["D_m2_s"] == "") == (there["D_m2_s"] == "") for here, there in both)
    numbers = [(here, there) for here, there in both if here["D_m2_s"]]
    assert numbers
    for here, there in numbers:
        bar = np.hypot(float(here["D_std_m2_s"]), float(there["D_std_m2_s"]))
        assert abs(float(here["D_m2_s"]) - float(there["D_m2_s"])) <= 3 * bar


def test_jobs_asked_for_what_the_profile_says(campaigns, cluster):
    jobs = campaigns[2]
    assert {job.state for job in jobs} == {"COMPLETED"}
    for job in jobs:
        assert (job.partition, "gpu:1" in job.gres) == (("gpu", True) if job.rule in GPU_RULES else ("main", False))
    simulated = [job for job in jobs if job.rule == "simulate_md"]
    assert len(simulated) == 4 and {job.time_limit for job in simulated} == {"2:00:00"}
    assert {job.memory for job in simulated} == {"4000M"}
    assert "tests" in cluster.tell("sacct", "-XPn", "--format=account", "-j", simulated[0].number)


def test_light_rules_run_beside_snakemake(campaigns):
    sent = {job.rule for job in campaigns[2]}
    run_here = set(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", (campaigns[0] / "run.log").read_text())) - sent
    assert {"generate_start", "simulate_judge", "reduce_grid", "audit_campaign", "reduce_plot_arrhenius"} <= run_here
    assert {"label_structures", "train_potential", "simulate_md", "reduce_transport"} <= sent


def test_each_job_has_its_log_and_its_cost(campaigns):
    folder = campaigns[0]
    for rule in ("label_structures", "train_potential", "simulate_md", "reduce_transport", "generate_start"):
        assert list(folder.glob(f"results/logs/{rule}/*.log")) and list(folder.glob(f"results/benchmarks/{rule}/*.tsv"))
    assert not list(folder.glob(".snakemake/slurm_logs/*/*/*.log"))  # those of failed jobs only


def test_touching_nothing_sends_nothing(campaigns, cluster):
    before = len(cluster.jobs())
    status, text = run(campaigns[0], cluster, log="again.log")
    assert status == 0 and "Nothing to be done" in text and len(cluster.jobs()) == before
