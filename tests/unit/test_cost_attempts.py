"""What earlier attempts of jobs cost: what was lost, what was kept, what nobody has on record."""

import pytest
from costed import BATCH, FIGURE, MD, attempt, audited, benchmark, by, campaign
from thermoweave.cost_shares import percent


@pytest.fixture
def made(tmp_path):
    return campaign(tmp_path)


def test_attempts_that_were_killed_failed_or_made_again_are_lost(made):
    name = "reduce_transport/nequip_x0.50_T1000"
    for seconds, end in ((3600, "killed"), (720, "failed"), (360, "done")):
        attempt(made, name, seconds, end=end)
    found = audited(made)
    row = by(found["csv"], "rule")["reduce_transport"]
    assert float(row["lost_core_h"]) == pytest.approx(1.3) and float(row["core_h"]) == pytest.approx(1.3 + 4 * 0.01)
    assert float(found["conditions"][2]["lost_core_h"]) == pytest.approx(1.3)
    assert f"{percent(1.3, FIGURE + 1.3)} in lost attempts" in by(found["figures"], "potential")["nequip"]["sentence"]


def test_steps_of_a_killed_run_are_not_lost_where_it_went_on(made):
    """The runs' own time over all attempts is 3200 s, the last one took 1800: of 1500 killed ones 1400 were used."""
    for kelvin, wall in (("1000", 2000.0), ("1100", 1200.0)):
        made.write(f"results/simulate/nequip/x0.50/T{kelvin}/replica1.json", f'{{"wall_s": {wall}}}')
    attempt(made, MD, 1500, end="killed")
    row = by(audited(made)["csv"], "rule")["simulate_md"]
    assert float(row["core_h"]) == pytest.approx((2 * 1800 + 1500) / 3600, abs=1e-4)
    assert float(row["lost_core_h"]) == pytest.approx(100 / 3600, abs=1e-4)


def test_labels_of_a_killed_job_are_not_lost_where_the_record_has_them(made):
    """On 4 cores: dd, out of the store now, and the failed attempt on aa; ff was asked for by an earlier config."""
    said = [
        "1/4 dddddddd: SUCCESS, SCF accuracy 1.0e-08 Ry after 12 iterations (as asked, 90.0 s)",
        "2/4 aaaaaaaa: UNCONVERGED, (1.0e-02) after 100 iterations (as asked, 50.0 s)",
        "3/4 ffffffff: SUCCESS, SCF accuracy 1.0e-08 Ry after 12 iterations (as asked, 36.0 s)",
        "4/4 bbbbbbbb: in the label store",
    ]
    before = audited(made)["facts"]
    attempt(made, BATCH, 180, said, "killed")
    found = audited(made)
    assert found["facts"]["core_h"] - before["core_h"] == pytest.approx(4 * 180 / 3600)
    assert found["facts"]["lost_core_h"] == pytest.approx(4 * (180 - 140) / 3600)
    assert (before["labels_from_elsewhere"], found["facts"]["labels_from_elsewhere"]) == (1, 0)


def test_a_job_that_never_succeeded_is_lost_with_the_cores_of_its_rule(made):
    attempt(made, "label_structures/x0.75_batch0", 600, end="done")  # told to stop: no exception, no benchmark file
    attempt(made, "label_structures/x0.75_batch0", 300, end="failed")
    row = by(audited(made)["csv"], "rule")["label_structures"]
    assert row["jobs"] == "2" and float(row["lost_core_h"]) == 1 and float(row["core_h"]) == pytest.approx(1.4)


def test_a_rule_without_benchmark_files_is_counted_by_its_record(made):
    attempt(made, "simulate_time/nequip_x0.50", 360)
    row = by(audited(made)["csv"], "rule")["simulate_time"]
    assert (row["core_h"], row["lost_core_h"], row["jobs"]) == ("0.1000", "0.0000", "1")


def test_a_job_too_quick_for_its_benchmark_is_counted_by_its_record(made):
    """Snakemake then writes the head of the file alone."""
    before = by(audited(made)["csv"], "rule")["label_summary"]
    made.write("results/benchmarks/label_summary/round0.tsv", "s\tthreads\tresources\n")
    after = by(audited(made)["csv"], "rule")["label_summary"]
    assert (after["core_h"], after["jobs"]) == (before["core_h"], "1") and float(after["core_h"]) == 0.001


def test_runs_that_were_there_before_took_at_least_what_they_say(made):
    """As after an update that looked at them again: the last job took a second, its runs 1600, without a record."""
    benchmark(made, MD, 1.0, 1)
    (made.folder / f"results/logs/{MD}.attempts").unlink()
    rows = [row for row in audited(made)["conditions"] if row["potential"] == "nequip"]
    assert sum(float(row["simulate"]) for row in rows) == pytest.approx(1600 / 3600, abs=2e-3)  # and its verdicts


def test_what_is_not_on_record_is_said(made):
    for path in made.folder.glob("results/logs/label_*/*.attempts"):
        path.unlink()
    figure = audited(made)["figures"][0]
    assert figure["jobs_without_record"] == "1"
    assert f"in lost attempts of jobs (not on record of 1 of {figure['jobs']} jobs);" in figure["sentence"]
    for path in made.folder.glob("results/logs/*/*.attempts"):
        path.unlink()
    found = audited(made)
    assert "; what lost attempts of jobs cost is not on record" in found["figures"][0]["sentence"]
    assert "lost attempts of jobs cost is not on record" in found["facts"]["sentence"]


def test_labels_of_attempts_without_a_record_took_at_least_what_they_say(made):
    """1200 core-seconds on record, of which 200 failed; the last job, on four cores, took a second."""
    benchmark(made, BATCH, 1.0, 4)
    (made.folder / f"results/logs/{BATCH}.attempts").unlink()
    row = by(audited(made)["csv"], "rule")["label_structures"]
    assert float(row["core_h"]) == pytest.approx(1200 / 3600, abs=1e-4)
