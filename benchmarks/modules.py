"""How often the module verdict is "modules": for smooth chains, where that is wrong, and for planted blocks.

    python benchmarks/modules.py [--simulations 400] [--planted 100] [--seed 0]

A chain is a network's layers as points in 40 dimensions, with noise of each layer, unless said otherwise; several
tickets share a chain and its noise and differ by shifts and noise of their own. The last column is exchangeable drift
alone, without a least gain: how often that would have claimed modules.
"""

import argparse
from collections.abc import Callable

import numpy as np

from dilt.geometry.distance_table import DistanceMatrix
from dilt.grouping.module_verdict import examine_network, examine_tickets
from dilt.grouping.nulls import LEVEL, exchangeable_drift
from dilt.settings.grouping import Clustering

DIMENSIONS = 40
Draws = np.random.Generator
Places = np.ndarray  # (num_layers, DIMENSIONS)


def line(draws: Draws, num_layers: int) -> Places:
    """Equal steps in one direction."""
    return noisy(draws, np.arange(num_layers)[:, None] * np.eye(1, DIMENSIONS), 0.3)


def arc(draws: Draws, num_layers: int) -> Places:
    """Equal steps along nearly half a circle."""
    angle = np.linspace(0, 3, num_layers)[:, None]
    circle = np.sin(angle) * np.eye(1, DIMENSIONS) - np.cos(angle) * np.eye(1, DIMENSIONS, 1)
    return noisy(draws, (num_layers - 1) / 3 * circle, 0.3)


def walk(draws: Draws, num_layers: int) -> Places:
    """Steps in directions of their own, in ten dimensions, so that lengths vary."""
    steps = draws.normal(size=(num_layers, DIMENSIONS)) * (np.arange(DIMENSIONS) < 10) / np.sqrt(10)
    return noisy(draws, np.cumsum(steps, axis=0), 0.1)


def uneven(draws: Draws, num_layers: int) -> Places:
    """Steps in one direction that vary by a fifth: beyond the null, and no blocks either."""
    return noisy(draws, np.cumsum(np.exp(0.2 * draws.normal(size=num_layers)))[:, None] * np.eye(1, DIMENSIONS), 0.2)


def blocks(draws: Draws, num_layers: int, jump: float = 3) -> Places:
    """Three blocks in one direction; between them a step is ``jump`` times as long as within them."""
    steps = np.ones(num_layers)
    steps[[num_layers // 3, 2 * num_layers // 3]] = jump
    return noisy(draws, np.cumsum(steps)[:, None] * np.eye(1, DIMENSIONS), 0.3)


def noisy(draws: Draws, places: Places, size: float) -> Places:
    """With noise whose length is about ``size`` steps."""
    return places + size * np.sqrt(2 / DIMENSIONS) * draws.normal(size=places.shape)


def chain(draws: Draws, places: Places, tickets: int = 1) -> DistanceMatrix:
    """Distances among the layers of tickets that share a chain."""
    shifts = 0.3 * draws.normal(size=(tickets, 1, DIMENSIONS))
    own = 0.05 * draws.normal(size=(tickets, *places.shape))
    points = places + (shifts + own if tickets > 1 else 0 * shifts)
    names = ["dense", *(f"ticket-{index}" for index in range(1, tickets))]
    return matrix(points.reshape(-1, DIMENSIONS), [(name, d, f"l{d}") for name in names for d in range(len(places))])


def matrix(points: np.ndarray, nodes: list[tuple[str, int, str]]) -> DistanceMatrix:
    """Euclidean distances of points."""
    return DistanceMatrix(nodes, np.linalg.norm(points[:, None] - points[None, :], axis=-1))


def exchangeable(draws: Draws, num_layers: int) -> DistanceMatrix:
    """Distances lag^.6 that vary by a fifth each for itself, in no space."""
    places = np.arange(num_layers)
    lags = np.abs(places[:, None] - places[None, :]) ** 0.6
    noise = np.triu(0.2 * draws.normal(size=lags.shape), 1)
    return DistanceMatrix([("dense", d, f"l{d}") for d in places], lags * np.exp(noise + noise.T))


def with_twin(draws: Draws, trained: Places, untrained: Places) -> DistanceMatrix:
    """A network and its untrained twin."""
    nodes = [(name, d, f"l{d}") for name in ("dense", "untrained") for d in range(len(trained))]
    return matrix(np.concatenate([trained, untrained]), nodes)


def same_blocks(draws: Draws, num_layers: int) -> DistanceMatrix:
    """Blocks that the untrained twin has too."""
    return with_twin(draws, blocks(draws, num_layers), blocks(draws, num_layers))


def own_blocks(draws: Draws, num_layers: int) -> DistanceMatrix:
    """Blocks of training alone."""
    return with_twin(draws, blocks(draws, num_layers), line(draws, num_layers))


def main() -> None:
    """Print the table of rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=400, help="of each smooth chain")
    parser.add_argument("--planted", type=int, default=100, help="of each chain of blocks")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    def of_places(make: Callable[[Draws, int], Places], tickets: int = 1) -> Callable[[Draws, int], DistanceMatrix]:
        return lambda draws, num_layers: chain(draws, make(draws, num_layers), tickets)

    many, few = arguments.simulations, arguments.planted
    smooth = {"line": of_places(line), "arc": of_places(arc), "walk": of_places(walk), "exchangeable": exchangeable}
    tickets = {f"{make.__name__}, 4 tickets": of_places(make, 4) for make in (line, walk)}
    planted = {"blocks": of_places(blocks), "blocks, 4 tickets": of_places(blocks, 4)}
    cases = [
        *((name, make, 8, many) for name, make in (smooth | tickets).items()),
        *((name, make, num_layers, few) for num_layers in (6, 8, 12, 20) for name, make in planted.items()),
        ("blocks, twin has them", same_blocks, 8, many),
        ("blocks, twin is a line", own_blocks, 8, few),
        ("uneven", of_places(uneven), 8, many),
        *((name, make, 12, many) for name, make in smooth.items()),
    ]
    print("| chain | layers | simulations | modules | drift, exchanged, no least gain |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, make, num_layers, times in cases:
        print(row(name, make, num_layers, times, arguments.seed), flush=True)


def row(name: str, make: Callable[[Draws, int], DistanceMatrix], num_layers: int, times: int, seed: int) -> str:
    """A row of the table: shares of the simulations."""
    claimed = plain = 0
    for index in range(times):
        settings = Clustering(seed=index)
        found = make(np.random.default_rng([seed, index]), num_layers)
        networks = {network for network, _, _ in found.nodes}
        alone = networks <= {"dense", "untrained"}
        examined = examine_network(found, "dense", settings) if alone else examine_tickets(found, settings)
        claimed += examined.verdict == "modules"
        if networks == {"dense"}:
            plain += exchangeable_drift(found.values, settings).p <= LEVEL
    beside = f"{plain / times:.3f}" if networks == {"dense"} else ""
    return f"| {name} | {num_layers} | {times} | {claimed / times:.3f} | {beside} |"


if __name__ == "__main__":
    main()
