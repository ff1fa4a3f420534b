"""The expected force error from a committee's deviation: does its interval hold the truth as often as it says?"""

import json

import numpy as np
import pytest
from thermoweave import calibration
from thermoweave.calibration import Pair

CONDITIONS = [f"x{x} T{T}" for x in (1, 2, 3) for T in (900, 1000, 1100)]
SLOPE, NOISE = -0.2, 0.25


def world(rng, n_pairs, tau=0.3, omega=0.2):
    """Pairs of two groups at all conditions but the last, and what is true of the group `new`."""
    between = dict(zip(CONDITIONS, rng.normal(0, tau, len(CONDITIONS)), strict=True))
    groups = {name: rng.normal(0, omega) for name in ("held out", "new")}
    a = rng.normal(0.4, 0.3)

    def ln_ratio(d, condition, group):
        return a + SLOPE * np.log(d / 100) + between[condition] + groups[group]

    pairs = []
    for _ in range(n_pairs):
        condition, group = CONDITIONS[rng.integers(len(CONDITIONS) - 1)], ("held out", "new")[rng.integers(2)]
        d = float(np.exp(rng.normal(np.log(100), 0.5)))
        pairs.append(Pair(d, float(d * np.exp(ln_ratio(d, condition, group) + rng.normal(0, NOISE))), condition, group))
    return pairs, lambda d, condition: d * np.exp(ln_ratio(d, condition, "new") + NOISE**2)


def blocks(rng):
    """Deviations of ten blocks of a walk, and those of the whole population."""
    return [np.exp(rng.normal(np.log(80), 0.3, 2)) for _ in range(10)], np.exp(rng.normal(np.log(80), 0.3, 20000))


@pytest.mark.parametrize("n_pairs", [0, 4, 20, 100])
def test_intervals_of_conditions_hold_the_truth_as_often_as_they_say(n_pairs):
    """Of a condition with labels and of one without, over worlds drawn at random, few or many labels."""
    inside, widths = [], []
    for seed in range(120):
        rng = np.random.default_rng([seed, n_pairs])
        pairs, truth = world(rng, n_pairs)
        found = calibration.fit(pairs, "new")
        for condition in (CONDITIONS[0], CONDITIONS[-1]):
            seen, population = blocks(rng)
            _, low, high = calibration.of_condition(found, condition, seen, [np.zeros(2)] * 10, rng, n_draws=400)
            inside.append(low < np.sqrt(np.mean(truth(population, condition) ** 2)) < high)
            widths.append(np.log(high / low))
    assert 0.85 <= np.mean(inside) <= 0.99 if n_pairs else np.mean(inside) > 0.95
    if n_pairs == 100:
        assert np.median(widths) < 1.2  # informative, too: within a factor of 1.8 either way


def test_fresh_labels_lie_inside_their_interval():
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        pairs, _ = world(rng, 80)
        found = calibration.fit(pairs[:40], "new")
        fresh = [pair for pair in pairs[40:] if pair.group == "new"]
        inside += [
            low < p.error < high for p in fresh for low, high in [calibration.interval(found, p.condition, p.deviation)]
        ]
    assert 0.86 <= np.mean(inside) <= 0.95


def test_a_condition_with_few_labels_borrows_and_one_with_many_does_not():
    rng = np.random.default_rng(1)

    def pairs(condition, n, ratio):
        return [Pair(100.0, 100 * ratio * np.exp(rng.normal(0, 0.2)), condition, "g") for _ in range(n)]

    several = [pair for k in range(6) for pair in pairs(f"c{k}", 20, 1.5)]
    found = calibration.fit([*several, Pair(100.0, 400.0, "few", "g"), *pairs("many", 100, 3.0)], "g")
    error, bound = (
        {name: calibration.expected(found, name, np.array(100.0))[k] for name in ("few", "many", "none")}
        for k in (0, 1)
    )
    assert error["many"] == pytest.approx(300, rel=0.08) and bound["many"] < 1.1 * error["many"]
    assert 160 < error["few"] < 360 and bound["few"] > 1.2 * error["few"]
    assert error["none"] < error["few"] and bound["none"] > 1.5 * error["none"]


def test_a_committee_without_fresh_labels_is_less_certain():
    rng = np.random.default_rng(2)
    pairs, _ = world(rng, 100)
    known, unknown = (calibration.fit(pairs, group).line(CONDITIONS[0]) for group in ("new", "another"))
    assert unknown.covariance[0][0] > known.covariance[0][0]


def test_the_wall_adds_in_quadrature():
    found = calibration.fit(world(np.random.default_rng(4), 30)[0], "new")
    alone, bound = calibration.expected(found, CONDITIONS[0], np.array(100.0))
    with_wall, bound_with_wall = calibration.expected(found, CONDITIONS[0], np.array(100.0), 70.0)
    assert with_wall == pytest.approx(np.hypot(alone, 70)) and bound_with_wall == pytest.approx(np.hypot(bound, 70))


def test_the_same_numbers_each_time_and_through_json():
    pairs, _ = world(np.random.default_rng(3), 30)
    found = calibration.fit(pairs, "new")
    assert calibration.from_json(json.loads(json.dumps(calibration.as_json(found)))) == found
    assert calibration.fit(pairs, "new") == found


@pytest.mark.parametrize("pair", [Pair(0.0, 1.0, "c", "g"), Pair(1.0, np.nan, "c", "g"), Pair(np.inf, 1.0, "c", "g")])
def test_what_cannot_be_calibrated_is_named(pair):
    with pytest.raises(ValueError, match="cannot be calibrated"):
        calibration.fit([pair], "g")
