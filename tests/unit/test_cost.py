"""What the campaign cost, who needed it, and what of it was lost."""

import pytest
from costed import ALL, BATCH, FIGURE, LABELS, arrhenius, attempt, attempts_csv, audited, benchmark, by, campaign
from labelling import Campaign, pair, prints
from thermoweave import cost, label_record
from thermoweave.attempts import COLUMNS
from thermoweave.cost_shares import hours, percent, short, title


@pytest.fixture
def made(tmp_path):
    return campaign(tmp_path)


def test_stages_add_up_to_all_that_was_spent(made):
    found = audited(made)
    *rules, everything = found["csv"]
    assert everything["stage"] == "all" and float(everything["core_h"]) == pytest.approx(ALL, abs=1e-4)
    for column in ("jobs", "wall_h", "core_h", "lost_core_h", "share"):
        assert sum(float(row[column]) for row in rules) == pytest.approx(float(everything[column]), abs=0.3)
    assert sum(float(row["core_h"]) for row in rules) == pytest.approx(ALL, abs=1e-3)
    assert [row["stage"] for row in rules] == sorted((row["stage"] for row in rules), key=cost.STAGES.index)
    stages = found["facts"]["stages"].values()
    assert sum(stage["core_h"] for stage in stages) == pytest.approx(ALL) == found["facts"]["core_h"]
    assert sum(stage["jobs"] for stage in stages) == int(everything["jobs"]) == found["facts"]["jobs"]


def test_cores_of_a_job_are_its_threads_times_its_tasks(made):
    made.write(f"results/benchmarks/{BATCH}.tsv", "s\tthreads\tresources\n900\t2\t{'tasks': 4, 'mem': '2 GB'}\n")
    row = by(audited(made)["csv"], "rule")["label_structures"]
    assert float(row["core_h"]) == 2 and float(row["wall_h"]) == 0.25


def test_a_benchmark_without_threads_says_what_to_set(made):
    made.write(f"results/benchmarks/{BATCH}.tsv", "s\n1\n")
    with pytest.raises(ValueError, match="x0.50_batch0.tsv: no column `threads`.*benchmark-extended"):
        audited(made)


def test_a_figure_pays_for_all_that_it_rests_on_and_not_for_the_other_potential(made):
    benchmark(made, "train_potential/round0_mace_seed1", 36000, 1)
    attempt(made, "train_potential/round0_mace_seed1", 7200, end="killed")
    rows = by(audited(made)["figures"], "figure")
    nequip, mace = rows[arrhenius("nequip")], rows[arrhenius("mace")]
    assert float(nequip["core_h"]) == pytest.approx(FIGURE, abs=1e-4) and nequip["lost_share"] == "0.0"
    assert float(mace["core_h"]) == pytest.approx(FIGURE - 0.2 + 12, abs=1e-4)
    assert float(mace["lost_core_h"]) == 2 and float(mace["train"]) == 12
    for row in rows.values():
        stages = (float(row[stage]) for stage in cost.COUNTED)
        assert sum(stages) == pytest.approx(float(row["core_h"]), abs=1e-3)


def test_conditions_share_a_job_by_the_time_of_their_runs_and_the_rest_stands_apart(made):
    rows = audited(made)["conditions"]
    assert [tuple(row.values())[:4] for row in rows] == [
        ("mace", "0.50", "1000", "1"), ("mace", "0.50", "1100", "1"), ("nequip", "0.50", "1000", "1"),
        ("nequip", "0.50", "1100", "1"), ("all", "shared", "", ""),
    ]  # fmt: skip
    assert [float(row["simulate"]) for row in rows] == pytest.approx(
        [0.25 + 0.0005, 0.25 + 0.0005, 0.5 * 1000 / 1600 + 0.0005, 0.5 * 600 / 1600 + 0.0005, 0], abs=1e-4
    )
    assert [float(row["reduce"]) for row in rows] == pytest.approx([*[0.01] * 4, 0.001], abs=1e-4)
    assert float(rows[-1]["train"]) == pytest.approx(0.4) and float(rows[-1]["label"]) == pytest.approx(0.401)
    assert sum(float(row["core_h"]) for row in rows) == pytest.approx(ALL, abs=1e-3)


def test_runs_that_took_no_time_share_their_job_equally(made):
    for kelvin in ("1000", "1100"):
        made.write(f"results/simulate/nequip/x0.50/T{kelvin}/replica1.json", '{"wall_s": 0.0}')
    assert [float(row["simulate"]) for row in audited(made)["conditions"]][2:4] == pytest.approx([0.2505] * 2, abs=1e-4)


