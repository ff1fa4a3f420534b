"""The answer page and the report that opens with it, as a browser shows them on a phone and on a desk."""

import functools
import re
import subprocess
import sys

import answered
import browser
import pytest
from miniature import ROOT

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason=browser.MISSING)
WIDTHS = [400, 1200]
HEADINGS = ["Answer", "Coverage", "Errors of the potential", "Health of the runs", "Cost", "Lineage", "Methods"]
SNAKEFILE = """
report: "{root}/report/workflow.rst"

rule answer:
    output:
        report("results/{name}", category="0. Answer", caption="{root}/report/answer.rst"),
    log:
        "answer.log",
    shell:
        "cp answer.html {{output}}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("campaign")


@pytest.fixture(scope="module")
def page(folder):
    """The answer page of a campaign with a wide table, a long reason and a long word in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        long = [answered.energy("viscosity", note="nothing known at 900 K, " * 12 + "x" * 120)]
        rows = [row | {"verdict": "failed: " + "y" * 200} for row in answered.TABLES["conditions"][:1]]
        return answered.page(
            folder,
            energies=answered.TABLES["energies"][:2] + long,
            conditions=rows + answered.TABLES["conditions"][1:],
        )


def report(folder, name):
    """Snakemake's report of a workflow whose one result is the answer page, by some name."""
    (folder / "Snakefile").write_text(SNAKEFILE.format(root=ROOT, name=name))
    snakemake = [sys.executable, "-m", "snakemake", "--workflow-profile", "none", "--cores", "1"]
    snakemake += ["--configfile", str(ROOT / "config/test.yaml")]
    for options in ([], ["--report", f"{name}.report.html", "--report-stylesheet", str(ROOT / "report/report.css")]):
        run = subprocess.run([*snakemake, *options], cwd=folder, text=True, capture_output=True)
        assert run.returncode == 0, run.stderr
    return folder / f"{name}.report.html"


@pytest.fixture(scope="module")
def whole_report(folder, page):
    return report(folder, "answer.html")


@pytest.fixture(scope="module")
def layout(folder):
    """What a screen of some width shows of a page: read once."""
    return functools.cache(lambda page, width: browser.layout(folder, page, width))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_its_screen_and_needs_nothing_else(layout, page, width):
    seen = layout(page, width)
    assert seen["width"] == width
    assert seen["scroll_width"] <= width and seen["outside"] == []
    assert seen["headings"] == HEADINGS
    assert seen["fetched"] == []
    assert seen["title"]["top"] < 100


@pytest.mark.parametrize("width", WIDTHS)
def test_every_figure_is_drawn_and_never_too_small_to_read(layout, page, width):
    pictures = layout(page, width)["pictures"]
    assert len(pictures) == 5
    for natural, shown in pictures:
        assert natural == 800 and shown >= 480  # 600 pt; at least 0.6 of that


def test_the_page_has_no_script_and_no_address_of_another_file(page):
    text = page.read_text()
    assert "<script" not in text and "@import" not in text and "url(" not in text
    for address in re.findall(r'(?:src|href|data|action)="([^"]*)"', text):
        assert address.startswith(("data:", "#"))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_report_opens_with_the_answer(layout, whole_report, width):
    seen = layout(whole_report, width)
    assert seen["headings"] == HEADINGS and len(seen["pictures"]) == 5
    assert seen["fetched"] == []
    assert seen["scroll_width"] <= width and seen["outside"] == []
    assert seen["answer"]["left"] >= 0 and seen["answer"]["right"] <= width
    assert 0 <= seen["title"]["top"] < 300  # Snakemake would centre it: the head of a long page is cut off then


def test_on_a_phone_the_menu_is_above_the_answer_and_on_a_desk_beside_it(layout, whole_report):
    phone, desk = (layout(whole_report, width) for width in WIDTHS)
    assert phone["menu"]["bottom"] <= phone["answer"]["top"] and phone["menu"]["width"] == 400
    assert phone["answer"]["width"] > 330
    assert desk["menu"]["right"] <= desk["answer"]["left"] and desk["answer"]["width"] > 800


def test_a_report_without_an_answer_says_what_was_computed(folder, page):
    seen = browser.layout(folder, report(folder, "other.html"), 1200)
    assert seen["headings"] == [] and "Campaign test: concentrations 0.25, 0.50" in seen["text"]


def test_pictures_of_the_page_are_not_blank(folder, page):
    for width in (500, 1200):
        assert browser.picture(folder, page, width, 900).stat().st_size > 20_000
