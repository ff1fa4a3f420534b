"""The answer page says what the tables say: every number, what is not known, what failed, and why."""

import html
import json
import re

import answered
import pytest
from answered import TABLES, budget, energy
from thermoweave import answer_html
from thermoweave.answer_html import Html, join, table

WHOLE = {  # with nothing missing
    "energies": TABLES["energies"][:1], "budget": TABLES["budget"][:1], "points": [{"kind": "number"}] * 2,
}  # fmt: skip


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A function that writes a campaign, tables of it changed, and gives its answer page."""
    monkeypatch.chdir(tmp_path)
    return lambda **changed: answered.page(tmp_path, **changed).read_text()


def rows(text):
    """Cells of all tables of a page, as a reader sees them, row by row."""
    lines = re.findall(r"<tr>(.*?)</tr>", text, re.S)
    return [[plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line, re.S)] for line in lines]


def plain(text):
    """A text of the page without markup and pictures."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", text, flags=re.S)).strip()


def verdict(text):
    return plain(re.search(r'<p class="verdict.*?</p>', text, re.S)[0])


def test_an_energy_has_its_total_error_and_every_line_of_its_budget(page):
    assert ["D of Li", "0.312 ± 0.028", "21.3", "4.1", "8.2", "2.6", "14.7", "1.9", "27.5"] in rows(page())


def test_an_unknown_line_is_a_dash_a_lower_bound_and_a_reason(page):
    text = page()
    assert ["conductivity", "−0.041 ± 0.033 or more", "33", *"––––", "2.4", "≥ 33.1"] in rows(text)
    assert "size of the cell: one size of the cell (conductivity at x = 0.25)" in plain(text)
    known = page(budget=[budget("D Li", "27.5", sampling="21.3"), budget("conductivity", "33.1", sampling="33")])
    assert "Not known of the errors" in text and "Not known of the errors" not in known
    assert "or more" not in rows(known)[2][1]


def test_a_fit_that_was_not_made_says_why_and_says_it_once(page):
    text = page()
    assert ["viscosity", "no fit: 2 temperatures known, 3 are needed"] in rows(text)
    assert ["conductivity, Nernst–Einstein", "no fit: nothing known at 900 K"] in rows(text)
    assert ["D of Li, corrected", "0.299 ± 0.017"] in rows(text)
    assert plain(text).count("2 temperatures known") == 1


def test_what_a_fit_has_to_say_is_below_its_table(page):
    assert "conductivity at x = 0.25: falls on heating: Ea < 0" in plain(page())
    vtf = page(energies=[energy("D Li", "0.31234", "0.02", form="VTF")])
    assert "D of Li (VTF, at 990 K)" in plain(vtf)


def test_a_fit_without_a_budget_has_its_own_error(page):
    assert ["D of Li", "0.312 ± 0.020", "error of the fit; no budget"] in rows(page(budget=[budget("D K", "3")]))


def test_the_verdict_counts_what_is_known(page):
    assert verdict(page()) == (
        "nequip: All 6 runs at 3 conditions passed the health checks; the labels cover all 3 conditions; 2 of 3 "
        "activation energies could be fitted, 1 with an error that is a lower bound; 7 of 9 points of the Arrhenius "
        "plot are known."
    )
    assert 'class="verdict short"' in page()


def test_a_campaign_that_answers_everything_is_told_so(page):
    whole = page(**WHOLE)
    assert 'class="verdict"' in whole and "bound" not in verdict(whole)
    assert verdict(whole).endswith(
        "the only activation energy could be fitted; all 2 points of the Arrhenius plot are known."
    )


def test_a_failed_run_is_counted_and_its_reason_is_there_in_full(page):
    reason = "failed: temperature off by 81 K, 6.2 standard errors, after 12.5 ps"
    runs = [TABLES["conditions"][0] | {"verdict": reason}, *TABLES["conditions"][1:]]
    text = page(conditions=runs)
    assert "5 of 6 runs at 3 conditions passed the health checks" in verdict(text)
    assert f"x = 0.25, 900 K, replica 1: {reason}" in plain(text)
    assert ["900 K", "1 of 2"] in rows(text) and ["1000 K", "2 of 2"] in rows(text)


def test_conditions_that_are_not_covered_are_named_with_their_reason(page):
    missed = TABLES["coverage"][0] | {"verdict": "not covered", "reason": "expected to be wrong by 702 meV/A"}
    text = page(coverage=[missed, *TABLES["coverage"][1:]])
    assert "the labels cover 2 of 3 conditions" in verdict(text)
    assert "x = 0.25, 900 K: not covered, expected to be wrong by 702 meV/A" in plain(text)
    assert ["900 K", "52.1 (43.5–62.9), not covered"] in rows(text) and ["1000 K", "52.1 (43.5–62.9)"] in rows(text)


