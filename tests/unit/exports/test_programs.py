"""Facts about networks as programs: they compute what the network does, from plain weights with the mask's zeros."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from small_networks import MLP, RESNET, VIT, mask_of
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

import dilt
from dilt.data.prepared import read_split
from dilt.exports import programs
from dilt.exports.cards import Card
from dilt.exports.programs import Probes
from dilt.foundations.storage import read_json
from dilt.networks import building, states
from dilt.settings.networks import Model
from dilt.tickets.masks import Mask
from tests.unit.exports.test_exporting import DATA, command, experiment

CONVNEXT = Model(name="convnext_atto", arguments={"depths": [1, 1, 1, 1], "dims": [4, 4, 4, 4]})
NORMALISER_FREE = Model(name="test_nfnet")
HYBRID = Model(name="vit_tiny_r_s16_p8_224", arguments={"img_size": 32, "depth": 1})
NETWORKS = [MLP, RESNET, VIT, CONVNEXT, NORMALISER_FREE, HYBRID]
SHAPE = (1, 32, 32)


class Written(NamedTuple):
    """A folder with both programs of a network."""

    folder: Path
    network: nn.Module
    mask: Mask


def pruned(settings: Model) -> tuple[nn.Module, Mask]:
    """A network without zeros but those of its mask, as trained ones are; biases, gains and statistics differ too."""
    model = building.build(settings, SHAPE, DATA.classes, 0)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point() and (tensor.ndim < 2 or not tensor.any()):
                tensor.add_(torch.rand_like(tensor) / 2 + 0.1)
        for name, gain in model.named_parameters():
            if name.endswith("gain"):
                gain.fill_(1.5)
    mask = mask_of(model, share=0.3)
    states.apply_mask(model, mask)
    return model, mask


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda settings: settings.name)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("programs")
    network, mask = pruned(request.param)
    before = states.state(network)
    shown = Probes(torch.randn(6, *SHAPE), "6 images")
    found = programs.write_programs(folder, network, {}, ("onnx", "pt2"), shown)
    assert [program.name for program in found] == ["model.onnx", "model.pt2"]
    assert all(0 <= program.difference < programs.TOLERANCE for program in found)
    assert all(np.array_equal(states.state(network)[name], array) for name, array in before.items())
    return Written(folder, network, mask)


def test_a_program_computes_what_the_network_does_for_any_number_of_images(written: Written) -> None:
    session = onnxruntime.InferenceSession(written.folder / "model.onnx")
    program = torch.export.load(written.folder / "model.pt2").module()
    for number in (1, 3, 5):
        images = torch.randn(number, *SHAPE)
        with torch.no_grad():
            expected = written.network(images)
        (found,) = session.run(["logits"], {"images": images.numpy()})
        close = {"rtol": 0, "atol": 1e-5 * float(expected.abs().max())}
        torch.testing.assert_close(torch.from_numpy(found), expected, **close)
        torch.testing.assert_close(program(images), expected, **close)


def test_a_program_s_weights_are_plain_and_their_zeros_are_the_mask_s(written: Written) -> None:
    folder, network, mask = written
    graph = onnx.load(folder / "model.onnx").graph
    arrays = [numpy_helper.to_array(tensor) for tensor in graph.initializer]
    assert sum(int((array == 0).sum()) for array in arrays if array.ndim > 1) == mask.size - mask.count

    program = torch.export.load(folder / "model.pt2")
    assert set(program.state_dict) == {name for name in states.state(network) if not name.endswith(".gain")}
    for name in mask.names:
        assert np.array_equal(program.state_dict[name].numpy() != 0, mask[name]), name
    assert not program.constants, "no mask is among what the program needs"
    for file in programs.FILES.values():
        assert str(Path(torch.__file__).parent).encode() not in (folder / file).read_bytes(), "a path of this machine"


def test_standardised_weights_are_those_that_convolve() -> None:
    class Seen(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is functional.conv2d:
                weights.append(args[1])
            return func(*args, **(kwargs or {}))

    network, _ = pruned(NORMALISER_FREE)
    both: list[list[Tensor]] = []
    for model in (network, programs.fold(network)):
        weights: list[Tensor] = []
        with torch.no_grad(), Seen():
            model.eval()(torch.randn(1, *SHAPE))
        both.append(weights)
    assert len(both[0]) == len(both[1]) > 5
    assert all(torch.equal(theirs, ours) for theirs, ours in zip(*both, strict=True))


def test_a_program_of_other_outputs_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrongly(network: nn.Module) -> nn.Module:
        other = fold(network)
        with torch.no_grad():
            for weight in other.parameters():
                weight.mul_(1.001)
        return other

    fold = programs.fold
    network, _ = pruned(RESNET)
    monkeypatch.setattr(programs, "fold", wrongly)
    for kind, file in programs.FILES.items():
        with pytest.raises(ValueError, match=rf"{file}: not written, since its outputs differ from the network's by"):
            programs.write_programs(tmp_path, network, {}, [kind], Probes(torch.randn(2, *SHAPE), "2 images"))
    assert list(tmp_path.iterdir()) == []


class Choosing(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images if images.sum() > 0 else -images


def test_a_network_that_torch_cannot_write_is_told_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Probes(torch.ones(2, 3), "2 images")
    line = r"^torch\.export does not take the network \(.+\); leave out --onnx and --pt2$"
    with pytest.raises(ValueError, match=line):
        programs.write_programs(tmp_path, Choosing(), {}, ["pt2"], shown)
    monkeypatch.setattr(programs, "LARGEST_ONNX", 10)
    with pytest.raises(ValueError, match="--onnx: the network has 2 GiB or more"):
        programs.write_programs(tmp_path, nn.Linear(3, 2), {}, ["onnx"], shown)
    line = r"model\.pt2: not written, since it does not run \(.*zero\); leave out --pt2$"
    with pytest.raises(ValueError, match=line):
        programs.compare(lambda _: torch.ones(1 // 0), shown.images, shown, Path("model.pt2"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [lambda images: images * torch.nan, lambda images: images + (len(images) == 1)])
def test_outputs_that_are_no_number_or_wrong_for_a_single_image_differ(wrong: Any) -> None:
    images = torch.randn(4, 3)
    given = Probes(images, "4 images")
    assert programs.compare(lambda images: images, images, given, Path("model.onnx")) == 0
    with pytest.raises(ValueError, match="not written"):
        programs.compare(wrong, images, given, Path("model.onnx"))


def test_a_ticket_is_exported_with_programs_that_say_what_images_they_want(tmp_path: Path) -> None:
    ticket, to = experiment(tmp_path, RESNET), tmp_path / "exported"
    ran = command(ticket, "--to", to, "--onnx", "--pt2")
    assert ran.returncode == 0, ran.stderr
    first, second, _ = ran.stdout.splitlines()
    assert first.startswith(f"{to}/model.onnx: outputs differ from the network's by at most ")
    assert second.startswith(f"{to}/model.pt2: outputs differ from the network's by at most ")
    assert first.endswith(" of the largest, on 16 test images")

    told = {prop.key: json.loads(prop.value) for prop in onnx.load(to / "model.onnx").metadata_props}
    extra = {programs.ABOUT: ""}
    program = torch.export.load(to / "model.pt2", extra_files=extra).module()
    assert json.loads(extra[programs.ABOUT]) == told
    config = read_json(to / "config.json")
    for key in ("input_size", "mean", "std", "interpolation", "crop_pct", "crop_mode"):
        assert told[key] == config["pretrained_cfg"][key]
    assert told["label_names"] == list(DATA.classes)
    assert (told["live"], told["prunable"]) == (config["dilt"]["live"], config["dilt"]["prunable"])
    assert told["origin"]["ticket"] == "core"

    test = read_split(ticket.parents[3] / "data/source/dataset.json", "test")
    mean, std = (np.array(told[key], np.float32)[:, None, None] for key in ("mean", "std"))
    wanted = ((np.asarray(test.pixels[np.arange(9)]) / 255 - mean) / std).astype(np.float32)
    (logits,) = onnxruntime.InferenceSession(to / "model.onnx").run(None, {"images": wanted})
    with torch.no_grad():
        expected = dilt.load_exported(to)(torch.from_numpy(wanted))
        found = program(torch.from_numpy(wanted))
    torch.testing.assert_close(torch.from_numpy(logits), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)

    dilt.export_ticket(ticket, to)
    assert not any((to / file).exists() for file in programs.FILES.values()), "of the export before"


def test_without_test_images_others_are_compared_on(tmp_path: Path) -> None:
    ticket = experiment(tmp_path, MLP)
    (ticket.parents[3] / "data/source/test-images.npy").unlink()
    card: Card = dilt.export_ticket(ticket, tmp_path / "exported", programs=["pt2"])
    assert card.programs[0].images.startswith("16 random images, as there are no test images in ")


def test_a_missing_package_is_told_with_the_extra_that_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "is_installed", lambda name: name != "onnxscript")
    ticket = experiment(tmp_path, MLP)
    with pytest.raises(ValueError, match=r"^--onnx: onnxscript not installed; run: pip install 'dilt\[onnx\]'$"):
        dilt.export_ticket(ticket, tmp_path / "exported", programs=["onnx"])
    assert not (tmp_path / "exported").exists()
    dilt.export_ticket(ticket, tmp_path / "exported", programs=["pt2"])
