"""Brings an experiment's networks into a user's own code: builds them, and makes them tickets that stay sparse.

Exported networks are loaded by `export_folder`. No stage depends on this module.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dilt.data import prepared
from dilt.exports import sparsity
from dilt.exports.experiments import read_settings
from dilt.foundations.result_paths import Networks
from dilt.foundations.storage import read_tensors
from dilt.networks import building, states
from dilt.networks.weight_files import require_weights
from dilt.tickets.mask_files import is_mask, read_mask

if TYPE_CHECKING:
    from torch import nn

    from dilt.tickets.masks import Mask

THETA0 = "weights of an experiment, such as theta0.safetensors"


def create_model(experiment: Path | str, num_classes: int | None = None) -> nn.Module:
    """The network of an experiment as it is configured, not yet trained; its images are ``(num_images, *image_shape)``.

    Args:
        experiment: folder of its networks, such as ``results/digits``.
        num_classes: of the head; None for the classes of the source.

    Raises:
        FileNotFoundError: this is not the folder of an experiment, or nothing was run yet.
        ValueError: a file is damaged.
    """
    root = Path(experiment)
    settings, data = read_settings(root), prepared.read_record(root / Networks.DATASET.format(dataset="source"))
    classes = data["classes"] if num_classes is None else [str(number) for number in range(num_classes)]
    return building.build(settings.bare_model, data["image_shape"], classes, seed=0)


def load_ticket(model: nn.Module, theta0: Path | str, mask: Path | str, keep_sparse: bool = True) -> Mask:
    """Make a model a ticket: backbone weights from a ``theta0.safetensors``, pruned by a ``mask.safetensors``.

    Works with any timm model of the same architecture; its head is left as it is, whatever its classes. Weights of the
    same network that were trained, ``weights.safetensors``, may be given in theta0's place.

    Args:
        keep_sparse: pruned weights stay zero whatever trains the model (`sparsity.keep_sparse`, which `make_plain`
            takes back); if False they are zero now, and the first step of an optimizer revives them.

    Returns:
        The mask, a boolean array of the weight's shape for every prunable layer.

    Raises:
        ValueError: a file is damaged, fits another model, is a mask in theta0's place or the other way round, or has
            weights that are not finite floating point.
        FileNotFoundError: a file is missing.
    """
    tensors, record = read_tensors(theta0, THETA0)
    if is_mask(record):
        raise ValueError(f"{theta0}: a mask; give {THETA0}")
    ticket = read_mask(mask)
    if not hasattr(model, "pretrained_cfg"):
        raise ValueError(f"{type(model).__name__} is not a model of timm or of dilt; make it by timm.create_model")
    sparsity.make_plain(model)
    state = model.state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    sparsity.require_fit(ticket, shapes)
    require_weights(tensors, [name for name in tensors if name in state and state[name].is_floating_point()], theta0)
    try:
        states.load_backbone(model, tensors)
    except ValueError as error:
        raise ValueError(f"{theta0}: {error}") from error
    if keep_sparse:
        sparsity.keep_sparse(model, ticket)
    else:
        states.apply_mask(model, ticket)
    return ticket
