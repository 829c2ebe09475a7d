"""Weights that others saved: what wraps their names is taken off, and what is no finite floating point is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from configurations import assert_told, changed
from safetensors.torch import save_file
from torch import Tensor

import dilt
from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import ConfigError
from dilt.exports.export_folder import read_export
from dilt.foundations.storage import write_tensors
from dilt.networks import pretrained, states
from dilt.networks.weight_files import WRAPPERS, open_weights
from dilt.settings.networks import Model
from dilt.tickets.mask_files import write_mask
from dilt.tickets.masks import Mask

SHAPE = (3, 32, 32)
ARGUMENTS = {"channels": [4, 4, 4, 4]}
CONV, NORM, COUNTER, HEAD = "layer1.0.conv1.weight", "layer2.0.bn1.running_var", "bn1.num_batches_tracked", "fc.weight"


@pytest.fixture(scope="module")
def saved() -> dict[str, Tensor]:
    torch.manual_seed(7)
    return dict(timm.create_model("resnet18", **ARGUMENTS).state_dict())


def theta0(path: Path) -> Any:
    return states.backbone(
        pretrained.build(Model(name="resnet18", arguments=ARGUMENTS, weights=str(path)), SHAPE, "ab", 0)
    )


def value(fill: float) -> Callable[[Tensor], Tensor]:
    def put(tensor: Tensor) -> Tensor:
        changed = tensor.clone()
        changed.view(-1)[1] = fill
        return changed

    return put


# Which tensor is changed to what, and the line that tells it after the file's name.
REFUSED: list[tuple[str, str, Callable[[Tensor], Tensor], str]] = [
    ("NaN", CONV, value(float("nan")), "'...' has 1 of 2304 values NaN or infinite; give a file of weights that work"),
    ("infinite", CONV, value(float("inf")), "'...' has 1 of 2304 values NaN or infinite; ..."),
    ("minus infinity", CONV, value(float("-inf")), "'...' has 1 of 2304 values NaN or infinite; ..."),
    ("NaN in a statistic", NORM, value(float("nan")), "'...' has 1 of 4 values NaN or infinite; ..."),
    (
        "NaN of 16 bits",
        CONV,
        lambda t: value(float("nan"))(t.half()),
        "'...' has 1 of 2304 values NaN or infinite; ...",
    ),
    ("infinite bfloat16", CONV, lambda t: value(float("inf"))(t.bfloat16()), "'...' has 1 of 2304 values NaN or ..."),
    ("overflow", CONV, lambda t: value(1e300)(t.double()), "'...' has values up to 1e+300, too large for float32"),
    ("int8 codes", CONV, lambda t: (t * 127).to(torch.int8), "'...' is of type I8, which is no floating point of ..."),
    ("uint8 codes", NORM, lambda t: t.to(torch.uint8), "'...' is of type U8, which is no floating point of ..."),
    (
        "truth values",
        CONV,
        lambda t: t > 0,
        "'...' is of type BOOL, which is no floating point of 16 bits or more; ...",
    ),
    (
        "float8",
        CONV,
        lambda t: t.to(torch.float8_e4m3fn),
        "'...' is of type F8_E4M3, which is no floating point of ...",
    ),
    ("complex", CONV, lambda t: t.to(torch.complex64), "'...' is of type C64, which is no floating point of ..."),
    ("empty", "bn1.bias", lambda t: t[:0], "is of another model: '...' is 0 in the file, 64 in the model; choose ..."),
]


@pytest.mark.parametrize(("name", "change", "line"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_what_is_no_finite_floating_point_is_refused_before_any_job_and_in_it(
    saved: dict[str, Tensor], tmp_path: Path, prefix: str, name: str, change: Callable[[Tensor], Tensor], line: str
) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({f"{prefix}{key}": tensor for key, tensor in (saved | {name: change(saved[name])}).items()}, path)
    told = f"model.weights: '{path}'{': ' if not line.startswith('is') else ' '}{line}"
    values = changed({"model": {"name": "resnet18", "arguments": ARGUMENTS, "weights": str(path)}})
    with pytest.raises(ConfigError) as before:
        parse_config(values, "mine.yaml")
    assert_told(str(before.value), f"mine.yaml: {told}")
    assert name in str(before.value)
    with pytest.raises(ValueError, match=r"weight|model") as within:
        theta0(path)
    assert_told(str(within.value), told)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_other_floating_point_becomes_float32_and_a_line_says_so(
    saved: dict[str, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: torch.dtype
) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({key: tensor.to(kind) for key, tensor in saved.items()}, path)  # counters too, as some tools do
    found = theta0(path)
    assert {array.dtype for name, array in found.items() if "num_batches" not in name} == {np.dtype("float32")}
    assert all(np.array_equal(array, saved[name].to(kind).float().numpy()) for name, array in found.items())
    assert "are converted to float32" in capsys.readouterr().out


def test_a_head_and_counters_may_be_anything(saved: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    odd = {HEAD: torch.full((7, 4), float("nan")), COUNTER: torch.tensor(3), "layer1.0.bn1.num_batches_tracked": None}
    save_file({key: tensor for key, tensor in (saved | odd).items() if tensor is not None}, path)
    found = theta0(path)
    assert found[COUNTER] == 3
    assert np.array_equal(found[CONV], saved[CONV].numpy())


@pytest.mark.parametrize("prefix", [*(f"{name}." for name in WRAPPERS), "module._orig_mod.model.", "_orig_mod.module."])
def test_what_stands_before_every_name_is_taken_off_and_said(
    saved: dict[str, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str], prefix: str
) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({f"{prefix}{key}": tensor for key, tensor in saved.items()}, path)
    found = theta0(path)
    assert all(np.array_equal(array, saved[name].numpy()) for name, array in found.items())
    said = f"model.weights: '{path}': '{prefix}' stands before every name and is taken off"
    assert said in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    "names",
    [
        lambda key: key if key.startswith("layer1") else f"module.{key}",
        lambda key: f"module.{key}" if key == CONV else key,
        lambda key: f"model.{key}" if key.startswith("layer1") else f"model._orig_mod.{key}",
    ],
)
def test_a_prefix_before_some_names_only_is_told(
    saved: dict[str, Tensor], tmp_path: Path, names: Callable[[str], str]
) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({names(key): tensor for key, tensor in saved.items()}, path)
    with pytest.raises(ValueError, match=r"weight|model") as told:
        theta0(path)
    assert_told(str(told.value), f"model.weights: '{path}': '...' stands before ... of 128 names, but not before '...")


def test_a_training_s_whole_state_is_told(saved: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    both = {
        f"{copy}.{key}": tensor.clone() for key, tensor in saved.items() for copy in ("state_dict", "state_dict_ema")
    }
    save_file(both, path)
    with pytest.raises(
        ValueError, match=r"'state_dict\.' stands before 128 of 256 names, but not before 'state_dict_ema"
    ):
        theta0(path)
    save_file({f"model.{key}": tensor for key, tensor in saved.items()} | {"criterion.weight": torch.ones(2)}, path)
    with pytest.raises(
        ValueError, match=r"'model\.' stands before 128 of 129 names, but not before 'criterion\.weight'"
    ):
        theta0(path)


def test_a_name_of_the_network_s_own_is_no_prefix(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_file({"encoder.a.weight": torch.ones(2), "encoder.b.weight": torch.ones(2)}, path)
    assert open_weights(path, "it", ["encoder.a.weight", "encoder.b.weight"]).prefix == ""
    assert open_weights(path, "it", ["a.weight", "b.weight"]).prefix == "encoder."
    assert open_weights(path, "it", ["c.weight"]).prefix == "encoder."


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("layer1.0.conv1.lora_A", "(an adapter: merge it into the weights first); choose ..."),
        ("layer1.0.conv1.lora_A.default.weight", "(an adapter: merge it into the weights first); choose ..."),
        ("layer1.0.conv1.weight_scale", "...; choose the model that it was saved from"),
        ("layer1.0.conv1.scale", "...; choose the model that it was saved from"),
        ("optimizer.exp_avg.0", "...; choose the model that it was saved from"),
    ],
)
def test_tensors_that_the_network_lacks_are_told(
    saved: dict[str, Tensor], tmp_path: Path, name: str, line: str
) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(saved | {name: torch.ones(2, 2)}, path)
    with pytest.raises(ValueError, match=r"weight|model") as told:
        theta0(path)
    assert_told(str(told.value), f"model.weights: '{path}' is of another model: '{name}' is not in the model...{line}")


def test_a_part_of_several_files_is_told(saved: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "model-00001-of-00002.safetensors"
    save_file({key: tensor for key, tensor in saved.items() if not key.startswith("layer4")}, path)
    with pytest.raises(ValueError, match=r"is not in the file \(one of several that belong together: join them"):
        theta0(path)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("model.safetensors.index.json", "is the index of a model in several files; join them once: ..."),
        ("model.pth", "is no .safetensors file; pickled weights can run code: convert them once ..."),
        ("pytorch_model.bin", "is no .safetensors file; pickled weights can run code: convert them once ..."),
        ("last.ckpt", "is no .safetensors file; pickled weights can run code: convert them once ..."),
        (
            "model.onnx",
            "is no .safetensors file; save the network's state_dict once with safetensors.torch.save_file...",
        ),
        ("a{seed}/model.safetensors", "has braces or angle brackets, by which Snakemake names wildcards; rename ..."),
        ("a<results>.safetensors", "has braces or angle brackets, by which Snakemake names wildcards; rename ..."),
        (".", "is no .safetensors file; ..."),
    ],
)
def test_files_of_other_kinds_are_told(file: str, line: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse_config(changed({"model": {"name": "resnet18", "weights": file}}), "mine.yaml")
    assert_told(str(told.value), f"mine.yaml: model.weights: '{file}' {line}")


def test_what_timm_has_downloaded_is_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    real = timm.create_model

    def spoilt(*names: Any, pretrained: bool, **arguments: Any) -> Any:
        model = real(*names, **arguments)
        with torch.no_grad():
            model.bn1.weight[0] = float("nan")
        return model

    monkeypatch.setattr(timm, "create_model", spoilt)
    settings = Model(name="resnet18", arguments=ARGUMENTS | {"pretrained": True})
    with pytest.raises(ValueError, match=r"^model\.arguments\.pretrained: 'bn1\.weight' of resnet18 has values NaN"):
        pretrained.build(settings, SHAPE, "ab", 0)


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (
            lambda a: np.where(a == a.max(), np.nan, a),
            "'conv1.weight' has values NaN, infinite or too large for float32",
        ),
        (lambda a: a.astype(np.float64) * 1e300, "'conv1.weight' has values NaN, infinite or too large for float32"),
        (lambda a: (a * 127).astype(np.int8), "'conv1.weight' is of type int8, which is no floating point"),
    ],
)
def test_a_ticket_of_no_weights_is_refused(
    saved: dict[str, Tensor], tmp_path: Path, spoil: Callable[[Any], Any], line: str
) -> None:
    model = timm.create_model("resnet18", **ARGUMENTS)
    arrays = states.backbone(model)
    arrays["conv1.weight"] = spoil(arrays["conv1.weight"])
    write_tensors(tmp_path / "theta0.safetensors", arrays)
    write_mask(tmp_path / "mask.safetensors", Mask.full({"conv1.weight": arrays["conv1.weight"].shape}))
    with pytest.raises(ValueError, match=r"weight|model") as told:
        dilt.load_ticket(model, tmp_path / "theta0.safetensors", tmp_path / "mask.safetensors")
    assert_told(str(told.value), f"{tmp_path}/theta0.safetensors: {line}; ...")


def test_a_file_that_dilt_did_not_write_is_told_and_not_to_be_deleted(saved: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(saved, tmp_path / "resnet.safetensors")
    with pytest.raises(ValueError, match=r"resnet\.safetensors: not written by dilt; give weights of an experiment"):
        dilt.load_ticket(timm.create_model("resnet18", **ARGUMENTS), tmp_path / "resnet.safetensors", tmp_path / "mask")


def test_an_export_that_others_saved_anew_is_read_the_same_way(saved: dict[str, Tensor], tmp_path: Path) -> None:
    write_mask(tmp_path / "mask.safetensors", Mask.full({CONV: tuple(saved[CONV].shape)}))
    path = tmp_path / "model.safetensors"

    def told(tensors: dict[str, Tensor]) -> str:
        save_file(tensors, path)
        with pytest.raises(ValueError, match=r"weight|model") as error:
            read_export(tmp_path)
        return str(error.value)

    assert_told(
        told(saved | {CONV: value(float("nan"))(saved[CONV])}), f"{path}: '{CONV}' has 1 of 2304 values NaN ..."
    )
    assert_told(told(saved | {NORM: saved[NORM].to(torch.int8)}), f"{path}: '{NORM}' is of type I8, ...")
    save_file({f"module.{key}": tensor.bfloat16() for key, tensor in saved.items()}, path)
    tensors, record, _ = read_export(tmp_path)
    assert record == {}
    assert tensors
    assert all(np.array_equal(array, saved[key].bfloat16().float()) for key, array in tensors.items())
