"""Folders of exported tickets: timm loads them as checkpoints, and mask and weights come back bit for bit.

A folder holds ``model.safetensors`` (every tensor, pruned weights zero), ``mask.safetensors``, ``config.json``, a model
card, ``README.md``, and the programs asked for. `cards` has what the card and dilt's part of config.json say;
`exporting` finds the files of an experiment's ticket.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from dilt.exports import cards, programs
from dilt.exports.cards import Card
from dilt.exports.programs import Kind, Probes
from dilt.foundations import storage
from dilt.foundations.storage import Tensors
from dilt.networks.weight_files import FLOATING, open_weights
from dilt.settings.networks import Model
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import Mask

if TYPE_CHECKING:
    from torch import nn

WEIGHTS = ("weight", "bias", "running_mean", "running_var")  # floating point in every network
MODEL, MASK, CONFIG, README = "model.safetensors", "mask.safetensors", "config.json", "README.md"
FILES = (MODEL, MASK, CONFIG, README, *programs.FILES.values())


def write_export(
    folder: Path | str,
    tensors: Mapping[str, NDArray[Any]],
    record: storage.Row,
    mask: Mask,
    card: Card,
    kinds: Collection[Kind] = (),
    probes: Probes | None = None,
) -> Card:
    """Write the folder of a ticket; gives its card with what was found about the network and the programs written.

    Args:
        tensors: the network's, head included, zero where the mask prunes.
        record: of the file that the tensors are from; it comes back with them.
        kinds: of programs to be written too.
        probes: images to check these on.

    Raises:
        ValueError: mask, weights and network do not belong together, the folder is a file, or the network cannot be
            exported as a program.
    """
    from timm.models._hub import save_config_for_hf

    from dilt.networks import building, states
    from dilt.networks.architectures import keeps_zeros
    from dilt.networks.paths import EffectiveWeights

    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: a file; name a folder to write")

    empty = building.skeleton(card.model, card.image_shape, len(card.classes))
    require_same(
        {name: tuple(tensor.shape) for name, tensor in empty.state_dict().items()},
        {name: tuple(array.shape) for name, array in tensors.items()},
        f"weights do not fit {card.model.name} with {len(card.classes)} classes",
    )
    require_pruned(tensors, mask)
    card = replace(card, standardised=any(map(keeps_zeros, empty.modules())))
    network: Any = building.create(card.model, card.image_shape, len(card.classes))
    effective = EffectiveWeights(network, card.image_shape)(mask)
    states.load_state(network, tensors)
    if (folder / MASK).exists():  # programs of the ticket that was here before
        for file in programs.FILES.values():
            (folder / file).unlink(missing_ok=True)
    if kinds and probes:
        found = programs.write_programs(folder, network, cards.metadata(card, mask), kinds, probes)
        card = replace(card, programs=tuple(found))
    storage.write_tensors(folder / MODEL, tensors, record)
    write_mask(folder / MASK, mask)
    network.pretrained_cfg, network.num_classes = cards.pretrained_cfg(card, network.pretrained_cfg), len(card.classes)
    told = {"label_names": list(card.classes), "dilt": cards.about(card, mask, effective)}
    with storage.replacing(folder / CONFIG) as partial:
        save_config_for_hf(network, partial, told, card.arguments)  # type: ignore[arg-type]
    with storage.replacing(folder / README) as partial:
        cards.model_card(card, mask, effective, folder.name).save(partial)
    return card


def read_export(folder: Path | str) -> tuple[Tensors, dict[str, Any], Mask]:
    """Weights, their record and the mask of an exported ticket.

    Others may have saved the weights anew as safetensors; the record is then empty.

    Raises:
        ValueError: a file is damaged, or the weights are not zero where the mask prunes.
        FileNotFoundError: a file is missing.
    """
    from safetensors import SafetensorError, safe_open

    folder = Path(folder)
    _require_exported(folder)
    mask, path = read_mask(folder / MASK), folder / MODEL
    try:
        with safe_open(path, framework="np") as file:
            ours = "dilt" in (file.metadata() or {})
    except SafetensorError as error:
        raise ValueError(f"{path}: not readable as safetensors ({error}); export the ticket anew") from error
    tensors, record = storage.read_tensors(path) if ours else (_saved_anew(path, mask), {})
    require_pruned(tensors, mask)
    return tensors, record, mask


def _saved_anew(path: Path, mask: Mask) -> Tensors:
    """Weights that others saved: without wrappers' prefixes, finite, as float32; counters and the like as they are."""
    file = open_weights(path, str(path), mask.names)
    weights = [
        name
        for name, full in file.names.items()
        if file.types[full] in FLOATING or name in mask.layers or name.rpartition(".")[2] in WEIGHTS
    ]
    found = file.read(weights, [name for name in file.names if name not in weights])
    return {name: found[name] for name in file.names}


