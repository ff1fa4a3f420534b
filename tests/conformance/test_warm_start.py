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
def test_a_warm_start_is_not_worse_than_scratch(adapter, hypers, tmp_path):
    """Round 0: eight labels. Round 1: sixteen, from those weights and from scratch, with the same seed and half the
    steps of round 0. The six held-out frames are of neither. A start that is ignored gives what scratch gives, one that
    is destroyed by the first steps less.
    """
    frames = morse_frames(24, 0.1)

    def train(labels, times, folder, **start):
        weights = adapter.train(labels, frames[16:18], length(hypers, times), 1, tmp_path / folder, **start)
        return weights, error(adapter, weights, frames[18:])

    first, _ = train(frames[:8], LONG, "first")
    _, scratch = train(frames[:16], LONG / 2, "scratch")
    _, warm = train(frames[:16], LONG / 2, "warm", start=first)
    assert warm < 0.97 * scratch, (warm, scratch)
