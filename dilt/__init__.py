"""Disentangled Lottery Tickets: found, dissected and tested.

The names below are the library; each is loaded when first used, so that ``import dilt`` costs next to nothing.
Stages of the workflow run as ``python -m dilt.<stage>``.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Mask": "tickets.masks",
    "intersection": "tickets.masks",
    "jaccard": "tickets.masks",
    "union": "tickets.masks",
    "claim_table": "answers.claim_table",
    "export_network": "exports.exporting",
    "export_ticket": "exports.exporting",
    "load_exported": "exports.export_folder",
    "read_claims": "answers.claim_table",
    "create_model": "exports.loading",
    "keep_sparse": "exports.sparsity",
    "load_ticket": "exports.loading",
    "make_plain": "exports.sparsity",
    "read_mask": "tickets.mask_files",
    "read_tensors": "foundations.storage",
    "write_mask": "tickets.mask_files",
    "read_representations": "geometry.representations",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dilt' has no attribute '{name}'; it has {', '.join(__all__)}")
    return getattr(import_module(f"dilt.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
