"""Proposes an experiment for a folder of images, each value with its reason.

Data, partitions, target and the length of a training follow from what `sources.survey` found. Which of some networks
and image sizes is taken follows from the time that each takes on this machine, which the command `dilt.init` measures.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dilt.data import splitting
from dilt.data.partitions import read_class_table, split_by_table
from dilt.settings.data import DataSet, TablePartitions
from dilt.settings.geometry import FEWEST_PROBES, Representations
from dilt.sources.survey import GROUP, HERE, Survey

SIZES = {"GPU": (224, 128, 96, 64, 32), "CPU": (64, 32)}  # sides of images, in pixels
SMALL = 64  # pixels up to which a first convolution should not shrink images
NARROWER = (1, 2, 4)  # by which the layers of a ResNet-18 are made narrower
RESNET_CHANNELS = (64, 128, 256, 512)
SMALLER_VIT = {"depth": 4, "embed_dim": 96, "num_heads": 3}
STEPS = 1500  # of a training on all source classes
EPOCHS = (8, 60)  # fewest and most
FEW_ROUNDS = {"rounds": 6, "rate": 0.35}  # of pruning, where time is short
BATCHES = {5000: 128, 1000: 64, 200: 32, 0: 16}  # fewest images to batch size


@dataclass(frozen=True)
class Network:
    """A network, the size of its images, and how it is trained and pruned where defaults would not do.

    Attributes:
        on_gpu: whether it is to be trained on one.
    """

    on_gpu: bool
    image_size: int
    model: Mapping[str, Any]
    training: Mapping[str, Any] = field(default_factory=dict)
    pruning: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """An experiment that is proposed.

    Attributes:
        values: the keys of a configuration.
        reasons: why they have their values, by place (``source.root``).
        images: of the source that are trained on.
    """

    values: Mapping[str, Any]
    reasons: Mapping[str, str]
    images: int


def networks(survey: Survey, gpu: bool, name: str | None, weights: str | None) -> Iterator[Network]:
    """Networks to choose from, the costliest first.

    Args:
        gpu: whether there is one.
        name: a model of timm's that the user wants; None for a ResNet-18, as wide as there is time for.
        weights: a file of its pretrained weights, to start from.
    """
    device = "GPU" if gpu else "CPU"
    short = survey.short_side
    pruning = {} if gpu else FEW_ROUNDS
    for size in [size for size in SIZES[device] if size <= short] or [short]:
        if name is None:
            for narrower in NARROWER[:1] if gpu or weights else NARROWER:
                channels = [width // narrower for width in RESNET_CHANNELS]
                arguments: dict[str, Any] = {"arguments": {"channels": channels}} if narrower > 1 else {}
                model = {"name": "resnet18", **_stem(size, weights), **arguments}
                yield Network(gpu, size, *_started(model, weights), pruning)
        elif re.match(r"(vit|deit)", name):
            patches = {} if weights else {"patch_size": max(2, size // 8)}
            for shape in ({},) if gpu or weights else ({}, SMALLER_VIT):
                model = {"name": name, "arguments": {"img_size": size, **patches, **shape}}
                yield Network(gpu, size, *_started(model, weights, warmup_epochs=2), pruning)
        else:
            yield Network(gpu, size, *_started({"name": name, **_stem(size, weights)}, weights), pruning)


def _stem(size: int, weights: str | None) -> dict[str, str]:
    return {"stem": "cifar"} if size <= SMALL and not weights else {}


def _started(model: dict[str, Any], weights: str | None, **training: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A model and its training: where it starts from pretrained weights, at a third of the usual learning rate."""
    return ({**model, "weights": weights}, {"learning_rate": 0.0003, **training}) if weights else (model, training)


def proposal(
    name: str,
    survey: Survey,
    network: Network,
    table: TablePartitions | None = None,
    target: Survey | None = None,
    most_epochs: int = EPOCHS[1],
) -> Proposal:
    """An experiment on a folder.

    Args:
        name: of the experiment.
        table: which classes belong together; None: they are drawn at random.
        target: another folder to transfer to; None: classes of this one are held out.
        most_epochs: that there is time for.

    Raises:
        ValueError: there are too few classes.
    """
    held_out = [] if target else _held_out(survey, table)
    classes = [each for each in survey.classes if each not in held_out]
    if len(classes) < 4:
        raise ValueError(
            f"{survey.root}: {len(classes)} classes; the smallest experiment has two partitions of two classes each"
        )
    reasons: dict[str, str] = {}
    source = _data_set(survey, network.image_size, reasons)
    if held_out:
        source["classes"] = classes
    checked = DataSet.model_validate(source)
    source["partitions"] = _partitions(classes, table, reasons)
    of_target = _data_set(target or survey, network.image_size, {})
    if held_out:
        of_target["classes"] = held_out
        reasons["targets"] = (
            f"What tickets are transferred to: {len(held_out)} classes, drawn at random, which the source never sees."
        )
    images = sum(survey.classes[name] - sum(splitting.held_out(survey.classes[name], checked)) for name in classes)
    training = _training(images, network, most_epochs, reasons)
    representations = _probes(survey, checked, classes, reasons)
    values = {
        "experiment": name,
        "source": source,
        "targets": {name_of(target) if target else "held-out": of_target},
        "model": dict(network.model),
        "training": training,
        **({"pruning": network.pruning} if network.pruning else {}),
        **({"representations": representations} if representations else {}),
    }
    if network.pruning:
        left = (1 - network.pruning["rate"]) ** network.pruning["rounds"]
        reasons["pruning"] = (
            f"Down to {left:.0%} of the weights. Ten rounds of 20 % each, the default, are finer, and take more time."
        )
    reasons[""] = _described(survey, images)
    return Proposal(values, reasons, images)


