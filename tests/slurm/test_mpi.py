"""Labels as MPI tasks, with a pw.x that is not the workflow's: Debian's, on Open MPI."""

import os
import shutil

import pytest
from ase.io import read
from miniature import rows
from on_slurm import run, site

FRAMES = "results/label/round0/x0.50/batch1.extxyz"


@pytest.mark.skipif(
    shutil.which("pw.x") is None and os.environ.get("THERMOWEAVE_SLURM") != "require",
    reason="Debian packages are missing: quantum-espresso libpmix-dev (tests/packages)",
)
def test_a_label_job_is_so_many_tasks(campaigns, cluster, tmp_path):
    folder = tmp_path / "campaign"
    shutil.copytree(campaigns[0], folder, symlinks=True)
    shutil.rmtree(folder / "results/label")
    site(folder, pw_tasks=2, pw_command="srun --mpi=pmix --ntasks={tasks} pw.x")
    before = {job.number for job in cluster.jobs()}
    status, text = run(folder, cluster, "--", FRAMES)
    assert status == 0, text[-5000:]
    (job,) = [job for job in cluster.jobs("label_structures") if job.number not in before]
    assert job.state == "COMPLETED" and job.cpus == "2"
    record = rows((folder / FRAMES).with_suffix(".csv"))
    assert {row["outcome"] for row in record} == {"SUCCESS"} and record[0]["program"].startswith("pw.x 6.")
    for row in record:
        assert float(row["core_s"]) == pytest.approx(2 * float(row["wall_s"]), abs=0.03)
    for here, there in zip(read(folder / FRAMES, ":"), read(campaigns[0] / FRAMES, ":"), strict=True):
        assert here.info["REF_energy"] == pytest.approx(there.info["REF_energy"], abs=1e-3)
