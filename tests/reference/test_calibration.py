"""The calibration with few seeds: what it calls a miss beyond its own error, and is not known, is a fault."""

import calibrate
import limits
import numpy as np
import pytest
import scoring
from scoring import Answer

CLEAR = 3.3  # standard errors of a figure: none of a hundred is off by that much by chance


@pytest.mark.parametrize(
    ("part", "n_trials"),
    [("series", 300), ("curves", 150), ("diffusion", 40), ("campaigns", 40), ("ions", 40), ("vibrations", 8)],
)
def test_goals_are_met(part, n_trials):
    found = scoring.scores(answer for seed in range(n_trials) for answer in calibrate.trial(part, seed))
    assert found
    missed = {(one.truth, one.quantity): one.misses(CLEAR) for one in found if one.misses(CLEAR)}
    assert {where: what for where, what in missed.items() if not limits.reason(*where)} == {}


def answers(rng, n: int = 400, off: float = 0.0, bar: float = 1.0, **more) -> list[Answer]:
    return [Answer("truth", "quantity", "method", off + error, bar, 0.0, 1.0, **more) for error in rng.normal(size=n)]


@pytest.mark.parametrize(
    ("fault", "missed"),
    [({}, []), ({"bar": 0.7}, ["coverage"]), ({"bar": 1.4}, ["width"]), ({"off": 0.4}, ["bias"])],
)
def test_faults_are_found(fault, missed):
    [one] = scoring.scores(answers(np.random.default_rng(1), **fault))
    assert one.misses(CLEAR) == missed


def test_bounds_and_false_answers_are_counted():
    rng = np.random.default_rng(2)
    [good] = scoring.scores(answers(rng, off=1.645, bound="upper"))
    [bad] = scoring.scores(answers(rng, off=1.0, bound="upper"))
    assert (good.verdict, bad.misses(CLEAR)) == ("met", ["coverage"])
    [none] = scoring.scores([Answer("solid", "D", "method", np.nan, np.nan, np.nan, bound="none")] * 20)
    assert none.within_95 == 1
    [false] = scoring.scores([Answer("solid", "D", "method", 1.0, 0.1, np.nan, bound="none")] * 20)
    assert false.misses(CLEAR) == ["coverage"]


def test_a_band_that_is_not_symmetric_counts_as_it_is():
    band = (-0.1, 3.0, -0.2, 4.0)
    [one] = scoring.scores([Answer("truth", "quantity", "method", 2.0, 1.0, 0.0, band=band)] * 10)
    assert (one.within_68, one.within_95) == (1.0, 1.0)
