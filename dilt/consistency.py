"""Checks of a configuration across its sections and against what is installed, before any job runs.

Each check takes the sections that it needs and yields findings ``key: what is wrong; cure``. Types and limits of
single keys belong to `config`.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt import catalog, image_folders, layouts
from dilt.partitions import check_partitions, read_class_table, split_by_table
from dilt.settings import FEWEST_PROBES, NAME
from dilt.tickets import possible_extra
from dilt.trajectories import FULL, SIBLING

if TYPE_CHECKING:
    from dilt.settings import (
        DataSet,
        Distances,
        Jobs,
        Model,
        Pruning,
        Representations,
        Source,
        Tickets,
        Training,
        Transfer,
    )


RESERVED = {FULL, "all", "consensus"}  # names of trajectories, score rows and folders


def findings(sections: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the sections that are there (those that failed their own validation are not)."""
    checks: dict[Callable[..., Iterator[str]], tuple[str, ...]] = {
        _data_sets: ("source", "targets"),
        _partitions: ("source",),
        _targets: ("source", "targets"),
        _model: ("model",),
        _parts: ("model", "representations", "pruning"),
        _rounds: ("pruning", "tickets"),
        _claim_round: ("tickets",),
        _extra_tickets: ("tickets", "source"),
        _densities: ("model", "pruning", "source"),
        _rewinding: ("pruning", "training"),
        _training: ("training",),
        _shares: ("training", "transfer", "jobs"),
        _transfer: ("transfer",),
        _seeds: ("seeds",),
        _probes: ("source", "representations"),
        _subsets: ("representations", "distances"),
    }
    return [
        finding
        for check, needed in checks.items()
        if all(name in sections for name in needed)
        for finding in check(*(sections[name] for name in needed))
    ]


def _data_sets(source: Source, targets: Mapping[str, DataSet]) -> Iterator[str]:
    for key, data in {"source": source, **{f"targets.{name}": data for name, data in targets.items()}}.items():
        for finding in (*_kind(data), *_classes(data)):
            yield f"{key}.{finding}"


def _kind(data: DataSet) -> Iterator[str]:
    """What does not go together with the data set's name."""
    if data.storage == "streamed" and data.name.startswith(("digits", *catalog.IN_TURN)):
        yield f"storage: streamed, but images of {data.name} cannot be read in any order; set it to auto"
    if data.name == "folder":
        yield from image_folders.findings(data)
    elif data.name in layouts.NAMES:
        yield from layouts.findings(data)
    elif data.name == "digits":
        if data.test_split is not None:
            yield f"test_split: '{data.test_split}', but digits have no splits; set it to null to hold out test_share"
        if data.image_size is not None:
            yield f"image_size: {data.image_size}, but digits are 8 x 8 and stay so; set it to null"
    elif not _exists(data):
        readers = ", ".join(f"{reader}NAME" for reader in catalog.READERS)
        named = ", ".join(("digits", "folder", *layouts.NAMES))
        yield f"name: '{data.name}' is not a data set; choose {named}, or one of {readers}"
    elif data.train_split == data.test_split:
        yield f"test_split: '{data.test_split}' is the training split; name another, or set it to null"
    elif data.name in catalog.TORCH_HALVES and data.train_split not in catalog.TRAINING_HALF:
        yield f"train_split: '{data.train_split}' would be the test images of {data.name}; set it to train"
    elif data.name in catalog.TORCH_HALVES and data.test_split in catalog.TRAINING_HALF:
        yield f"test_split: '{data.test_split}' would be the training images of {data.name}; set it to test"
    elif data.name.startswith("torch/") and (data.root is None or not Path(data.root).is_dir()):
        given = "missing" if data.root is None else f"'{data.root}' is no folder"
        yield f"root: {given}; give the folder that torchvision keeps {data.name} in"


def _exists(data: DataSet) -> bool:
    return data.name in ("digits", "folder", *layouts.NAMES) or data.name.startswith(catalog.READERS)


