"""Every family of timm's networks: whether its smallest member can be an experiment's network, and if not, why.

    python benchmarks/zoo.py            # half an hour; goes on where it was stopped
    python benchmarks/zoo.py --page     # docs/networks.md anew from benchmarks/zoo.csv

A family is a module of timm's. Of each, the member with the fewest parameters is built without pretrained weights at
the smallest image size that it takes, and goes, in a process of its own, through what an experiment does with a
network: the checks of a configuration, a random mask that prunes 70 % of the weights, two steps of SGD and of AdamW
under it, saving, loading, exporting and back, representations, a linear head.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dilt.foundations import storage
from dilt.networks.inspection import Inspection, inspect
from dilt.settings.geometry import Representations
from dilt.settings.networks import Model
from dilt.settings.training import Training
from dilt.tickets.masks import Mask

ROOT = Path(__file__).resolve().parent.parent
TABLE, PAGE = ROOT / "benchmarks/zoo.csv", ROOT / "docs/networks.md"
SIDES = (32, 64, 96, 128, 160, 192, 224, 256, 288, 384, 512)
SHORTENED = {"deepseek_vit": {"depth": 2}}  # with 411M weights the checks take more than 24 GB
LEAST = {"efficientvim": 128}  # at smaller images its gradients go beyond float32, in a plain loop of SGD too
CLASSES = ("a", "b", "c")
SECONDS = 900  # for one family
COLUMNS = ("family", "member", "arguments", "side", "parameters", "prunable", "blocks", "linear", "support", "reason")
SUPPORTED, REFUSED, FAILED = "supported", "refused", "failed"
Row = dict[str, Any]


def smallest_member(family: str) -> str:
    """The network of a family with the fewest parameters; of equally small ones the first by name."""
    import timm
    import torch

    sizes = {}
    for name in timm.list_models(module=family):
        with torch.device("meta"):
            sizes[name] = sum(parameter.numel() for parameter in timm.create_model(name).parameters())
    return min(sizes, key=lambda name: (sizes[name], name))


def smallest_images(name: str, own: dict[str, int], least: int) -> tuple[Model, int, Inspection]:
    """The network with the arguments for the smallest side that it takes, that side, and what was found.

    A network that takes none is given with the last side and the refusal.
    """
    refusal = None
    for side in (side for side in SIDES if side >= least):
        for arguments in ({}, {"img_size": side}):
            settings = Model(name=name, arguments=own | arguments)
            try:
                found = inspect(settings, (3, side, side), len(CLASSES))
            except ValueError:
                continue
            if found.refusal is None:
                return settings, side, found
            refusal = refusal or (settings, side, found)
    assert refusal is not None
    return refusal


def row_of(family: str, name: str | None = None) -> Row:
    """What is told of a family, or of one of its members."""
    settings, side, found = smallest_images(
        name or smallest_member(family), SHORTENED.get(family, {}), LEAST.get(family, 0)
    )
    row: Row = dict.fromkeys(COLUMNS, "") | {"family": family, "member": settings.name, "side": side}
    row["arguments"] = json.dumps(settings.arguments)
    refusals = [found.refusal, *(f"{weight}: {reason}" for weight, reason in found.unreached.items())]
    if reasons := [refusal for refusal in refusals if refusal]:
        return row | {"support": REFUSED, "reason": reasons[0]}
    from dilt.networks import architectures, building

    network = building.build(settings, (3, side, side), CLASSES, 0)
    weights = architectures.prunable(network)
    row |= {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "prunable": sum(weight.numel() for weight in weights.values()),
        "blocks": len(found.blocks),
        "linear": "yes" if found.linear else "no",
    }
    problems = list(check(settings, side, found))
    return row | {"support": FAILED if problems else SUPPORTED, "reason": "; ".join(problems)}


def check(settings: Model, side: int, found: Inspection) -> Iterator[str]:
    """What does not hold of a network that the checks of a configuration let pass."""
    from dilt.networks import architectures, building

    shape = (3, side, side)
    network = building.build(settings, shape, CLASSES, 0)
    draws = np.random.default_rng(0)
    weights = architectures.prunable(network)
    mask = Mask({name: draws.random(tuple(weight.shape)) < 0.3 for name, weight in weights.items()})
    yield from reaches(network, mask, shape)
    for optimizer in ("sgd", "adamw"):
        yield from trains(settings, mask, shape, optimizer)
    yield from observed(settings, network, found, shape)
    yield from read_out(network, found, shape)


def reaches(network: Any, mask: Mask, shape: tuple[int, int, int]) -> Iterator[str]:
    """Pruned weights have no influence, and are zero in whatever convolves or multiplies."""
    import torch
    from torch.overrides import TorchFunctionMode

    from dilt.networks import states
    from dilt.networks.inspection import PRODUCTS

    pixels = torch.from_numpy(np.random.default_rng(1).normal(size=(2, *shape)).astype(np.float32))
    other = copy.deepcopy(network)
    with torch.no_grad():
        for name in mask.names:
            other.get_parameter(name).add_(torch.from_numpy((~mask[name]).astype(np.float32)))
    for one in (network, other):
        states.apply_mask(one, mask)
    parameters = {id(network.get_parameter(name)): name for name in mask.names}
    owners: list[str] = []
    seen: set[str] = set()
    alive: list[str] = []

    class Seen(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            weight = (kwargs or {}).get("weight", args[1] if len(args) > 1 else None)
            if getattr(func, "__name__", "") in PRODUCTS and isinstance(weight, torch.Tensor):
                name = parameters.get(id(weight)) or (owners[-1] if owners else None)
                if name and tuple(weight.shape) == mask[name].shape:
                    seen.add(name)
                    if bool(weight[torch.from_numpy(~mask[name])].any()):
                        alive.append(name)
            return func(*args, **(kwargs or {}))

    for name in mask.names:
        module = network.get_submodule(name.rpartition(".")[0])
        module.register_forward_pre_hook(lambda *_, name=name: owners.append(name))
        module.register_forward_hook(lambda *_: owners.pop() and None)
    with torch.no_grad(), Seen():
        outputs = network.eval()(pixels)
    with torch.no_grad():
        if not torch.equal(outputs, other.eval()(pixels)):
            yield "pruned weights have an influence"
    if alive:
        yield f"pruned weights are not zero where '{alive[0]}' is multiplied with"
    if unseen := [name for name in mask.names if name not in seen]:
        yield f"'{unseen[0]}' was not seen where anything is multiplied"
    if not bool(torch.isfinite(outputs).all()):
        yield "outputs are not finite"


def trains(settings: Model, mask: Mask, shape: tuple[int, int, int], optimizer: str) -> Iterator[str]:
    """Two steps under the mask; then saved, loaded, exported and back to the same bits, and sparse in anyone's loop."""
    import torch

    from dilt.data.prepared import Images
    from dilt.exports import export_folder
    from dilt.exports.cards import Card
    from dilt.networks import building, states
    from dilt.training.loop import Loop, Work

    draws = np.random.default_rng(2)
    pixels = draws.integers(0, 256, (4, *shape), dtype=np.uint8)
    data = Images(pixels, np.array([0, 1, 2, 0]), CLASSES, (0.5,) * 3, (0.25,) * 3)
    network = building.build(settings, shape, CLASSES, 0)
    training = Training(epochs=1, batch_size=2, optimizer=optimizer, learning_rate=0.001, weight_decay=0.01)
    loop = Loop(Work(network, data, mask, training, 0, "zoo"), torch.device("cpu"))
    steps = sum(1 for _ in loop.steps())
    trained = states.state(network)
    if steps != 2 or not np.isfinite(loop.loss_sum.item()):
        yield f"{optimizer}: {steps} steps, loss {loop.loss_sum.item()}"
    del loop, network  # large ones need the memory
    if any(trained[name][~mask[name]].any() for name in mask.names):
        yield f"{optimizer}: a pruned weight is not zero after training"
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "weights.safetensors"
        storage.write_tensors(saved, trained, {"made": "zoo"})
        again = building.build(settings, shape, CLASSES, 1, storage.read_tensors(saved)[0])
        states.load_state(again, storage.read_tensors(saved)[0])
        card = Card(settings, CLASSES, shape, (0.5,) * 3, (0.25,) * 3, "squash", {"mask": "zoo"}, [])
        export_folder.write_export(Path(folder) / "zoo", trained, {}, mask, card)
        exported = export_folder.load_exported(Path(folder) / "zoo")
        back, _, mask_back = export_folder.read_export(Path(folder) / "zoo")
    for what, state in (("loaded", states.state(again)), ("exported", states.state(exported)), ("read back", back)):
        if any(not np.array_equal(state[name], array) for name, array in trained.items()):
            yield f"{optimizer}: {what}, it is not the same"
    if mask_back != mask:
        yield f"{optimizer}: the mask that was exported is another one"
    images = torch.from_numpy(pixels).float().div(255)
    with torch.no_grad():
        if not torch.equal(exported(images), again.to(memory_format=torch.contiguous_format).eval()(images)):
            yield f"{optimizer}: exported, it computes something else"
    kind = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[optimizer]
    stepping = kind(exported.parameters(), lr=0.1, weight_decay=0.01)
    torch.nn.functional.cross_entropy(exported.train()(images), torch.from_numpy(data.labels)).backward()
    stepping.step()
    if any(array[~mask[name]].any() for name, array in states.state(exported).items() if name in mask.names):
        yield f"{optimizer}: a step of anyone's loop revived a pruned weight of the exported network"


