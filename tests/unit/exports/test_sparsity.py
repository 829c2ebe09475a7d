"""Facts about models that are kept sparse: pruned weights stay zero in loops that know nothing of them."""

import copy
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import timm
import timm.optim
import timm.utils
import torch
from safetensors.torch import load_file, load_model, save_file, save_model
from small_networks import MLP, RESNET, VIT, mask_of
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import dilt
from dilt.foundations.storage import write_tensors
from dilt.networks import building, states
from dilt.settings.networks import Model
from dilt.tickets.mask_files import write_mask
from dilt.tickets.masks import Mask

NFNET = Model(name="test_nfnet", arguments={"in_chans": 1})
EACH = pytest.mark.parametrize("settings", [MLP, RESNET, VIT, NFNET], ids=lambda settings: settings.name)
Optimizers = dict[str, Callable[[nn.Module], torch.optim.Optimizer]]
OPTIMIZERS: Optimizers = {
    "sgd": lambda model: torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "adamw": lambda model: torch.optim.AdamW(model.parameters(), 0.01, weight_decay=0.1),
    "timm-sgd": lambda model: timm.optim.create_optimizer_v2(
        model, opt="sgd", lr=0.1, momentum=0.9, weight_decay=0.01, layer_decay=None
    ),
    "timm-lamb": lambda model: timm.optim.create_optimizer_v2(model, opt="lamb", lr=0.01, weight_decay=0.1),
    "timm-muon": lambda model: timm.optim.create_optimizer_v2(model, opt="muon", lr=0.01, weight_decay=0.1),
}


def built(settings: Model, num_classes: int = 3) -> nn.Module:
    return building.build(settings, (1, 32, 32), [str(number) for number in range(num_classes)], 0)


def sparse(settings: Model) -> tuple[nn.Module, Mask]:
    model = built(settings)
    mask = mask_of(model, share=0.3)
    dilt.keep_sparse(model, mask)
    return model, mask


