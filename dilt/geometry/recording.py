"""Runs a network on the probes and writes its blocks' activations to a store of `zarr_stores`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dilt.data.batches import in_order
from dilt.data.prepared import Images
from dilt.foundations.progress import Progress
from dilt.geometry import zarr_stores
from dilt.geometry.pooling import pooling
from dilt.geometry.zarr_stores import Place, StoreWriter
from dilt.jobs.checkpoints import Checkpoint
from dilt.networks import architectures
from dilt.networks.devices import autocast, memory_format
from dilt.networks.features import tensor
from dilt.networks.inspection import Layout
from dilt.settings.geometry import Representations

BATCH = 64  # small, to bound memory: flattened, a ResNet-50's blocks take 22 MB for each image


def record(
    model: nn.Module,
    probes: Images,
    settings: Representations,
    device: torch.device,
    precision: str,
    store: StoreWriter,
    checkpoint: Checkpoint,
    layouts: Mapping[str, Layout],
    done: int = 0,
) -> None:
    """Write the pooled outputs of blocks on the probes to a store that already has those of the first ``done`` probes.

    Only the features of one chunk of probes are in memory at a time; if features are flattened, those of one batch.

    Args:
        layouts: what the axes of each block's output are, by the blocks' names in depth order.
    """
    rows = BATCH if settings.pooling == "flat" else zarr_stores.CHUNK_ROWS
    found = architectures.blocks(model, list(layouts))
    kept: dict[str, list[Tensor]] = {name: [] for name in found}
    pooled = pooling(settings)

    def keep(name: str) -> Any:
        return lambda module, inputs, output: kept[name].append(pooled(tensor(output, len(images)), layouts[name]))

    hooks = [module.register_forward_hook(keep(name)) for name, module in found.items()]
    progress = Progress(checkpoint.label, len(probes), done, unit="probe")
    model.to(device, memory_format=memory_format(model, device)).eval()  # type: ignore[call-overload]
    with torch.no_grad(), autocast(device, precision):
        for images in in_order(probes, device, done, BATCH):
            model(images)
            waiting = sum(len(part) for part in next(iter(kept.values())))
            if waiting >= rows or done + waiting == len(probes):
                for depth, (name, module) in enumerate(found.items()):
                    place = Place(depth, stage(name), type(module).__name__)
                    store.write(name, place, done, torch.cat(kept[name]).float().cpu().numpy(), rows)
                    kept[name].clear()
                done += waiting
                if checkpoint.due():
                    store.sync()
                    checkpoint.save({}, {"probes": done})
            progress.advance(units=len(images))
    for hook in hooks:
        hook.remove()
    progress.close()


def stage(name: str) -> str:
    """The part of the network that a block is in, by its name: such as ``layer1`` or ``stages.2.blocks``."""
    return name.rpartition(".")[0] or name
