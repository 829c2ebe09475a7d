"""Disentangled Lottery Tickets: found, dissected and tested.

The names below are the library; each is loaded when first used, so that ``import dilt`` costs next to nothing.
Stages of the workflow run as ``python -m dilt.<stage>``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same for type checkers, which see no names that are looked up
    from dilt.claims import claim_table as claim_table
    from dilt.claims import read_claims as read_claims
    from dilt.export import export_network as export_network
    from dilt.export import export_ticket as export_ticket
    from dilt.exports import load_exported as load_exported
    from dilt.mask_storage import read_mask as read_mask
    from dilt.mask_storage import write_mask as write_mask
    from dilt.masks import Mask as Mask
    from dilt.masks import intersection as intersection
    from dilt.masks import jaccard as jaccard
    from dilt.masks import union as union
    from dilt.networks import create_model as create_model
    from dilt.networks import load_ticket as load_ticket
    from dilt.representations import read_representations as read_representations
    from dilt.sparsity import keep_sparse as keep_sparse
    from dilt.sparsity import make_plain as make_plain
    from dilt.storage import read_tensors as read_tensors

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
