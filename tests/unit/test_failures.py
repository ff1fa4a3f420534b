"""The summary at the end of a run that failed. What Snakemake hands over is real in tests/workflow and tests/slurm."""

import pytest
from thermoweave.failures import SHOWN, Failure, reason, slurm_states, summary

LOG = """Job 5 has been submitted with SLURM jobid 11 (log: a/11.log).
Job 6 has been submitted with SLURM jobid 12 (log: a/12.log).
Error in rule simulate_md:
    message:
        SLURM-job '11' failed, SLURM status is: 'TIMEOUT'. Detailed failure reason unavailable.
Trying to restart job 5.
Job 5 has been submitted with SLURM jobid 13 (log: a/13.log).
Error in rule simulate_md:
    message:
        SLURM-job '13' failed, SLURM status is: 'OUT_OF_MEMORY'. Detailed failure reason unavailable.
"""


def test_states_are_those_of_the_last_attempt():
    assert slurm_states(LOG) == {"5": "OUT_OF_MEMORY"}


def test_a_job_says_why_in_its_log(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("2026-11-23 05:00:01,123 CRITICAL thermoweave: RuntimeError: 3 of 3 runs failed\n\n")
    assert reason(Failure("audit", {}, [str(log)], 1)) == "RuntimeError: 3 of 3 runs failed"
    assert reason(Failure("audit", {}, [str(log)], 1, "FAILED")) == "RuntimeError: 3 of 3 runs failed"
    assert "no word" in reason(Failure("audit", {}, [str(tmp_path / "none.log")], 1))


@pytest.mark.parametrize(
    ("state", "word"), [("TIMEOUT", "runtime"), ("OUT_OF_MEMORY", "mem_mb"), ("DEADLINE", "SLURM")]
)
def test_what_ended_it_comes_before_what_it_said(tmp_path, state, word):
    log = tmp_path / "a.log"
    log.write_text("step 100\n")
    text = reason(Failure("simulate_md", {}, [str(log)], 3, state))
    assert text.startswith(state) and word in text


def test_the_summary_lists_failures_and_the_command():
    found = [Failure("simulate_md", {"temperature": str(t)}, [], 3, "TIMEOUT") for t in range(SHOWN + 2)]
    text = summary([*found, Failure("audit", {}, [], 1)], 7, ["snakemake", "--profile", "profiles/my cluster"])
    assert f"{SHOWN + 3} jobs failed" in text and "simulate_md: 2 more" in text
    assert "simulate_md temperature=3 (3 attempts)" in text and "7 that need what failed did not run" in text
    assert text.endswith("snakemake --profile 'profiles/my cluster'")
