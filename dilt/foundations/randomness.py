"""Stateless randomness: every draw follows from a seed and a purpose, never from generator state.

There is nothing to save in a checkpoint, and nothing depends on the order in which jobs or workers run.
"""

import hashlib
import json

import numpy as np


def derive_seed(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed that follows from ``seed`` and a purpose, such as ``("order", "full", epoch)``."""
    digest = hashlib.sha256(json.dumps([seed, *purpose]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """The NumPy generator of one purpose; asking twice gives the same draws."""
    return np.random.default_rng(derive_seed(seed, *purpose))
