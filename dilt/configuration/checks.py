"""Checks of a configuration across its sections and against what is installed, before any job runs.

Each check takes the sections that it needs and yields findings ``key: what is wrong; cure``. Types and limits of
single keys belong to `dilt.settings`, data sets to `data_checks`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt.configuration import claim_checks, data_checks, derived_names, ticket_checks, training_checks
from dilt.configuration.data_checks import near
from dilt.configuration.yaml_files import is_text_of_another_type
from dilt.foundations.packages import is_installed
from dilt.networks import model_catalog
from dilt.settings.geometry import FEWEST_PROBES
from dilt.settings.networks import MLP_DEFAULTS
from dilt.settings.pattern import numbers
from dilt.sources import data_catalog
from dilt.tickets.names import TicketName
from dilt.tickets.selection import is_possible, possible_names

if TYPE_CHECKING:
    from dilt.settings.answers import Claims
    from dilt.settings.data import Source
    from dilt.settings.geometry import Distances, Representations
    from dilt.settings.jobs import Jobs
    from dilt.settings.networks import Model
    from dilt.settings.tickets import Tickets
    from dilt.settings.training import Pruning, Training
    from dilt.settings.transfer import Transfer

OTHERS = (".h5", ".keras", ".npz", ".npy", ".onnx", ".gguf", ".msgpack", ".json", ".tflite")  # weights, not pickled


def findings(sections: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the sections that are there (those that failed their own validation are not)."""
    checks: dict[Callable[..., Iterator[str]], tuple[str, ...]] = {
        data_checks.data_sets: ("source", "targets"),
        data_checks.partitions: ("source",),
        data_checks.targets: ("source", "targets"),
        _model: ("model",),
        _parts: ("model", "representations", "pruning"),
        _pattern: ("model", "pruning", "source"),
        _network: ("model", "representations", "pruning", "transfer", "source"),
        _rounds: ("pruning", "tickets", "claims"),
        _ticket_names: ("tickets", "source"),
        _compared_tickets: ("distances", "tickets", "source"),
        ticket_checks.definitions: ("tickets", "pruning", "source"),
        claim_checks.claims: ("claims",),
        claim_checks.target_names: ("targets",),
        claim_checks.own: ("claims", "tickets", "source", "targets", "transfer"),
        _densities: ("model", "pruning", "source"),
        training_checks.rewinding: ("pruning", "training", "source"),
        training_checks.recipes: ("training", "transfer"),
        training_checks.crops: ("source", "targets", "training", "transfer"),
        training_checks.positions: ("model",),
        training_checks.instability: ("instability", "pruning", "training", "source"),
        training_checks.schedules_of_source: ("training", "source"),
        _decay_exclusions: ("model", "training", "transfer"),
        training_checks.shares: ("training", "transfer", "jobs"),
        _event_files: ("jobs",),
        training_checks.transfers: ("transfer", "training", "targets"),
        data_checks.probes: ("source", "representations"),
        _subsets: ("representations", "distances"),
    }
    return [
        finding
        for check, needed in checks.items()
        if all(name in sections for name in needed)
        for finding in check(*(sections[name] for name in needed))
    ]


def _model(model: Model) -> Iterator[str]:
    name = model.name if model.name.startswith("mlp") else model.name.partition(".")[0]
    if name not in model_catalog.model_names():
        yield f"model.name: '{model.name}' is neither mlp nor a timm model{near(name, model_catalog.model_names())}"
    yield from _weights(model)
    if model.name != "mlp":
        yield from _arguments(model.arguments, "model.arguments")
    if model.name == "mlp":
        if model.stem != "standard":
            yield f"model.stem: {model.stem}, but mlp has no stem; set it to standard"
        for argument, value in model.arguments.items():
            if argument not in MLP_DEFAULTS:
                yield f"model.arguments.{argument}: unknown argument of mlp{near(argument, MLP_DEFAULTS)}"
            elif type(value) is not int or value < 1:
                yield f"model.arguments.{argument}: {value!r}: should be a whole number of 1 or more"
    else:
        for argument in sorted({"num_classes", "in_chans"} & set(model.arguments)):
            yield f"model.arguments.{argument}: follows from the data; leave it out"
        if "checkpoint_path" in model.arguments:
            yield "model.arguments.checkpoint_path: would be loaded again by every job; give the file as model.weights"


