"""Means of correlated noise (AR(1)): a temperature, a number of wall contacts."""

import numpy as np
import ours
import truths
from scoring import Answer

CASES = ((1000, 0.0, 1), (1000, 5.0, 1), (1000, 20.0, 1), (1000, 5.0, 3), (200, 10.0, 1))  # frames, memory, replicas
LEVEL = 900.0


def trial(seed: int) -> list[Answer]:
    """The mean of each case; the ideal knows the correlation."""
    answers = []
    for number, (n, memory, n_replicas) in enumerate(CASES):
        rng = np.random.default_rng([seed, number])
        mean, bar = ours.mean([LEVEL + truths.correlated(rng, n, memory) for _ in range(n_replicas)])
        name = f"AR(1), memory {memory:g}: {n} frames, {n_replicas} replica{'s' * (n_replicas > 1)}"
        best = truths.correlated_mean_std(n, memory) / np.sqrt(n_replicas)
        answers.append(Answer(name, "mean", ours.NAME, mean, bar, LEVEL, best))
    return answers
