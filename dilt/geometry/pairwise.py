"""Measures the distances of all pairs of layers: by several processes, resumable, without triangle violations.

Pairs are measured in tiles, each of which is kept when done. `gromov_wasserstein` measures one distance; `compare`
reads layers and writes tables.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dilt.foundations import storage
from dilt.foundations.progress import Progress
from dilt.foundations.randomness import generator
from dilt.foundations.signals import STOP_SIGNALS
from dilt.geometry import gromov_wasserstein
from dilt.geometry.gromov_wasserstein import Distance, Geometry, Solver
from dilt.geometry.matching import LARGE, FloatArray, Order, import_ot
from dilt.jobs import orphans
from dilt.jobs.checkpoints import Checkpoints

TILE = 2e7  # a tile has TILE / num_probes^2.3 pairs: some seconds, since the time of a pair grows with that power
COMPOSED = 3  # starts composed of two other matches that ``thorough`` adds for each pair
TOLERANCE = 1e-9  # of the triangle inequality
NUMBERS = ("loss", "identity_loss", "lower_bound", "iterations", "converged")

_shared: dict[str, Any] = {}  # what forked processes find: layers, too large to send


@dataclass(frozen=True)
class Task:
    """A pair to measure; or, if its distance is known, to try other starts for."""

    first: int
    second: int
    known: Distance | None = None
    starts: tuple[Order, ...] = ()


@dataclass(frozen=True)
class Pairs:
    """Distances of all pairs of layers.

    Attributes:
        found: of pairs (0, 1), (0, 2), ..., (1, 2), ...
        violations_before: ordered triples whose distances violated the triangle inequality as first found.
        violations: ordered triples that still violate it.
    """

    found: list[Distance]
    violations_before: int
    violations: int


class Crew:
    """Processes that measure pairs, made with the geometries when first needed; a single one is this process."""

    def __init__(self, geometries: Callable[[], list[Geometry]], solver: Solver, processes: int) -> None:
        self._geometries, self._solver, self._processes = geometries, solver, processes
        self._pool: ProcessPoolExecutor | None = None
        self._begun = False

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        _shared.clear()

    def begin(self) -> None:
        """Make the geometries and the processes: before locks are taken, which the processes would hold too."""
        if self._begun:
            return
        self._begun = True
        _shared.update(geometries=self._geometries(), solver=self._solver)
        if self._processes > 1:
            if len(_shared["geometries"][0].costs) >= LARGE:
                import_ot()  # once, rather than by every process
            context = get_context("fork")
            self._pool = ProcessPoolExecutor(self._processes, context, _serve, (os.getpid(),))
            self._pool.submit(os.getpid).result()

    def measure(self, tasks: Sequence[Task]) -> Iterator[Distance]:
        """The distance of each task, in order."""
        self.begin()
        if self._pool is None:
            yield from map(measure, tasks)
        else:
            yield from self._pool.map(measure, tasks, chunksize=max(1, len(tasks) // (8 * self._processes)))


def measure(task: Task) -> Distance:
    """The distance of one task, measured in this process."""
    first, second = (_shared["geometries"][node] for node in (task.first, task.second))
    if task.known is None:
        return gromov_wasserstein.gromov_wasserstein(first, second, _shared["solver"])
    found = task.known
    for start in task.starts:
        found = gromov_wasserstein.improved(first, second, found, start)
    return found


def _serve(parent: int) -> None:
    """What a forked process does first: it leaves signals to its parent, and makes sure to end with it."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    orphans.end_with(parent)


def pair_tasks(num_layers: int) -> list[Task]:
    """Every pair of layers, to be measured."""
    return [Task(i, j) for i, j in combinations(range(num_layers), 2)]


def all_pairs(tiles: Tiles, num_layers: int, solver: Solver) -> Pairs:
    """The distances of all pairs of layers, repaired until no triangle is violated."""
    found = tiles.measure(pair_tasks(num_layers), "pairs")
    before = violations(matrix([one.distance for one in found]))
    if solver == "thorough":
        found = tiles.measure(composed(found, num_layers, COMPOSED, everywhere=True), "composed")
    found = repaired(tiles, found, num_layers)
    return Pairs(found, before, violations(matrix([one.distance for one in found])))


def repaired(tiles: Tiles, found: Sequence[Distance], num_layers: int) -> list[Distance]:
    """Distances without violated triangles.

    If d_ij > d_ik + d_kj, the match of i with k composed with that of k with j is a better match of i with j: the root
    of its loss is at most the sum, since both are norms of differences of the same matrices.
    """
    place = {(task.first, task.second): index for index, task in enumerate(pair_tasks(num_layers))}
    lowest, improving, sweep = list(found), True, 0
    while improving and (tasks := composed(lowest, num_layers, 1, everywhere=False)):
        improving, sweep = False, sweep + 1
        for task, one in zip(tasks, tiles.measure(tasks, f"repair-{sweep}"), strict=True):
            index = place[task.first, task.second]
            improving |= one.loss < lowest[index].loss
            lowest[index] = one
    return lowest