def _weights(model: Model) -> Iterator[str]:
    """What is wrong with the file of pretrained weights, found without opening it."""
    if model.weights is None:
        return
    if model.name == "mlp":
        yield "model.weights: a file of timm's models, but the model is mlp; set it to null"
    elif model.weights.endswith(".index.json"):
        yield (
            f"model.weights: '{model.weights}' is the index of a model in several files; join them once: load_file of "
            "each, all in one dictionary, then safetensors.torch.save_file, and give that file"
        )
    elif set("{}<>") & set(model.weights):
        yield (
            f"model.weights: '{model.weights}' has braces or angle brackets, by which Snakemake names wildcards; "
            "rename the file or its folder"
        )
    elif Path(model.weights).suffix in OTHERS:
        yield (
            f"model.weights: '{model.weights}' is no .safetensors file; save the network's state_dict once with "
            "safetensors.torch.save_file(STATE_DICT, 'NAME.safetensors')"
        )
    elif Path(model.weights).suffix != ".safetensors":
        yield (
            f"model.weights: '{model.weights}' is no .safetensors file; pickled weights can run code: convert them "
            "once with safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'NAME.safetensors')"
        )
    elif not Path(model.weights).is_file():
        yield f"model.weights: '{model.weights}' does not exist; give the path of a safetensors file"
    elif model.arguments.get("pretrained"):
        yield "model.weights: pretrained is among the arguments too; remove one"


def _arguments(value: Any, key: str) -> Iterator[str]:
    """Arguments of a model that are probably not what was meant, or cannot be passed on to jobs."""
    if isinstance(value, dict):
        for name, member in value.items():
            if not isinstance(name, str):
                yield f"{key}: {name!r}: should be a name; put it in quotes"
            yield from _arguments(member, f"{key}.{name}")
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield from _arguments(member, f"{key}.{position}")
    elif isinstance(value, str):
        if is_text_of_another_type(value):
            yield f"{key}: '{value}': text, which was hardly meant; write it without quotes"
        elif value == "None":
            yield f"{key}: '{value}': text; write null"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{key}: {value}: should be a finite number"
    elif value is not None and not isinstance(value, bool | int | float):
        yield f"{key}: {value}: a {type(value).__name__}; put it in quotes"


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
            yield f"representations.layers: '{layer}' is not a block of {model.name}{near(layer, layers)}"
    for pattern in pruning.exclude:
        if not any(fnmatch(name, pattern) for name in weights):
            yield f"pruning.exclude: '{pattern}' matches no weight of {model.name}{near(pattern, weights)}"
    if all(any(fnmatch(name, pattern) for pattern in pruning.exclude) for name in weights):
        yield f"pruning.exclude: {pruning.exclude} leaves no weight of {model.name} to prune; exclude fewer"


def _network(
    model: Model, representations: Representations, pruning: Pruning, transfer: Transfer, source: Source
) -> Iterator[str]:
    """Why a network of timm's cannot be used as the configuration asks: classify, be pruned, observed, read out."""
    if model.name == "mlp" or list(_model(model)) or list(_parts(model, representations, pruning)):
        return
    from dilt.networks.inspection import inspect

    shape = data_catalog.known_shape(source) or (3, 224, 224)
    num_classes = len(source.classes or data_catalog.known_classes(source) or range(2))
    try:
        found = inspect(model, shape, num_classes, representations.layers)
    except ValueError as error:
        yield str(error)
        return
    if found.refusal:
        yield found.refusal
    for block, reason in found.silent.items():
        yield f"representations.layers: '{block}' {reason}; name another block"
    for weight, reason in found.unreached.items():
        if not any(fnmatch(weight, pattern) for pattern in pruning.exclude):
            yield (
                f"model.name: of {model.name}, '{weight}' is not what is convolved or multiplied with ({reason}), and "
                "pruned it might not be zero there; add it to pruning.exclude"
            )
    for block, layout in found.blocks.items():
        if representations.pooling in ("mean", "tokens") and layout.features is None:
            yield (
                f"representations.pooling: {representations.pooling}, but which axis of '{block}' has features cannot "
                "be told; set it to flat or projection, or name other representations.layers"
            )
        elif representations.pooling == "tokens" and layout.prefix is None:
            yield (
                f"representations.pooling: tokens, but how many class tokens '{block}' has cannot be told; set it to "
                "mean, or name other representations.layers"
            )
    if not found.refusal and "linear" in transfer.protocols and not found.linear:
        yield (
            f"transfer.protocols: linear, but {model.name} has no linear layer from the features that its head reads "
            "to the classes; leave linear out, or choose another model"
        )


def _pattern(model: Model, pruning: Pruning, source: Source) -> Iterator[str]:
    """Why no weight that may be pruned can have the pattern."""
    if pruning.pattern is None or list(_model(model)):
        return
    from dilt.networks import architectures, building

    try:
        network = building.skeleton(model, data_catalog.known_shape(source) or (3, 224, 224), num_classes=2)
        architectures.prunable(network, pruning.exclude, numbers(pruning.pattern)[1])
    except ValueError as error:
        if str(error).startswith("pruning.pattern"):  # other checks tell what else is wrong
            yield str(error)


