"""Gromov-Wasserstein distances of real layers: objective beside CPU time, against POT's solvers, as ratios.

    python benchmarks/transport.py train tiny_imagenet_subset_train.tar FOLDER      # minutes; once
    python benchmarks/transport.py solve FOLDER                                     # the table of solvers
    python benchmarks/transport.py processes FOLDER                                 # two processes against one
    python benchmarks/transport.py represent                                        # represent against plain inference

``train`` takes a tar file or folder of images by class, a ResNet-18 (CIFAR stem) and a ViT-Tiny (4 x 4 patches) at
32 x 32 pixels, and keeps the representations of each network untrained and trained for one epoch on either half of the
classes. ``solve`` works pair by pair, all solvers in turn on the same costs, with one thread; a value is the objective
of the plan that a solver returns, over the lowest that an exact one found; those of the entropic solvers miss their
marginals by a little. OTT-JAX joins in if it is installed.
"""

import argparse
import importlib.util
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from dilt.data import prepared
from dilt.foundations.randomness import generator
from dilt.geometry import gromov_wasserstein, pairwise, zarr_stores
from dilt.geometry.gromov_wasserstein import Geometry
from dilt.geometry.matching import import_ot
from dilt.geometry.zarr_stores import Probes, StoreWriter
from dilt.jobs.checkpoints import Checkpoint, Checkpoints, StopRequest
from dilt.settings.data import DataSet, SplitPartitions
from dilt.settings.geometry import Representations
from dilt.settings.networks import Model
from dilt.settings.training import Training

NETWORKS = {
    "resnet18": Model(name="resnet18", stem="cifar"),
    "vit_tiny": Model(name="vit_tiny_patch16_224", arguments={"img_size": 32, "patch_size": 4}),
}
TRAINING = {
    "resnet18": Training(
        epochs=1, batch_size=50, optimizer="sgd", learning_rate=0.05, weight_decay=5e-4, augmentation="crop-flip"
    ),
    "vit_tiny": Training(epochs=1, batch_size=50, learning_rate=1e-3, optimizer="adamw", augmentation="crop-flip"),
}
PAIRS = {200: 60, 500: 20, 1000: 5}
FEW = {200: 6, 500: 2, 1000: 1}  # of these pairs, for what takes seconds to minutes for each
PROBES = 1000
MEASURED = ("POT, default", "POT, identity start", "dilt, standard", "dilt, thorough")
Solver = Callable[[Geometry, Geometry], float]


def checkpoint(folder: str) -> Checkpoint:
    """A checkpoint that is never due."""
    return Checkpoints(Path(folder), {}, 1e9, StopRequest()).of("benchmark")


def train(images: Path, folder: Path, per_class: int) -> None:
    """Train the networks, and keep their representations."""
    from dilt.geometry import recording, reference_networks
    from dilt.networks import building, states
    from dilt.networks.devices import use_device
    from dilt.training.loop import Work
    from dilt.training.session import train as fit

    data = DataSet(name="folder", root=str(images), image_size=32, test_share=0.1, validation_share=0.1)
    splits, partitions = prepared.prepare(data, SplitPartitions(by="contiguous"))
    validation, device = splits["validation"], use_device(1)
    chosen = prepared.balanced_indices(validation.labels, len(validation.classes), PROBES)
    seen = validation.take(chosen)
    few = splits["train"].take(
        prepared.balanced_indices(splits["train"].labels, len(validation.classes), per_class * len(validation.classes))
    )
    for network, settings in NETWORKS.items():
        theta0 = states.backbone(building.build(settings, seen.image_shape, seen.classes, seed=0))
        for name, classes in {"untrained": seen.classes, **partitions}.items():
            model = building.build(settings, seen.image_shape, classes, 0, theta0)
            with tempfile.TemporaryDirectory() as saved:
                if name == "untrained":
                    reference_networks.perturb_zero_norms(model, 0)
                else:
                    own, held_out = few.restrict(classes), validation.restrict(classes)
                    work = Work(model, own, None, TRAINING[network], 0, name)
                    fit(work, held_out, [device], checkpoint(saved))
                writer = StoreWriter(folder / network / name, name, Probes(chosen, seen.labels, ""), resume=False)
                pooled = Representations(probes=PROBES)
                recording.record(model, seen, pooled, device, "float32", writer, checkpoint(saved))
                writer.finish({})


def read(folder: Path, network: str) -> list[zarr_stores.Layer]:
    """All layers of a network's states."""
    stores = [zarr_stores.read_representations(path) for path in sorted((folder / network).iterdir())]
    return [layer for store in stores for layer in store.layers.values()]


