"""The work that goes into an experiment's results, counted file by file: images that networks see, and bytes on disk.

A file's rule and path tell what was done for it; where a job does several rules' work, each is counted by itself.
`past_runs` knows how long such work took.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dilt.configuration.derived_names import partition_names
from dilt.configuration.job_memory import UNCOUNTED, UNKNOWN_CLASSES, UNKNOWN_IMAGES, UNKNOWN_SHAPE
from dilt.configuration.rules_in_turn import IN_TURN
from dilt.data import splitting
from dilt.foundations.result_paths import Answers, Networks, expression, is_trained
from dilt.networks.footprint import NUMBER, Footprint, footprint
from dilt.settings.data import DataSet, Source
from dilt.settings.experiment import Config
from dilt.settings.geometry import Representations
from dilt.settings.networks import Model
from dilt.settings.training import Pruning, Training, in_steps, read_length
from dilt.settings.transfer import Transfer
from dilt.sources import data_catalog
from dilt.tickets.trajectories import FULL, SIBLING, split_number

# The files that a rule's work is counted by, one for each thing done. Other rules' work is counted in jobs.
PRODUCTS: dict[str, str] = {
    "prepare": Networks.DATASET,
    "initialise": Networks.THETA0,
    "train": Networks.RUN_WEIGHTS,
    "train_rounds": Networks.RUN_WEIGHTS,
    "train_rounds_to_core": Networks.TO_CORE_WEIGHTS,
    "prune": Networks.RUN_MASK.replace("{coupling}", "independent"),
    "prune_to_consensus": Networks.CONSENSUS_MASK,
    "initialise_rewound": Networks.REWOUND_THETA0,
    "train_rewound": Networks.REWOUND_WEIGHTS,
    "measure_instability": Answers.BARRIERS,
    "score": Networks.SALIENCIES,
    "train_to_core": Networks.TO_CORE_WEIGHTS,
    "prune_to_core": Networks.TO_CORE_MASK,
    "combine": Networks.TICKET_MASK,
    "train_ticket": Networks.TICKET_WEIGHTS,
    "transfer_ticket": Networks.TRANSFERRED,
    "retrain_assembly": Networks.RETRAINED_WEIGHTS,
    "assemble": Networks.ASSEMBLIES_FITTED,
    "evaluate_tickets": Networks.TICKET_SCORES,
    "evaluate_transfer": Networks.TRANSFER_SCORES,
    "evaluate_assemblies": Networks.ASSEMBLIES_SCORES,
    "represent": Networks.TICKET_STORE,
    "represent_references": Networks.REFERENCE_STORE,
    "compare_part": Answers.DISTANCES_PART,
    "compare": Answers.DISTANCES,
    "cluster": Answers.CLUSTERS,
    "report": Answers.PAGE,
}
STORES, DISTANCES = ("represent", "represent_references"), ("compare_part", "compare")
COUPLINGS = "independent|cyclic"
SMALL, FIGURE = 10_000, 300_000  # bytes of a table, and of a figure or page, about


@dataclass(frozen=True)
class Settings:
    """The sections of a configuration that the work on a network grows with."""

    source: Source
    targets: Mapping[str, DataSet]
    model: Model
    training: Training
    pruning: Pruning
    transfer: Transfer
    representations: Representations

    @classmethod
    def of(cls, config: Config) -> Settings:
        """Those of a whole configuration."""
        return cls(**{name: getattr(config, name) for name in cls.__dataclass_fields__})

    @property
    def image_shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width of the images; None where only loading them would tell."""
        return data_catalog.known_shape(self.source)

    @cached_property
    def network(self) -> Footprint:
        """The memory that the network takes."""
        classes = self.source.classes or _known_classes(self.source) or range(UNKNOWN_CLASSES)
        return footprint(self.model, self.image_shape or UNKNOWN_SHAPE, len(classes))

    def images(self, trajectory: str = FULL) -> float:
        """Training images of the source that a trajectory sees."""
        whole, choice = training_images(self.source), self.source.partitions
        partition = trajectory.removesuffix(SIBLING)
        if partition == FULL:
            return whole
        if split_number(partition) is not None:
            return whole / (len(choice.classes) if choice.by == "classes" else self._partitions)
        if choice.by == "classes":
            return training_images(self.source, choice.classes.get(partition, []))
        return whole / self._partitions

    @property
    def _partitions(self) -> int:
        """Number of partitions, if they are not listed by class."""
        choice = self.source.partitions
        return choice.count if choice.by in ("contiguous", "random") else _groups(self.source)


