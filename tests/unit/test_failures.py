"""The summary at the end of a run that failed. What Snakemake hands over is real in tests/workflow and tests/slurm."""

import pytest
from thermoweave.failures import SHOWN, Failure, messages, reason, summary

TIMEOUT = "SLURM-job '11' failed, SLURM status is: 'TIMEOUT'. Detailed failure reason unavailable."
LOG = f"""Job 5 has been submitted with SLURM jobid 11 (log: a/11.log).
[Mon Nov 23 05:53:40 2026]
Error in rule simulate_md:
    message: SLURM-job '10' failed, SLURM status is: 'NODE_FAIL'.For further error details see the cluster/cloud log and the log files of the involved rule(s).
    jobid: 5
    output: results/a.json
Trying to restart job 5.
Error in rule simulate_md:
    message: {TIMEOUT}For further error details see the cluster/cloud log and the log files of the involved rule(s).
    jobid: 5
    output: results/a.json
Error in rule audit_campaign:
    message: None
    jobid: 8
    output: results/c.json
Error in rule generate_structures:
    message: Job submission failed with exception: The given account tests appears to be invalid. Available accounts:
rootFor further error details see the cluster/cloud log and the log files of the involved rule(s).
    jobid: 7
    output: results/b.json
"""  # noqa: E501


def test_what_the_cluster_said_of_the_last_attempt():
    said = messages(LOG)
    assert said["5"] == TIMEOUT and set(said) == {"5", "7"}
    assert said["7"].startswith("Job submission failed") and said["7"].endswith("Available accounts: root")


def test_a_job_says_why_in_its_log(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("2026-11-23 05:00:01,123 CRITICAL thermoweave: RuntimeError: 3 of 3 runs failed\n\n")
    assert reason(Failure("audit", {}, [str(log)], 1)) == "RuntimeError: 3 of 3 runs failed"
    failed = TIMEOUT.replace("TIMEOUT", "FAILED")
    assert reason(Failure("audit", {}, [str(log)], 1, failed)) == "RuntimeError: 3 of 3 runs failed"
    assert "no word" in reason(Failure("audit", {}, [str(tmp_path / "none.log")], 1))


@pytest.mark.parametrize(
    ("state", "word"), [("TIMEOUT", "runtime"), ("OUT_OF_MEMORY", "mem_mb"), ("DEADLINE", "SLURM")]
)
def test_what_ended_it_comes_before_what_it_said(tmp_path, state, word):
    log = tmp_path / "a.log"
    log.write_text("step 100\n")
    text = reason(Failure("simulate_md", {}, [str(log)], 3, TIMEOUT.replace("TIMEOUT", state)))
    assert text.startswith(state) and word in text


def test_a_job_that_was_not_taken_says_why():
    assert reason(Failure("a", {}, [], 3, messages(LOG)["7"])).endswith("Available accounts: root")


def test_the_summary_lists_failures_and_the_command():
    found = [Failure("simulate_md", {"temperature": str(t)}, [], 3, TIMEOUT) for t in range(SHOWN + 2)]
    text = summary([*found, Failure("audit", {}, [], 1)], 7, ["snakemake", "--profile", "profiles/my cluster"])
    assert f"{SHOWN + 3} jobs failed" in text and "simulate_md: 2 more" in text
    assert "simulate_md temperature=3 (3 attempts)" in text and "7 that need what failed did not run" in text
    assert text.endswith("snakemake --profile 'profiles/my cluster'")