def _classes(data: DataSet) -> Iterator[str]:
    known = catalog.known_classes(data)
    for name in sorted({name for name in data.classes or [] if (data.classes or []).count(name) > 1}):
        yield f"classes: '{name}' is given twice; name each class once"
    if not known:
        return
    for name in data.classes or []:
        if name not in known:
            yield f"classes: '{name}' is not a class of {data.name}{_near(name, known)}"
    used = [name for name in data.classes or known if name in known]
    if len(used) == 1 and data.classes is None:
        yield f"root: '{data.root}' has one class only, '{used[0]}'; a classifier needs two or more"
    if few := [name for name in used if known[name] and not catalog.leaves_images(known[name], data)]:
        test, validation = catalog.held_out(known[few[0]], data)
        yield (
            f"classes: '{few[0]}' has {known[few[0]]} image(s){_and_more(few)}; too few to hold out {test} for test "
            f"and {validation} for validation and train on others; add images or leave the class out"
        )


def _partitions(source: Source) -> Iterator[str]:
    choice = source.partitions
    classes = source.classes or list(catalog.known_classes(source) or []) or None
    if choice.by == "classes":
        for name in choice.classes:
            if _reserved(name):
                yield f"source.partitions.classes: the name '{name}' means something else; choose another"
        everything = [name for members in choice.classes.values() for name in members]
        for finding in check_partitions(choice.classes, classes or everything):
            yield f"source.partitions.classes: {finding}"
        return
    if choice.by == "table":
        if not Path(choice.table).is_file():
            yield f"source.partitions.table: '{choice.table}' does not exist; give a CSV with a row per class"
            return
        try:
            groups = read_class_table(Path(choice.table), choice.class_column, choice.group_column)
            known = catalog.known_classes(source)
            partitions = split_by_table(classes or list(groups), groups, list(known) if known else None)
        except ValueError as error:
            yield f"source.partitions.table: {error}"
            return
        for name in partitions:
            if _reserved(name) or not re.search(NAME, name):
                yield (
                    f"source.partitions.table: {choice.table}: group '{name}' cannot name a partition; choose a word "
                    "of letters, digits, - and _ other than full, all and consensus"
                )
        for finding in check_partitions(partitions, classes or list(groups)):
            yield f"source.partitions.table: {finding}"
        return
    if classes is not None and len(classes) < 2 * choice.count:
        yield (
            f"source.partitions.count: {choice.count} partitions of {len(classes)} classes; "
            f"each needs two classes, so at most {len(classes) // 2}"
        )


def _reserved(name: str) -> bool:
    return name in RESERVED or name.endswith(SIBLING)


def _targets(source: Source, targets: Mapping[str, DataSet]) -> Iterator[str]:
    if "source" in targets:
        yield "targets.source: the name means something else; choose another"
    source_classes = set(source.classes or catalog.known_classes(source) or [])
    for key, target in targets.items():
        if not (_exists(source) and _exists(target)):
            continue
        digits = {data.name == "digits" for data in (source, target)}
        if len(digits) > 1 or (digits == {False} and target.image_size != source.image_size):
            yield f"targets.{key}.image_size: images differ from the source's in kind or size; tickets need the same"
        elif target.image_size is None:
            here, there = catalog.known_size(source), catalog.known_size(target)
            if here and there and here != there:
                yield (
                    f"targets.{key}.image_size: images of '{target.root}' are {there[0]} x {there[1]}, the source's "
                    f"{here[0]} x {here[1]}; give both the same size in pixels"
                )
        if _place(target) != _place(source):
            continue
        classes = target.classes or list(catalog.known_classes(target) or []) or None
        if classes is None or set(classes) == source_classes:
            yield f"targets.{key}: equal to the source; choose another data set or other classes"
        elif shared := sorted(source_classes & set(classes)):
            yield f"targets.{key}.classes: {shared} are source classes too; a target must be new to the tickets"

    for (first, one), (second, other) in combinations(targets.items(), 2):
        same_place = (_place(one), one.train_split) == (_place(other), other.train_split)
        if same_place and set(one.classes or []) == set(other.classes or []):
            yield f"targets.{second}: the same data and classes as targets.{first}; remove one"


def _place(data: DataSet) -> tuple[str, str | None]:
    return data.name, data.root and os.path.realpath(data.root)


