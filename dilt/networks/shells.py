"""Networks that are built once and filled with the tensors of one network after another.

Building draws every weight at random and finds a model's parts, which takes several times as long as filling.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dilt.networks import building, states
from dilt.settings.networks import Model

if TYPE_CHECKING:
    from torch import Tensor, nn

SIDE_BY_SIDE, MEMORY = 8, 2**29  # networks, at most, that see images side by side, and bytes that they may take


def side_by_side(num_bytes: int) -> int:
    """How many networks to show images to at a time, where each takes so many bytes, with what is kept beside it."""
    return max(1, min(SIDE_BY_SIDE, MEMORY // max(1, num_bytes)))


class Shells:
    """The networks of a job, filled anew and again; what was in one before leaves no trace.

    Args:
        image_shape: (channels, height, width).
    """

    def __init__(self, settings: Model, image_shape: Sequence[int]) -> None:
        self._settings, self._image_shape = settings, image_shape
        self._built: dict[tuple[int, tuple[str, ...]], list[nn.Module]] = {}
        self._drawn: dict[tuple[int, tuple[str, ...]], dict[str, Tensor]] = {}

    def with_backbone(
        self, tensors: Mapping[str, NDArray[Any]], classes: Sequence[str], seed: int, place: int = 0
    ) -> nn.Module:
        """A network as `building.build` gives it: a backbone of these tensors, a head drawn for its classes.

        Args:
            place: networks of one place and the same classes are one network, of which the last filling counts.
        """
        model, drawn = self._shell(tensors, classes, seed, place)
        states.load_backbone(model, tensors)
        model.load_state_dict(drawn, strict=False)
        return model

    def with_state(self, tensors: Mapping[str, NDArray[Any]], classes: Sequence[str], place: int = 0) -> nn.Module:
        """A network all of whose tensors are these, its head's too."""
        model, _ = self._shell(tensors, classes, 0, place)
        states.load_state(model, tensors)
        return model

    def _shell(
        self, tensors: Mapping[str, NDArray[Any]], classes: Sequence[str], seed: int, place: int
    ) -> tuple[nn.Module, dict[str, Tensor]]:
        """A network to fill, and its head's tensors as they were drawn."""
        from dilt.networks.architectures import heads

        key = seed, tuple(classes)
        if key not in self._built:
            model = building.build(self._settings, self._image_shape, classes, seed, tensors)
            head = heads(model)
            self._built[key] = [model]
            self._drawn[key] = {name: t.clone() for name, t in model.state_dict().items() if name.startswith(head)}
        built = self._built[key]
        built += [copy.deepcopy(built[0]) for _ in range(place + 1 - len(built))]
        return built[place], self._drawn[key]