def test_failed_label_attempts_are_told_also_of_structures_that_got_their_label(made):
    found = audited(made)
    (row,) = found["labels"]
    assert (row["record"], row["concentration"], row["structures"]) == ("round0", "0.50", "4")
    assert (row["accepted"], row["stored"], row["failed_attempts"]) == ("3", "1", "2")
    assert float(row["core_s_per_label"]) == 600 and float(row["failed_core_h"]) == pytest.approx(200 / 3600, abs=1e-4)
    assert float(row["failed_share"]) == pytest.approx(100 * 200 / 1200, abs=0.1)
    share = 100 * 200 / 3600 / FIGURE
    figure = by(found["figures"], "figure")[arrhenius("nequip")]
    assert float(figure["failed_labels_share"]) == pytest.approx(share, abs=0.1)
    assert figure["sentence"] == (
        f"The Arrhenius figure of nequip cost {FIGURE:#.3g} core-hours, {share:.0f} % of them in failed label attempts "
        "and none in lost attempts of jobs; 1 label was there before: what it cost is not known here."
    )
    assert found["facts"]["failed_label_attempts"] == 2 and figure["sentence"] in found["page"]


def test_the_messages_of_the_label_script_are_those_that_are_counted(tmp_path, caplog):
    """A structure fails and then succeeds, in 0.0 s each: the sentence that `label_record` looks for."""
    caplog.set_level("INFO")
    Campaign(tmp_path).label([pair()], prints("unconverged"), prints("success"))
    told = [found.groups() for found in map(label_record.TOLD.fullmatch, caplog.messages) if found]
    assert [outcome for _, outcome, _ in told] == ["UNCONVERGED", "SUCCESS"]
    assert len({identifier for identifier, *_ in told}) == 1


def test_each_record_of_labels_stands_by_itself(made):
    for path in ("round10/summary.csv", "round2/summary.csv", "spot_checks/mace/summary.csv"):
        made.write(f"results/label/{path}", attempts_csv(LABELS[:1]))
    made.write("results/label/convergence/levels/asked.csv", attempts_csv(LABELS[2:3]))
    rows = audited(made)["labels"]
    names = ["round0", "round2", "round10", "spot_checks/mace", "convergence"]
    assert [row["record"] for row in rows] == names
    assert [row["core_s_per_label"] for row in rows] == ["600.0000", "", "", "", "400.0000"]


def test_the_audit_itself_is_not_counted(made):
    before = audited(made)["facts"]
    attempt(made, "audit_cost", 900, end="killed")
    attempt(made, "archive_crate", 900)
    assert audited(made)["facts"] == before


def test_energy_is_stated_only_by_the_figure_of_the_site(made):
    plain, found = audited(made), audited(made, power=20.0)
    assert "kWh" not in plain["page"] and "energy_kWh" not in plain["csv"][0] and "energy_kWh" not in plain["facts"]
    assert found["facts"]["energy_kWh"] == pytest.approx(ALL * 0.02) and found["facts"]["core_power_W"] == 20
    assert float(found["csv"][-1]["energy_kWh"]) == pytest.approx(ALL * 0.02, abs=1e-4)
    assert f"{FIGURE:#.3g} core-hours ({FIGURE * 0.02:#.3g} kWh at 20 W a busy core)" in found["figures"][0]["sentence"]


def test_shares_are_not_rounded_to_nothing():
    assert [percent(*pair) for pair in ((0, 1), (0.001, 1), (0.094, 1), (1, 1), (0, 0))] == [
        "none", "less than 1 %", "9 %", "100 %", "none",
    ]  # fmt: skip


def test_hours_have_three_digits():
    assert [hours(value) for value in (0, 2e-5, 0.018, 1.5, 99.96, 411.6)] == [
        "–", "0.00002", "0.0180", "1.50", "100", "412",
    ]  # fmt: skip


def test_figures_have_names_that_people_use():
    parity, compare = "results/train/final/mace/seed2/figures/parity.svg", "results/train/compare.svg"
    assert title(parity) == "parity figure of mace, seed 2," and short(parity) == "parity, mace, seed 2"
    assert title(compare) == "figure that compares the potentials" and short(compare) == "compare"
    assert short("results/reduce/nequip/figures/conductivity_spectrum.svg") == "conductivity spectrum, nequip"


def test_the_page_has_every_table_and_scrolls_none_but_tables(made):
    page = audited(made)["page"]
    assert page.count('<div class="scroll"><table>') == page.count("<table>") == 4
    for told in ("train: 0.400 core-hours", "arrhenius, mace", ">shared</td>", "round 0", "width=device-width"):
        assert told in page
    assert "src=" not in page and "http" not in page


def test_the_loop_counts_what_it_always_did(tmp_path):
    """`explore_stop` adds up benchmark files, whatever the record of attempts has."""
    made = campaign(tmp_path)
    attempt(made, BATCH, 3600, end="killed")
    rows = by(cost.read_benchmarks(tmp_path / "results/benchmarks"), "rule")
    assert rows["label_structures"] == {
        "stage": "label", "rule": "label_structures", "jobs": 1, "wall_h": 0.1, "core_h": 0.4,
    }  # fmt: skip
    assert "simulate_judge" not in rows and COLUMNS[0] == "label_id"
