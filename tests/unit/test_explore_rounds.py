"""Which rounds there are, and who takes part in them."""

from copy import deepcopy

import pytest
from good_config import GOOD
from thermoweave import rounds
from thermoweave.explore_config import explore_faults


def config(**explore):
    changed = deepcopy(GOOD)
    changed["explore"] |= {"rounds": 6, **explore}
    return changed


@pytest.mark.parametrize(
    ("explore", "fewest", "most"),
    [
        ({}, 2, 6),
        ({"rounds": 1}, 1, 1),
        ({"rounds": 0}, 0, 0),
        ({"budget": {"labels": 39 + 3 * 9 + 8, "core_h": "none"}}, 2, 3),
        ({"budget": {"labels": "none", "core_h": 5}}, 1, 6),
        ({"joined": {"concentrations": {"0.41": 3}}}, 5, 6),
        ({"joined": {"temperatures": {"1100": 5}}}, 6, 6),
    ],
)
def test_how_many_rounds_there_can_be(explore, fewest, most):
    found = config(**explore)
    assert (rounds.fewest(found), rounds.most(found)) == (fewest, most)


def test_one_that_joins_later_is_unknown_to_earlier_rounds():
    later = config(joined={"concentrations": {"0.41": 2}, "temperatures": {"1100": 1}})
    assert rounds.concentrations(later, 1) == ["0.25", "0.60"]
    assert rounds.concentrations(later, 2) == ["0.25", "0.41", "0.60"]
    assert rounds.sampled(later)["concentrations"] == ["0.25", "0.60"]
    assert rounds.temperatures(later, 0) == ["900", "1300"] and "1100" in rounds.temperatures(later, 1)
    assert rounds.first_labels(later) == 2 * GOOD["generate"]["structures"]


def test_the_good_config_has_no_fault():
    assert explore_faults(GOOD) == [] and explore_faults(config(rounds=0)) == []
