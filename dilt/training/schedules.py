"""The learning rate of every step of a training."""

from __future__ import annotations

import math

from dilt.settings.training import Training, in_steps


def learning_rate(settings: Training, step: int, steps_per_epoch: int) -> float:
    """The rate of a step, from 0: linear warm-up, then constant, in steps, or half a cosine to zero.

    The cosine is that of Loshchilov & Hutter (2017, equation 5), without restarts.
    """
    warmup, total = in_steps(settings.warmup_epochs, steps_per_epoch), settings.epochs * steps_per_epoch
    if step < warmup:
        return settings.learning_rate * (step + 1) / warmup
    if settings.schedule == "constant":
        return settings.learning_rate
    if settings.schedule == "step":
        passed = sum(step >= milestone * steps_per_epoch for milestone in settings.milestones)
        return settings.learning_rate * settings.decay**passed
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))
