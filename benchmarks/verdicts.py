"""How often a claim's verdict is wrong, and how often it is found, in simulated experiments whose truth is known.

    python benchmarks/verdicts.py [--experiments 2000] [--seed 0]

A ticket is compared with three controls, by the same test images and seeds. An image is right if a normal number is
below the threshold that gives the ticket's accuracy; the number is a sum of what is the image's, the image's with that
ticket, the seed's with that ticket, and of that image, seed and ticket alone.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

from dilt.answers.bootstrap import image_errors
from dilt.answers.statistics import Evidence, common_errors, weigh
from dilt.answers.verdicts import Judgement, judge

CONFIDENCE, MARGIN, RESAMPLES = 0.95, 1.0, 200
LEVEL = (1 - CONFIDENCE) / 2
ACCURACY, OF_IMAGE = 0.7, 0.45
# Outcomes drawn at a time.
DRAWN = 20_000_000


@dataclass(frozen=True)
class World:
    """What experiments are drawn from.

    Attributes:
        gains: by how many points the ticket is truly better than each control.
        images: number of test images.
        spread: standard deviation over seeds of a ticket's accuracy, in points.
        own: share of the variance that is an image's with a ticket, whatever the seed.
    """

    gains: Sequence[float]
    seeds: int
    images: int
    spread: float
    own: float


@dataclass(frozen=True)
class Experiments:
    """Experiments in which a ticket is compared with controls.

    Attributes:
        by_image: differences in points, shape (num_seeds, num_images, num_experiments, num_controls).
    """

    by_image: np.ndarray

    def differences(self) -> np.ndarray:
        """Of accuracies in points, shape (num_seeds, num_experiments, num_controls)."""
        return self.by_image.mean(axis=1, dtype=np.float64)

    def errors(self) -> np.ndarray:
        """From the choice of images, shape (RESAMPLES, num_experiments, num_controls)."""
        shape = self.by_image.shape[2:]
        each = [image_errors(one.reshape(len(one), -1), RESAMPLES, "simulated") for one in self.by_image]
        return common_errors(each).reshape(RESAMPLES, *shape)

    def evidence(self, with_images: bool = True) -> list[list[Evidence]]:
        """Of every experiment's every comparison; without images, as if these test images were all there are."""
        seeds, _, experiments, controls = self.by_image.shape
        errors = self.errors().reshape(RESAMPLES, -1) if with_images else None
        weighed = weigh(self.differences().reshape(seeds, -1), errors, MARGIN)
        return [weighed[i : i + controls] for i in range(0, experiments * controls, controls)]


def draw(world: World, number: int, seed: int) -> Iterator[Experiments]:
    """So many experiments, each with images, seeds and outcomes of its own."""
    accuracies = ACCURACY - np.array([0, *world.gains]) / 100
    of_seed = (world.spread / 100 / norm.pdf(ndtri(ACCURACY))) ** 2
    shares = np.sqrt([OF_IMAGE, world.own, of_seed, 1 - OF_IMAGE - world.own - of_seed])
    tickets, draws = len(accuracies), np.random.default_rng(seed)
    at_once = max(1, DRAWN // (world.images * world.seeds * tickets))
    for start in range(0, number, at_once):
        some = min(at_once, number - start)
        sizes = (
            (1, world.images, some, 1),
            (1, world.images, some, tickets),
            (world.seeds, 1, some, tickets),
            (world.seeds, world.images, some, tickets),
        )
        difficulty = sum(
            np.float32(share) * draws.standard_normal(size, dtype=np.float32)
            for share, size in zip(shares, sizes, strict=True)
        )
        right = (difficulty < ndtri(accuracies)).astype(np.int8)
        yield Experiments(100 * (right[..., :1] - right[..., 1:]))


def judgements(evidence: Sequence[Sequence[Evidence]]) -> list[Judgement]:
    """The verdicts of all experiments."""
    return [judge(compared, CONFIDENCE) for compared in evidence]


def rates(found: Sequence[Judgement], verdict: str) -> tuple[float, float, float]:
    """How often a comparison, any comparison of a claim, and the claim come to a verdict."""
    rows = np.array([judgement.verdicts for judgement in found]) == verdict
    claims = np.mean([judgement.verdict == verdict for judgement in found])
    return float(rows.mean()), float(rows.any(axis=1).mean()), float(claims)


def coverage(evidence: Sequence[Sequence[Evidence]]) -> float:
    """How often the interval of the first comparison, which is truly zero, holds zero."""
    return float(np.mean([min(first.larger, first.smaller) > LEVEL for first, *_ in evidence]))


def crossed_percentiles(by_image: np.ndarray) -> np.ndarray:
    """Whether the percentile interval holds zero when seeds and images are both resampled (Owen 2007).

    Args:
        by_image: of one control, shape (num_seeds, num_images, num_experiments).
    """
    seeds, images, _ = by_image.shape
    draws = np.random.default_rng(0)
    of_images = draws.multinomial(images, np.full(images, 1 / images), RESAMPLES).astype(np.float32)
    of_seeds = draws.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES)
    means = [of_images @ one_seed.astype(np.float32) / images for one_seed in by_image]
    low, high = np.quantile(np.einsum("bs,sbe->be", of_seeds / seeds, np.array(means)), (LEVEL, 1 - LEVEL), axis=0)
    return (low <= 0) & (high >= 0)


def main() -> None:
    """Print the table of rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 5, 10], help="replicates of an experiment")
    arguments = parser.parse_args()

    def tried(world: World, with_images: bool = True) -> list[list[Evidence]]:
        chunks = draw(world, arguments.experiments, arguments.seed)
        return [compared for chunk in chunks for compared in chunk.evidence(with_images)]

    rates_of = "t | crossed | both | any row | t | claim | any row | t | found | each | same"
    print(f"| seeds | images | spread | own | {rates_of} |")
    print("| ---: " * 15 + "|")
    for seeds in arguments.seeds:
        for images in (300, 1000):
            for spread, own in ((0.5, 0.05), (4.0, 0.05), (0.5, 0.3)):
                null = World((0, 0, 0), seeds, images, spread, own)
                by_both, by_t = tried(null), tried(null, with_images=False)
                crossed = [
                    crossed_percentiles(chunk.by_image[..., 0])
                    for chunk in draw(null, arguments.experiments, arguments.seed)
                ]
                margin = replace(null, gains=(MARGIN,) * 3)
                better = tried(replace(null, gains=(5, 5, 5)))
                found = (
                    coverage(by_t),
                    np.mean(np.concatenate(crossed)),
                    coverage(by_both),
                    rates(judgements(by_both), "supported")[1],
                    rates(judgements(by_t), "supported")[1],
                    rates(judgements(tried(replace(null, gains=(0, 20, 20)))), "supported")[2],
                    rates(judgements(tried(margin)), "not supported")[1],
                    rates(judgements(tried(margin, with_images=False)), "not supported")[1],
                    rates(judgements(better), "supported")[2],
                    np.mean([all(one.larger <= LEVEL for one in compared) for compared in better]),
                    rates(judgements(by_both), "not supported")[2],
                )
                shares = " | ".join(f"{share:.3f}" for share in found)
                print(f"| {seeds} | {images} | {spread} | {own} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
