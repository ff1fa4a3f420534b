"""Jobs left in the queue by a killed Snakemake; a stand-in for squeue here, SLURM itself in tests/slurm."""

from types import SimpleNamespace

import pytest
from thermoweave import cluster_jobs

RUN = "2f6e6c1e-0000-4000-8000-000000000001"
NOTHING = SimpleNamespace(dag=SimpleNamespace(jobs=[]))  # a workflow without jobs
QUEUE = f"17|RUNNING|{RUN}\n18|PENDING|{RUN}\n19|RUNNING|another\n"


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    """The log of a new run in a campaign whose Snakemake sent jobs; call it with squeue's answer."""
    logs = tmp_path / "log"
    logs.mkdir()
    (logs / "2026.snakemake.log").write_text(f"host: a\nSLURM run ID: {RUN}\nBuilding DAG of jobs...\n")

    def answers(text: str, status: int = 0):
        squeue = tmp_path / "squeue"
        squeue.write_text(f"#!/bin/sh\ncat <<'END'\n{text}END\necho no route to slurmctld >&2\nexit {status}\n")
        squeue.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return [str(logs / "new.log")]

    return answers


def test_jobs_in_the_queue_are_named_with_what_to_do(campaign):
    with pytest.raises(RuntimeError) as refused:
        cluster_jobs.resume(NOTHING, campaign(QUEUE))
    text = str(refused.value)
    assert "2 jobs" in text and "1 PENDING, 1 RUNNING" in text
    assert "squeue --jobs=17,18" in text and "scancel 17 18" in text and "19" not in text


def test_jobs_of_others_are_none_of_its_business(campaign):
    cluster_jobs.resume(NOTHING, campaign(QUEUE.replace(RUN, "someone")))
    cluster_jobs.resume(NOTHING, campaign(""))


def test_a_silent_slurm_is_a_fault(campaign):
    with pytest.raises(RuntimeError, match="no route to slurmctld; whether jobs of earlier runs still run"):
        cluster_jobs.resume(NOTHING, campaign("", status=1))


def test_a_campaign_that_sent_nothing_asks_nobody(tmp_path, campaign):
    campaign("", status=1)
    cluster_jobs.resume(NOTHING, [str(tmp_path / "new.log")])


def test_another_machine_cannot_know(tmp_path, campaign, monkeypatch, caplog):
    logs = campaign("")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    cluster_jobs.resume(NOTHING, logs)
    assert "not known" in caplog.text