def observed(settings: Model, network: Any, found: Inspection, shape: tuple[int, int, int]) -> Iterator[str]:
    """Every block gives finite features of its width, pooled in every way that is offered for it."""
    import torch

    from dilt.geometry.pooling import pooling
    from dilt.networks.features import tensor

    pixels = torch.from_numpy(np.random.default_rng(3).normal(size=(2, *shape)).astype(np.float32))
    outputs: dict[str, list[Any]] = {name: [] for name in found.blocks}
    hooks = []
    for name, kept in outputs.items():
        keep = lambda module, inputs, output, kept=kept: kept.append(tensor(output, 2))  # noqa: E731
        hooks.append(network.get_submodule(name).register_forward_hook(keep))
    with torch.no_grad():
        network.eval()(pixels)
    for hook in hooks:
        hook.remove()
    for name, layout in found.blocks.items():
        if len(outputs[name]) != 1:
            yield f"block '{name}' gave {len(outputs[name])} outputs"
            continue
        unknown = {"mean": layout.features is None, "tokens": layout.features is None or layout.prefix is None}
        for choice in ("mean", "tokens", "flat", "projection"):
            if unknown.get(choice):
                yield f"block '{name}' cannot be pooled by {choice}"
                continue
            pooled = pooling(Representations(probes=8, pooling=choice))(outputs[name][0], layout)
            width = outputs[name][0].shape[layout.features] if choice == "mean" else pooled.shape[1]
            if tuple(pooled.shape) != (2, width) or not bool(torch.isfinite(pooled).all()):
                yield f"block '{name}' pooled by {choice} is {tuple(pooled.shape)} or not finite"


