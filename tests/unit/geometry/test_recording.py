"""Facts about activations: what is kept of a block's output, in whatever batches, and from wherever it goes on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from builders import images
from small_networks import CPU, MLP, RESNET, VIT, checkpoints

from dilt.data.batches import in_order
from dilt.data.prepared import Images
from dilt.geometry import pooling, recording, reference_networks, zarr_stores
from dilt.geometry.zarr_stores import Layer, Probes, StoreWriter, read_representations
from dilt.networks import architectures, building
from dilt.networks.inspection import Layout, inspect
from dilt.settings.geometry import Representations
from dilt.settings.networks import Model

SHAPE = (1, 32, 32)
EACH = pytest.mark.parametrize("settings", [MLP, RESNET, VIT], ids=lambda settings: settings.name)


def built(settings: Model) -> torch.nn.Module:
    return building.build(settings, SHAPE, ("a", "b", "c"), 0)


def layouts(settings: Model) -> dict[str, Layout]:
    return inspect(settings, SHAPE, 3).blocks


def recorded(
    folder: Path, settings: Model, data: Images, limit: int | None = None, done: int = 0, **wanted: object
) -> dict[str, Layer]:
    return record(folder, settings, built(settings), data, limit, done, **wanted)


def record(
    folder: Path,
    settings: Model,
    model: torch.nn.Module,
    data: Images,
    limit: int | None = None,
    done: int = 0,
    **wanted: object,
) -> dict[str, Layer]:
    probes = Probes(np.arange(len(data)), data.labels, "")
    writer = StoreWriter(folder / "core.zarr", "core", probes, resume=done > 0)
    chosen = Representations(probes=len(data), **wanted)
    checkpoint = checkpoints(folder).of("core")
    recording.record(model, data, chosen, CPU, "float32", writer, checkpoint, layouts(settings), done)
    writer.finish({}, limit)
    return dict(read_representations(folder / "core.zarr").layers)


def outputs(model: torch.nn.Module, data: Images, name: str) -> torch.Tensor:
    """What a block gives for all images."""
    kept: list[torch.Tensor] = []
    hook = model.get_submodule(name).register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))
    with torch.no_grad():
        model.eval()(next(in_order(data, CPU)))
    hook.remove()
    return kept[0]


@EACH
def test_representations_are_the_pooled_outputs_of_the_blocks(settings: Model, tmp_path: Path) -> None:
    model, data = built(settings), images(3, side=32)
    layers = record(tmp_path, settings, model, data)
    assert list(layers) == list(architectures.blocks(model))
    for depth, (name, layer) in enumerate(layers.items()):
        expected = outputs(model, data, name)
        pooled = expected.mean((2, 3)) if expected.ndim == 4 else expected.mean(1) if expected.ndim == 3 else expected
        assert np.allclose(layer.activations, pooled, atol=1e-6)
        assert layer.place.depth == depth
        assert layer.place.module_type == type(model.get_submodule(name)).__name__


@pytest.mark.parametrize(
    ("name", "stage"),
    [("layer1.0", "layer1"), ("blocks.3", "blocks"), ("stages.2.blocks.1", "stages.2.blocks"), ("conv1", "conv1")],
)
def test_a_stage_is_what_blocks_are_members_of(name: str, stage: str) -> None:
    assert recording.stage(name) == stage


@EACH
def test_everything_flat_or_only_its_inner_products(settings: Model, tmp_path: Path) -> None:
    model, data = built(settings), images(3, side=32)
    flat = record(tmp_path / "flat", settings, model, data, pooling="flat")
    for name, layer in flat.items():
        assert np.allclose(layer.activations, outputs(model, data, name).flatten(1), atol=1e-6)
    products = recorded(tmp_path / "products", settings, data, limit=1, pooling="flat")
    for name, layer in products.items():
        assert layer.activations is None
        assert np.allclose(layer.gram(), flat[name].gram(), atol=1e-9)


def test_tokens_are_the_class_token_and_the_mean_of_the_others(tmp_path: Path) -> None:
    model, data = built(VIT), images(3, side=32)
    for name, layer in record(tmp_path, VIT, model, data, pooling="tokens").items():
        expected = outputs(model, data, name)
        assert np.allclose(layer.activations, torch.cat([expected[:, 0], expected[:, 1:].mean(1)], 1), atol=1e-6)


def test_the_mean_is_over_all_axes_but_that_of_features() -> None:
    output = torch.rand(2, 4, 4, 4)
    assert torch.equal(pooling.mean(output, Layout(1, 0)), output.mean((2, 3)))
    assert torch.equal(pooling.mean(output, Layout(3, 0)), output.mean((1, 2))), "as of Swin, sides as channels"
    assert torch.equal(pooling.mean(output[..., 0], Layout(2, 0)), output[..., 0].mean(1)), "tokens"
    assert torch.equal(pooling.mean(output[..., 0, 0], Layout(1, 0)), output[..., 0, 0])


def test_tokens_are_kept_apart_only_where_a_block_has_them() -> None:
    output = torch.rand(2, 6, 4)
    expected = torch.cat([output[:, 0], output[:, 1], output[:, 2:].mean(1)], 1)
    assert torch.equal(pooling.tokens(output, Layout(2, 2)), expected)
    assert torch.equal(pooling.tokens(output, Layout(2, 0)), output.mean(1)), "before a class token is put there"
    assert torch.equal(pooling.tokens(output[:, :1], Layout(2, 1)), output[:, 0]), "a class token alone"


def test_a_random_projection_keeps_distances_and_is_the_same_each_time(tmp_path: Path) -> None:
    draws = torch.from_numpy(np.random.default_rng(0).normal(size=(12, 5000)).astype(np.float32))
    found = pooling.project(draws, 2000)
    assert torch.equal(found, pooling.project(draws, 2000))
    ratios = torch.pdist(found) / torch.pdist(draws)
    assert abs(float(ratios.mean()) - 1) < 0.03
    assert float(ratios.std()) < 0.05
    layers = recorded(tmp_path, RESNET, images(3, side=32), pooling="projection", projected_features=7)
    assert {layer.activations.shape for layer in layers.values()} == {(9, 7)}


@pytest.mark.parametrize("pooling", ["mean", "flat"])
def test_batches_and_interruptions_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pooling: str
) -> None:
    model, data = built(VIT), images(4, side=32)
    whole = recorded(tmp_path / "whole", VIT, data, pooling=pooling)
    monkeypatch.setattr(recording, "BATCH", 2)
    monkeypatch.setattr(zarr_stores, "CHUNK_ROWS", 4)
    writer = StoreWriter(tmp_path / "core.zarr", "core", Probes(np.arange(12), data.labels, ""), resume=False)
    wanted, checkpoint = Representations(probes=12, pooling=pooling), checkpoints(tmp_path).of("core")
    recording.record(model, data.take(np.arange(8)), wanted, CPU, "float32", writer, checkpoint, layouts(VIT))
    again = recorded(tmp_path, VIT, data, done=8, pooling=pooling)
    for name, layer in whole.items():
        assert np.allclose(layer.activations, again[name].activations, atol=1e-6)


def test_no_more_is_in_memory_than_a_batch_of_flattened_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    write = StoreWriter.write

    def noting(writer: StoreWriter, layer: str, place: object, first: int, rows: np.ndarray, chunk: int) -> None:
        written.append(len(rows))
        write(writer, layer, place, first, rows, chunk)

    monkeypatch.setattr(StoreWriter, "write", noting)
    monkeypatch.setattr(recording, "BATCH", 4)
    recorded(tmp_path, MLP, images(7, side=32), pooling="flat")
    assert max(written) == 4


def test_an_untrained_residual_network_is_no_chain_of_identities(tmp_path: Path) -> None:
    model, data = built(RESNET), images(3, side=32)
    name = "layer1.1"
    before = record(tmp_path / "before", RESNET, model, data)
    assert np.array_equal(before[name].activations, before["layer1.0"].activations), "zero norms make it the identity"
    changed = reference_networks.perturb_zero_norms(model, seed=0)
    assert f"{name}.bn2" in changed
    after = record(tmp_path / "after", RESNET, model, data)
    assert not np.allclose(after[name].activations, after["layer1.0"].activations)

    again, other = built(RESNET), built(RESNET)
    reference_networks.perturb_zero_norms(again, seed=0)
    reference_networks.perturb_zero_norms(other, seed=1)
    weight = f"{name}.bn2.weight"
    assert torch.equal(model.state_dict()[weight], again.state_dict()[weight])
    assert not torch.equal(model.state_dict()[weight], other.state_dict()[weight])
    assert reference_networks.perturb_zero_norms(built(VIT), seed=0) == []


def test_references_are_no_tickets() -> None:
    from dilt.tickets.selection import possible_names

    partitions = ["low", "high", "core"]
    names = reference_networks.reference_names(partitions)
    assert names == ["untrained", "trained-low", "trained-high", "trained-core"]
    assert not set(names) & set(possible_names(partitions))
