"""Words and numbers of the methods text."""

import pytest
from thermoweave import methods_text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-7, "10⁻⁷"), (2.5e-7, "2.5 × 10⁻⁷"), (-3, "−3"), (0.41, "0.41"), (1e6, "10⁶"), (1000.0, "1000")],
)
def test_numbers_as_they_are_printed(value, text):
    assert methods_text.number(value) == text


def test_words():
    assert methods_text.listed([]) == ""
    assert methods_text.listed(["a", "b", "c"]) == "a, b and c"
    assert [methods_text.share(*each) for each in ((3, 3), (0, 3), (2, 3), (1, 1), (0, 0))] == [
        "all 3", "none of the 3", "2 of 3", "1 of 1", "0 of 0",
    ]  # fmt: skip
    assert methods_text.capital("2 of 3") == "Two of 3"
    assert methods_text.latex_text("50 % of r_max: 2 × 10⁻⁷ Å") == r"50 \% of r\_max: 2 $\times$ 10$^{-7}$ \AA{}"