class Tiles:
    """Work on pairs cut into tiles, each kept when it is done."""

    def __init__(self, crew: Crew, num_probes: int, saved: Checkpoints, label: str) -> None:
        self._crew, self._saved, self._label = crew, saved, label
        self._size = int(np.clip(TILE / num_probes**2.3, 4, 1000))

    def measure(self, tasks: Sequence[Task], step: str, part: int = 0, parts: int = 1) -> list[Distance]:
        """The distance of each task; or only of tasks in one of several parts of the tiles."""
        tiles = [tasks[start : start + self._size] for start in range(0, len(tasks), self._size)][part::parts]
        checkpoints = [
            self._saved.of(
                f"{self._label}-{step}-{part + index * parts}",
                pairs=[(task.first, task.second) for task in tile],
                known=[task.known and task.known.loss for task in tile],
            )
            for index, tile in enumerate(tiles)
        ]
        kept = [checkpoint.kept() for checkpoint in checkpoints]
        done = sum(len(tile) for tile, one in zip(tiles, kept, strict=True) if one)
        progress = Progress(f"{self._label} {step}", sum(map(len, tiles)), done, unit="pair")
        found: list[Distance] = []
        for tile, checkpoint, whole in zip(tiles, checkpoints, kept, strict=True):
            if whole is not None:
                found += _unpacked(*whole)
                continue
            self._crew.begin()
            with checkpoint:
                measured = []
                for distance in self._crew.measure(tile):
                    measured.append(distance)
                    progress.advance()
                checkpoint.finish(*_packed(measured))
            found += measured
        progress.close()
        return found


def composed(found: Sequence[Distance], num_layers: int, number: int, everywhere: bool) -> list[Task]:
    """Tasks with starts composed of two matches, through those other layers that have the smallest sums of distances.

    Args:
        number: of starts for each pair.
        everywhere: for all pairs, not only those whose distance is larger than such a sum.
    """
    place = {pair: index for index, pair in enumerate(combinations(range(num_layers), 2))}
    distances = matrix([one.distance for one in found])

    def match(i: int, j: int) -> Order | None:
        if i < j:
            return found[place[i, j]].order
        order = found[place[j, i]].order
        return None if order is None else np.argsort(order)

    tasks = []
    for i, j in place:
        through = distances[i] + distances[j]
        through[[i, j]] = np.inf
        if not everywhere and through.min() >= distances[i, j] - TOLERANCE:
            continue
        starts = []
        for k in np.argsort(through, kind="stable")[: min(number, num_layers - 2)]:
            there, back = match(i, int(k)), match(int(k), j)
            if there is not None and back is not None:
                starts.append(back[there])
        if starts or everywhere:
            tasks.append(Task(i, j, found[place[i, j]], tuple(starts)))
    return tasks


def matrix(values: Sequence[float]) -> FloatArray:
    """Values of all pairs as a symmetric matrix with zero diagonal."""
    from scipy.spatial.distance import squareform

    return np.asarray(squareform(values))


def violations(distances: FloatArray) -> int:
    """How many triples i < j, k violate the triangle inequality."""
    total = 0
    for k in range(len(distances)):
        through = distances[:, k, None] + distances[k]
        total += int(np.triu(distances > through + TOLERANCE, 1).sum())
    return total


def probe_subsets(labels: NDArray[np.int64], number: int) -> list[NDArray[np.int64]]:
    """Disjoint subsets of the probes, of one size, as balanced over classes as possible; in order of the probes.

    A single subset is all probes.
    """
    if number == 1:
        return [np.arange(len(labels))]
    drawn = [generator(0, "probe subsets", int(c)).permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)]
    dealt = np.concatenate(drawn)[: len(labels) // number * number]
    return [np.sort(dealt[start::number]) for start in range(number)]


def _packed(found: Sequence[Distance]) -> tuple[storage.Tensors, dict[str, Any]]:
    """Distances as arrays and a record; a permutation that is absent is a row of -1."""
    longest = max((len(one.order) for one in found if one.order is not None), default=0)
    orders = np.full((len(found), longest), -1, dtype=np.int32)
    for row, one in zip(orders, found, strict=True):
        if one.order is not None:
            row[:] = one.order
    return {name: np.array([getattr(one, name) for one in found]) for name in NUMBERS} | {"orders": orders}, {
        "starts": [one.start for one in found]
    }


def _unpacked(tensors: storage.Tensors, record: dict[str, Any]) -> Iterator[Distance]:
    columns = (tensors[name].tolist() for name in NUMBERS)
    for order, start, *numbers in zip(tensors["orders"], record["starts"], *columns, strict=True):
        known = dict(zip(NUMBERS, numbers, strict=True))
        yield Distance(**known, start=start, order=order.astype(np.int64) if (order >= 0).all() else None)
