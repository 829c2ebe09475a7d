"""Disentangled Lottery Tickets: found, dissected and tested.

The names below are the library; each is loaded when first used, so that ``import dilt`` costs next to nothing.
Stages of the workflow run as ``python -m dilt.<stage>``.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Mask": "masks",
    "intersection": "masks",
    "jaccard": "masks",
    "union": "masks",
    "claim_table": "claims",
    "export_network": "export",
    "export_ticket": "export",
    "load_exported": "exports",
    "read_claims": "claims",
    "create_model": "networks",
    "keep_sparse": "sparsity",
    "load_ticket": "networks",
    "make_plain": "sparsity",
    "read_mask": "mask_storage",
    "read_tensors": "storage",
    "write_mask": "mask_storage",
    "read_representations": "representations",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dilt' has no attribute '{name}'; it has {', '.join(__all__)}")
    return getattr(import_module(f"dilt.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
