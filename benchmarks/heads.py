"""CPU seconds of linear heads on a trained network's features: dilt's solver beside scikit-learn's, as ratios.

    python benchmarks/heads.py results/NAME/data/source/dataset.json \
        results/NAME/seed-0/independent/full/round-1/weights.safetensors --model '{"name": "resnet18"}'

Features are those of training images, drawn at random from all classes, with batch norms measured anew. Every variant
fits a head for each of the penalties in turn, in one thread; variants take turns, the order reversed every round, and a
ratio is the median of the rounds' ratios. A job of `assemble` with two partitions fits 42 such heads.

- scikit-learn: `StandardScaler` and `LogisticRegression`, each penalty from zero on; how dilt fitted them before.
- scikit-learn, warm: from penalty to penalty (``warm_start``).
- scikit-learn, torch: the same on torch's tensors (array API), as it would be on a GPU, one head at a time.
- scikit-learn, newton-cg: warm, with Hessian-vector products.
- dilt: `networks.logistic_regression`, warm.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

os.environ["SCIPY_ARRAY_API"] = "1"  # has to be set before SciPy is imported

import numpy as np
import torch
from sklearn import config_context
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from dilt.data.prepared import read_split
from dilt.foundations import storage
from dilt.networks import building
from dilt.networks.features import features
from dilt.networks.linear_heads import TOLERANCE, standardised
from dilt.networks.logistic_regression import solve
from dilt.networks.readings import recalibrate
from dilt.settings.networks import Model

PENALTIES = (0.01, 0.1, 1.0)
CPU = torch.device("cpu")
# What a variant found: the weights for each penalty, and the evaluations (scikit-learn: steps) that it took.
Found = tuple[list[np.ndarray], int]


def scikit_learn(
    read: np.ndarray, labels: np.ndarray, warm: bool, solver: str = "lbfgs", as_torch: bool = False
) -> Found:
    """A head per penalty by scikit-learn, standardised once for each as it was before, or once if warm."""
    found, steps = [], 0
    regression = LogisticRegression(tol=TOLERANCE, max_iter=1000, solver=solver, warm_start=warm)
    ready = StandardScaler().fit_transform(read)
    given = (torch.from_numpy(ready), torch.from_numpy(labels)) if as_torch else (ready, labels)
    for penalty in PENALTIES:
        if not warm:
            given = StandardScaler().fit_transform(read), labels
        with config_context(array_api_dispatch=as_torch):
            regression.set_params(C=penalty).fit(*given)
        found.append(np.asarray(regression.coef_))
        steps += int(regression.n_iter_[0])
    return found, steps


def dilt(read: np.ndarray, labels: np.ndarray) -> Found:
    """A head per penalty by dilt."""
    ready, _, _ = standardised(torch.tensor(read))
    found = list(solve(ready, torch.tensor(labels), int(labels.max()) + 1, PENALTIES, TOLERANCE))
    return [each.weight.numpy() for each in found], sum(each.evaluations for each in found)


VARIANTS: dict[str, Callable[[np.ndarray, np.ndarray], Found]] = {
    "scikit-learn": lambda read, labels: scikit_learn(read, labels, warm=False),
    "scikit-learn, warm": lambda read, labels: scikit_learn(read, labels, warm=True),
    "scikit-learn, torch": lambda read, labels: scikit_learn(read, labels, warm=True, as_torch=True),
    "scikit-learn, newton-cg": lambda read, labels: scikit_learn(read, labels, warm=True, solver="newton-cg"),
    "dilt": dilt,
}


def compare(read: np.ndarray, labels: np.ndarray, rounds: int) -> None:
    """Print the rows of one problem."""
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    last: dict[str, Found] = {}
    for round_ in range(rounds):
        for name in list(VARIANTS)[:: 1 if round_ % 2 == 0 else -1]:
            begin = time.process_time()
            last[name] = VARIANTS[name](read, labels)
            seconds[name].append(time.process_time() - begin)
    for name, (weights, steps) in last.items():
        ratios = [first / own for first, own in zip(seconds["scikit-learn"], seconds[name], strict=True)]
        far = max(float(np.abs(own - other).max()) for own, other in zip(weights, last["dilt"][0], strict=True))
        print(
            f"| {len(read)} | {read.shape[1]} | {labels.max() + 1} | {name} | {steps} | "
            f"{statistics.median(seconds[name]):.2f} | {statistics.median(ratios):.1f} | "
            f"{min(ratios):.1f} to {max(ratios):.1f} | {far:.3f} |",
            flush=True,
        )


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, help="dataset.json of a prepared data set")
    parser.add_argument("weights", type=Path, help="weights of a network that was trained on it")
    parser.add_argument("--model", type=json.loads, default={"name": "resnet18"}, help="section of the configuration")
    parser.add_argument("--images", type=int, nargs="+", default=[2000, 5000, 9000])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    split = read_split(arguments.data, "train")
    tensors, _ = storage.read_tensors(arguments.weights)
    model = building.build(Model.model_validate(arguments.model), split.image_shape, split.classes, 0, tensors)
    recalibrate([model], split, CPU)
    read = features(model, split, CPU, "float32")
    order = np.random.default_rng(0).permutation(len(split))
    print("| images | features | classes | solver | evaluations | CPU s | x | range | farthest weight |")
    print("| ---: | ---: | ---: | --- | ---: | ---: | ---: | --- | ---: |")
    with threadpool_limits(1):
        for number in arguments.images:
            compare(read[order[:number]], np.array(split.labels[order[:number]]), arguments.rounds)


if __name__ == "__main__":
    main()