@dataclass(frozen=True)
class Piece:
    """What is done for one file.

    Attributes:
        rule: which did it, perhaps in turn with others.
        seed, round, target: empty where the file belongs to none.
        kind: what is trained, for sums: a rule, or a protocol of transfer; empty where nothing is.
        epochs: of the training.
        units: what the time for it is proportional to: images seen in training, pairs of layers times the cube of the
            probes, or one.
    """

    rule: str
    path: str
    seed: str
    round: str
    kind: str
    epochs: float
    units: float
    target: str = ""

    @property
    def work(self) -> str:
        """The rule whose speed counts: what is trained for late rewinding is trained as trajectories are."""
        return "train" if self.kind in ("initialise", "initialise_rewound", "train_rewound") else self.rule


def pieces(files: Iterable[tuple[str, str]], settings: Settings) -> list[Piece]:
    """The pieces of work that files stand for; files that nothing is counted by stand for none.

    Args:
        files: rule and path below the folder of results of each.
    """
    found = [piece for rule, path in files if (piece := _piece(rule, path, settings))]
    stores = Counter(piece.seed for piece in found if piece.rule in STORES)
    blocks = len(settings.representations.layers or range(settings.network.layers))
    cube = settings.representations.probes**3
    return [
        Piece(p.rule, p.path, p.seed, p.round, "", 0, max(1, (stores[p.seed] * blocks) ** 2 * cube / _parts(p.path)))
        if p.rule in DISTANCES
        else p
        for p in found
    ]


def _piece(rule: str, path: str, settings: Settings) -> Piece | None:
    for stage in IN_TURN.get(rule, (rule,)):
        if match := re.fullmatch(expression(PRODUCTS.get(stage, ""), coupling=COUPLINGS), path):
            return _work(stage, path, match.groupdict(), settings)
    return None


def _work(rule: str, path: str, names: Mapping[str, str], settings: Settings) -> Piece:
    kind, epochs, images = _training(rule, names, settings)
    seed, round_ = names.get("seed", ""), names.get("round", "")
    return Piece(rule, path, seed, round_, kind, epochs, epochs * images if kind else 1, names.get("target", ""))


def _training(rule: str, names: Mapping[str, str], settings: Settings) -> tuple[str, float, float]:
    """Kind, epochs and images of what is trained for a file; a linear head sees its images once."""
    pruning = settings.pruning
    if "rewind" in names:
        pruning = pruning.model_copy(update={"rewind_epoch": read_length(names["rewind"])})

    def left(trajectory: str = FULL) -> tuple[float, float]:
        """Epochs that are left where late rewinding goes on with the schedule, and images."""
        images = settings.images(trajectory)
        return max(0, settings.training.epochs - _epochs(pruning.start, settings.training, images)), images

    if rule == "initialise_rewound" or (rule == "initialise" and pruning.rewind_epoch):
        images = settings.images()
        return rule, _epochs(pruning.rewind_epoch, settings.training, images), images
    if rule == "train_rewound":
        return rule, *left(names["trajectory"])
    if rule in ("train", "train_rounds"):
        return "train", *left(names["trajectory"])
    if rule in ("train_to_core", "train_rounds_to_core"):
        return "train_to_core", *left()
    if rule == "train_ticket":
        return rule, *left()
    if rule == "retrain_assembly":
        return rule, *left(names["partition"])
    if rule == "transfer_ticket":
        target = settings.targets.get(names["target"])
        passes = 1 if names["protocol"] == "linear" else settings.transfer.training.epochs
        return names["protocol"], passes, training_images(target) if target else UNKNOWN_IMAGES
    return "", 0, 0


