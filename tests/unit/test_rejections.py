"""Clusters of rejections: named where they were planted, and hardly ever where there is none."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from thermoweave.rejections import clusters, groups, hypergeometric_tails, most_clustered

# What the quickstart labels: 19 structures at each of 3 concentrations, 6 to 4 at each of 4 temperatures.
SIZES = {
    (x, t): n
    for x, (t, n) in product(("x0.25", "x0.41", "x0.60"), {"T900": 6, "T1000": 5, "T1150": 4, "T1300": 4}.items())
}
X025 = [condition for condition in SIZES if condition[0] == "x0.25"]
T900 = [condition for condition in SIZES if condition[1] == "T900"]
N_TRIALS = 1500


def counted(**rejected: int) -> dict:
    """The quickstart with rejections in some conditions, as in `counted(**{"x0.25/T900": 6})`."""
    return {condition: (n, rejected.get("/".join(condition), 0)) for condition, n in SIZES.items()}


@cache
def campaigns(rate: float, bad: tuple = (), bad_rate: float = 0.0, seed: int = 1) -> list[list]:
    """The names called at significance 0.01 in random campaigns, rejected at `rate` and at `bad_rate` where it is bad.

    A condition that is named only because it has no label is left out.
    """
    rng = np.random.default_rng(seed)
    rates = [bad_rate if condition in bad else rate for condition in SIZES]
    drawn = rng.binomial(list(SIZES.values()), rates, size=(N_TRIALS, len(SIZES)))
    result = []
    for losses in drawn.tolist():
        counts = {condition: (n, k) for (condition, n), k in zip(SIZES.items(), losses, strict=True)}
        result.append([cluster.name for cluster in clusters(counts, 0.01) if cluster.p <= 0.01])
    return result


def share(called: list[list], *names: str) -> float:
    """Share of campaigns whose first name is one of these; of any name if none is given."""
    return sum(bool(found) and (not names or found[0] in names) for found in called) / len(called)


def test_the_tail_is_that_of_fisher():
    # the lady tasting tea: 4 of 4 right 1/70, at least 3 of 4 right 17/70
    assert hypergeometric_tails(8, 4, 4) == pytest.approx((1, 69 / 70, 53 / 70, 17 / 70, 1 / 70))
    assert hypergeometric_tails(8, 8, 8)[8] == 1 and hypergeometric_tails(8, 1, 4)[2] == 0


def test_p_is_the_chance_that_some_group_looks_as_bad():
    # of the 6 ways to reject 2 of these 4, 2 leave x0.25 or x0.50 without a label and 2 T900 or T1000
    counts = {
        ("x0.25", "T900"): (1, 1),
        ("x0.25", "T1000"): (1, 1),
        ("x0.50", "T900"): (1, 0),
        ("x0.50", "T1000"): (1, 0),
    }
    worst = most_clustered(counts)
    assert worst.name == "x0.25" and worst.p_alone == pytest.approx(1 / 6) and worst.p == pytest.approx(4 / 6, abs=0.02)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.6])
def test_random_rejections_are_called_at_most_as_often_as_stated(rate):
    # the binomial bound of three standard errors above the level of 0.01
    assert share(campaigns(rate)) <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / N_TRIALS)


def test_a_condition_that_loses_most_is_found_and_named():
    called = campaigns(0.03, (("x0.25", "T900"),), 0.8)
    assert share(called) > 0.85 and share(called, "x0.25/T900") > 0.9 * share(called)


@pytest.mark.parametrize(("name", "bad"), [("x0.25", X025), ("T900", T900)])
def test_a_concentration_or_temperature_that_loses_half_is_found_and_named(name, bad):
    called = campaigns(0.03, tuple(bad), 0.5)
    assert share(called) > 0.85 and share(called, name) > 0.9 * share(called)


def test_what_is_not_bad_is_not_named_beside_what_is():
    called = campaigns(0.03, tuple(X025), 0.9)
    assert share([found[1:] for found in called]) <= 0.02


def test_the_narrowest_description_is_named():
    (cell,) = clusters(counted(**{"x0.25/T900": 6, "x0.41/T1000": 1}), 0.01)
    assert (cell.name, cell.structures, cell.rejected) == ("x0.25/T900", 6, 6)
    assert (cell.structures_elsewhere, cell.rejected_elsewhere) == (51, 1) and cell.p <= 0.001
    (whole,) = clusters(counted(**{"/".join(condition): SIZES[condition] for condition in X025}), 0.01)
    assert (whole.name, whole.structures, whole.rejected, whole.rejected_elsewhere) == ("x0.25", 19, 19, 0)
    (row,) = clusters(counted(**{"/".join(condition): 4 for condition in T900}), 0.01)
    assert row.name == "T900" and row.conditions == set(T900)


def test_two_clusters_are_both_named():
    first, second = clusters(counted(**{"x0.25/T900": 6, "x0.60/T1300": 4}), 0.01)
    assert (first.name, second.name) == ("x0.25/T900", "x0.60/T1300")
    assert (second.structures_elsewhere, second.rejected_elsewhere) == (47, 0)


def test_nothing_rejected_is_no_cluster():
    assert clusters(counted(), 0.5) == [] and most_clustered(counted()) is None
    assert clusters({}, 0.01) == []


def test_everything_rejected_is_named_once_by_concentration():
    found = clusters({condition: (n, n) for condition, n in SIZES.items()}, 0.01)
    assert [(cluster.name, cluster.p) for cluster in found] == [("x0.25", 1), ("x0.41", 1), ("x0.60", 1)]


def test_a_condition_without_a_label_is_named_however_probable():
    counts = {
        ("x0.25", "T900"): (1, 1),
        ("x0.25", "T1000"): (3, 0),
        ("x0.50", "T900"): (2, 1),
        ("x0.50", "T1000"): (3, 1),
    }
    (found,) = clusters(counts, 0.01)
    assert found.name == "x0.25/T900" and found.p > 0.01
    counts["x0.25", "T1000"] = (1, 1)
    (found,) = clusters(counts, 0.01)
    assert (found.name, found.structures) == ("x0.25", 2)


def test_a_single_condition_has_nothing_to_cluster_against():
    assert clusters({("x0.50", "T900"): (10, 9)}, 0.01) == []
    (found,) = clusters({("x0.50", "T900"): (10, 10)}, 0.01)
    assert (found.name, found.p, found.structures_elsewhere) == ("x0.50", 1, 0)


def test_groups_of_the_same_structures_are_tested_once():
    assert list(groups({("x0.25", "T900"): (1, 0), ("x0.50", "T900"): (1, 0)})) == ["x0.25", "x0.50", "T900"]
    assert list(groups({("x0.25", "T900"): (1, 0), ("x0.25", "T1000"): (1, 0)})) == ["x0.25", "T900", "T1000"]
    assert len(groups(SIZES)) == 3 + 4 + 12
