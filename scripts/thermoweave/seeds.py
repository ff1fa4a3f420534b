"""One integer in the config, an independent random stream for each purpose."""

import hashlib

import numpy as np


def stream(seed: int, *purpose: str | int) -> int:
    """A 63-bit integer that depends on the campaign's seed and on every word of the purpose, on all platforms alike."""
    text = "/".join(str(word) for word in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator_for(seed: int, *purpose: str | int) -> np.random.Generator:
    """A numpy generator of its own for the purpose: adding a concentration changes no other structure."""
    return np.random.default_rng(stream(seed, *purpose))