def _names(model: Model) -> tuple[list[str], list[str]]:
    """Modules and prunable weights of a model; timm's must be built, without memory, which takes seconds.

    Raises:
        ValueError: the model cannot be built from its arguments, or the file of weights is another model's.
    """
    layers, weights = model_catalog.known_layers(model), model_catalog.known_weights(model)
    if layers is not None and weights is not None:
        return layers, list(weights)
    from dilt.networks import architectures, building, pretrained

    network = building.skeleton(model, (3, 224, 224), num_classes=2)
    if model.weights:
        pretrained.check_weights(network, model.weights)
    return [name for name, _ in network.named_modules() if name], list(architectures.prunable(network))


def _rounds(pruning: Pruning, tickets: Tickets, claims: Claims) -> Iterator[str]:
    given = [("tickets.rounds", round_) for round_ in tickets.rounds]
    given += [(f"tickets.claim_rounds.{claim}", round_) for claim, round_ in tickets.claim_rounds]
    given += [(f"claims.own.{name}.round", claim.round) for name, claim in claims.own.items()]
    for key, round_ in given:
        if round_ >= pruning.rounds:
            yield (
                f"{key}: {round_} is not below pruning.rounds ({pruning.rounds}); the weights trained under "
                f"a round's mask come from the next round, so set pruning.rounds to {round_ + 1} or more"
            )


def _ticket_names(tickets: Tickets, source: Source) -> Iterator[str]:
    yield from _possible("tickets.names", tickets.names, tickets, source)


def _compared_tickets(distances: Distances, tickets: Tickets, source: Source) -> Iterator[str]:
    yield from _possible("distances.tickets", distances.tickets or [], tickets, source)


def _possible(key: str, names: Sequence[str], tickets: Tickets, source: Source) -> Iterator[str]:
    """What is wrong with names of tickets."""
    if not names or list(data_checks.partitions(source)):  # which names there are follows from partitions
        return
    partitions = derived_names.partition_names(source)
    for name in names:
        if not is_possible(name, partitions, tickets.define):
            known = possible_names(partitions, tickets.define)
            yield f"{key}: '{name}' is no ticket of this experiment{near(name, known)}"
        elif TicketName.parse(name).draw > tickets.draws:
            yield f"{key}: '{name}', but of each there are {tickets.draws} draw(s) (tickets.draws); raise it"


def _densities(model: Model, pruning: Pruning, source: Source) -> Iterator[str]:
    known = None if list(_model(model)) else model_catalog.known_weights(model)
    if known is None:
        return
    live = sum(count for name, count in known.items() if not any(fnmatch(name, p) for p in pruning.exclude))
    density = pruning.density(pruning.rounds)
    fewest = sum(1 for name in known if not any(fnmatch(name, p) for p in pruning.exclude))
    if live * density < fewest:
        yield (
            f"pruning.rounds: density {density:.2g} after {pruning.rounds} rounds at rate {pruning.rate} cannot be "
            f"reached: it leaves fewer than {fewest} of about {live:,} weights, one per layer; prune less"
        )


def _event_files(jobs: Jobs) -> Iterator[str]:
    if jobs.tensorboard and not is_installed("tensorboard"):
        yield (
            "jobs.tensorboard: true, but tensorboard is not installed; pip install 'dilt[tensorboard]', or set it to "
            "false"
        )


def _decay_exclusions(model: Model, training: Training, transfer: Transfer) -> Iterator[str]:
    """Names and patterns that match no parameter; the network is built to find out."""
    given = {"training": training.weight_decay_exclude, "transfer.training": transfer.training.weight_decay_exclude}
    if given["training"] == given["transfer.training"]:
        del given["transfer.training"]
    if not any(isinstance(patterns, list) and patterns for patterns in given.values()) or list(_model(model)):
        return
    from dilt.networks import building

    try:
        network = building.skeleton(
            model, data_catalog.DIGITS_SHAPE if model.name == "mlp" else (3, 224, 224), num_classes=2
        )
    except ValueError:
        return  # `_parts` reports it
    names = [name for name, _ in network.named_parameters()]
    for key, patterns in given.items():
        for odd in patterns if isinstance(patterns, list) else []:
            if not any(fnmatch(name, odd) for name in names):
                yield f"{key}.weight_decay_exclude: '{odd}' matches no parameter of {model.name}{near(odd, names)}"


def _subsets(representations: Representations, distances: Distances) -> Iterator[str]:
    if distances.probe_subsets > 1 and representations.probes // distances.probe_subsets < FEWEST_PROBES:
        yield (
            f"distances.probe_subsets: {distances.probe_subsets} subsets of {representations.probes} probes have fewer "
            f"than {FEWEST_PROBES} each; ask for {FEWEST_PROBES * distances.probe_subsets} probes or for fewer subsets"
        )
