"""A training that goes on from the round before is not worse than one from scratch, and needs fewer steps."""

import numpy as np
import pytest
from conftest import evaluate, those_installed

starts = pytest.mark.parametrize("adapter", those_installed("ARCHITECTURE"), indirect=True)
LONG = 4  # times the tiny trainings of the other tests, which are over before much is learned


def length(hypers, times):
    """Hyperparameters of a training that is so many times as long."""
    key = "steps" if "steps" in hypers else "epochs"
    return {**hypers, key: round(hypers[key] * times)}


def error(adapter, weights, frames):
    """Force RMSE (eV/A) on frames."""
    found = adapter.calculator(weights, "cpu", "float64")
    return np.sqrt(np.mean([(evaluate(found, frame)[1] - frame.arrays["REF_forces"]) ** 2 for frame in frames]))


@starts
def test_a_warm_start_is_not_worse_than_scratch(adapter, name, hypers, melt, tmp_path):
    """Round 0: four labels. Round 1: seven, from those weights in half the steps, and from scratch in as many and in
    all. The two held-out frames are of neither. A start that is ignored, or destroyed by the first steps, gives what
    scratch gives in as many steps; it must be clearly better than that, and no worse than the whole.
    """

    def train(frames, options, folder, **start):
        return error(adapter, adapter.train(frames, melt[7:8], options, 1, tmp_path / folder, **start), melt[8:])

    whole, half = length(hypers, LONG), length(hypers, LONG / 2)
    first = adapter.train(melt[:4], melt[7:8], whole, 1, tmp_path / "first")
    found = {
        "scratch": train(melt[:7], whole, "scratch"),
        "scratch, half the steps": train(melt[:7], half, "half"),
        "warm, half the steps": train(melt[:7], half, "warm", start=first),
    }
    print(name, found)
    assert found["warm, half the steps"] < 0.9 * found["scratch, half the steps"], found
    assert found["warm, half the steps"] < 1.15 * found["scratch"], found
