"""Fixed positions of a Vision Transformer in the place of learnt ones."""

from __future__ import annotations

from typing import Any

from torch import nn


def fix_positions(model: nn.Module, name: str) -> None:
    """Give a ViT's patches sines and cosines of their row and column as positions, which are not trained.

    They are timm's, which are those of MoCo v3 (Chen et al. 2021, arXiv 2104.02057, section 4). Tokens that are no
    patches get none.

    Raises:
        ValueError: the network has no learnt positions of patches.
    """
    from timm.layers.pos_embed_sincos import build_sincos2d_pos_embed

    positions, patches = getattr(model, "pos_embed", None), getattr(model, "patch_embed", None)
    grid: Any = getattr(patches, "grid_size", None)
    if not isinstance(positions, nn.Parameter) or positions.ndim != 3 or grid is None or positions.shape[2] % 4:
        raise ValueError(f"model.positions: {name} has no learnt positions of patches; set it to learned")
    made = build_sincos2d_pos_embed(list(grid), dim=positions.shape[2], device=positions.device)
    others = positions.shape[1] - len(made)  # of class and register tokens, which come first
    positions.data.zero_()
    positions.data[0, others:] = made.to(positions.dtype)
    positions.requires_grad_(False)
