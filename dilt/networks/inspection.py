"""Finds out before any job whether a network can be pruned, observed and read out.

Tensors that have shapes but no memory (torch's meta device) pass through it, once for images of the size that is asked
for and once for images of twice that. This takes seconds, so the result is kept in the user's cache.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dilt.jobs import cache
from dilt.settings.networks import Model

if TYPE_CHECKING:
    from torch import Tensor, nn

BATCH = 2  # batch norms need two images to train
TOKEN = re.compile(r"(cls|class|dist|distillation|reg|register)_?tokens?_?\d*$")  # timm's names of such parameters
PRODUCTS = {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "linear"}


@dataclass(frozen=True)
class Layout:
    """What the axes of a block's output are; the first is the images'.

    Attributes:
        features: the axis that does not grow with the image, which pooling keeps; None where it is unknown.
        prefix: number of class and register tokens in front of the image's tokens; None where it is unknown.
    """

    features: int | None
    prefix: int | None


@dataclass(frozen=True)
class Inspection:
    """What was found out about a network.

    Attributes:
        refusal: why no experiment can be made with it, as ``key: what is wrong; cure``; None: one can be made.
        blocks: layout of the output of every block that is observed, in depth order.
        silent: blocks asked for by name whose output cannot be observed, and why.
        unreached: prunable weights that do not convolve or multiply as they are, and what is done to them instead.
        linear: whether a linear head can take the place of its head.
    """

    refusal: str | None
    blocks: dict[str, Layout]
    silent: dict[str, str]
    unreached: dict[str, str]
    linear: bool


def inspect(
    settings: Model, image_shape: Sequence[int], num_classes: int, layers: Sequence[str] | None = None
) -> Inspection:
    """Pass images (channels, height, width) through a network.

    Args:
        layers: modules to observe; None for those of `architectures.blocks`.

    Raises:
        ValueError: the network cannot be built from its arguments, or has no module of such a name.
    """
    key = {"model": settings.model_dump(mode="json"), "image": list(image_shape), "classes": num_classes}
    kept = cache.kept(
        "dilt.networks.inspection",
        {**key, "layers": layers},
        lambda: asdict(_found(settings, image_shape, num_classes, layers)),
    )
    return Inspection(**{**kept, "blocks": {name: Layout(**layout) for name, layout in kept["blocks"].items()}})


def _found(settings: Model, image_shape: Sequence[int], num_classes: int, layers: Sequence[str] | None) -> Inspection:
    from dilt.networks import architectures, building

    network = building.skeleton(settings, image_shape, num_classes)
    wanted = architectures.blocks(network, layers)
    try:
        seen = _pass(network, image_shape, wanted)
    except Exception as error:  # whatever a network of others may raise
        return _refused(_not_taken(settings, image_shape, error))
    if seen.refusal(num_classes):
        return _refused(f"model.name: {settings.name} {seen.refusal(num_classes)}")
    features = _features(network, image_shape)
    if isinstance(features, str):
        return _refused(f"model.name: {settings.name} {features}; choose another model")
    larger = _larger(settings, image_shape, num_classes, seen)
    tokens = _possible_prefixes(network)
    blocks, silent = {}, {}
    for name in wanted:
        if reason := seen.silence(name):
            silent[name] = reason
        else:
            blocks[name] = _layout(seen.shapes[name][0], larger.get(name), _width(wanted[name]), tokens)
    if not blocks:
        return _refused(
            f"model.name: {settings.name} has no block whose output could be observed; choose another model"
        )
    return Inspection(
        None,
        blocks,
        silent if layers is not None else {},  # nobody asked for the others
        dict(_unreached(network, seen)),
        bool(architectures.classifiers(network, (num_classes, features))),
    )


def _refused(reason: str) -> Inspection:
    return Inspection(reason, {}, {}, {}, False)


def _not_taken(settings: Model, image_shape: Sequence[int], error: Exception) -> str:
    shape, reason = " x ".join(map(str, image_shape)), " ".join(str(error).split())[:300]
    given = f" with the arguments {settings.arguments}" if settings.arguments else ""
    return (
        f"model.arguments: {settings.name}{given} takes no images of {shape} ({reason}); change them or "
        "source.image_size; ViTs have img_size and patch_size"
    )


@dataclass(frozen=True)
class _Pass:
    """What was seen of a network while images passed through it.

    Attributes:
        answers: its outputs in evaluation and in training.
        shapes: of each block's output, one per call; an empty shape where no tensor had a row per image.
        uses: how often each prunable weight was given to a function, by its name and place.
    """

    answers: tuple[Any, Any]
    shapes: dict[str, list[tuple[int, ...]]]
    uses: dict[str, Counter[tuple[str, int | str]]]

    def refusal(self, num_classes: int) -> str | None:
        """Why its output is no answer for ``num_classes`` classes; None if it is one."""
        for answer in self.answers:
            shape = getattr(answer, "shape", None)
            if shape is None:
                return f"answers with a {type(answer).__name__}, not one vector per image; change model.arguments"
            if tuple(shape) != (BATCH, num_classes):
                told = " x ".join(map(str, shape[1:])) or "a number"
                return (
                    f"answers an image with {told}, not one number for each of {num_classes} classes; change "
                    "model.arguments (features_only, global_pool and the like)"
                )
        return None

    def silence(self, name: str) -> str | None:
        """Why a block cannot be observed; None if it can."""
        calls = self.shapes.get(name, [])
        if not calls:
            return "is not called when an image passes through"
        if len(calls) > 1:
            return f"is called {len(calls)} times for one image"
        return None if calls[0] else "gives no tensor with a row per image"


def _pass(network: nn.Module, image_shape: Sequence[int], wanted: Mapping[str, nn.Module]) -> _Pass:
    import torch
    from torch.overrides import TorchFunctionMode

    from dilt.networks import architectures
    from dilt.networks.features import has_rows

    names = {id(weight): name for name, weight in architectures.prunable(network).items()}
    uses: dict[str, Counter[tuple[str, int | str]]] = defaultdict(Counter)

    class Uses(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given = dict(enumerate(args)) | (kwargs or {})
            for place, value in given.items():
                for tensor in value if isinstance(value, list | tuple) else (value,):
                    if id(tensor) in names:
                        uses[names[id(tensor)]][getattr(func, "__name__", str(func)), place] += 1
            return func(*args, **(kwargs or {}))

    shapes: dict[str, list[tuple[int, ...]]] = defaultdict(list)

    def keep(name: str) -> Callable[..., None]:
        def see(module: nn.Module, inputs: Any, output: Any) -> None:
            several = output if isinstance(output, list | tuple) else [output]
            shapes[name].append(next((tuple(one.shape) for one in several if has_rows(one, BATCH)), ()))

        return see

    images = torch.empty(BATCH, *image_shape, device="meta")
    hooks = [module.register_forward_hook(keep(name)) for name, module in wanted.items()]
    with torch.no_grad(), Uses():
        evaluated = network.eval()(images)
    for hook in hooks:
        hook.remove()
    with torch.no_grad():
        trained = network.train()(images)
    network.eval()
    return _Pass((evaluated, trained), dict(shapes), dict(uses))


def _larger(settings: Model, image_shape: Sequence[int], num_classes: int, seen: _Pass) -> dict[str, tuple[int, ...]]:
    """Shapes of the blocks' outputs for images of twice the size; empty if these cannot pass, or change no shape."""
    from dilt.networks import architectures, building

    channels, height, width = image_shape
    twice = (channels, 2 * height, 2 * width)
    for more in ({}, {"img_size": 2 * height if height == width else [2 * height, 2 * width]}):
        changed = settings.model_copy(update={"arguments": settings.arguments | more, "weights": None})
        try:
            network = building.skeleton(changed, twice, num_classes)
            larger = _pass(network, twice, architectures.blocks(network, list(seen.shapes))).shapes
        except Exception:  # whatever a network of others may raise
            continue
        if larger != seen.shapes:  # some networks make every image small first
            return {name: calls[0] for name, calls in larger.items() if len(calls) == 1}
    return {}