def load_exported(folder: Path | str, keep_sparse: bool = True, num_classes: int | None = None) -> nn.Module:
    """The network of an exported ticket, ready to be used; also one that timm has no name for.

    Its images are ``(num_images, *image_shape)``, its outputs ``(num_images, num_classes)``.

    Args:
        keep_sparse: pruned weights stay zero whatever trains the model (`sparsity.keep_sparse`, which `make_plain`
            takes back); if False they are zero now, and the first step of an optimizer revives them.
        num_classes: of a new head, drawn at random; None for the exported one.

    Raises:
        ValueError: a file is damaged, or files of several tickets are mixed.
        FileNotFoundError: a file is missing.
    """
    from dilt.exports import sparsity
    from dilt.networks import building, states

    path = Path(folder) / CONFIG
    tensors, _, mask = read_export(folder)
    told = storage.read_json(path)
    try:
        settings, shape = Model.model_validate(told["dilt"]["model"]), told["dilt"]["image_shape"]
        classes = told["label_names"] if num_classes is None else [str(number) for number in range(num_classes)]
    except (KeyError, TypeError, ValidationError) as error:
        raise ValueError(f"{path}: not the config.json of an exported ticket; export the ticket anew") from error
    model = building.build(settings, shape, classes, 0, tensors)
    if num_classes is None:
        states.load_state(model, tensors)
    if keep_sparse:
        sparsity.keep_sparse(model, mask)
    return model.eval()


def _require_exported(folder: Path) -> None:
    """Make sure that a folder has the files of an exported ticket.

    Raises:
        FileNotFoundError: there is no such folder, or a file is missing.
        ValueError: it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: a file; give the folder that `dilt export` wrote")
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder; give one that `dilt export` wrote")
    for name in (MASK, MODEL):
        storage.require_file(folder / name, "a folder that `dilt export` wrote")


def require_pruned(tensors: Mapping[str, NDArray[Any]], mask: Mask) -> None:
    """Make sure that weights belong to a mask.

    Raises:
        ValueError: a layer is missing or of another shape, or a pruned weight is not zero.
    """
    shapes = {name: array.shape for name, array in tensors.items() if name in mask.layers}
    require_same(dict(mask.shapes), shapes, f"mask '{mask.origin}' does not fit the weights")
    for name in mask.names:
        if lost := int(np.count_nonzero(tensors[name][~mask[name]])):
            raise ValueError(
                f"'{name}' has {lost} weight(s) that mask '{mask.origin}' prunes and that are not zero; give the mask "
                "that the weights were trained under, and keep it while they are trained"
            )


def require_same(expected: Mapping[str, Any], given: Mapping[str, Any], finding: str) -> None:
    """Make sure that tensors have the names and shapes expected; raises ValueError that starts with ``finding``."""
    if expected != given:
        odd = min(name for name, _ in expected.items() ^ given.items())
        raise ValueError(f"{finding}: '{odd}' differs in name or shape; give files of one experiment")
