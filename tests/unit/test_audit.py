import json

import pytest
from audit_campaign import audit_campaign
from audit_conditions import coverage_text, diffusion_texts, spot_text
from thermoweave.tables import read_csv, with_error, write_csv, write_html

COLUMNS = ["label_id", "concentration", "temperature", "outcome"]


@pytest.fixture
def records(tmp_path):
    """A function that writes a label record and verdicts and returns their paths.

    Outcomes are those of x0.50/T900, or a dictionary of the outcomes of several conditions.
    """

    def write(outcomes, passed):
        if isinstance(outcomes, list):
            outcomes = {"x0.50/T900": outcomes}
        rows = [
            dict(zip(COLUMNS, (f"{name}/{k}", *name.split("/"), outcome), strict=True))
            for name, found in outcomes.items()
            for k, outcome in enumerate(found)
        ]
        write_csv(tmp_path / "summary.csv", rows, COLUMNS)
        paths = []
        for k, good in enumerate(passed):
            paths.append(tmp_path / f"replica{k}.json")
            verdict = {
                "passed": good,
                "reason": "" if good else "too hot",
                "concentration": "0.50",
                "temperature": "900",
            }
            paths[-1].write_text(json.dumps({**verdict, "replica": str(k)}))
        return [tmp_path / "summary.csv"], paths

    return write


def test_a_sound_campaign_passes(records, tmp_path):
    audit_campaign(*records(["SUCCESS", "STORED", "UNCONVERGED"], [True, True]), tmp_path / "out.json", 0.4, 0.01, 0.0)
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["rejected"] == 1 and result["failed"] == []


def test_too_many_rejections_and_failures_fail_it_by_name(records, tmp_path):
    with pytest.raises(RuntimeError) as caught:
        audit_campaign(*records(["SUCCESS", "UNCONVERGED"], [True, False]), tmp_path / "out.json", 0.4, 0.01, 0.4)
    assert "1 of 2 structures have no label" in str(caught.value) and "x0.50 UNCONVERGED" in str(caught.value)
    assert "x0.50/T900/replica1: too hot" in str(caught.value)
    assert not (tmp_path / "out.json").exists()


def test_spot_checks_count_by_their_share_alone(records, tmp_path):
    """One frame a condition: a rejected one is no condition without a label."""
    summaries, verdicts = records(["SUCCESS"] * 4, [True])
    checks = tmp_path / "checks.csv"
    write_csv(checks, [dict.fromkeys(COLUMNS, "a") | {"label_id": k, "outcome": "SUCCESS"} for k in range(4)], COLUMNS)
    limits = dict(max_rejected_share=0.3, cluster_significance=0.01, max_failed_share=0.0)
    audit_campaign(summaries, verdicts, tmp_path / "out.json", **limits, spot_checks=[checks])
    assert json.loads((tmp_path / "out.json").read_text())["spot_checks"]["rejected_share"] == 0
    rows = read_csv(checks)
    write_csv(checks, [row | {"outcome": "UNCONVERGED"} for row in rows[:2]] + rows[2:], COLUMNS)
    with pytest.raises(RuntimeError, match=r"2 of 4 spot checks were rejected .*spot_checks/\*/rejected.csv"):
        audit_campaign(summaries, verdicts, tmp_path / "again.json", **limits, spot_checks=[checks])


def test_spot_checks_stand_beside_the_condition():
    row = dict(force_rmse_meV_A="61", force_rmse_low_meV_A="55", force_rmse_high_meV_A="67", force_ratio="1.3")
    assert spot_text(row) == "61 (55 to 67), 1.3 × held out"
    assert spot_text(row | {"force_rmse_low_meV_A": "", "force_ratio": ""}) == "61"
    assert spot_text({}) == "–"


def test_coverage_stands_beside_the_condition():
    assert coverage_text({}) == "–"
    assert coverage_text({"verdict": "covered", "reason": ""}) == "covered"
    assert coverage_text({"verdict": "not covered", "reason": "no frame"}) == "not covered (no frame)"