def name_of(survey: Survey) -> str:
    """The folder's name as one that an experiment or a target can have."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", survey.root.resolve().name).strip("-_")[:60]
    return name or "images"


def _described(survey: Survey, images: int) -> str:
    few, many = min(survey.classes.values()), max(survey.classes.values())
    widths, heights = zip(*survey.sizes, strict=True)
    same = len(set(survey.sizes)) == 1
    size = (
        f"{widths[0]} x {heights[0]}" if same else f"{min(widths)} x {min(heights)} to {max(widths)} x {max(heights)}"
    )
    tests = f", and {survey.test_images:,} test images in {survey.test_split}" if survey.test_split else ""
    return (
        f"{survey.root}: {len(survey.classes)} classes of {few:,} to {many:,} images, {survey.images:,} in all{tests}; "
        f"{size} pixels. {images:,} of the source are trained on."
    )


def _data_set(survey: Survey, image_size: int, reasons: dict[str, str]) -> dict[str, Any]:
    """Where the images are, and how they are split, made square and grouped."""
    if survey.train_split == HERE:
        reasons["source.train_split"] = "Class folders lie in the folder itself; a quarter of the images is held out."
    elif survey.test_split:
        reasons["source.test_split"] = f"Results are read from {survey.test_split}, which nothing is chosen by."
    reasons["source.image_size"] = (
        f"Images' short sides have {survey.short_side} pixels in the median. Time grows with the area."
    )
    crop = survey.elongation > 1.2
    if crop:
        reasons["source.resize"] = (
            f"The long side is {survey.elongation:.1f} times the short one: the middle square keeps shapes."
        )
    if survey.groups:
        reasons["source.groups"] = (
            f"File names look like GROUP_NUMBER, {survey.groups:.1f} images in a group. A group is never split, so "
            "that test images are new; remove this line if they are unrelated."
        )
    if survey.class_depth > 1:
        reasons["source.class_depth"] = (
            f"{survey.class_depth} folders lie above each image, and are taken to name the class together. If one "
            "names a patient or such, write groups: {by: folder} instead."
        )
    chosen = {
        "root": str(survey.root),
        "train_split": survey.train_split if survey.train_split != "train" else None,
        "test_split": survey.test_split,
        "class_depth": survey.class_depth if survey.class_depth > 1 else None,
        "groups": {"by": "pattern", "pattern": GROUP} if survey.groups else None,
        "image_size": image_size,
        "resize": "crop" if crop else None,
    }
    return {key: value for key, value in chosen.items() if value is not None}


def _held_out(survey: Survey, table: TablePartitions | None) -> list[str]:
    """Classes for a target: a quarter of all, drawn at random, so that each group of the table keeps two."""
    classes = list(survey.classes)
    groups = dict.fromkeys(classes, "")
    if table:
        found = split_by_table(classes, read_class_table(Path(table.table), table.class_column, table.group_column))
        groups = {name: group for group, members in found.items() for name in members}
    # Two partitions of two classes are left at the least.
    left = Counter(groups.values()) if table else Counter({"": len(classes) - 2})
    chosen: list[str] = []
    for name in random.Random(0).sample(classes, len(classes)):
        if len(chosen) < max(2, len(classes) // 4) and left[groups[name]] > 2:
            chosen.append(name)
            left[groups[name]] -= 1
    if len(chosen) < 2:
        raise ValueError(
            f"{survey.root}: of {len(classes)} classes none can be held out as a target, as each partition needs two; "
            "give another folder of images with --target"
        )
    return [name for name in classes if name in chosen]


def _partitions(classes: Sequence[str], table: TablePartitions | None, reasons: dict[str, str]) -> dict[str, Any]:
    if table:
        reasons["source.partitions"] = f"By the column '{table.group_column}' of the table."
        return table.model_dump()
    count = 3 if len(classes) >= 6 else 2
    reasons["source.partitions"] = (
        f"{len(classes)} classes in {count} partitions, drawn at random. Better: put together what belongs together, "
        "by lists of classes (by: classes) or a table (by: table)."
    )
    if count == 2:
        reasons["source.partitions"] += " With two, core and specialist are the partition's own mask."
    return {"by": "random", "count": count}


def _training(images: int, network: Network, most_epochs: int, reasons: dict[str, str]) -> dict[str, Any]:
    """How long the network is trained, on so many images."""
    batch_size = next(size for fewest, size in BATCHES.items() if images >= fewest)
    wanted = math.ceil(STEPS * batch_size / images)
    epochs = max(min(wanted, most_epochs), EPOCHS[0])
    steps = f"{epochs} epochs of {math.ceil(images / batch_size)} steps"
    if epochs < min(wanted, EPOCHS[1]):
        steps += f", as there is no time for {min(wanted, EPOCHS[1])}"
    if "weights" in network.model:
        steps += ", at a third of the usual learning rate, which moves pretrained weights gently"
    reasons["training"] = (
        f"{steps}. Images are shifted a little; crop-flip also mirrors them, which suits photographs and not letters."
    )
    return {"epochs": epochs, "batch_size": batch_size, "augmentation": "crop", **network.training}


def _probes(survey: Survey, source: DataSet, classes: Sequence[str], reasons: dict[str, str]) -> dict[str, int] | None:
    """The number of probe images, where there are not as many validation images as the default wants."""
    each = min(splitting.held_out(survey.classes[name], source)[1] for name in classes)
    most = each * len(classes) if not survey.groups else max(FEWEST_PROBES, each * len(classes) // 2)
    if most >= Representations().probes:
        return None
    reasons["representations"] = f"Layers are compared on validation images: {each} of a class at the least."
    return {"probes": most}
