"""Facts about a run under an N:M pattern: masks that stages write, tickets that are trained, and what torch packs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pipeline
import pytest
import torch
from small_run import CLAIM_ROUND, OPTIONS, PARTITIONS, ROUNDS, RUNS, TICKETS, TO_CORE, run, table
from torch.sparse import SparseSemiStructuredTensorCUSPARSELT, SparseSemiStructuredTensorCUTLASS
from torch.sparse._semi_structured_conversions import (
    sparse_semi_structured_from_dense_cutlass,
    sparse_semi_structured_to_dense_cutlass,
)

from dilt.exports.exporting import Files, export_files
from dilt.foundations import storage
from dilt.settings.networks import Model
from dilt.tickets.mask_files import read_mask
from dilt.tickets.masks import Mask
from dilt.tickets.pattern import Pattern
from tests import pages

MODEL = {"name": "mlp", "arguments": {"width": 32, "depth": 3}}
TRAINED = ["core", "union", "random@core"]


@pytest.fixture(scope="module", params=["2:4", "1:4"])
def patterned(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Pattern]]:
    """The folder of a run of all stages that make masks, and of some that train under them."""
    results = tmp_path_factory.mktemp("patterned") / "seed-0"
    changed = {
        stage: read
        | ({"model": MODEL} if "model" in read else {})
        | ({"pattern": request.param} if "pattern" in read else {})
        for stage, read in OPTIONS.items()
    }
    with mock.patch.dict(OPTIONS, changed):
        run("prepare", pipeline.prepare(results, "source"))
        run("initialise", pipeline.initialise(results))
        for round_ in ROUNDS:
            run("train", pipeline.train(results, round_))
            for coupling in ("independent", "cyclic"):
                run("prune", pipeline.prune(results, round_, coupling))
        for round_ in range(1, CLAIM_ROUND + 1):
            if round_ > 1:
                run("train", pipeline.train(results, round_, [TO_CORE]))
            run("prune", pipeline.prune_to_core(results, round_))
        run("score", pipeline.score(results))
        run("combine", pipeline.combine(results))
        run("train_ticket", pipeline.train_ticket(results, TRAINED))
        run("assemble", pipeline.assemble(results))
        run("retrain_assembly", pipeline.retrain_assembly(results))
        run("evaluate_assemblies", pipeline.evaluate_assemblies(results))
    return results, Pattern.of(request.param)


def fullest(kept: np.ndarray, group: int) -> int:
    return int(kept.reshape(len(kept), -1, group).sum(axis=2).max())


def tickets(results: Path) -> dict[str, Mask]:
    return {name: read_mask(results / f"tickets/round-1/{name}/mask.safetensors") for name in TICKETS}


def test_the_mask_of_every_round_of_every_trajectory_keeps_it(patterned: tuple[Path, Pattern]) -> None:
    results, pattern = patterned
    for name in [*RUNS, "cyclic/consensus", TO_CORE]:
        for round_ in ROUNDS:
            mask = read_mask(results / name / f"round-{round_}/mask.safetensors")
            assert all(fullest(kept, pattern.group) <= pattern.most for kept in mask.layers.values()), (name, round_)
            if name.startswith("independent"):
                first = mask.size * pattern.most // pattern.group
                assert mask.count == (first if round_ == 1 else first - round(0.4 * first)), (name, round_)


def test_tickets_within_one_run_s_mask_keep_it_and_controls_do_if_theirs_does(patterned: tuple[Path, Pattern]) -> None:
    results, pattern = patterned
    made = tickets(results)
    kept = {name: max(fullest(k, pattern.group) for k in mask.layers.values()) for name, mask in made.items()}
    for name, mask in made.items():
        reference = name.partition("@")[2]
        if reference:
            assert mask.count == made[reference].count, name
            assert kept[name] <= max(pattern.most, kept[reference]), name
        elif name not in ("dense", "union"):
            assert kept[name] <= pattern.most, name
    assert kept["union"] > pattern.most
    told = {
        row["ticket"]: float(row["in_pattern"])
        for row in table(results / "tickets/densities.csv")
        if row["layer"] == "all" and row["round"] == "1"
    }
    assert {name: share == 1 for name, share in told.items()} == {
        name: most <= pattern.most for name, most in kept.items()
    }


def test_no_weight_outside_the_mask_lives_after_training(patterned: tuple[Path, Pattern]) -> None:
    results, pattern = patterned
    for name in TRAINED:
        folder = results / "tickets/round-1" / name
        weights, mask = storage.read_tensors(folder / "weights.safetensors")[0], read_mask(folder / "mask.safetensors")
        for layer, kept in mask.layers.items():
            assert not weights[layer][~kept].any()
            assert name == "union" or fullest(weights[layer] != 0, pattern.group) <= pattern.most


def test_an_assembly_of_core_and_random_weights_keeps_it(patterned: tuple[Path, Pattern]) -> None:
    results, pattern = patterned
    for partition in PARTITIONS:
        name = f"core+random@core+specialist-{partition}"
        weights = storage.read_tensors(results / "assembly" / partition / name / "weights.safetensors")[0]
        for layer in tickets(results)["core"].names:
            assert fullest(weights[layer] != 0, pattern.group) <= pattern.most


def test_the_block_of_the_page_packs_every_layer_of_an_exported_core(
    patterned: tuple[Path, Pattern], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU: what packs is replaced by its CPU counterpart, and a layer packed so by what is unpacked again."""
    results, pattern = patterned
    folder = results / "tickets/round-1/core"
    files = [*(folder / f"{name}.safetensors" for name in ("mask", "weights")), results / "data/source/dataset.json"]
    export_files(Files(*files, Model.model_validate(MODEL), 0, pattern=pattern), tmp_path / "core")
    mask = read_mask(files[0])
    groups = sum(kept.size for kept in mask.layers.values()) // pattern.group
    assert f"- pattern: {pattern}, kept in {groups} of {groups} groups\n" in (tmp_path / "core/README.md").read_text()
    packed = []

    def pack(weight: torch.Tensor) -> torch.Tensor:
        rows, columns = SparseSemiStructuredTensorCUSPARSELT._DTYPE_SHAPE_CONSTRAINTS[weight.dtype][:2]
        assert weight.ndim == 2
        assert weight.is_contiguous()
        assert weight.shape[0] % rows == weight.shape[1] % columns == 0
        packed.append(weight)
        return sparse_semi_structured_to_dense_cutlass(*sparse_semi_structured_from_dense_cutlass(weight))

    monkeypatch.setattr(torch.sparse, "to_sparse_semi_structured", pack)
    monkeypatch.setattr(torch.nn.Module, "cuda", lambda module: module)
    monkeypatch.chdir(tmp_path)
    (block,) = pages.OF_GPU
    exec(block, made := {})
    assert len(packed) == len(mask.names) == 3
    for name, weight in zip(mask.names, packed, strict=True):
        assert torch.equal(made["model"].get_parameter(name), weight)
        assert weight.count_nonzero() == mask.counts[name]


def test_torch_packs_a_trained_core_without_loss_but_not_a_union(patterned: tuple[Path, Pattern]) -> None:
    """By the conversion of torch's CUTLASS backend, which runs on a CPU too; on a GPU, to_sparse_semi_structured."""
    results, pattern = patterned
    rows, columns = SparseSemiStructuredTensorCUTLASS._DTYPE_SHAPE_CONSTRAINTS[torch.bfloat16][:2]
    lossless = {}
    for name in ("core", "union"):
        weights = storage.read_tensors(results / f"tickets/round-1/{name}/weights.safetensors")[0]
        matrix = torch.from_numpy(weights["blocks.0.linear.weight"]).bfloat16()
        assert matrix.shape[0] % rows == matrix.shape[1] % columns == 0
        packed, meta = sparse_semi_structured_from_dense_cutlass(matrix)
        assert packed.shape == (matrix.shape[0], matrix.shape[1] // 2)
        lossless[name] = torch.equal(sparse_semi_structured_to_dense_cutlass(packed, meta), matrix)
    assert lossless == {"core": True, "union": pattern.most == 1}  # the union of two 1:4 masks is 2:4