def geometries(layers: list[zarr_stores.Layer], number: int) -> list[Geometry]:
    """Ground costs on a random subset of the probes, the same for all."""
    chosen = np.sort(generator(0, "benchmark", number).permutation(PROBES)[:number])
    return [Geometry.of(gromov_wasserstein.ground_cost(layer.gram(chosen), "euclidean", "mean")) for layer in layers]


def objective(plan: np.ndarray, first: Geometry, second: Geometry) -> float:
    """The loss of a coupling, whose marginals may be a little off."""
    squares = plan.sum(1) @ (first.costs**2) @ plan.sum(1) + plan.sum(0) @ (second.costs**2) @ plan.sum(0)
    return float(squares - 2 * np.vdot(plan, first.costs @ plan @ second.costs))


def solvers(number: int, peers: bool) -> dict[str, Solver]:
    """What is compared, by name; the first is what all are compared with. Peers are the entropic ones."""
    ot = import_ot()

    def pot(first: Geometry, second: Geometry) -> float:
        return float(ot.gromov.gromov_wasserstein2(first.costs, second.costs))

    def pot_identity(first: Geometry, second: Geometry) -> float:
        start = np.eye(number) / number
        return float(ot.gromov.gromov_wasserstein2(first.costs, second.costs, symmetric=True, G0=start))

    def dilt(solver: gromov_wasserstein.Solver) -> Solver:
        return lambda first, second: gromov_wasserstein.gromov_wasserstein(first, second, solver).loss

    def batched(first: Geometry, second: Geometry) -> float:
        found = ot.batch.solve_gromov_batch(first.costs[None], second.costs[None], reg=0.01)
        return objective(np.asarray(found.plan)[0], first, second)

    def entropic(first: Geometry, second: Geometry) -> float:
        plan = ot.gromov.entropic_gromov_wasserstein(first.costs, second.costs, epsilon=0.005, max_iter=200)
        return objective(np.asarray(plan), first, second)

    chosen: dict[str, Solver] = {
        "POT, default": pot,
        "POT, identity start": pot_identity,
        "dilt, standard": dilt("standard"),
        "dilt, thorough": dilt("thorough"),
    }
    if not peers:
        return chosen
    chosen["POT, batched (reg .01)"] = batched
    if number == min(PAIRS):
        chosen["POT, entropic (eps .005)"] = entropic
        if importlib.util.find_spec("ott"):
            chosen["OTT-JAX, entropic (eps .005)"] = ott()
    return chosen


def ott() -> Solver:
    """OTT-JAX's entropic solver, compiled before it is timed."""
    import jax
    from ott.geometry.geometry import Geometry as Costs
    from ott.problems.quadratic.quadratic_problem import QuadraticProblem
    from ott.solvers.linear.sinkhorn import Sinkhorn
    from ott.solvers.quadratic.gromov_wasserstein import GromovWasserstein

    jax.config.update("jax_enable_x64", True)
    solve = GromovWasserstein(Sinkhorn(max_iterations=2000), epsilon=0.005, max_iterations=200)
    run = jax.jit(lambda first, second: solve(QuadraticProblem(Costs(first), Costs(second))).matrix)

    def solved(first: Geometry, second: Geometry) -> float:
        return objective(np.asarray(run(first.costs, second.costs)), first, second)

    return solved


def measured(layers: list[Geometry], number: int, most: int, peers: bool) -> dict[str, list[tuple[float, float]]]:
    """Objective and CPU seconds of every solver on the same random pairs, in turn, after one pair to warm up."""
    pairs = list(itertools.combinations(range(len(layers)), 2))
    drawn = generator(0, "pairs", number).permutation(len(pairs))[: min(PAIRS[number], most)]
    chosen = solvers(number, peers)
    for solve in chosen.values():
        solve(*(layers[node] for node in pairs[drawn[0]]))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    for place, pair in enumerate(drawn):
        for name, solve in chosen.items():
            if place >= FEW[number] and name not in MEASURED:
                continue
            start = time.process_time()
            value = solve(*(layers[node] for node in pairs[pair]))
            found[name].append((value, time.process_time() - start))
    return found


def table(network: str, number: int, found: dict[str, list[tuple[float, float]]]) -> Iterator[str]:
    """Rows of Markdown."""
    values = {name: np.array([value for value, _ in results]) for name, results in found.items()}
    lowest, default = np.min([values[name] for name in MEASURED], axis=0), values["POT, default"]
    for name, value in values.items():
        few = len(value)
        seconds, pot = (sum(second for _, second in found[one][:few]) for one in (name, "POT, default"))
        over = value / lowest[:few]
        yield (
            f"| {network} | {number} | {few} | {name} | {np.median(over):.3f} | {over.max():.2f} | "
            f"{np.mean(value > default[:few] * (1 + 1e-9)):.0%} | {(value / default[:few]).max():.3f} | "
            f"{seconds / few:.3f} | {pot / seconds:.2f} |"
        )