def batches(number: int) -> Iterator[tuple[Tensor, Tensor]]:
    draws = torch.Generator().manual_seed(0)
    for _ in range(number):
        yield torch.randn(6, 1, 32, 32, generator=draws), torch.arange(6) % 3


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 3) -> None:
    """Anyone's loop."""
    model.train()
    for images, labels in batches(steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()


def revived(model: nn.Module, mask: Mask) -> int:
    """How many pruned weights are not zero, where layers read them and in what is saved."""
    state = model.state_dict()
    read = [model.get_submodule(owner).weight for owner in (name.removesuffix(".weight") for name in mask.names)]
    pruned = [torch.from_numpy(~mask[name]) for name in mask.names]
    counted = [int((weight[there] != 0).sum()) for weight, there in zip(read, pruned, strict=True)]
    return sum(counted) + sum(int((state[n][there] != 0).sum()) for n, there in zip(mask.names, pruned, strict=True))


def moved(model: nn.Module, before: dict[str, Tensor], mask: Mask) -> bool:
    """Whether live weights of every masked layer are others than before."""
    state = model.state_dict()
    return all(not torch.equal(state[name], before[name]) for name in mask.names)


def cloned(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@EACH
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_optimizer_revives_a_pruned_weight(settings: Model, optimizer: str) -> None:
    model, mask = sparse(settings)
    before = cloned(model)
    train(model, OPTIMIZERS[optimizer](model))
    assert revived(model, mask) == 0
    if settings is not NFNET:  # whose branches start with a gain of zero
        assert moved(model, before, mask)


def test_a_model_that_is_not_kept_sparse_is_revived_by_the_first_step() -> None:
    model = built(MLP)
    mask = mask_of(model, share=0.3)
    states.apply_mask(model, mask)
    train(model, OPTIMIZERS["sgd"](model), steps=1)
    assert revived(model, mask) > 0


@EACH
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_it_trains_to_the_weights_of_a_loop_that_zeroes_them_after_every_step(settings: Model, optimizer: str) -> None:
    model, mask = sparse(settings)
    train(model, OPTIMIZERS[optimizer](model))
    other = built(settings)
    states.apply_mask(other, mask)
    stepping = OPTIMIZERS[optimizer](other)
    stepping.register_step_post_hook(lambda *_: states.apply_mask(other, mask))
    train(other, stepping)
    found, expected = states.state(model), states.state(other)
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-7, err_msg=name)


@EACH
def test_outputs_and_state_are_those_of_the_plain_model_with_zeros(settings: Model) -> None:
    model, mask = sparse(settings)
    plain = built(settings)
    states.apply_mask(plain, mask)
    images, _ = next(batches(1))
    with torch.no_grad():
        assert torch.equal(model.eval()(images), plain.eval()(images))
    state, expected = model.state_dict(), plain.state_dict()
    assert list(state) == list(expected)
    assert all(torch.equal(state[name], tensor) for name, tensor in expected.items())
    dilt.make_plain(model)
    assert [name for name, _ in model.named_parameters()] == [name for name, _ in plain.named_parameters()]
    assert all(parameter.is_leaf for parameter in model.parameters())
    assert list(map(type, model.modules())) == list(map(type, plain.modules()))
    torch.save(model, io.BytesIO())  # as a whole, which parametrised models cannot be
    train(model, OPTIMIZERS["sgd"](model), steps=1)
    assert revived(model, mask) > 0


def test_it_is_saved_and_loaded_as_a_plain_model(tmp_path: Path) -> None:
    model, mask = sparse(RESNET)
    plain, fresh = built(RESNET), sparse(RESNET)[0]
    save_file(model.state_dict(), tmp_path / "state.safetensors")
    save_model(model, str(tmp_path / "model.safetensors"))
    torch.save(model.state_dict(), tmp_path / "state.pt")
    for state in (load_file(tmp_path / "state.safetensors"), torch.load(tmp_path / "state.pt", weights_only=True)):
        plain.load_state_dict(state)
        assert revived(plain, mask) == 0
    timm.models.load_checkpoint(fresh, str(tmp_path / "state.safetensors"))
    load_model(fresh, str(tmp_path / "model.safetensors"))
    assert all(torch.equal(fresh.state_dict()[name], tensor) for name, tensor in model.state_dict().items())
    dense = built(RESNET)
    fresh.load_state_dict(dense.state_dict())
    assert revived(fresh, mask) == 0
    assert torch.equal(fresh.bn1.weight, dense.bn1.weight)
    fresh.load_state_dict(dense.state_dict(), assign=True)
    assert revived(fresh, mask) == 0
    with pytest.raises(RuntimeError, match=r"Missing key\(s\).*conv1"):
        fresh.load_state_dict({name: tensor for name, tensor in dense.state_dict().items() if "conv1" not in name})


def test_timms_checkpoint_saver_and_averages_keep_it_sparse(tmp_path: Path) -> None:
    model, mask = sparse(RESNET)
    optimizer = OPTIMIZERS["timm-sgd"](model)
    averages = [
        timm.utils.ModelEmaV3(model, decay=0.5),
        timm.utils.ModelEmaV3(model, decay=0.5, exclude_buffers=True, foreach=False),
        timm.utils.ModelEmaV2(model, decay=0.5),
    ]
    of_torch = [AveragedModel(model), AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.5), use_buffers=True)]
    saver = timm.utils.CheckpointSaver(
        model, optimizer, model_ema=averages[0], checkpoint_dir=str(tmp_path), recovery_dir=str(tmp_path)
    )
    before = cloned(model)
    for _ in range(2):
        train(model, optimizer, steps=1)
        for average in averages:
            average.update(model)
        for average in of_torch:
            average.update_parameters(model)
    for average in (*averages, *of_torch):
        assert revived(average.module, mask) == 0
        assert moved(average.module, before, mask)
    saver.save_checkpoint(0, metric=1.0)
    other, _ = sparse(RESNET)
    again = OPTIMIZERS["timm-sgd"](other)
    timm.models.resume_checkpoint(other, str(tmp_path / "last.pth.tar"), again, log_info=False)
    assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in model.state_dict().items())
    train(other, again, steps=1)
    train(model, optimizer, steps=1)
    assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in model.state_dict().items())


def test_a_copy_made_plain_leaves_the_model_sparse() -> None:
    model, mask = sparse(VIT)
    copied = copy.deepcopy(model)
    dilt.make_plain(copied)
    train(model, OPTIMIZERS["adamw"](model))
    assert revived(model, mask) == 0
    dilt.make_plain(model)
    assert revived(model, mask) == 0


def test_another_mask_takes_the_place_of_the_first() -> None:
    model, first = sparse(MLP)
    second = Mask({name: ~first[name] for name in first.names})
    dilt.keep_sparse(model, second)
    train(model, OPTIMIZERS["sgd"](model))
    assert revived(model, second) == 0
    assert revived(model, first) > 0, "these are live now"


