"""A training that goes on from the round before is not worse than one from scratch, and needs fewer steps."""

import numpy as np
import pytest
from conftest import evaluate, morse_frames, those_installed

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
def test_a_warm_start_is_not_worse_than_scratch(adapter, name, hypers, tmp_path):
    """Round 0: eight labels. Round 1: sixteen, from those weights in half the steps, and from scratch in as many and in
    all. The six held-out frames are of neither. A start that is ignored, or destroyed by the first steps, gives what
    scratch gives in as many steps; it must be clearly better than that, and no worse than the whole.
    """
    frames = morse_frames(24, 0.1)

    def train(labels, options, folder, **start):
        weights = adapter.train(labels, frames[16:18], options, 1, tmp_path / folder, **start)
        return weights, error(adapter, weights, frames[18:])

    whole, half = length(hypers, LONG), length(hypers, LONG / 2)
    first, _ = train(frames[:8], whole, "first")
    _, scratch = train(frames[:16], whole, "scratch")
    _, brief = train(frames[:16], half, "brief")
    _, warm = train(frames[:16], half, "warm", start=first)
    print(name, scratch, brief, warm)
    assert warm < 0.9 * brief and warm < 1.15 * scratch, (scratch, brief, warm)
