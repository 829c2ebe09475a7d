"""Networks as programs that run without dilt or timm: ONNX, and what torch.export writes.

Pruned weights are zeros of plain tensors there. Each file is run and compared with the network before it gets its name.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dilt.exports.cards import Program
from dilt.foundations import storage
from dilt.foundations.packages import is_installed

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.export import ExportedProgram

Kind = Literal["onnx", "pt2"]
FILES: dict[Kind, str] = {"onnx": "model.onnx", "pt2": "model.pt2"}
ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
ABOUT = "dilt.json"  # the file inside model.pt2 that says what images the program wants
TOLERANCE = 1e-4  # of the largest output; float32 alone leaves differences of 1e-6
IMAGES = 16  # on which outputs are compared
LARGEST_ONNX = 2**31  # bytes

Run = Callable[["torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True)
class Probes:
    """Images on which programs are compared with the network.

    Attributes:
        images: float32 (num_images, channels, height, width), normalised.
        words: what they are.
    """

    images: torch.Tensor
    words: str


def require_packages(kinds: Collection[Kind]) -> None:
    """Make sure that what writes and runs ONNX is installed, if it is wanted; raises ValueError."""
    missing = [package for package in ONNX_PACKAGES if not is_installed(package)] if "onnx" in kinds else []
    if missing:
        raise ValueError(f"--onnx: {' and '.join(missing)} not installed; run: pip install 'dilt[onnx]'")


def probes(dataset: Path, image_shape: tuple[int, ...]) -> Probes:
    """Test images of a prepared data set, spread over it; where its files are gone, images drawn at random.

    Args:
        dataset: its dataset.json.
        image_shape: (channels, height, width).
    """
    import torch

    from dilt.data.batches import in_order
    from dilt.data.prepared import read_split

    try:
        test = read_split(dataset, "test")
        chosen = test.take(np.linspace(0, len(test) - 1, min(IMAGES, len(test))).astype(int))
        return Probes(torch.cat(list(in_order(chosen, torch.device("cpu")))), f"{len(chosen)} test images")
    except (OSError, ValueError):
        drawn = torch.randn(IMAGES, *image_shape, generator=torch.Generator().manual_seed(0))
        return Probes(drawn, f"{IMAGES} random images, as there are no test images in {dataset.parent}")


def write_programs(
    folder: Path, network: nn.Module, metadata: Mapping[str, Any], kinds: Collection[Kind], given: Probes
) -> list[Program]:
    """Write a network as programs that take normalised images (batch, channels, height, width) and give logits.

    Args:
        network: with pruned weights zero; it is copied and not changed.
        metadata: goes into each file: as JSON by key into an ONNX file's ``metadata_props``, as `ABOUT` into a .pt2.

    Raises:
        ValueError: the network cannot be exported, or a program's outputs are not the network's.
    """
    import torch

    with torch.no_grad():
        expected = network.cpu().eval()(given.images)
    program = _exported(fold(network), given.images)
    writers = {"onnx": _write_onnx, "pt2": _write_pt2}
    written = []
    for kind in kinds:
        path = folder / FILES[kind]
        with storage.replacing(path) as partial:
            run = writers[kind](program, metadata, partial)
            written.append(Program(path.name, compare(run, expected, given, path), given.words))
    return written


def compare(run: Run, expected: torch.Tensor, given: Probes, path: Path) -> float:
    """The largest difference of a program's outputs from the network's, as a fraction of the largest of these.

    The images are run in one batch, and the first of them alone.

    Raises:
        ValueError: it is larger than `TOLERANCE`, or the program does not run.
    """
    with _explained(f"{path}: not written, since it does not run", f"--{path.suffix[1:]}"):
        found, alone = run(given.images), run(given.images[:1])
    error = max(float((found - expected).abs().max()), float((alone - expected[:1]).abs().max()))
    largest = float(expected.abs().max())
    if not error <= TOLERANCE * largest:
        raise ValueError(
            f"{path}: not written, since its outputs differ from the network's by {error:.2g}, on {given.words} with "
            f"outputs up to {largest:.2g}; at most {TOLERANCE:g} of that is expected, so keep to model.safetensors"
        )
    return error / largest if largest else 0.0


@contextmanager
def _explained(finding: str, options: str) -> Iterator[None]:
    """Within the block, errors are a ValueError of one line: torch may raise anything of networks of others."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{finding} ({reason}); leave out {options}") from error


def fold(network: nn.Module) -> nn.Module:
    """A copy without parts of dilt's own: weights are as they are used, pruned ones zero.

    Where weights are standardised before they convolve (`networks.standardised`), the copy has a common convolution
    with the weights that come of it.
    """
    from dilt.networks.architectures import keeps_zeros

    plain = copy.deepcopy(network).eval().requires_grad_(False)
    for module in plain.modules():
        if keeps_zeros(module):
            _fold_standardised(module)  # type: ignore[arg-type]
    return plain


def _fold_standardised(module: nn.Conv2d) -> None:
    """Make a standardising convolution a common one, in place."""
    import torch
    from timm.layers.conv2d_same import Conv2dSame
    from torch import nn
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    used: list[torch.Tensor] = []

    class Listening(TorchFunctionMode):
        """Keeps the weight that convolves."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is functional.conv2d:
                used.append(args[1])
            return func(*args, **(kwargs or {}))

    with torch.no_grad(), Listening():
        module(torch.zeros(1, module.in_channels, *module.kernel_size))
    module.weight.copy_(used[0])
    if hasattr(module, "gain"):
        del module.gain  # is in the weight now
    module.__class__ = Conv2dSame if getattr(module, "same_pad", False) else nn.Conv2d


def _exported(network: nn.Module, images: torch.Tensor) -> ExportedProgram:
    """The program of a network, for batches of any size; raises ValueError if torch cannot make one."""
    import torch

    example = torch.zeros(2, *images.shape[1:])  # a batch of one would be taken for the only size
    with _explained("torch.export does not take the network", "--onnx and --pt2"):
        program = torch.export.export(network, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # has the paths of this machine
    return program


def _write_pt2(program: ExportedProgram, metadata: Mapping[str, Any], path: Path) -> Run:
    import torch

    with open(path, "wb") as file:
        torch.export.save(program, file, extra_files={ABOUT: json.dumps(metadata, indent=2)})
    with open(path, "rb") as file:
        run: Run = torch.export.load(file).module()
    return run


def _write_onnx(program: ExportedProgram, metadata: Mapping[str, Any], path: Path) -> Run:
    import onnxruntime
    import torch

    if sum(tensor.nbytes for tensor in program.state_dict.values()) >= LARGEST_ONNX:
        raise ValueError("--onnx: the network has 2 GiB or more, which no ONNX file holds; take --pt2 in its place")
    with _explained("torch.onnx does not take the network", "--onnx"):
        made = torch.onnx.export(
            program,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: "batch"},),
            verbose=False,
        )
    assert made is not None
    made.model.metadata_props.update({key: json.dumps(value) for key, value in metadata.items()})
    made.save(path)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])
