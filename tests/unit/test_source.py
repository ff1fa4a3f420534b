"""Code compared by what it does."""

import pytest
from thermoweave import source

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
