"""Time step and frame interval against practice and against frequencies that are known."""

import numpy as np
import pytest
from thermoweave import timestep

QUICKSTART = ["Li", "K", "Cl"]


@pytest.mark.parametrize(
    ("species", "kelvin", "expected"),
    [
        (["H", "O", "K"], 800, 0.6),
        (["Li", "Cl", "K"], 1000, 1.55),
        (["Li", "Cl", "K"], 1300, 1.35),
        (["C", "O", "Na"], 900, 2.05),
        (["Na", "Cl"], 1000, 2.85),
        (["K", "Cl"], 1000, 3.55),
        (["Ar"], 90, 3.75),
        (["Pb", "I"], 600, 4.0),
        (["H"], 4000, 0.3),
    ],
)
def test_time_steps_of_practice(species, kelvin, expected):
    assert timestep.automatic(species, kelvin) == expected
    assert timestep.automatic(reversed(species), kelvin) == expected


@pytest.mark.parametrize(
    ("species", "wavenumber"),
    [
        (["H", "O", "Na"], 3640),  # hydroxide, NaOH melt
        (["H", "F"], 3962),  # the free molecule
        (["Li", "H"], 1360),  # the free molecule
        (["Li", "F"], 910),  # the free molecule
        (["Be", "F", "Li"], 800),  # BeF4(2-)
        (["B", "O", "Na"], 1450),  # BO3
        (["B", "F", "K"], 1450),  # BF3, free
        (["C", "O", "K"], 1430),  # carbonate
        (["N", "O", "K"], 1400),  # nitrate
        (["Si", "O", "Na"], 1100),  # silicate
        (["O", "S", "K"], 1110),  # sulphate
        (["O", "P", "K"], 1280),  # phosphates
        (["Al", "F", "K"], 620),  # AlF4(-)
    ],
)
def test_known_vibrations_lie_below_what_is_expected_and_below_nyquist(species, wavenumber):
    frequency = wavenumber * 0.0299792458  # THz
    assert frequency < timestep.highest_frequency_THz(species)
    step = timestep.automatic(species, 1000)
    interval = timestep.frame_interval(species, step)
    assert timestep.nyquist_THz(step, interval) >= timestep.highest_frequency_THz(species)
    assert timestep.nyquist_THz(step, interval + 1) < timestep.highest_frequency_THz(species)
    assert 1000 / (step * frequency) > 10  # steps in a period


def test_the_quickstart_keeps_its_spectrum():
    """31 THz, what its first config had, is enough for a Li-K-Cl melt; the rule is never below."""
    for kelvin in (600, 1000, 1300, 2000):
        step = timestep.automatic(QUICKSTART, kelvin)
        assert timestep.nyquist_THz(step, timestep.frame_interval(QUICKSTART, step)) > 31
    assert timestep.nyquist_THz(2.0, 8) == 31.25
    assert timestep.frame_interval(QUICKSTART, 1.55) == 6


def test_bad_input():
    for kelvin in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="must be positive"):
            timestep.automatic(["Li"], kelvin)
    with pytest.raises(ValueError, match="no chemical element Xx"):
        timestep.automatic(["Li", "Xx"], 900)
    with pytest.raises(ValueError, match="no chemical element given"):
        timestep.automatic([], 900)
    with pytest.raises(ValueError, match="5 cannot follow 130 THz, which H, O may have: at most 0.6 fs"):
        timestep.frame_interval(["H", "O"], 5.0)
    with pytest.raises(ValueError, match="must be positive"):
        timestep.nyquist_THz(0.0, 8)