def _model(model: Model) -> Iterator[str]:
    name = model.name if model.name.startswith("mlp") else model.name.partition(".")[0]
    if name not in catalog.model_names():
        yield f"model.name: '{model.name}' is neither mlp nor a timm model{_near(name, catalog.model_names())}"
    yield from _weights(model)
    if model.name == "mlp":
        if model.stem != "standard":
            yield f"model.stem: {model.stem}, but mlp has no stem; set it to standard"
        for argument, value in model.arguments.items():
            if argument not in catalog.MLP_DEFAULTS:
                yield f"model.arguments.{argument}: unknown argument of mlp{_near(argument, catalog.MLP_DEFAULTS)}"
            elif type(value) is not int or value < 1:
                yield f"model.arguments.{argument}: {value!r}: should be a whole number of 1 or more"
    else:
        for argument in sorted({"num_classes", "in_chans"} & set(model.arguments)):
            yield f"model.arguments.{argument}: follows from the data; leave it out"
        if "checkpoint_path" in model.arguments:
            yield "model.arguments.checkpoint_path: would be loaded again by every job; give the file as model.weights"


def _weights(model: Model) -> Iterator[str]:
    """What is wrong with the file of pretrained weights, seen from outside."""
    if model.weights is None:
        return
    if model.name == "mlp":
        yield "model.weights: a file of timm's models, but the model is mlp; set it to null"
    elif Path(model.weights).suffix != ".safetensors":
        yield (
            f"model.weights: '{model.weights}' is no .safetensors file; pickled weights can run code: convert them "
            "once with safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'NAME.safetensors')"
        )
    elif not Path(model.weights).is_file():
        yield f"model.weights: '{model.weights}' does not exist; give the path of a safetensors file"
    elif model.arguments.get("pretrained"):
        yield "model.weights: pretrained is among the arguments too; remove one"


def _parts(model: Model, representations: Representations, pruning: Pruning) -> Iterator[str]:
    special = set(model.arguments) - {"pretrained"} or model.weights or model.stem != "standard"
    told = representations.layers or pruning.exclude or special
    if list(_model(model)) or not told:  # building a model takes seconds
        return
    try:
        layers, weights = _names(model)
    except ValueError as error:
        yield str(error)
        return
    for layer in representations.layers or []:
        if layer not in layers:
            yield f"representations.layers: '{layer}' is not a block of {model.name}{_near(layer, layers)}"
    if len(set(representations.layers or [])) < len(representations.layers or []):
        yield f"representations.layers: {representations.layers} names a block twice; name each once"
    for pattern in pruning.exclude:
        if not any(fnmatch(name, pattern) for name in weights):
            yield f"pruning.exclude: '{pattern}' matches no weight of {model.name}{_near(pattern, weights)}"
    if all(any(fnmatch(name, pattern) for pattern in pruning.exclude) for name in weights):
        yield f"pruning.exclude: {pruning.exclude} leaves no weight of {model.name} to prune; exclude fewer"


def _names(model: Model) -> tuple[list[str], list[str]]:
    """Modules and prunable weights of a model; timm's must be built, without memory, which takes seconds.

    Raises:
        ValueError: the model cannot be built from its arguments, or the file of weights is another model's.
    """
    layers, weights = catalog.known_layers(model), catalog.known_weights(model)
    if layers is not None and weights is not None:
        return layers, list(weights)
    from dilt import architectures, models, pretrained

    network = models.skeleton(model, (3, 224, 224), num_classes=2)
    if model.weights:
        pretrained.check_weights(network, model.weights)
    return [name for name, _ in network.named_modules() if name], list(architectures.prunable(network))


def _rounds(pruning: Pruning, tickets: Tickets) -> Iterator[str]:
    for round_ in tickets.rounds:
        if round_ >= pruning.rounds:
            yield (
                f"tickets.rounds: {round_} is not below pruning.rounds ({pruning.rounds}); the weights trained under "
                f"a round's mask come from the next round, so set pruning.rounds to {round_ + 1} or more"
            )


def _claim_round(tickets: Tickets) -> Iterator[str]:
    if tickets.claim_round not in tickets.rounds:
        yield f"tickets.claim_round: {tickets.claim_round} is not in tickets.rounds {tickets.rounds}; add it there"
    if len(set(tickets.rounds)) < len(tickets.rounds):
        yield f"tickets.rounds: {tickets.rounds} names a round twice; name each once"


def _extra_tickets(tickets: Tickets, source: Source) -> Iterator[str]:
    if not tickets.extra:
        return
    known = possible_extra(catalog.partition_names(source))
    for name in tickets.extra:
        if name not in known:
            yield f"tickets.extra: '{name}' is not a further matched control x@y{_near(name, known)}"
    if len(set(tickets.extra)) < len(tickets.extra):
        yield f"tickets.extra: {tickets.extra} names a ticket twice; name each once"