def in_epochs(length: int | str, training: Training, data: DataSet) -> float:
    """The epochs that a length is, of a source the most of any trajectory; no steps where images cannot be counted."""
    if isinstance(length, int):
        return length
    if _known_classes(data) is None:
        return 0
    whole = training_images(data)
    if not isinstance(data, Source):
        return _epochs(length, training, whole)
    choice = data.partitions
    if choice.by == "classes":
        fewest = min(training_images(data, classes) for classes in choice.classes.values())
    else:
        fewest = whole / (choice.count if choice.by in ("contiguous", "random") else _groups(data))
    return _epochs(length, training, fewest)


def steps_per_epoch(images: float, training: Training) -> int:
    """Whole batches of a number of images, as trainings take them."""
    return max(1, int(images) // training.batch_size)


def _epochs(length: int | str, training: Training, images: float) -> float:
    return in_steps(length, 1) / steps_per_epoch(images, training) if isinstance(length, str) else length


def _parts(path: str) -> int:
    """How many parts the distances of a seed are cut into, where the path is one's."""
    parts = re.search(r"-of-(\d+)\.json$", path)
    return int(parts[1]) if parts else 1


def training_images(data: DataSet, classes: Sequence[str] | None = None) -> float:
    """Training images of a data set, or of some of its classes; an estimate where only loading would tell."""
    known = _known_classes(data)
    if known is None:
        return UNKNOWN_IMAGES * (1 if classes is None else len(classes) / len(data.classes or classes))
    used = [known[name] or UNCOUNTED for name in classes or data.classes or known if name in known]
    return float(sum(splitting.used_images(count, data) - sum(splitting.held_out(count, data)) for count in used))


def _groups(source: Source) -> int:
    """How many partitions a class table has; two where it is gone."""
    try:
        return len(partition_names(source))
    except (OSError, ValueError):
        return 2


def _known_classes(data: DataSet) -> Mapping[str, int | None] | None:
    """Classes and their images; None where they are not known, as where a recorded folder is gone."""
    try:
        return data_catalog.known_classes(data)
    except (OSError, ValueError):
        return None


def disk(files: Iterable[str], settings: Settings) -> dict[str, float]:
    """Bytes that results take, by kind, from the number of parameters and images.

    Stores are those of mean features; layers with fewer features than the last take less, flat ones more.
    """
    network = settings.network
    blocks = len(settings.representations.layers or range(network.layers))
    store = blocks * settings.representations.probes * network.features
    kinds: Counter[str] = Counter()
    for path in files:
        name = path.rpartition("/")[2]
        if name == "mask.safetensors" or name == "dense.safetensors":
            kinds["masks"] += network.parameters // (8 * NUMBER)
        elif "/transfer/" in path and is_trained(path):
            kinds["transferred networks"] += network.parameters
        elif name.endswith(".safetensors") and "correct" not in name and "logits" not in name:
            kinds["weights"] += network.parameters
        elif ".zarr/" in path:
            kinds["stores of activations"] += store
        elif name.endswith("-images.npy"):
            kinds["data"] += _array(path, settings)
        else:
            kinds["tables and figures"] += FIGURE if name.endswith((".svg", ".png", ".html")) else SMALL
    return dict(kinds)


def _array(path: str, settings: Settings) -> int:
    """Bytes of a split's decoded images; training images are the most of them."""
    dataset = path.split("/")[-2]
    data = settings.source if dataset == "source" else settings.targets.get(dataset)
    share = 1.0 if "train-" in path else 0.25
    shape = settings.image_shape or UNKNOWN_SHAPE
    return int(share * training_images(data) * math.prod(shape)) if data else SMALL