def read_out(network: Any, found: Inspection, shape: tuple[int, int, int]) -> Iterator[str]:
    """A linear head in place of the network's own answers what it should, where one is possible."""
    import torch

    from dilt.data.prepared import Images
    from dilt.networks import readings
    from dilt.networks.features import features
    from dilt.networks.linear_heads import linear_head_outputs, use_linear_head
    from dilt.settings.evaluation import CLEAN

    if not found.linear:
        return
    pixels = np.random.default_rng(4).integers(0, 256, (3, *shape), dtype=np.uint8)
    data = Images(pixels, np.array([0, 1, 2]), CLASSES, (0.5,) * 3, (0.25,) * 3)
    read = features(network, data, torch.device("cpu"), "float32")
    weight = np.random.default_rng(5).normal(size=(len(CLASSES), read.shape[1])).astype(np.float32)
    bias = np.ones(len(CLASSES), np.float32)
    use_linear_head(network, weight, bias)
    reader = partial(linear_head_outputs, num_classes=len(data.classes))
    ((answered,),) = (read[CLEAN] for read in readings.read([(network, reader)], data, torch.device("cpu"), "float32"))
    if not np.allclose(answered, read @ weight.T + bias, rtol=1e-3, atol=1e-3 * np.abs(answered).max()):
        yield "a linear head in place of its own answers something else"


