"""Two made-up worlds in which it is known which weights are core and which are specialist, and what is true.

An image is 3 x 15 x 16 numbers that stand for 720 inputs. 64 blocks of eight inputs each can hold a pattern of their
own; the other 208 inputs are noise. A class is the set of features that its images hold: two of the shared features h0
to h3, each of which is a pattern in ten blocks, and one of the specific features f0 to f3, of six blocks each. Within
its block a pattern has a direction of its own, along which there is little noise, and as much as there is pattern along
each of the seven others. So whoever reads only some inputs of a block, or all by other weights, sees little: mask and
initialisation both matter, and a brief training makes up for neither.

In the specialised world the classes of partition low hold f0 or f1, those of high f2 or f3. In the null world both
hold f0 or f1, so that there is nothing to specialise in. Held-out classes hold any two shared features, and a specific
one of each partition or none.

One more feature, the mark, makes all of the 208 other inputs brighter, so that even those see it who read but a few: no
control is blind, since runs at chance decide nothing. The classes of high have it, and those held-out ones that hold a
specific feature of high. On the source it is nothing new to those who see more. Some images of held-out classes hold
nothing at all, so that nobody is right on all of them. On the source many are, and too good a control to be beaten.

The network is a perceptron of two layers. A unit of the first detects a pattern, by the eight weights that match it;
the same unit of the second passes it on, by one weight. One more unit does so for the mark, by two of its inputs. All
this stands in theta0, with weaker weights elsewhere (not so weak on inputs that hold the mark, since whoever keeps any
of them is to see it), and loud ones, larger than all, that read noise and mark alone.

What trajectories make of theta0 is made up too, as the magnitudes that they are pruned by. All keep first what serves
the mark. A partition's network keeps then, in this order: all that serves its specific features, what detects the
shared ones, what passes these on, and about as much noise of its own as it has specific weights. What only other
partitions need is its smallest. Whoever sees all classes, the full trajectory and those on parts of the images, is
misled in the specialised world: it keeps all specific features and then noise, and loses the shared ones; in the null
world it keeps what the partitions do. Cyclic runs have the same magnitudes under COLT's masks. The weights that
assemblies are put together from, of the round after the claim round, are really trained. From there on nothing is made
up: masks, tickets, controls, assemblies, trainings, scores and verdicts are the pipeline's.

The experiment asks two claims of its own about a ticket of its own, the core with what low and its sibling both keep.
In the specialised world this is the core and all that serves low's specific features, without a specialist's noise, so
that it is better than the core both on held-out classes and on low's. In the null world it is the core.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from dilt.tickets.masks import Mask
from dilt.tickets.trajectories import trajectory_names

SHARED, SPECIFIC, MARK = ("h0", "h1", "h2", "h3"), ("f0", "f1", "f2", "f3"), "mark"
# The feature of each block.
BLOCKS = tuple(feature for feature in (*SHARED, *SPECIFIC) for _ in range(10 if feature in SHARED else 6))
BLOCK = 8  # inputs of a pattern
SHAPE = (3, 15, 16)
INPUTS, WIDTH = 720, 80
FIRST, SECOND = (f"blocks.{depth}.linear.weight" for depth in range(2))
SHAPES = {FIRST: (WIDTH, INPUTS), SECOND: (WIDTH, WIDTH)}
MARKED, READ = len(BLOCKS), 2  # the unit that detects the mark, and how many of the inputs that hold it it reads
UNMARKED = BLOCK * len(BLOCKS)  # inputs that do not hold the mark
IDLE, NOISE = MARKED + 1, UNMARKED + READ  # first unit that detects nothing, first input that no unit is for
LOUD = 72  # first unit whose weights are loud

# In theta0: length of the weights that detect a pattern, and each that detects the mark; what passes a feature on.
DETECTING, DETECTING_MARK = 3.0, 1.2
READING_MARK, READING_NOISE = 1.0, 0.05  # each weight of any unit on inputs that hold the mark; of those for noise
PASSING = dict.fromkeys(SHARED, 0.2) | dict.fromkeys(SPECIFIC, 0.4) | {MARK: 1.2}
STRENGTH, BRIGHTER = 1.0, 2.0  # of a pattern along its own direction; of the mark in each input
ALONG, ACROSS, ELSEWHERE = 0.2, 1.0, 0.6  # standard deviations of noise
GAIN = 24.0  # levels of 8-bit pixels

RATE, ROUNDS, CLAIM_ROUND = 0.7915, 4, 3
# Weights of each layer that a trajectory keeps for nothing, and those of them that others keep too.
OWN_NOISE, COMMON_NOISE = {FIRST: 97, SECOND: 12}, {FIRST: 20, SECOND: 3}
HELD_OUT, SHOWN = 85, 0.92  # images of a held-out class; share of them that hold its features
PARTITIONS = ("low", "high")
SURE = "sure-low"  # a ticket of the experiment's own: the core, and what low and its sibling both keep
Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class World:
    """A world, with what is known of it.

    Attributes:
        specialised: whether partitions need features of their own.
    """

    specialised: bool

    def specific(self, partition: str) -> tuple[str, ...]:
        """The specific features that tell a partition's classes apart."""
        return SPECIFIC[2:] if self.specialised and partition == "high" else SPECIFIC[:2]

    def source_classes(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Partition to class to the features that it holds."""
        pairs = {"low": (("h0", "h1"), ("h2", "h3")), "high": (("h0", "h2"), ("h1", "h3"))}
        marks = {"low": (), "high": (MARK,)}
        return {
            partition: {
                "-".join((*pair, own)): (*pair, own, *marks[partition])
                for pair in pairs[partition]
                for own in self.specific(partition)
            }
            for partition in PARTITIONS
        }

    def target_classes(self) -> dict[str, tuple[str, ...]]:
        """Held-out class to the features that it holds."""
        owns = [(), (self.specific("low")[0],), (self.specific("high")[-1], MARK)]
        return {"-".join((*pair, *own)): (*pair, *own) for pair in combinations(SHARED, 2) for own in owns}

    def core(self, seed: int) -> Mask:
        """The weights that both partitions keep."""
        return self.kept("low", seed) & self.kept("high", seed)

    def specialist(self, partition: str, seed: int) -> Mask:
        """The weights that one partition keeps and the other does not."""
        (other,) = {*PARTITIONS} - {partition}
        return self.kept(partition, seed) - self.kept(other, seed)

    def kept(self, trajectory: str, seed: int) -> Mask:
        """What the trajectory of a partition, or its sibling, keeps at the claim round: 580 weights of 64,000."""
        wanted, noise = (
            readers([MARK, *SHARED, *self.specific(trajectory.removesuffix("-sibling"))]),
            self.noise(trajectory, seed),
        )
        return Mask({name: wanted[name] | noise[name] for name in SHAPES})

    def magnitudes(self, trajectory: str, seed: int) -> Weights:
        """What a trajectory's trained weights are ranked by, in every round."""
        own, common = np.random.default_rng([seed, *trajectory.encode()]), np.random.default_rng([seed, 4])
        ties = {name: common.uniform(0.01, 0.1, shape) for name, shape in SHAPES.items()}
        found = {name: (array + own.uniform(0.01, 0.1, array.shape)) / 2 for name, array in ties.items()}

        def rank(level: float, places: Mapping[str, np.ndarray]) -> None:
            for name, chosen in places.items():
                found[name][chosen] = level + 0.001 * ties[name][chosen]

        misled, shared = self.specialised and sees_all(trajectory), readers(SHARED)
        rank(0, readers([*SHARED, *SPECIFIC]))
        rank(5, readers([MARK]))
        rank(1, self.noise(trajectory, seed))
        if not misled:
            rank(3, {FIRST: shared[FIRST]})
            rank(2, {SECOND: shared[SECOND]})
        rank(4, readers(SPECIFIC if misled else self.specific(trajectory.removesuffix("-sibling"))))
        return {name: array.astype(np.float32) for name, array in found.items()}

    def noise(self, trajectory: str, seed: int) -> Weights:
        """Where the weights are that a trajectory keeps though they read only noise, as booleans.

        They are its own, but in the null world some of them, which all but the full trajectory keep.
        """
        names = trajectory_names(PARTITIONS, with_splits=True)
        found = {name: np.zeros(shape, dtype=bool) for name, shape in SHAPES.items()}
        for name, first_input in ((FIRST, NOISE), (SECOND, IDLE)):
            places = [(unit, place) for unit in range(IDLE, LOUD) for place in range(first_input, SHAPES[name][1])]
            places = np.random.default_rng([seed, 1]).permutation(places)
            common = 0 if self.specialised or sees_all(trajectory) else COMMON_NOISE[name]
            start = COMMON_NOISE[name] + OWN_NOISE[name] * names.index(trajectory)
            for place in (*places[:common], *places[start : start + OWN_NOISE[name] - common]):
                found[name][tuple(place)] = True
        return found


def sees_all(trajectory: str) -> bool:
    """Whether a trajectory sees images of all classes: the full one, and those on parts of the images."""
    return trajectory.removesuffix("-sibling") not in PARTITIONS


def readers(features: Iterable[str]) -> Weights:
    """Where the weights are that detect features and pass them on, as booleans."""
    found = {name: np.zeros(shape, dtype=bool) for name, shape in SHAPES.items()}
    for block, feature in enumerate(BLOCKS):
        if feature in features:
            found[FIRST][block, inputs_of(block)] = True
            found[SECOND][block, block] = True
    if MARK in features:
        found[FIRST][MARKED, UNMARKED:NOISE] = True
        found[SECOND][MARKED, MARKED] = True
    return found


def inputs_of(block: int) -> slice:
    """The inputs of a block."""
    return slice(block * BLOCK, (block + 1) * BLOCK)


def inputs_for(features: Iterable[str]) -> np.ndarray:
    """Which inputs are in blocks that can hold the features, shape (INPUTS,)."""
    return readers(features)[FIRST].any(axis=0)


def directions() -> np.ndarray:
    """Each pattern's direction in its block, of length 1: shape (num_blocks, BLOCK)."""
    return np.random.default_rng(7).choice([-1.0, 1.0], (len(BLOCKS), BLOCK)) / np.sqrt(BLOCK)


def theta0(seed: int) -> Weights:
    """The network's prunable weights at initialisation."""
    draws = np.random.default_rng([seed, 2])
    weights = {FIRST: draws.normal(0, 0.02, SHAPES[FIRST]), SECOND: np.abs(draws.normal(0, 0.1, SHAPES[SECOND]))}
    weights[FIRST][:, UNMARKED:] = READING_MARK
    weights[FIRST][IDLE:LOUD, UNMARKED:] = READING_NOISE
    weights[FIRST][LOUD:, NOISE:] = draws.uniform(1.5, 2.5, (WIDTH - LOUD, INPUTS - NOISE))
    weights[SECOND][LOUD:, IDLE:] = draws.uniform(1.5, 2.5, (WIDTH - LOUD, WIDTH - IDLE))
    weights[SECOND][LOUD:, IDLE:] *= draws.choice([-1, 1], (WIDTH - LOUD, WIDTH - IDLE))
    for block, (feature, direction) in enumerate(zip(BLOCKS, directions(), strict=True)):
        weights[FIRST][block, inputs_of(block)] = DETECTING * direction
        weights[SECOND][block, block] = PASSING[feature]
    weights[FIRST][MARKED, UNMARKED:NOISE] = DETECTING_MARK
    weights[SECOND][MARKED, MARKED] = PASSING[MARK]
    return {name: array.astype(np.float32) for name, array in weights.items()}


def pixels(features: Iterable[str], number: int, draws: np.random.Generator) -> np.ndarray:
    """Images of a class, uint8 (number, 3, 15, 16)."""
    inputs = draws.normal(0, ELSEWHERE, (number, INPUTS))
    inputs[:, UNMARKED:] += BRIGHTER * (MARK in features)
    for block, (feature, direction) in enumerate(zip(BLOCKS, directions(), strict=True)):
        noise = draws.normal(size=(number, BLOCK))
        along = noise @ direction
        strength = ALONG * along + STRENGTH * (feature in features)
        across = ACROSS * (noise - along[:, None] * direction)
        inputs[:, inputs_of(block)] = strength[:, None] * direction + across
    return np.clip(np.rint(128 + GAIN * inputs), 0, 255).astype(np.uint8).reshape(number, *SHAPE)


def write_images(root: Path, classes: dict[str, tuple[str, ...]], per_class: int, blank: int = 0) -> None:
    """A folder of class folders of PNG files.

    Args:
        blank: how many of the images of each class hold no feature.
    """
    for name, patterns in classes.items():
        draws = np.random.default_rng([3, *root.name.encode(), *name.encode()])
        folder = root / "train" / name
        folder.mkdir(parents=True)
        shown = np.concatenate([pixels(patterns, per_class - blank, draws), pixels((), blank, draws)])
        for index, image in enumerate(shown):
            Image.fromarray(image.transpose(1, 2, 0)).save(folder / f"{index}.png")


def write_experiment(world: World, folder: Path, seeds: int, images: int = 100, **changes: object) -> Path:
    """The images and the configuration of an experiment in a world; the configuration's path.

    Args:
        images: of each class of the source.
        changes: sections of the configuration to have instead.
    """
    source = world.source_classes()
    write_images(folder / "source", {name: held for part in source.values() for name, held in part.items()}, images)
    write_images(folder / "target", world.target_classes(), HELD_OUT, round(HELD_OUT * (1 - SHOWN)))
    training = {"epochs": 5, "batch_size": 64, "optimizer": "sgd", "learning_rate": 0.02}
    config = {
        "experiment": "specialised" if world.specialised else "null",
        "seeds": list(range(seeds)),
        "source": {
            "name": "folder",
            "root": str(folder / "source"),
            "test_share": 0.6,
            "partitions": {"by": "classes", "classes": {name: list(held) for name, held in source.items()}},
        },
        "targets": {"held-out": {"name": "folder", "root": str(folder / "target"), "test_share": 0.7}},
        "model": {"name": "mlp", "arguments": {"width": WIDTH, "depth": 2}},
        "training": training,
        "pruning": {"rounds": ROUNDS, "rate": RATE},
        "tickets": {
            "rounds": [CLAIM_ROUND],
            "claim_rounds": dict.fromkeys(["C1", "C2", "C3"], CLAIM_ROUND),
            "define": {SURE: "core | low & low-sibling"},
        },
        "transfer": {
            "protocols": ["retrain"],
            "training": training,
            "finetune_learning_rate": 0.01,
            "penalties": [0.1, 10.0],
        },
        "evaluation": {"keep_logits": False, "corruptions": []},
        "representations": {"probes": 16},
        "claims": {
            "margin": 1.0,
            "resamples": 1000,
            "own": {
                "sure": {
                    "statement": "What a partition keeps surely has more to transfer than the core.",
                    "round": CLAIM_ROUND,
                    "comparisons": [f"{SURE} - core on transfer", f"{SURE} - random@core on transfer"],
                    "decisive": "core",
                },
                "easy": {
                    "statement": "It serves the partition's own classes better than the core.",
                    "round": CLAIM_ROUND,
                    "comparisons": [f"{SURE} - core on source, low"],
                },
            },
        },
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config | changes))
    return path
