"""Everything that can be cited is in resources/references.bib, and everything in there can be cited."""

import json
import re
import unicodedata
from pathlib import Path

import pytest
from thermoweave import bibtex, citations, engines, labellers, potentials
from thermoweave.labellers import pwscf

ROOT = Path(__file__).parents[2]
FILE = ROOT / "resources/references.bib"
KNOWN = bibtex.read(FILE)
GOOD = """% a comment

@article{Doe2020,
  author = {Doe, Jane and Roe, R. and others},
  title = {On melts},
  journal = {J. Salt},
  volume = {1},
  pages = {2},
  year = {2020},
  doi = {10.1000/xyz(1)},
}
"""


def keys():
    """All keys of all tables."""
    tables = (
        citations.PROGRAMS, citations.FUNCTIONALS, citations.TIGHT_BINDING, citations.DISPERSION, citations.SMEARING,
        citations.METHODS, *citations.POTENTIALS.values(),
        {sign: found for sign, (_, found) in citations.PSEUDOPOTENTIALS.items()},
    )  # fmt: skip
    return {key for table in tables for found in table.values() for key in found}


def identifiers(texts):
    """DOIs, of arXiv numbers the one that arXiv gives them."""
    found = set()
    for text in texts:
        doi, number = re.search(r"doi:(\S+)", text), re.search(r"arXiv:(\S+)", text)
        found.add((doi[1] if doi else f"10.48550/arXiv.{number[1]}").lower())
    return found


def test_tables_and_file_hold_the_same_keys():
    assert keys() == set(KNOWN)


@pytest.mark.parametrize("backend", potentials.available())
def test_a_potential_has_the_citations_of_its_adapter(backend):
    cited = {key for found in citations.POTENTIALS[backend].values() for key in found}
    assert {KNOWN[key].doi.lower() for key in cited} == identifiers(potentials.adapter(backend).REFERENCES)


@pytest.mark.parametrize("backend", potentials.available())
def test_every_model_of_a_potential_has_a_citation(backend):
    own = getattr(potentials.adapter(backend), "OWN", {})
    models = set(own) or {potentials.adapter(backend).HYPERS.get("model", "")}
    assert models <= set(citations.POTENTIALS[backend])


@pytest.mark.parametrize("name", engines.available())
def test_an_engine_has_the_citations_of_its_adapter(name):
    assert {KNOWN[key].doi.lower() for key in citations.PROGRAMS[name]} == identifiers(engines.engine(name).REFERENCES)


def test_labellers_have_citations_for_all_that_the_schema_allows():
    assert set(labellers.available()) == {"ase", "pwscf", "tblite"}  # a new one needs its citations and sentences
    schema = (ROOT / "config/schema.yaml").read_text()
    for key, table in (
        ("functional", citations.FUNCTIONALS), ("smearing", citations.SMEARING), ("method", citations.TIGHT_BINDING),
    ):  # fmt: skip
        allowed = re.search(rf"^ +{key}: {{enum: \[(.*?)\]", schema, re.M)[1]
        assert set(allowed.split(", ")) == set(table), key
    assert set(pwscf.VDW_CORR) - {"none"} == set(citations.DISPERSION)


def plain(text):
    """Without accents, and with the names that have two spellings in one."""
    letters = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("Lepskii", "Lepski")


def test_papers_that_the_methods_page_names_can_be_cited():
    table = [line.split(" | ") for line in (ROOT / "docs/methods.md").read_text().splitlines() if line.startswith("| ")]
    sources = plain("; ".join(row[2] for row in table if len(row) == 4))
    # first author and year of `Doe, Roe, J. Salt 1, 2 (2020)`, `Doe and Roe, J. Salt 1, 2 (2020)`, `Doe (2020)`
    named = set(re.findall(r"([A-Z][\w-]+)(?:(?:,| and) [^;()]*)? ?\((\d{4})\)", sources))
    there = {
        (word, each.fields["year"])
        for each in KNOWN.values()
        for word in re.findall(r"\w[\w-]+", plain(each.fields["author"]))
    }
    assert len(named) > 30
    assert named <= there, named - there


def test_the_reader_returns_what_is_written(tmp_path):
    path = tmp_path / "all.bib"
    path.write_text(bibtex.bibtex(KNOWN.values()), encoding="utf-8")
    assert bibtex.read(path) == KNOWN


def test_titles_keep_their_case_in_any_style():
    assert "title = {{SchNetPack 2.0: a neural" in bibtex.bibtex([KNOWN["Schutt2023"]])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  volume = {1},\n", "", "Doe2020 has no volume"),
        ("  year = {2020},\n", "  year = 2020,\n", "line 9: '  year = 2020,' is no"),
        ("@article{Doe2020,", "@journal{Doe2020,", "@journal of Doe2020; it can be article"),
        ("  pages = {2},\n", "  page = {2},\n", "Doe2020 has page; fields are"),
        ("10.1000/xyz(1)", "https://doi.org/10.1000/xyz", "doi of Doe2020"),
        ("  pages = {2},\n", "  year = {2021},\n", "'  year = {2020},' is no"),
        ("},\n}\n", "},\n", "Doe2020 has no closing brace"),
    ],
)
def test_a_slip_in_the_file_is_named(tmp_path, old, new, said):
    path = tmp_path / "a.bib"
    path.write_text(GOOD)
    assert list(bibtex.read(path)) == ["Doe2020"]
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ValueError, match=re.escape(said)):
        bibtex.read(path)


def test_a_key_that_is_there_twice_is_refused(tmp_path):
    (tmp_path / "a.bib").write_text(GOOD + "\n" + GOOD)
    with pytest.raises(ValueError, match="Doe2020 is there already"):
        bibtex.read(tmp_path / "a.bib")


def test_a_reference_for_people(tmp_path):
    (tmp_path / "a.bib").write_text(GOOD.replace("On melts", "Melts & salts"))
    (reference,) = bibtex.read(tmp_path / "a.bib").values()
    assert bibtex.as_html(reference) == (
        "J. Doe, R. Roe et al., <i>Melts &amp; salts</i>, J. Salt <b>1</b>, 2 (2020). "
        '<a href="https://doi.org/10.1000/xyz(1)">doi:10.1000/xyz(1)</a>'
    )


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("Yeh2004", "I.-C. Yeh and G. Hummer"),
        ("Tkatchenko2012", "A. Tkatchenko, R. A. DiStasio Jr., R. Car and M. Scheffler"),
        ("Marzari1999", "N. Marzari, D. Vanderbilt, A. De Vita and M. C. Payne"),
        ("Thermoweave", "Thermoweave developers"),
    ],
)
def test_names_of_authors(key, text):
    assert bibtex.authors(KNOWN[key]) == text


def test_the_archive_gets_a_title_a_type_and_a_doi_of_each():
    found = bibtex.summary(KNOWN.values())
    assert json.loads(json.dumps(found)) == found
    assert {"key": "Sos1958", "title": KNOWN["Sos1958"].title, "type": "ScholarlyArticle"} in found
    assert {each["type"] for each in found} == {"ScholarlyArticle", "Book", "SoftwareApplication"}
    without = {each["key"] for each in found if "doi" not in each}
    assert without == {"Thermoweave", "Holzmuller2023", "Sos1958", "Westfall1993"}  # these have none
