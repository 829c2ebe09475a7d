"""Predicts the memory that each rule's jobs need at their peak, for schedulers to reserve.

A network's own memory is found by `networks.footprint`; benchmarks/memory.py compares predictions with measured peaks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dilt.configuration import derived_names
from dilt.data import splitting
from dilt.foundations.memory import memory_bytes
from dilt.geometry.matching import LARGE
from dilt.networks import shells
from dilt.networks.footprint import NUMBER, footprint
from dilt.settings.data import DataSet
from dilt.settings.experiment import Config
from dilt.settings.training import Training
from dilt.sources import data_catalog
from dilt.sources.pixels import evaluation_batch

MEBIBYTE = 2**20
# Peaks in MiB of processes that have imported what a stage needs and done almost nothing.
NUMPY, SCIPY, SKLEARN, TRANSPORT, PLOTS, TORCH, TIMM, CUDA = 50, 150, 180, 220, 450, 560, 800, 1500
LINEAR_HEAD, ZARR, WORKER = 110, 110, 150  # MiB of linear heads and Zarr beside torch, of a process that decodes images
PATHS = 150  # MiB, beside torch, of finding the weights on paths
SLACK = 1.15  # what allocators leave unused
LEFT_OVER = 1.25  # what stages before it in the same process leave to a stage
INFERENCE = 3.3  # tensors of a residual block at a time, in units of a module's input and output
RECORDED = 64  # probes at a time, of `recording`
SCORED, PER_CLASS = 64, 10  # images at a time, of `saliency_criteria`; images of a class, of `score`
DRAWN = 28  # bytes that a process has of each image, of how it is cropped and changed
OPTIMIZER_STATES = {"sgd": 1, "adamw": 2, "lamb": 2, "lion": 1}
UNKNOWN_SHAPE, UNKNOWN_IMAGES, UNKNOWN_CLASSES = (3, 224, 224), 50_000, 1000
UNCOUNTED = 1300  # images of a class of ImageNet, at most, which `data_catalog` does not count


def predict(config: Config, gpu: bool) -> dict[str, int]:
    """MiB for a job of every rule.

    Args:
        gpu: whether networks run on GPUs, which have memory of their own for activations.
    """
    shape = data_catalog.known_shape(config.source) or UNKNOWN_SHAPE
    classes = config.source.classes or data_catalog.known_classes(config.source) or range(UNKNOWN_CLASSES)
    network = footprint(config.model, shape, len(classes))
    weights, mask = network.parameters, network.parameters // NUMBER
    base = MEBIBYTE * (CUDA if gpu else TORCH if config.model.name == "mlp" else TIMM)
    images = _image_bytes(config.source, shape, config)
    target = max(_image_bytes(data, shape, config) for data in config.targets.values())
    features = network.features * max(_num_images(data) for data in config.targets.values())
    held_out = _num_images(config.source) // 2  # at most, of most data sets
    # Logits under each corruption, and what calibration is computed from.
    answers = NUMBER * held_out * len(classes) * (len(config.evaluation.corruptions) + 4)
    seen = 0 if gpu else int(INFERENCE * network.largest * min(held_out, evaluation_batch(shape, gpu)))
    partitions = len(derived_names.partition_names(config.source))
    asked = derived_names.asked_tickets(config)
    # Threads of the job that `combine` is done in: where rounds are grouped, one that trains.
    makers = config.jobs.threads * (config.jobs.gpus if config.jobs.group == "rounds" else 1)
    sample = NUMBER * PER_CLASS * len(classes) * math.prod(shape)
    starts = config.tickets.draws * weights  # initialisations besides theta0

    def trains(training: Training, data: DataSet = config.source) -> int:
        averaged = 2 if training.ema_decay else 0
        states = weights * (5 + 2 * OPTIMIZER_STATES[training.optimizer] + averaged)
        kept = 0 if gpu else network.saved * training.batch_size // config.jobs.gpus
        # Processes that decode images, or change them for a GPU: each rank has its own, of which `images` has one's.
        loading = _is_streamed(data, shape, config) or (gpu and training.one_at_a_time)
        workers = _workers(config) + DRAWN * _num_images(data) * _number_of_workers(config) if loading else 0
        ranks = config.jobs.gpus * (base + states + max(kept, seen) + workers)
        return ranks - (_workers(config) if _is_streamed(data, shape, config) else 0)

    transferred = max(trains(config.transfer.training, data) for data in config.targets.values()) + weights + starts
    protocols = len(config.transfer.protocols) * weights
    # Inner products of features, and what they become, in double precision.
    heads = LINEAR_HEAD * MEBIBYTE + (0 if gpu else 3 * network.features**2)
    if "linear" in config.transfer.protocols:
        transferred = max(transferred, base + heads + 3 * weights + starts + max(seen, 4 * features))
    read = network.features * _num_images(config.source) // partitions
    together = (partitions + 2) * weights + read  # of each network that sees images beside others
    several = gpu or _is_streamed(config.source, shape, config)
    assembles = base + math.ceil(3.5 * partitions + 7) * weights + (_more(together, config) if several else 0)
    represents = base + MEBIBYTE * ZARR + 3 * weights + min(seen, int(INFERENCE * network.largest * RECORDED))
    probes = config.representations.probes // config.distances.probe_subsets
    layers = len(config.representations.layers or range(network.layers)) * (len(asked.compared) + partitions + 1)
    # For every layer: costs in double precision, inner products, and intermediate arrays.
    compares = MEBIBYTE * (TRANSPORT if probes >= LARGE else SCIPY) * config.jobs.compare_threads
    compares += 6 * NUMBER * probes**2 * layers
    found = {
        "prepare": MEBIBYTE * SKLEARN if config.source.name == "digits" else MEBIBYTE * TIMM + _workers(config),
        "initialise": trains(config.training) + images if config.pruning.rewind_epoch else base + 3 * weights,
        # Of the two passes backward through a batch of GraSP's.
        "score": base + 12 * weights + (0 if gpu else 3 * network.saved * SCORED) + images + sample,
        "train": trains(config.training) + images,
        "train_rounds": trains(config.training) + images + 8 * weights + 3 * partitions * mask,
        "train_rounds_to_core": trains(config.training) + images + 8 * weights + partitions * mask,
        "initialise_rewound": trains(config.training) + images,
        "train_rewound": trains(config.training) + images,
        "measure_instability": base + (2 * partitions + 4) * weights + seen + images,
        "prune": MEBIBYTE * NUMPY + 8 * weights,
        "prune_to_core": MEBIBYTE * NUMPY + 8 * weights + partitions * mask,
        "train_to_core": trains(config.training) + images,
        "prune_to_consensus": MEBIBYTE * NUMPY + 8 * weights + partitions * mask,
        # And an image through a copy of the network, with gradients, for each thread, which makes a ticket.
        "combine": base
        + MEBIBYTE * PATHS
        + (11 + 4 * partitions) * weights
        + (makers - 1) * (6 + 3 * partitions) * weights
        + (8 + 4 * partitions) * mask  # that are read again and again, and tickets that others are made from
        + 3 * network.saved,
        "train_ticket": trains(config.training) + starts + images,
        "represent": represents,
        "represent_references": represents,
        "compare_part": compares,
        "compare": compares,
        "cluster": MEBIBYTE * SKLEARN,
        "assemble": max(assembles + seen, assembles + heads + 4 * read) + images,
        "retrain_assembly": trains(config.training) + images + partitions * mask,
        "evaluate_assemblies": assembles + seen + images,
        "transfer_ticket": transferred + target,
        "evaluate_tickets": base + 3 * weights + seen + images + answers + _more(weights + answers, config),
        "evaluate_transfer": base + 2 * weights + seen + target + protocols + _more(protocols, config),
        "remove_networks": MEBIBYTE * NUMPY,
        "summarise": MEBIBYTE * PLOTS,
        "report": MEBIBYTE * SKLEARN,
    }
    return {rule: math.ceil(SLACK * bytes_ / MEBIBYTE) for rule, bytes_ in found.items()}


def of_job(predicted: Mapping[str, int], rules: Sequence[str]) -> int:
    """MiB for a job that does the work of one rule, or of several in turn in one process."""
    most = max(predicted[rule] for rule in rules)
    return most if len(rules) == 1 else math.ceil(LEFT_OVER * most)


def _more(num_bytes: int, config: Config) -> int:
    """Bytes of the networks that see images beside a first one, if each takes so many with what is kept of it."""
    number = 1 if config.jobs.group == "apart" else shells.side_by_side(num_bytes)
    return (number - 1) * num_bytes


def _num_images(data: DataSet) -> int:
    known = data_catalog.known_classes(data)
    if known is None:
        return UNKNOWN_IMAGES
    counts = (known[name] or UNCOUNTED for name in data.classes or known if name in known)
    return sum(splitting.used_images(count, data) for count in counts)


def _image_bytes(data: DataSet, shape: tuple[int, ...], config: Config) -> int:
    """Bytes of a data set's decoded images; if they are streamed, bytes of the workers that decode them."""
    return _workers(config) if _is_streamed(data, shape, config) else _num_images(data) * math.prod(shape)


def _is_streamed(data: DataSet, shape: tuple[int, ...], config: Config) -> bool:
    size = _num_images(data) * math.prod(shape)
    return data.storage == "streamed" or (
        data.storage == "auto" and size > config.jobs.memory_share * memory_bytes() and data.name != "digits"
    )


def _number_of_workers(config: Config) -> int:
    return config.jobs.threads if config.jobs.workers is None else config.jobs.workers


def _workers(config: Config) -> int:
    return MEBIBYTE * WORKER * _number_of_workers(config)