def processes(folder: Path, number: int, rounds: int) -> Iterator[str]:
    """Wall seconds of all pairs of a network by one process and by two, in turn."""
    for network in NETWORKS:
        layers = geometries(read(folder, network), number)
        tasks = pairwise.pair_tasks(len(layers))
        seconds: dict[int, list[float]] = {1: [], 2: []}
        losses = {}
        for turn in range(rounds):
            for count in (1, 2) if turn % 2 else (2, 1):
                with pairwise.Crew(lambda layers=layers: layers, "standard", count) as crew:
                    crew.begin()
                    start = time.perf_counter()
                    losses[count] = [found.loss for found in crew.measure(tasks)]
                    seconds[count].append(time.perf_counter() - start)
        assert losses[1] == losses[2]
        ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
        spread = f"{statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f}"
        yield f"| {network} | {number} | {len(tasks)} | {spread} |"


def represent(rounds: int) -> Iterator[str]:
    """CPU seconds of representing images against those of plain inference with the same batches, in turn."""
    import torch

    from dilt.data.batches import in_order
    from dilt.geometry import recording
    from dilt.networks import building
    from dilt.networks.devices import use_device

    device = use_device(1)
    draws = generator(0, "images")
    number = 512
    pixels, labels = draws.integers(0, 256, (number, 3, 32, 32), dtype=np.uint8), np.zeros(number, np.int64)
    images = prepared.Images(pixels, labels, ("a", "b"), (0.5,) * 3, (0.3,) * 3)
    probes = Probes(np.arange(number), images.labels, "")
    for network, settings in NETWORKS.items():
        model = building.build(settings, images.image_shape, images.classes, 0)
        ratios = []
        for turn in range(rounds + 1):
            seconds = {}
            for kind in ("plain", "represent") if turn % 2 else ("represent", "plain"):
                start = time.process_time()
                with tempfile.TemporaryDirectory() as folder, torch.no_grad():
                    if kind == "plain":
                        model.to(device).eval()
                        for batch in in_order(images, device, size=recording.BATCH):
                            model(batch)
                    else:
                        writer = StoreWriter(Path(folder) / "store", "benchmark", probes, resume=False)
                        pooled = Representations(probes=number)
                        recording.record(model, images, pooled, device, "float32", writer, checkpoint(folder))
                        writer.finish({})
                seconds[kind] = time.process_time() - start
            if turn:
                ratios.append(seconds["represent"] / seconds["plain"])
        yield f"| {network} | {number} | {statistics.median(ratios):.3f} | {min(ratios):.3f} to {max(ratios):.3f} |"


def main() -> None:
    """Print a Markdown table, or train what it is about."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    training = kinds.add_parser("train")
    training.add_argument("images", type=Path)
    training.add_argument("folder", type=Path)
    training.add_argument("--per-class", type=int, default=150, help="images of each class trained on")
    solving = kinds.add_parser("solve")
    solving.add_argument("folder", type=Path)
    solving.add_argument("--probes", type=int, nargs="+", default=list(PAIRS), choices=PAIRS)
    solving.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=NETWORKS)
    solving.add_argument("--pairs", type=int, default=max(PAIRS.values()), help="at most so many")
    solving.add_argument("--peers", action="store_true", help="entropic solvers too, on few pairs")
    forking = kinds.add_parser("processes")
    forking.add_argument("folder", type=Path)
    forking.add_argument("--probes", type=int, default=200)
    forking.add_argument("--rounds", type=int, default=3)
    representing = kinds.add_parser("represent")
    representing.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with threadpool_limits(1):
        if arguments.kind == "train":
            train(arguments.images, arguments.folder, arguments.per_class)
        elif arguments.kind == "processes":
            print(
                "| network | probes | pairs | one process / two, median | range |\n| --- | ---: | ---: | ---: | --- |"
            )
            print(*processes(arguments.folder, arguments.probes, arguments.rounds), sep="\n")
        elif arguments.kind == "represent":
            print("| network | images | represent / inference, median | range |\n| --- | ---: | ---: | --- |")
            print(*represent(arguments.rounds), sep="\n")
        else:
            print("| network | probes | pairs | solver | over lowest, median | max | above POT | at most | CPU s | x |")
            print("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
            for number, network in itertools.product(arguments.probes, arguments.networks):
                layers = geometries(read(arguments.folder, network), number)
                print(
                    *table(network, number, measured(layers, number, arguments.pairs, arguments.peers)),
                    sep="\n",
                    flush=True,
                )


if __name__ == "__main__":
    main()
