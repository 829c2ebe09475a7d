"""Disentangled Lottery Tickets: found, dissected and tested.

The names below are the library; each is loaded when first used, so that ``import dilt`` costs next to nothing.
Stages of the workflow run as ``python -m dilt.<stage>``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for type checkers, which do not see names that `__getattr__` looks up
    from dilt.answers.claim_table import claim_table as claim_table
    from dilt.answers.claim_table import read_claims as read_claims
    from dilt.configuration.projects import workflow_folder as workflow_folder
    from dilt.exports.export_folder import load_exported as load_exported
    from dilt.exports.exporting import export_network as export_network
    from dilt.exports.exporting import export_ticket as export_ticket
    from dilt.exports.loading import create_model as create_model
    from dilt.exports.loading import load_ticket as load_ticket
    from dilt.exports.sparsity import keep_sparse as keep_sparse
    from dilt.exports.sparsity import make_plain as make_plain
    from dilt.foundations.storage import read_tensors as read_tensors
    from dilt.geometry.zarr_stores import read_representations as read_representations
    from dilt.tickets.mask_files import read_mask as read_mask
    from dilt.tickets.mask_files import write_mask as write_mask
    from dilt.tickets.masks import Mask as Mask
    from dilt.tickets.masks import intersection as intersection
    from dilt.tickets.masks import jaccard as jaccard
    from dilt.tickets.masks import union as union

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
    "read_representations": "geometry.zarr_stores",
    "workflow_folder": "configuration.projects",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dilt' has no attribute '{name}'; it has {', '.join(__all__)}")
    return getattr(import_module(f"dilt.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