def sweep() -> None:
    """A row for every family that the table lacks, each found out in a process of its own."""
    import timm

    rows = list(csv.DictReader(TABLE.open())) if TABLE.exists() else []
    for family in timm.list_modules():
        if any(row["family"] == family for row in rows) or not timm.list_models(module=family):
            continue
        command = [sys.executable, __file__, "--family", family]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
            told = ran.stdout.splitlines()[-1] if ran.returncode == 0 else ""
            reason = f"exit code {ran.returncode}: {' '.join(ran.stderr.split())[-300:]}"
        except subprocess.TimeoutExpired:
            told, reason = "", f"not done in {SECONDS} s"
        failed = dict.fromkeys(COLUMNS, "") | {"family": family, "support": FAILED, "reason": reason}
        row = json.loads(told) if told else failed
        rows.append(row)
        write(rows)
        print(f"{family}: {row['member']}, {row['support']} {row['reason']}", flush=True)


def write(rows: list[Row]) -> None:
    """The table, by family."""
    with TABLE.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(sorted(rows, key=lambda row: row["family"]))


def page(rows: list[Row]) -> str:
    """The page of the documentation, in Markdown."""
    counts = Counter(row["support"] for row in rows)
    lines = [
        "# Networks",
        "",
        f"Of timm's {len(rows)} families, {counts[SUPPORTED]} can be an experiment's network and {counts[REFUSED]} are",
        "refused, with the reason below, before any job. Tried was the smallest member of each, at the smallest of a",
        "few image sizes that it takes (`benchmarks/zoo.py`): pruned weights have no influence and are zero in what",
        "convolves or multiplies; two steps of SGD and of AdamW under a mask; saved, loaded, exported and back to the",
        "same bits, and sparse after a step of anyone's loop; every block observed, and its class tokens told from the",
        "image's; a linear head in place of its own. Where it can have none, leave `linear` out of",
        "`transfer.protocols`, as the check of the configuration says. `mlp` is dilt's own.",
        "",
        "Weights that a network standardises before it convolves (NFNets, BiT's ResNets, hybrid ViTs) are masked after",
        "that: a weight that is zero convolves as zero. timm's own class would take a mean off it, so that an exported",
        "ticket of these is loaded by `dilt.load_exported`, and its card does not offer timm.",
        "",
        "| family | tried | image | prunable | blocks | linear head | |",
        "| --- | --- | ---: | ---: | ---: | --- | --- |",
    ]
    for row in rows:
        share = f"{int(row['prunable']) / int(row['parameters']):.0%}" if row["parameters"] else ""
        told = row["support"] if row["support"] == SUPPORTED else f"**{row['support']}**: {row['reason']}"
        given = f" `{row['arguments']}`" if row["arguments"] not in ("", "{}") else ""
        cells = (row["family"], row["member"] + given, row["side"], share, row["blocks"], row["linear"], told)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Find out what is not known yet, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--family", help="print the row of one family, as JSON")
    parser.add_argument("--page", action="store_true", help="write docs/networks.md from the table")
    arguments = parser.parse_args()
    if arguments.family:
        print(json.dumps(row_of(arguments.family)))
        return
    if not arguments.page:
        sweep()
    rows = list(csv.DictReader(TABLE.open()))
    PAGE.write_text(page(rows))
    print(Counter(row["support"] for row in rows))


if __name__ == "__main__":
    main()