def test_frozen_layers_and_models_stay_frozen() -> None:
    model = built(RESNET)
    mask = mask_of(model, share=0.3)
    model.layer1.requires_grad_(False)
    optimizer = OPTIMIZERS["sgd"](model)  # made beforehand, of the same parameters
    dilt.keep_sparse(model, mask)
    timm.utils.freeze(model, "layer2")
    before = cloned(model)
    train(model, optimizer)
    after = model.state_dict()
    for name in mask.names:
        assert torch.equal(before[name], after[name]) == name.startswith(("layer1", "layer2")), name
    assert revived(model, mask) == 0
    model.requires_grad_(False)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    model.fc = nn.Linear(model.num_features, 3)
    before = cloned(model)
    train(model, torch.optim.SGD(model.fc.parameters(), 0.1))
    assert all(torch.equal(before[name], model.state_dict()[name]) for name in mask.names)
    assert not torch.equal(before["fc.weight"], model.fc.weight)


def test_weights_that_layers_share_stay_shared() -> None:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    model = nn.Sequential(first, second)
    mask = Mask({"0.weight": np.eye(4, dtype=bool)})
    dilt.keep_sparse(model, mask)
    assert len(list(model.parameters())) == 3
    optimizer = OPTIMIZERS["sgd"](model)
    model(torch.randn(5, 4)).square().sum().backward()
    optimizer.step()
    assert torch.equal(first.weight, second.weight)
    assert int((second.weight != 0).sum()) == 4
    dilt.make_plain(model)
    assert first.weight is second.weight


def test_gradients_accumulate_and_are_clipped_over_live_weights_alone() -> None:
    model, mask = sparse(RESNET)
    optimizer = OPTIMIZERS["sgd"](model)
    scaler = torch.amp.GradScaler("cpu")
    for _ in range(2):
        for images, labels in batches(2):
            with torch.autocast("cpu", torch.bfloat16):
                loss = functional.cross_entropy(model(images), labels) / 2
            scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        norms = [parameter.grad.norm() for parameter in model.parameters()]
        clipped = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        assert clipped == pytest.approx(float(torch.stack(norms).norm()), rel=1e-4)
        gradient = model.conv1.parametrizations.weight.original.grad
        assert not gradient[torch.from_numpy(~mask["conv1.weight"])].any()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
    assert revived(model, mask) == 0


def test_types_devices_and_layouts_are_followed() -> None:
    model, mask = sparse(RESNET)
    model.to(memory_format=torch.channels_last)
    assert model.layer1[0].conv1.weight.is_contiguous(memory_format=torch.channels_last)
    for kind in (torch.bfloat16, torch.float64, torch.float32):
        model.to(kind)
        assert model.conv1.weight.dtype == kind
        assert revived(model, mask) == 0
    model.type(torch.float16)
    assert revived(model, mask) == 0
    assert model.to("meta").conv1.weight.is_meta


def test_it_is_compiled_and_trained_by_several_processes(tmp_path: Path) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    try:
        model, mask = sparse(MLP)
        optimizer = OPTIMIZERS["adamw"](model)
        wrapped = torch.compile(nn.parallel.DistributedDataParallel(model), backend="eager")
        train(wrapped, optimizer)
        assert revived(model, mask) == 0
    finally:
        torch.distributed.destroy_process_group()


def test_a_mask_of_another_network_is_refused_by_name() -> None:
    mask = mask_of(built(MLP))
    wider = built(MLP.model_copy(update={"arguments": {"width": 9, "depth": 3}}))
    line = (
        r"mask '' does not fit the model: 'blocks\.0\.linear\.weight' of \(8, 1024\) is \(9, 1024\) in the model; give"
    )
    with pytest.raises(ValueError, match=line):
        dilt.keep_sparse(wider, mask)
    with pytest.raises(ValueError, match=r"'blocks\.0\.linear\.weight' of \(8, 1024\) is not in the model"):
        dilt.keep_sparse(built(RESNET), mask)


@pytest.mark.parametrize("num_classes", [3, 7])
@pytest.mark.parametrize("settings", [RESNET, NFNET], ids=lambda settings: settings.name)
def test_a_loaded_ticket_stays_sparse_unless_asked_otherwise(settings: Model, num_classes: int, tmp_path: Path) -> None:
    mask, theta0 = mask_of(built(settings), share=0.3), tmp_path / "theta0.safetensors"
    write_mask(tmp_path / "mask.safetensors", mask)
    write_tensors(theta0, states.backbone(built(settings)))
    model = built(settings, num_classes)
    assert dilt.load_ticket(model, str(theta0), str(tmp_path / "mask.safetensors")) == mask
    train(model, OPTIMIZERS["sgd"](model))
    assert revived(model, mask) == 0
    dilt.load_ticket(model, theta0, tmp_path / "mask.safetensors", keep_sparse=False)
    assert revived(model, mask) == 0
    train(model, OPTIMIZERS["sgd"](model), steps=1)
    assert revived(model, mask) > 0
