"""How often a claim's verdict is wrong, and how often it is found, in simulated experiments whose truth is known.

    python benchmarks/verdicts.py [--experiments 10000] [--seed 0]

A ticket is compared with controls, by the same test images and seeds. Without images, an accuracy is a normal number
over seeds. With images, each is right or wrong: a normal number is below the threshold that gives the ticket's
accuracy; the number is a sum of what is the image's, the image's with that ticket, the seed's with that ticket, and of
that image, seed and ticket alone. What is true is the difference of runs that train: a collapsed run, at chance, tells
of its training.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

from dilt.answers.bootstrap import image_errors
from dilt.answers.flags import at_chance
from dilt.answers.statistics import Evidence, common_errors, weigh
from dilt.answers.verdicts import Judgement, judge, look_levels

CONFIDENCE, MARGIN, RESAMPLES = 0.95, 1.0, 200
LEVEL = (1 - CONFIDENCE) / 2
OF_IMAGE = 0.45
CHANCE = 0.1
# Numbers drawn at a time.
DRAWN = 20_000_000


@dataclass(frozen=True)
class World:
    """What experiments are drawn from.

    Attributes:
        gains: by how many points the ticket is truly better than each control; the first control is decisive.
        seeds: of each experiment.
        images: number of test images; 0: accuracies are known exactly.
        spread: standard deviation over seeds of an accuracy, in points: of every ticket, or of the ticket and each
            control.
        own: share of the variance that is an image's with a ticket, whatever the seed.
        accuracy: of the ticket, as a fraction.
        collapse: chance that a control's run ends at chance.
        slump: chance that a control's run loses 20 points, which no flag sees; gains are means with it.
        looks: numbers of seeds at which verdicts are read; none: all seeds.
    """

    gains: Sequence[float]
    seeds: int
    images: int = 0
    spread: float | Sequence[float] = 1.0
    own: float = 0.3
    accuracy: float = 0.7
    collapse: float = 0.0
    slump: float = 0.0
    looks: Sequence[int] = ()

    def spreads(self) -> np.ndarray:
        """Standard deviations of all tickets' accuracies, as fractions."""
        return np.broadcast_to(np.asarray(self.spread, dtype=float), len(self.gains) + 1) / 100


@dataclass(frozen=True)
class Experiments:
    """Accuracies of a ticket and its controls.

    Attributes:
        accuracies: fractions, shape (num_seeds, num_experiments, num_tickets), the ticket first.
        right: by image, shape (num_seeds, num_images, num_experiments, num_tickets); None where they are not drawn.
        collapsed: which runs are seen to be at chance, shape of the accuracies.
    """

    world: World
    accuracies: np.ndarray
    right: np.ndarray | None
    collapsed: np.ndarray

    def differences(self) -> np.ndarray:
        """In points, shape (num_seeds, num_experiments, num_controls)."""
        return 100 * (self.accuracies[..., :1] - self.accuracies[..., 1:])

    def errors(self, seeds: int) -> np.ndarray | None:
        """Of the first seeds from the choice of images, shape (RESAMPLES, num_experiments * num_controls)."""
        if self.right is None:
            return None
        by_image = 100 * (self.right[:seeds, ..., :1] - self.right[:seeds, ..., 1:])
        each = [image_errors(one.reshape(len(one), -1), RESAMPLES, "simulated") for one in by_image]
        return common_errors(each)

    def evidence(self, seeds: int | None = None, with_images: bool = True) -> list[list[Evidence]]:
        """Of every experiment's every comparison, by the first seeds; if asked, as if these images were all."""
        seeds = seeds or len(self.accuracies)
        differences = self.differences()[:seeds]
        _, experiments, controls = differences.shape
        weighed = weigh(differences.reshape(seeds, -1), self.errors(seeds) if with_images else None, MARGIN)
        return [weighed[i : i + controls] for i in range(0, experiments * controls, controls)]

    def flagged(self, seeds: int) -> np.ndarray:
        """Which comparisons decide nothing, by the first seeds: shape (num_experiments, num_controls)."""
        seen = self.collapsed[:seeds].any(axis=0)
        headroom = 100 * (1 - self.accuracies[:seeds, :, 1:].mean(axis=0))
        return seen[:, 1:] | seen[:, :1] | (headroom < MARGIN)

    def judgements(self) -> list[tuple[Judgement, int]]:
        """Every experiment's judgement, and the seeds that it took."""
        looks = self.world.looks or [self.world.seeds]
        found: dict[int, tuple[Judgement, int]] = {}
        for seeds, level in zip(looks, look_levels(looks, LEVEL), strict=True):
            flagged = self.flagged(seeds)
            decisive = [place == 0 for place in range(flagged.shape[1])]
            for index, compared in enumerate(self.evidence(seeds)):
                if index not in found or found[index][0].verdict == "inconclusive":
                    found[index] = judge(compared, level, decisive, flagged[index]), seeds
        return [found[index] for index in range(len(found))]