def _layout(shape: tuple[int, ...], larger: tuple[int, ...] | None, width: int | None, prefixes: set[int]) -> Layout:
    """What the axes of an output are, from its shapes at two sizes.

    Args:
        width: outputs of the last layer inside, which decides where several axes do not grow.
        prefixes: how many class and register tokens there may be in front of the image's tokens.
    """
    if len(shape) == 2:
        return Layout(1, 0)
    several = [axis for axis in range(1, len(shape)) if shape[axis] > 1] or [len(shape) - 1]
    constant = several if larger is None or len(larger) != len(shape) else [a for a in several if shape[a] == larger[a]]
    if len(constant) != 1:
        constant = [axis for axis in constant or several if shape[axis] == width]
    if len(constant) != 1:
        return Layout(None, None)
    features = constant[0]
    return Layout(features, _prefix(shape, larger, prefixes) if (len(shape), features) == (3, 2) else 0)


def _prefix(shape: tuple[int, ...], larger: tuple[int, ...] | None, possible: set[int]) -> int | None:
    """How many tokens of an output (batch, tokens, features) are not the image's.

    The image's own tokens are four times as many at twice its size.
    """
    tokens, more = shape[1], larger[1] if larger else 0
    fitting = {number for number in possible if more - number == 4 * (tokens - number)}
    if not fitting:  # an odd side is not halved exactly; of a square image tokens are a square
        left = {number: tokens - number for number in possible if number < tokens}
        fitting = {number for number, image in left.items() if math.isqrt(image) ** 2 == image}
    if possible == {0}:
        return 0
    return fitting.pop() if len(fitting) == 1 else None