def _densities(model: Model, pruning: Pruning, source: Source) -> Iterator[str]:
    known = None if list(_model(model)) else catalog.known_weights(model)
    if known is None:
        return
    live = sum(count for name, count in known.items() if not any(fnmatch(name, p) for p in pruning.exclude))
    density = (1 - pruning.rate) ** pruning.rounds
    fewest = sum(1 for name in known if not any(fnmatch(name, p) for p in pruning.exclude))
    if live * density < fewest:
        yield (
            f"pruning.rounds: density {density:.2g} after {pruning.rounds} rounds at rate {pruning.rate} cannot be "
            f"reached: it leaves fewer than {fewest} of about {live:,} weights, one per layer; prune less"
        )


def _rewinding(pruning: Pruning, training: Training) -> Iterator[str]:
    if pruning.rewind_epoch > training.epochs:
        yield f"pruning.rewind_epoch: {pruning.rewind_epoch} is after the last of {training.epochs} epochs; lower it"


def _training(training: Training) -> Iterator[str]:
    for finding in _schedule(training):
        yield f"training.{finding}"


def _shares(training: Training, transfer: Transfer, jobs: Jobs) -> Iterator[str]:
    """Whether every GPU of a job gets as much of a batch."""
    for key, section in {"training": training, "transfer.training": transfer.training}.items():
        if section.batch_size % jobs.gpus:
            yield f"{key}.batch_size: {section.batch_size} cannot be shared by {jobs.gpus} GPUs (jobs.gpus) evenly"
    if jobs.gpus > 1 and jobs.per_gpu > 1:
        yield f"jobs.per_gpu: {jobs.per_gpu}, but a job has {jobs.gpus} GPUs; share GPUs among jobs with one each"


def _schedule(training: Training) -> Iterator[str]:
    epochs, milestones = training.epochs, training.milestones
    if training.warmup_epochs >= epochs:
        yield f"warmup_epochs: {training.warmup_epochs} is not below the {epochs} epochs; lower it"
    if training.schedule == "step" and not milestones:
        yield "milestones: missing; a step schedule needs the epochs after which the learning rate decays"
    if training.schedule != "step" and milestones:
        yield f"milestones: {milestones}, but the schedule is {training.schedule}; leave them out or set it to step"
    if milestones != sorted(set(milestones)) or any(not training.warmup_epochs < m < epochs for m in milestones):
        yield (
            f"milestones: {milestones} should be ascending epochs after warm-up ({training.warmup_epochs}) and before "
            f"the last ({epochs})"
        )


def _transfer(transfer: Transfer) -> Iterator[str]:
    if len(set(transfer.protocols)) < len(transfer.protocols):
        yield f"transfer.protocols: {transfer.protocols} names a protocol twice; name each once"
    if len(set(transfer.penalties)) < len(transfer.penalties):
        yield f"transfer.penalties: {transfer.penalties} names a penalty twice; name each once"
    for finding in _schedule(transfer.training):
        yield f"transfer.training.{finding}"


def _seeds(seeds: list[int]) -> Iterator[str]:
    if len(set(seeds)) < len(seeds):
        yield f"seeds: {seeds} names a seed twice; seeds must differ"


def _probes(source: Source, representations: Representations) -> Iterator[str]:
    known = catalog.known_classes(source)
    classes = [name for name in source.classes or known or {} if known and name in known]
    if not known or not classes or not all(catalog.leaves_images(known[name], source) for name in classes):
        return
    fewest = min(catalog.held_out(known[name], source)[1] for name in classes)
    if representations.probes > fewest * len(classes):
        yield (
            f"representations.probes: {representations.probes} probes, but {len(classes)} classes have as few as "
            f"{fewest} validation images each; ask for at most {fewest * len(classes)}"
        )


def _subsets(representations: Representations, distances: Distances) -> Iterator[str]:
    if distances.probe_subsets > 1 and representations.probes // distances.probe_subsets < FEWEST_PROBES:
        yield (
            f"distances.probe_subsets: {distances.probe_subsets} subsets of {representations.probes} probes have fewer "
            f"than {FEWEST_PROBES} each; ask for {FEWEST_PROBES * distances.probe_subsets} probes or for fewer subsets"
        )


def _and_more(alike: Sequence[str]) -> str:
    return f" (and {len(alike) - 1} more)" if len(alike) > 1 else ""


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.4)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; choose one of {', '.join(sorted(known)[:12])}"