def draw(world: World, number: int, seed: int) -> Iterator[Experiments]:
    """So many experiments, each with images, seeds and outcomes of its own."""
    truths = world.accuracy - np.array([0, *world.gains]) / 100
    truths[1:] += 0.2 * world.slump
    tickets, draws = len(truths), np.random.default_rng(seed)
    at_once = max(1, DRAWN // (max(world.images, 1) * world.seeds * tickets))
    for start in range(0, number, at_once):
        some = min(at_once, number - start)
        runs = (world.seeds, some, tickets)
        of_controls = np.arange(tickets) > 0
        slumped = 0.2 * (of_controls & (draws.random(runs) < world.slump))
        collapses = of_controls & (draws.random(runs) < world.collapse)
        if not world.images:
            accuracies = truths - slumped + world.spreads() * draws.standard_normal(runs)
            yield Experiments(world, np.where(collapses, CHANCE, accuracies), None, collapses)
            continue
        right = _outcomes(world, truths - slumped, draws)
        right[np.broadcast_to(collapses[:, None], right.shape)] = (
            draws.random(int(collapses.sum()) * world.images) < CHANCE
        )
        accuracies = right.mean(axis=1, dtype=np.float64)
        yield Experiments(world, accuracies, right, at_chance(accuracies, world.images, CHANCE))


def _outcomes(world: World, truths: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Which images are right, shape (num_seeds, num_images, num_experiments, num_tickets), as -1, 0 and 1 can hold."""
    seeds, some, tickets = truths.shape
    of_seed = (world.spreads() / norm.pdf(ndtri(world.accuracy))) ** 2
    left = 1 - OF_IMAGE - world.own - of_seed
    parts = (
        (OF_IMAGE, (1, world.images, some, 1)),
        (world.own, (1, world.images, some, tickets)),
        (of_seed, (seeds, 1, some, tickets)),
        (left, (seeds, world.images, some, tickets)),
    )
    difficulty = sum(
        np.sqrt(share).astype(np.float32) * draws.standard_normal(size, dtype=np.float32) for share, size in parts
    )
    return (difficulty < ndtri(truths)[:, None]).astype(np.int8)


def simulated(world: World, number: int, seed: int = 1) -> list[tuple[Judgement, int]]:
    """The judgements of so many experiments of a world, and the seeds that each took."""
    return [found for some in draw(world, number, seed) for found in some.judgements()]


def rates(found: Sequence[tuple[Judgement, int]], verdict: str) -> tuple[float, float, float]:
    """How often a comparison, any comparison of a claim, and the claim come to a verdict."""
    rows = np.array([judgement.verdicts for judgement, _ in found]) == verdict
    claims = np.mean([judgement.verdict == verdict for judgement, _ in found])
    return float(rows.mean()), float(rows.any(axis=1).mean()), float(claims)


# What is true of seven controls in the rows of the table: none is beaten, one is not, all are by exactly the margin.
NULL, ONE_NULL, AT_MARGIN = (0.0,) * 7, (0.0, *[20.0] * 6), (MARGIN,) * 7
FOUND, LOST = (5.0,) * 7, (-5.0, *[5.0] * 6)
SD3 = 3 / np.sqrt(2)  # of an accuracy, where that of a paired difference is 3
UNEQUAL = (1.0, 8.0, 4.0, 2.0, 1.0, 1.0, 0.5, 0.5)


def worlds() -> dict[str, World]:
    """The rows of the table by name; what is true is put in for each column."""
    base = World(NULL, 8, spread=SD3)
    looks = replace(base, seeds=15, looks=(5, 10, 15))
    return {
        "3 seeds": replace(base, seeds=3),
        "5 seeds": replace(base, seeds=5),
        "8 seeds": base,
        "15 seeds": replace(base, seeds=15),
        "8 seeds, 300 images": replace(base, images=300, spread=1.0),
        "5 seeds, 1000 images, much of an image's own": replace(base, seeds=5, images=1000, spread=0.5),
        "3 seeds, 150 images": replace(base, seeds=3, images=150, spread=1.0),
        "unequal SDs (.5 to 8)": replace(base, spread=UNEQUAL),
        "unequal SDs, 5 seeds": replace(base, spread=UNEQUAL, seeds=5),
        "collapse .02 of a control's runs": replace(base, collapse=0.02),
        "collapse .1": replace(base, collapse=0.1),
        "collapse .3": replace(base, collapse=0.3),
        "collapse .1, 5 seeds, 300 images": replace(base, seeds=5, images=300, collapse=0.1, spread=1.0),
        "headroom of 1.5 points": replace(base, accuracy=0.985, spread=0.3),
        "headroom of .5 points": replace(base, accuracy=0.995, spread=0.1),
        "looks at 5, 10, 15": looks,
        "looks, 300 images": replace(looks, images=300, spread=1.0),
        "looks, unequal SDs": replace(looks, spread=UNEQUAL),
        "slump of 20 points unseen, .1": replace(base, slump=0.1),
    }


def main() -> None:
    """Print the table of rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print("| setting | none better | one as good | all by the margin | +5 points | decisive at -5 | seeds taken |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, world in worlds().items():
        found = {
            truth: simulated(replace(world, gains=truth), arguments.experiments, arguments.seed)
            for truth in (NULL, ONE_NULL, AT_MARGIN, FOUND, LOST)
        }
        shares = [
            rates(found[NULL], "supported")[2],
            rates(found[ONE_NULL], "supported")[2],
            rates(found[AT_MARGIN], "not supported")[2],
            rates(found[FOUND], "supported")[2],
            rates(found[LOST], "not supported")[2],
        ]
        taken = np.mean([seeds for _, seeds in found[FOUND]])
        cells = " | ".join(f"{share:.3f}" for share in shares)
        print(f"| {name} | {cells} | {taken:.1f} |", flush=True)


if __name__ == "__main__":
    main()