def _possible_prefixes(network: nn.Module) -> set[int]:
    """How many tokens a network may put in front of the image's: none, or those that it has parameters for."""
    parameters = network.named_parameters()
    numbers = [weight.shape[-2] for name, weight in parameters if weight.ndim > 1 and TOKEN.search(name)]
    sums = {sum(numbers[:end]) for end in range(len(numbers) + 1)}
    return {0, *numbers, *sums, int(getattr(network, "num_prefix_tokens", 0))}


def _width(block: nn.Module) -> int | None:
    """Outputs of the last layer with weights in a block."""
    widths = [
        getattr(module, name)
        for module in block.modules()
        for name in ("out_features", "out_channels")
        if isinstance(getattr(module, name, None), int)
    ]
    return widths[-1] if widths else None


def _unreached(network: nn.Module, seen: _Pass) -> Iterator[tuple[str, str]]:
    """Prunable weights that do not convolve or multiply as they are, and what is done to them instead."""
    from dilt.networks import architectures

    for name in architectures.prunable(network):
        uses = list(seen.uses.get(name, ()))
        others = sorted({function for function, place in uses if _is_other(function, place)})
        if not uses:
            yield name, "nothing is computed with it"
        elif others and not architectures.keeps_zeros(network.get_submodule(name.rpartition(".")[0])):
            yield name, f"it goes through {', '.join(others)} first"


def _is_other(function: str, place: int | str) -> bool:
    """Whether a weight is used other than as the weight of a product; reading its type or device does not count."""
    return not (function in PRODUCTS and place in (1, "weight")) and function not in ("__get__", "to", "contiguous")


def _features(network: nn.Module, image_shape: Sequence[int]) -> int | str:
    """Number of features that the head reads; or why it is unknown."""
    import torch

    if not (hasattr(network, "forward_features") and hasattr(network, "forward_head")):
        return "does not tell what its head reads (forward_head)"
    images = torch.empty(BATCH, *image_shape, device="meta")
    try:
        with torch.no_grad():
            read: Tensor = network.forward_head(network.forward_features(images), pre_logits=True)  # type: ignore[operator]
    except Exception as error:  # whatever a network of others may raise
        return f"does not tell what its head reads ({' '.join(str(error).split())[:100]})"
    if getattr(read, "ndim", 0) != 2 or len(read) != BATCH:
        return "has a head that reads no single vector per image"
    return read.shape[1]