def test_without_active_learning_the_page_says_that_coverage_is_not_known(page):
    text = page(coverage=[])
    assert "which conditions the labels cover is not known" in verdict(text)
    assert "no round of active learning" in plain(text)
    assert 'class="verdict short"' in page(coverage=[], **WHOLE)


def test_spot_checks_are_shown_or_said_to_be_missing(page):
    assert "No frame of the production runs was labelled" in plain(page())
    checked = [row | {"spot_check": "61 (55 to 67), 1.3 × held out"} for row in TABLES["conditions"]]
    assert ["1100 K", "61 (55 to 67), 1.3 × held out"] in rows(page(conditions=checked))


def test_errors_of_the_potential_leave_out_columns_that_are_empty(page):
    text = page()
    assert ["1", "all", "all", "9", "41.8 ± 3.8", "31.4 ± 2.3", "11.6 ± 2.0", "10.3 ± 1.9"] in rows(text)
    assert "stress" not in plain(text)


def test_the_cost_of_the_arrhenius_figure_comes_first(page):
    text = plain(page())
    assert text.index("The Arrhenius figure took 0.411 core-hours") < text.index("The VDOS took 0.402 core-hours")
    assert ["label", "label_structures", "4", "0.371", "90.2"] in rows(page())


def test_lineage_goes_from_the_figure_to_the_labels_and_files_from_elsewhere(page):
    text = page()
    assert ["label_structures", "label", "1", "1", "2001-09-09 01:46"] in rows(text)
    assert ["reduce_plot_arrhenius", "reduce", "1", "1", "2001-09-09 03:46"] in rows(text)
    assert "2 jobs, made from 2001-09-09 01:46 to 2001-09-09 03:47 UTC, and on 1 label, by pw.x 7.2" in plain(text)
    assert f"x.cif: {'5ca1ab1e' * 8}" in plain(text) and "Li c0ffee" in plain(text)


def test_no_number_of_the_page_comes_from_elsewhere(page):
    """Each number with a decimal point is in a table of the campaign, or is one of them with its error."""
    tables = json.dumps(TABLES) + "0.312 ± 0.028 −0.041 ± 0.033 0.299 ± 0.017 -0.011"  # with_error has its own tests
    shown = set(re.findall(r"\d+\.\d+", plain(page().replace("<", " <"))))
    assert len(shown) > 20 and shown - {"7.2"} <= set(re.findall(r"\d+\.\d+", tables))  # pw.x 7.2


def test_several_backends_keep_their_order_and_their_names(page):
    text = page(backends=("nequip", "mace"))
    verdicts = [plain(each) for each in re.findall(r'<p class="verdict.*?</p>', text, re.S)]
    assert [each.split(":")[0] for each in verdicts] == ["nequip", "mace"]
    assert plain(text).index("Arrhenius plot, nequip") < plain(text).index("Arrhenius plot, mace")
    assert "The Arrhenius figure of mace rests on 2 jobs" in plain(text)


def test_texts_of_tables_are_no_markup(page):
    evil = "<script>alert(1)</script> & <b>"
    runs = [row | {"verdict": f"failed: {evil}"} for row in TABLES["conditions"]]
    text = page(title=evil, conditions=runs, energies=[energy("D Li", note=evil)])
    assert "<script" not in text and "<b>" not in text.replace("<b>nequip: </b>", "").replace("<figcaption><b>", "")
    assert f"failed: {evil}" in html.unescape(text)


def test_join_escapes_what_is_not_html_yet():
    assert join("a < b ", Html("<i>c</i>")) == "a &lt; b <i>c</i>"


def test_the_last_cell_of_a_short_row_takes_the_columns_that_remain():
    text = table(["a", "b", "c"], [["x = 1"], ["one", "two"], ["one", "-2", "3"]])
    assert 'colspan="3">x = 1</th>' in text and 'colspan="2"><span>two</span>' in text and "<td>−2</td>" in text


def test_a_picture_without_a_width_is_refused_by_name(tmp_path):
    (tmp_path / "bare.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"></svg>')
    with pytest.raises(ValueError, match="bare.svg: no width"):
        answer_html.figure(tmp_path / "bare.svg", "title", "caption")


def test_a_page_that_cannot_be_made_leaves_the_last_one(page, tmp_path):
    first = page()
    with pytest.raises(KeyError, match="kind"):
        page(points=[{"other": "1"}])
    assert (tmp_path / "answer.html").read_text() == first and not (tmp_path / "answer.html.partial").exists()
