"""Error budgets: scatter of known origin is found where it comes from, and what is not known says so."""

import numpy as np
import pytest
import reduce_budget
from ase.units import kB
from thermoweave import arrhenius, budget, budget_series

SEEDS = ["1", "2", "3", "1", "2", "3"]
TEMPERATURES = np.array([900.0, 1000.0, 1100.0, 1200.0, 1300.0])


def campaign(rng, sampling, replica, committee, seeds=SEEDS):
    """ln X (temperature, replica) with chosen variances of one run, of one replica, of one potential."""
    names = sorted(set(seeds))
    potentials = rng.normal(size=(len(TEMPERATURES), len(names))) * np.sqrt(committee)
    noise = rng.normal(size=(len(TEMPERATURES), len(seeds))) * np.sqrt(sampling + replica)
    return noise + potentials[:, [names.index(seed) for seed in seeds]] - 18


@pytest.mark.parametrize(("replica", "committee"), [(0.0, 0.0), (0.02, 0.0), (0.0, 0.03), (0.02, 0.03)])
def test_scatter_is_found_where_it_comes_from(replica, committee):
    rng = np.random.default_rng(1)
    sampling = np.full(5, 0.01)
    found = [budget.components(campaign(rng, sampling[0], replica, committee), sampling, SEEDS) for _ in range(400)]
    # estimates stop at zero: where there is none, a little is found
    assert np.mean([one.replica for one in found]) == pytest.approx(replica, abs=0.004)
    assert np.mean([one.committee for one in found]) == pytest.approx(committee, abs=0.004)


def test_the_total_is_the_scatter_of_campaigns():
    """The mean of runs and potentials scatters between campaigns by what each campaign says of itself."""
    rng = np.random.default_rng(2)
    sampling, replica, committee = 0.01, 0.01, 0.02
    means, totals = [], []
    for _ in range(300):
        values = campaign(rng, sampling, replica, committee)
        found = budget.components(values, np.full(5, sampling), SEEDS)
        means.append(values.mean(axis=1))
        totals.append(sampling / 6 + found.replica / 6 + found.committee / 3)
    assert np.sqrt(np.mean(totals)) == pytest.approx(np.std(means), rel=0.06)


def test_gaps_do_not_count():
    values = campaign(np.random.default_rng(3), 0.01, 0.0, 0.0)
    values[2] = np.nan
    values[3, :5] = np.nan
    without = budget.components(values[[0, 1, 4]], np.full(3, 0.01), SEEDS)
    assert budget.components(values, np.full(5, 0.01), SEEDS) == pytest.approx(without)


def test_what_cannot_be_told_is_not_zero():
    rng = np.random.default_rng(4)
    one_each = budget.components(campaign(rng, 0.01, 0, 0, ["1", "2"]), np.full(5, 0.01), ["1", "2"])
    assert np.isnan(one_each.replica) and one_each.committee >= 0
    one_potential = budget.components(campaign(rng, 0.01, 0, 0, ["1", "1"]), np.full(5, 0.01), ["1", "1"])
    assert one_potential.replica >= 0 and np.isnan(one_potential.committee)
    alone = budget.components(campaign(rng, 0.01, 0, 0, ["1"]), np.full(5, 0.01), ["1"])
    assert np.isnan(alone).all()
    assert budget.counted(1, ["1"]).keys() == {"replica", "committee"}
    assert budget.counted(2, ["1", "2"]).keys() == {"replica"}
    assert budget.counted(4, ["1", "2", "1", "2"]) == {}
    variances = dict.fromkeys(budget.LINES, 0.04) | {"committee": np.nan}
    found = budget.budget(variances, {"committee": "one potential"})
    assert found.unknown == {"committee": "one potential"}
    assert found.total == pytest.approx(np.sqrt(5 * 0.04))


def test_the_weights_are_those_of_the_fit():
    rng = np.random.default_rng(5)
    variance = rng.uniform(0.001, 0.1, 5)
    lnD = -15 - 0.3 / (kB * TEMPERATURES) + np.sqrt(variance) * rng.normal(size=5)
    fit = arrhenius.fit(TEMPERATURES, lnD, variance)
    weights = budget.slope_weights(TEMPERATURES, variance)
    assert weights @ lnD == pytest.approx(fit.Ea_eV)
    assert np.sqrt(weights**2 @ variance) == pytest.approx(fit.Ea_std_eV)


def gain(contributions, hours, committee):
    return budget.best_gain(
        ["900", "1000", "1100"], np.array(contributions), np.array([2, 2, 2]), np.array(hours), committee, 2, 1.0, 1.0
    )


def test_the_next_hour_goes_where_the_bar_comes_from():
    assert gain([0.6, 0.1, 0.3], [1.0, 1.0, 1.0], np.nan).how == "another replica at 900 K"
    assert gain([0.6, 0.1, 0.5], [4.0, 1.0, 1.0], np.nan).how == "another replica at 1100 K"
    assert gain([0.6, 0.1, 0.3], [1.0, 1.0, 1.0], np.nan)[1:] == pytest.approx((0.2, 1.0))
    assert gain([0.01, 0.01, 0.01], [1.0, 1.0, 1.0], 0.9).how.startswith("another potential")
    assert gain([0.3, 0.3, 0.3], [1.0, 1.0, 1.0], 1e-6).how.startswith("another replica")


def test_a_replica_with_a_gap_still_tells_of_its_potential():
    """Four of thirty runs failed, each at another temperature: what potentials differ in Ea is found all the same."""
    rng = np.random.default_rng(7)
    variance = np.full(5, 1e-4)
    beta = 1 / (kB * TEMPERATURES)
    found = []
    for _ in range(60):
        Ea = dict(zip("123", 0.3 + 0.02 * rng.normal(size=3), strict=True))
        values = np.array([-15 - Ea[seed] * (beta - beta.mean()) for seed in SEEDS]).T
        values += 0.01 * rng.normal(size=values.shape)
        for k in range(4):
            values[k, k] = np.nan
        one = budget_series.Series(TEMPERATURES, [], values, variance, variance / 6, np.full(5, 6), np.zeros(5))
        parts = budget.Components(0.0, 0.0)
        found.append(reduce_budget.committee_of_energy(one, parts, SEEDS))
    assert np.sqrt(np.mean(found)) == pytest.approx(0.02, rel=0.2)


def test_hours_are_those_of_cores_and_of_runs_that_passed():
    base = {"concentration": "0.25", "temperature": "900"}
    verdicts = [base | {"passed": True, "wall_s": 3600}, base | {"passed": False, "wall_s": 1}]
    assert reduce_budget.run_hours(verdicts, 4) == {("0.25", "900"): 4.0}
    assert reduce_budget.run_hours([base | {"passed": True, "wall_s": 0.0}], 1)[("0.25", "900")] > 0