def test_a_structure_that_succeeds_later_is_no_rejection(records, tmp_path):
    summaries, verdicts = records(["UNCONVERGED", "SUCCESS"], [True])
    rows = read_csv(summaries[0])
    rows[1]["label_id"] = rows[0]["label_id"]
    write_csv(summaries[0], rows, COLUMNS)
    audit_campaign(summaries, verdicts, tmp_path / "out.json", 0.0, 0.01, 0.0)


def test_rejections_that_cluster_fail_it_by_name(records, tmp_path):
    outcomes = {f"x{x}/T{t}": ["SUCCESS"] * 6 for x in ("0.25", "0.50") for t in ("900", "1100", "1300")}
    outcomes["x0.25/T1300"] = ["UNCONVERGED", "UNCONVERGED", "PW_ERROR", "UNCONVERGED", "SUCCESS", "STORED"]
    with pytest.raises(RuntimeError) as caught:
        audit_campaign(*records(outcomes, [True]), tmp_path / "out.json", 0.2, 0.01, 0.0)
    told = str(caught.value)
    assert "x0.25/T1300 has 4 of 6 structures rejected, against 0 of 30 elsewhere (p = 0.00" in told
    assert "audit.cluster_significance: 0.01; 3 UNCONVERGED, 1 PW_ERROR)" in told
    assert "rejected.csv" in told and "results/label/failed/" in told and "occupations" in told
    assert "max_rejected_share" not in told and not (tmp_path / "out.json").exists()


def test_rejections_that_are_spread_pass_and_are_on_record(records, tmp_path):
    outcomes = {f"x{x}/T{t}": ["UNCONVERGED", *["SUCCESS"] * 5] for x in ("0.25", "0.50") for t in ("900", "1100")}
    audit_campaign(*records(outcomes, [True]), tmp_path / "out.json", 0.2, 0.01, 0.0)
    result = json.loads((tmp_path / "out.json").read_text())
    assert result["rejected"] == 4 and result["cluster_significance"] == 0.01
    assert result["most_clustered"] == {"where": "x0.25", "structures": 12, "rejected": 2, "p": 1}


def test_a_condition_without_a_label_fails_it_by_name(records, tmp_path):
    outcomes = {"x0.50/T900": ["SUCCESS"] * 9, "x0.50/T1100": ["TOO_CLOSE"]}
    with pytest.raises(
        RuntimeError, match="T1100 has 1 of 1 structures rejected and no label, against 0 of 9 elsewhere"
    ):
        audit_campaign(*records(outcomes, [True]), tmp_path / "out.json", 0.2, 0.01, 0.0)


@pytest.mark.parametrize(
    ("value", "std", "text"),
    [(1.2345, 0.0521, "1.234 ± 0.052"), (123.4, 12.0, "123 ± 12"), (float("nan"), 1.0, "–"), (2.0, 0.0, "2")],
)
def test_errors_have_two_digits(value, std, text):
    assert with_error(value, std) == text


def test_gaps_are_dashes():
    rows = [
        {"concentration": "0.50", "temperature": "900", "species": "Li", "D_m2_s": "9.1e-9", "D_std_m2_s": "1e-9"},
        {"concentration": "0.50", "temperature": "900", "species": "K", "D_m2_s": "", "D_std_m2_s": ""},
    ]
    assert diffusion_texts(rows) == {("0.50", "900"): "Li 9.1 ± 1.0, K –"}


def test_html_is_escaped_and_marks_gaps(tmp_path):
    rows = [{"a": "<b>", "n": "1 ± 2"}, {"a": "x", "n": "–", "gap": True}]
    write_html(tmp_path / "t.html", "T & T", "about", {"a": "A", "n": "N"}, rows)
    page = (tmp_path / "t.html").read_text()
    assert "&lt;b&gt;" in page and "T &amp; T" in page and '<tr class="gap">' in page
    assert '<td class="text">x</td><td>–</td>' in page
