"""Checks of a configuration across its sections and against what is installed, before any job runs.

Each check takes the sections that it needs and yields findings ``key: what is wrong; cure``. Types and limits of
single keys belong to `config`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt import catalog
from dilt.catalog import partition_names
from dilt.partitions import check_partitions, read_class_table, split_by_table
from dilt.tickets import possible_extra
from dilt.trajectories import FULL, SIBLING

if TYPE_CHECKING:
    from dilt.settings import DataSet, Model, Pruning, Representations, Source, Tickets, Training, Transfer


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
        _transfer: ("transfer",),
        _seeds: ("seeds",),
        _probes: ("source", "representations"),
    }
    return [
        finding
        for check, needed in checks.items()
        if all(name in sections for name in needed)
        for finding in check(*(sections[name] for name in needed))
    ]


def _data_sets(source: Source, targets: Mapping[str, DataSet]) -> Iterator[str]:
    for key, data in {"source": source, **{f"targets.{name}": data for name, data in targets.items()}}.items():
        if data.name == "folder":
            if data.root is None:
                yield f"{key}.root: missing; a folder data set needs the folder of its images"
            elif not Path(data.root).exists():
                yield f"{key}.root: '{data.root}' does not exist; give the folder that holds '{data.train_split}'"
            elif Path(data.root).is_dir() and not (Path(data.root) / data.train_split).is_dir():
                yield f"{key}.train_split: no folder '{data.train_split}' in '{data.root}'; name the training folder"
        elif data.name != "digits" and not data.name.startswith(catalog.READERS):
            readers = ", ".join(f"{reader}NAME" for reader in catalog.READERS)
            yield f"{key}.name: '{data.name}' is not a data set; choose digits, folder, or one of {readers}"
        known = catalog.known_classes(data)
        for name in data.classes or []:
            if known is not None and name not in known:
                yield f"{key}.classes: '{name}' is not a class of {data.name}{_near(name, known)}"
        for name in {name for name in data.classes or [] if (data.classes or []).count(name) > 1}:
            yield f"{key}.classes: '{name}' is given twice; name each class once"


def _partitions(source: Source) -> Iterator[str]:
    choice = source.partitions
    classes = source.classes or list(catalog.known_classes(source) or []) or None
    if choice.by == "classes":
        for name in choice.classes:
            if name in RESERVED or name.endswith(SIBLING):
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
            partitions = split_by_table(classes or list(groups), groups)
        except ValueError as error:
            yield f"source.partitions.table: {error}"
            return
        for finding in check_partitions(partitions, classes or list(groups)):
            yield f"source.partitions.table: {finding}"
        return
    if classes is not None and len(classes) < 2 * choice.count:
        yield (
            f"source.partitions.count: {choice.count} partitions of {len(classes)} classes; "
            f"each needs two classes, so at most {len(classes) // 2}"
        )


def _targets(source: Source, targets: Mapping[str, DataSet]) -> Iterator[str]:
    if "source" in targets:
        yield "targets.source: the name means something else; choose another"
    source_classes = set(source.classes or catalog.known_classes(source) or [])
    for key, target in targets.items():
        if (target.name == "digits") != (source.name == "digits") or target.image_size != source.image_size:
            yield f"targets.{key}.image_size: images differ from the source's in kind or size; tickets need the same"
        if (target.name, target.root) != (source.name, source.root):
            continue
        classes = target.classes or list(catalog.known_classes(target) or []) or None
        if classes is None or set(classes) == source_classes:
            yield f"targets.{key}: equal to the source; choose another data set or other classes"
        elif shared := sorted(source_classes & set(classes)):
            yield f"targets.{key}.classes: {shared} are source classes too; a target must be new to the tickets"


def _model(model: Model) -> Iterator[str]:
    name = model.name if model.name.startswith("mlp") else model.name.partition(".")[0]
    if name not in catalog.model_names():
        yield f"model.name: '{model.name}' is neither mlp nor a timm model{_near(name, catalog.model_names())}"
    if model.name == "mlp":
        for argument, value in model.arguments.items():
            if argument not in catalog.MLP_DEFAULTS:
                yield f"model.arguments.{argument}: unknown argument of mlp{_near(argument, catalog.MLP_DEFAULTS)}"
            elif not isinstance(value, int) or value < 1:
                yield f"model.arguments.{argument}: {value!r}: should be a whole number of 1 or more"


def _parts(model: Model, representations: Representations, pruning: Pruning) -> Iterator[str]:
    if list(_model(model)) or not (representations.layers or pruning.exclude):
        return
    try:
        layers, weights = _names(model)
    except ValueError as error:
        yield str(error)
        return
    for layer in representations.layers or []:
        if layer not in layers:
            yield f"representations.layers: '{layer}' is not a block of {model.name}{_near(layer, layers)}"
    for pattern in pruning.exclude:
        if not any(fnmatch(name, pattern) for name in weights):
            yield f"pruning.exclude: '{pattern}' matches no weight of {model.name}{_near(pattern, weights)}"


def _names(model: Model) -> tuple[list[str], list[str]]:
    """Modules and prunable weights of a model; timm's must be built, without memory, which takes seconds.

    Raises:
        ValueError: the model cannot be built from its arguments.
    """
    layers, weights = catalog.known_layers(model), catalog.known_weights(model)
    if layers is not None and weights is not None:
        return layers, list(weights)
    import torch

    from dilt import models

    plain = model.model_copy(update={"arguments": {**model.arguments, "pretrained": False}})
    with torch.device("meta"):
        network = models.build(plain, (3, 224, 224), ["0", "1"], 0)
    return [name for name, _ in network.named_modules() if name], list(models.prunable(network))


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
    known = possible_extra(partition_names(source))
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
    if not live:
        yield f"pruning.exclude: {pruning.exclude} leaves no weight of {model.name} to prune; exclude fewer"
        return
    density = (1 - pruning.rate) ** pruning.rounds
    fewest = len(known)
    if live * density < fewest:
        yield (
            f"pruning.rounds: density {density:.2g} after {pruning.rounds} rounds at rate {pruning.rate} cannot be "
            f"reached: it leaves fewer than {fewest} of about {live:,} weights, one per layer; prune less"
        )


def _rewinding(pruning: Pruning, training: Training) -> Iterator[str]:
    if pruning.rewind_epoch > training.epochs:
        yield f"pruning.rewind_epoch: {pruning.rewind_epoch} is after the last of {training.epochs} epochs; lower it"
    if training.warmup_epochs >= training.epochs:
        yield f"training.warmup_epochs: {training.warmup_epochs} is not below the {training.epochs} epochs; lower it"


def _transfer(transfer: Transfer) -> Iterator[str]:
    if len(set(transfer.protocols)) < len(transfer.protocols):
        yield f"transfer.protocols: {transfer.protocols} names a protocol twice; name each once"
    training = transfer.training
    if training.warmup_epochs >= training.epochs:
        yield f"transfer.training.warmup_epochs: {training.warmup_epochs} is not below its epochs; lower it"


def _seeds(seeds: list[int]) -> Iterator[str]:
    if len(set(seeds)) < len(seeds):
        yield f"seeds: {seeds} names a seed twice; seeds must differ"


def _probes(source: Source, representations: Representations) -> Iterator[str]:
    known = catalog.known_classes(source)
    classes = [name for name in source.classes or known or {} if known and name in known]
    if not known or not classes:
        return
    fewest = min(catalog.held_out(known[name], source)[1] for name in classes)
    if representations.probes > fewest * len(classes):
        yield (
            f"representations.probes: {representations.probes} probes, but {len(classes)} classes have as few as "
            f"{fewest} validation images each; ask for at most {fewest * len(classes)}"
        )


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.4)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; choose one of {', '.join(sorted(known)[:12])}"
