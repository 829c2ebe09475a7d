"""Facts about how numbers are computed: what is chosen automatically, what is recorded, and that nothing waits."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import images
from small_networks import ADAMW, CPU, MLP, SGD, mask_of, network, train_in
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from dilt.networks import building, devices
from dilt.settings.training import Training
from dilt.training.loop import Loop, Work

INTEL = "vendor_id : GenuineIntel\nflags : fpu avx512f avx512_bf16\n"
SAPPHIRE = "vendor_id : GenuineIntel\nflags : fpu avx512f avx512_bf16 amx_bf16\n"
EPYC = "vendor_id : AuthenticAMD\nflags : fpu avx512f avx512_bf16\n"
OLD_EPYC = "vendor_id : AuthenticAMD\nflags : fpu avx2\n"


@pytest.mark.parametrize(
    ("processor", "precision"),
    [(INTEL, "float32"), (SAPPHIRE, "bfloat16"), (EPYC, "bfloat16"), (OLD_EPYC, "float32"), (None, "float32")],
)
def test_auto_is_bfloat16_where_the_processor_is_faster_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processor: str | None, precision: str
) -> None:
    description = tmp_path / "cpuinfo"
    if processor:
        description.write_text(processor)
    monkeypatch.setattr(devices, "CPU_DESCRIPTION", description)
    assert devices.resolve("auto", CPU) == precision
    assert devices.choices(CPU, SGD.model_copy(update={"precision": "auto"}), network())[1].startswith(precision)
    with devices.autocast(CPU, "auto"):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if precision == "bfloat16" else torch.float32)


@pytest.mark.parametrize("precision", ["float32", "tf32", "bfloat16"])
def test_a_precision_that_is_asked_for_is_used_and_recorded(precision: str) -> None:
    settings = SGD.model_copy(update={"precision": precision})
    assert devices.resolve(precision, CPU) == precision
    model = network()
    assert devices.numerics([CPU], settings, model) == f"cpu with {torch.get_num_threads()} thread(s), {precision}"
    assert devices.numerics([CPU, CPU], settings, model).endswith(f"{precision}, 2 ranks")


def test_it_is_told_why_a_training_is_computed_as_it_is() -> None:
    asked = SGD.model_copy(update={"compile": "always", "precision": "tf32"})
    narrow = nn.Sequential(nn.Conv2d(3, 4, 1, stride=2))
    assert devices.choices(CPU, asked, narrow)[0].startswith(
        "contiguous, as with channels last the backward pass of 0,"
    )
    assert devices.choices(torch.device("cuda"), asked, narrow) == [
        "channels last, in which convolutions are fastest",
        "tf32, as training.precision says",
        "compiled, as training.compile says so",
    ]


def test_networks_are_compiled_on_gpus_that_need_not_be_deterministic_or_where_asked_for() -> None:
    gpu = torch.device("cuda")
    loose = SGD.model_copy(update={"deterministic": False})
    assert [devices.compiles(settings, gpu) for settings in (SGD, loose)] == [False, True]
    assert not devices.compiles(loose, CPU)
    assert devices.compiles(SGD.model_copy(update={"compile": "always"}), CPU)
    assert not devices.compiles(loose.model_copy(update={"compile": "never"}), gpu)


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler on the CPU")
def test_a_compiled_network_trains_as_torch_s_own_kernels_do(tmp_path: Path) -> None:
    data = images()
    mask = mask_of(building.build(MLP, data.image_shape, data.classes, 0))
    weights = []
    for compile_ in ("never", "always"):
        model = building.build(MLP, data.image_shape, data.classes, 0)
        weights.append(train_in(tmp_path / compile_, model, mask, SGD.model_copy(update={"compile": compile_}))[0])
    assert weights[0].keys() == weights[1].keys()
    for name, array in weights[0].items():
        assert np.allclose(array, weights[1][name], rtol=1e-3, atol=1e-5), name
    for name in mask.names:
        assert not weights[1][name][~mask[name]].any()


class Waits(TorchDispatchMode):
    """Counts operations that make the host wait for what a device has computed."""

    NAMES = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "unique")

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += any(func.name().startswith(f"aten::{name}") for name in self.NAMES)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "settings", [SGD, ADAMW.model_copy(update={"augmentation": "crop-flip"})], ids=["sgd", "adamw"]
)
def test_the_host_does_not_wait_between_two_steps(settings: Training) -> None:
    loop = Loop(Work(network(), images(), mask_of(network()), settings, 0, "full"), CPU)
    with Waits() as waits:
        for _ in loop.steps():
            pass
        assert waits.count == 0
        loop.loss_sum.item()
        assert waits.count == 1, "a wait is counted"
