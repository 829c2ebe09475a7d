"""Mixes the images of a batch in pairs, in whole (mixup) or in part (cutmix), and the loss of their labels alike.

Draws are stateless: the shares of a batch follow from (seed, order, step). An image's partner is half a batch away, in
a batch whose order is random: GPUs that share a batch find it in their own share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from dilt.foundations.randomness import generator
from dilt.settings.training import Views


@dataclass(frozen=True)
class Mix:
    """How the images of a batch are mixed.

    Attributes:
        share: of each image itself, and of the loss of its label; the rest is its partner's.
        box: of cutmix: top, bottom, left and right of the part that comes from the partner, in pixels.
    """

    share: float
    box: tuple[int, int, int, int] | None = None

    def images(self, images: Tensor) -> Tensor:
        """Images (batch, channels, height, width) mixed with their partners."""
        if self.box is None:
            return images.mul(self.share).add_(_partners(images), alpha=1 - self.share)
        top, bottom, left, right = self.box
        mixed = images.clone()
        mixed[:, :, top:bottom, left:right] = _partners(images)[:, :, top:bottom, left:right]
        return mixed

    def loss(self, of: Callable[[Tensor], Tensor], labels: Tensor) -> Tensor:
        """The loss of labels (batch,) and of their partners' in their shares."""
        return self.share * of(labels) + (1 - self.share) * of(_partners(labels))


def draw_mix(settings: Views, image_shape: Sequence[int], seed: int, order: str, step: int) -> Mix | None:
    """How the batch of a step is mixed; None if it is not.

    Shares are drawn as timm's Mixup draws them for a whole batch: if both kinds are wanted, each step has one of them,
    with equal chances; a part that reaches beyond the image is cut, and the share corrected.

    Args:
        image_shape: (channels, height, width).
    """
    if not settings.mixup and not settings.cutmix:
        return None
    draws = generator(seed, "mix", order, step)
    if draws.random() >= settings.mixed_steps:
        return None
    cuts = settings.cutmix > 0 and (not settings.mixup or draws.random() < 0.5)
    alpha = settings.cutmix if cuts else settings.mixup
    share = float(draws.beta(alpha, alpha))
    if not cuts:
        return Mix(share)
    bounds: list[int] = []
    for side in image_shape[1:]:
        half, centre = int(side * math.sqrt(1 - share)) // 2, int(draws.integers(side))
        bounds += [max(0, centre - half), min(side, centre + half)]
    top, bottom, left, right = bounds
    replaced = (bottom - top) * (right - left) / math.prod(image_shape[1:])
    return Mix(1 - replaced, (top, bottom, left, right))


def _partners(tensor: Tensor) -> Tensor:
    return tensor.roll(len(tensor) // 2, dims=0)
