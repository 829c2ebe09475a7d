"""Exports tickets, trajectories' networks and assemblies from the files of a finished experiment.

The files of a ticket are found here, those of other networks by `run_networks`; `export_folder` writes the folder.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from dilt.data.prepared import read_record
from dilt.exports.cards import Card
from dilt.exports.experiments import Settings, missing, read_settings
from dilt.exports.export_folder import read_export, write_export
from dilt.exports.programs import Kind, Probes, probes, require_packages
from dilt.exports.run_networks import ASSEMBLIES, TRAJECTORY, assembly, trajectory
from dilt.foundations import storage
from dilt.foundations.result_paths import Networks, expression
from dilt.foundations.storage import Tensors
from dilt.networks.weight_files import require_weights
from dilt.settings.evaluation import CLEAN
from dilt.settings.networks import Model
from dilt.tickets.mask_files import read_mask, write_mask
from dilt.tickets.masks import Mask
from dilt.tickets.names import TicketName
from dilt.tickets.pattern import ANY, Pattern

TICKET = re.compile("(?P<folder>.+)/" + expression(Networks.TICKET, seed=r"\d+", round=r"\d+"))
EXAMPLE = "results/digits/seed-0/tickets/round-3/core"


@dataclass(frozen=True)
class Files:
    """The files that a ticket is exported from.

    Attributes:
        weights: trained ones with a head, or an initialisation without, such as theta0.safetensors.
        dataset: dataset.json of the prepared source.
        seed: of the experiment; draws the head where the weights have none.
        scores: tables of test accuracies.
        origin: where the ticket comes from, in words.
        pattern: that the experiment's trajectories keep.
    """

    mask: Path
    weights: Path
    dataset: Path
    model: Model
    seed: int
    resize: Literal["squash", "crop"] = "squash"
    scores: tuple[Path, ...] = ()
    origin: tuple[tuple[str, Any], ...] = ()
    crop_share: float = 1.0
    pattern: Pattern = ANY


def export_ticket(
    ticket: Path | str,
    to: Path | str,
    start: bool = False,
    licence: str | None = None,
    programs: Collection[Kind] = (),
) -> Card:
    """Export a ticket of an experiment, such as ``results/digits/seed-0/tickets/round-3/core``, to a folder.

    Args:
        start: with theta0 (or the ticket's other initialisation) in place of the trained weights.
        licence: that the model card names, as model hubs write it, such as ``mit``.
        programs: ``onnx``, ``pt2`` or both: also write ``model.onnx`` or torch.export's ``model.pt2``, checked against
            the network's outputs on test images.

    Raises:
        ValueError: this is no ticket, its files are damaged or do not belong together, or the network cannot be written
            as such a program.
        FileNotFoundError: a file is missing; the ticket is not trained yet.
    """
    return export_files(ticket_files(Path(ticket), start), Path(to), licence, programs)


def ticket_files(ticket: Path, start: bool = False) -> Files:
    """The files of a ticket, where the stages wrote them; raises as `export_ticket`."""
    found = TICKET.fullmatch(str(ticket))
    if not found:
        raise ValueError(f"{ticket}: not the folder of a ticket; give one such as {EXAMPLE}")
    root, seed, round_ = Path(found["folder"]), int(found["seed"]), int(found["round"])
    settings = read_settings(root)
    transferred = Networks.TRANSFER_SCORES.format(seed=seed, round=round_, target="*", ticket=ticket.name)
    name = TicketName.parse(ticket.name)
    beginning = Networks.REINITIALISED if name.starts_anew else Networks.THETA0

    def of_ticket(place: str) -> Path:
        return root / place.format(seed=seed, round=round_, ticket=ticket.name, draw=name.draw)

    return Files(
        of_ticket(Networks.TICKET_MASK),
        of_ticket(beginning if start else Networks.TICKET_WEIGHTS),
        root / Networks.DATASET.format(dataset="source"),
        settings.model,
        seed,
        settings.resize,
        tuple(path for path in (of_ticket(Networks.TICKET_SCORES), *sorted(root.glob(transferred))) if path.exists()),
        (("experiment", root.name), ("seed", seed), ("round", round_), ("ticket", ticket.name)),
        settings.crop_share,
        settings.pattern,
    )


def export_network(
    place: Path | str,
    to: Path | str,
    row: str | None = None,
    licence: str | None = None,
    programs: Collection[Kind] = (),
) -> Card:
    """Export a trajectory's network, or an assembly, to a folder, as `export_ticket` exports a ticket.

    Args:
        place: a trajectory's round, such as ``results/digits/seed-0/independent/low/round-4``; or a round's assemblies,
            such as ``results/digits/seed-0/assembly/round-3``.
        row: for assemblies, the row of their table as ``<partition>/<assembly>/<core_from>/<readout>``, such as
            ``low/core+specialist-low/mean/head``.
        licence, programs: as of `export_ticket`.

    Raises:
        ValueError: there is no such network, its files are damaged, or it cannot be written as such a program.
        FileNotFoundError: a file is missing; the network is not trained yet.
    """
    place = Path(place)
    is_assembly = bool(ASSEMBLIES.fullmatch(str(place)))
    if not is_assembly and not TRAJECTORY.fullmatch(str(place)):
        raise ValueError(f"{place}: not the folder of a ticket, trajectory or assembly; give one such as {EXAMPLE}")
    if is_assembly and row is None:
        raise ValueError(f"{place}: has many networks; give --row, such as low/core+specialist-low/mean/head")
    root = next(folder.parent for folder in place.parents if folder.name.startswith("seed-"))
    require_packages(programs)
    source = root / Networks.DATASET.format(dataset="source")
    settings, dataset = read_settings(root), read_record(source)
    found = (
        assembly(place, row or "", settings.model, dataset, settings.pattern)
        if is_assembly
        else trajectory(place, dataset)
    )
    origin = {
        "experiment": root.name,
        **found.origin,
        "mask": found.mask.origin,
        **pattern_kept(settings.pattern, found.mask),
        "mask_digest": storage.digest(found.mask.layers),
        "weights_digest": storage.digest(found.state),
        "data": dataset["name"],
        "versions": found.record.get("versions", "unknown"),
    }
    card = _card(settings, found.classes, dataset, origin, found.scores, licence)
    return write_export(
        Path(to), found.state, found.record, found.mask, card, programs, _probes(programs, source, card)
    )


def _card(
    settings: Settings,
    classes: Sequence[str],
    dataset: Mapping[str, Any],
    origin: Mapping[str, Any],
    measured: list[dict[str, Any]],
    licence: str | None,
) -> Card:
    """The card of a network, without settings that load pretrained weights."""
    return Card(
        settings.bare_model,
        tuple(classes),
        tuple(dataset["image_shape"]),
        tuple(dataset["mean"]),
        tuple(dataset["std"]),
        settings.resize,
        origin,
        [{"data": dataset["name"], **row} for row in measured],
        licence=licence,
        crop_share=settings.crop_share,
    )


def _probes(programs: Collection[Kind], source: Path, card: Card) -> Probes | None:
    return probes(source, tuple(card.image_shape)) if programs else None


def export_files(files: Files, to: Path, licence: str | None = None, programs: Collection[Kind] = ()) -> Card:
    """Export a ticket from its files; gives its card. Arguments and errors are those of `export_ticket`."""
    require_packages(programs)
    for path in (files.mask, files.weights, files.dataset):
        if not path.exists():
            raise missing(path, "train the ticket first, or name the file")
    mask, (tensors, record), data = (
        read_mask(files.mask),
        storage.read_tensors(files.weights),
        read_record(files.dataset),
    )
    floating = [name for name, array in tensors.items() if name in mask.layers or array.dtype.kind == "f"]
    require_weights(tensors, floating, files.weights)
    origin = {
        **dict(files.origin),
        "mask": mask.origin,
        **pattern_kept(files.pattern, mask),
        "mask_digest": storage.digest(mask.layers),
        "weights": files.weights.name,
        "weights_digest": storage.digest(tensors),
        "data": data["name"],
        "versions": record.get("versions", "unknown"),
    }
    measured = [row for path in files.scores for row in scores(path, files.dataset.parent.parent)]
    settings = Settings(files.model, files.resize, files.crop_share)
    card = _card(settings, data["classes"], data, origin, measured, licence)
    state = whole(tensors, mask, card, files.seed)
    card = replace(card, trained=state is tensors)
    return write_export(to, state, record, mask, card, programs, _probes(programs, files.dataset, card))


def pattern_kept(pattern: Pattern, mask: Mask) -> dict[str, str]:
    """What a card says of the pattern that trajectories were pruned to: in how many groups of the mask it is kept."""
    if pattern == ANY:
        return {}
    groups = pattern.share(mask).values()
    return {"pattern": f"{pattern}, kept in {sum(k for k, _ in groups)} of {sum(n for _, n in groups)} groups"}


def scores(path: Path, data: Path) -> list[dict[str, Any]]:
    """The test accuracies of a ticket's table, on the source or on a target; those under corruptions are left out.

    Args:
        data: folder of the prepared data sets, which has the names of the targets' data.
    """
    return [
        {
            **_target(row.get("target"), data),
            "measured_on": row.get("target") or f"source, {row['classes']}",
            "protocol": row.get("protocol", "trained"),
            "images": int(row["images"]),
            "accuracy": float(row["accuracy"]),
        }
        for row in storage.read_rows(path)
        if row.get("corruption", CLEAN) == CLEAN
    ]


def _target(name: str | None, data: Path) -> dict[str, str]:
    """The name of a target's data set, as a part of a row of scores; none for the source, which the card knows."""
    dataset = data / str(name) / "dataset.json"
    if name is None:
        return {}
    return {"data": read_record(dataset)["name"] if dataset.exists() else name}


def whole(tensors: Tensors, mask: Mask, card: Card, seed: int) -> Tensors:
    """Every tensor of the network: as trained; or an initialisation under the mask, with a head drawn from the seed."""
    from dilt.networks import architectures, building, states

    head = architectures.heads(building.skeleton(card.model, card.image_shape, len(card.classes)))
    if any(name.startswith(head) for name in tensors):
        return tensors
    model = building.build(card.model, card.image_shape, card.classes, seed, tensors)
    states.apply_mask(model, mask)
    return states.state(model)


def restore(exported: Path, to: Path) -> None:
    """Write mask and weights of an exported ticket as stages write them, into a folder; raises as `read_export`."""
    tensors, record, mask = read_export(exported)
    storage.write_tensors(to / "weights.safetensors", tensors, record)
    write_mask(to / "mask.safetensors", mask)
