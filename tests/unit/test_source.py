"""Code compared by what it does."""

from pathlib import Path

import pytest
from snakemake.api import SnakemakeApi
from snakemake.iocontainers import Wildcards
from snakemake.settings.types import ConfigSettings, ResourceSettings
from thermoweave import source

ROOT = Path(__file__).parents[2]

TEXT = '''"""What it is for."""

import math


def area(r):  # of a circle
    """In square metres."""
    return math.pi * r**2
'''


@pytest.fixture
def digest_of(tmp_path):
    """The digest of a text; each in a file of its own, because a process reads a file once."""
    files = iter(range(100))

    def digest(text: str) -> str:
        path = tmp_path / f"{next(files)}.py"
        path.write_text(text)
        return source.digest(str(path))

    return digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # of a circle", ""),
        ("math.pi * r**2", "math.pi * r ** 2  # Archimedes"),
        ('"""In square metres."""', '"""In m2."""\n'),
        ('    """In square metres."""\n', ""),
        ('"""What it is for."""\n', ""),
        ("\n\n\n", "\n"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(digest_of, old, new):
    assert old in TEXT and digest_of(TEXT.replace(old, new)) == digest_of(TEXT)


@pytest.mark.parametrize(("old", "new"), [("r**2", "r**3"), ("math.pi", "3.14"), ("def area", "def surface")])
def test_what_it_does_counts(digest_of, old, new):
    assert old in TEXT and digest_of(TEXT.replace(old, new)) != digest_of(TEXT)


def test_a_function_that_is_only_documented_still_parses(digest_of):
    assert digest_of('def nothing():\n    """Soon."""\n') == digest_of("def nothing():\n    pass\n")


def test_text_that_is_no_docstring_counts(digest_of):
    assert digest_of('x = """a"""\n') != digest_of('x = """b"""\n')


def test_the_list_names_what_differs(tmp_path):
    (tmp_path / "thermoweave").mkdir()
    (tmp_path / "script.py").write_text("x = 1\n")
    (tmp_path / "thermoweave/gate.py").write_text("y = 1\n")
    names = ("script", "thermoweave/gate")
    listed = source.digests(str(tmp_path), names).split()
    assert listed[::2] == list(names) and all(len(text) == 12 for text in listed[1::2])


def test_packages_count_and_comments_do_not(tmp_path):
    texts = ["- numpy==2.4.6\n", "# why\n- numpy==2.4.6  # because\n", "- numpy==2.4.7\n"]
    for k, text in enumerate(texts):
        (tmp_path / f"{k}.yaml").write_text(text)
    first, remarked, newer = (source.environment(str(tmp_path / f"{k}.yaml")) for k in range(len(texts)))
    assert first == remarked != newer


@pytest.fixture(scope="module")
def workflow():
    """The campaign's rules, as Snakemake reads them."""
    with SnakemakeApi() as api:
        yield api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[ROOT / "config/test.yaml"]),
            snakefile=ROOT / "Snakefile",
        )._workflow


def test_each_rule_says_what_its_script_and_its_packages_are(workflow):
    wildcards = Wildcards(fromdict={"backend": "nequip", "environment": "pwscf"})
    scripts = [rule for rule in workflow.rules if rule.script]
    assert len(scripts) > 30
    for rule in scripts:
        said = rule.params[0](wildcards).split()
        environment = rule.conda_env(wildcards) if callable(rule.conda_env) else rule.conda_env
        path = Path(workflow.basedir) / "envs" / Path(str(environment).format(**wildcards)).name
        assert said[0] == Path(rule.script).stem, rule.name
        assert said[-2:] == ["packages", source.environment(str(path))], rule.name
