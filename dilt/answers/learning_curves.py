"""Validation accuracy over epochs of all that is trained on the source, by kind of network: is it trained at all?

A kind of trajectory is, say, that of the siblings; a kind of ticket is its name without its partition and draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dilt.tickets.names import TicketName
from dilt.tickets.trajectories import FULL, SIBLING, split_number

if TYPE_CHECKING:
    import pandas as pd

TRAJECTORY, TICKET = "trajectory", "ticket"
PARTITIONS, SIBLINGS, ALL, SPLITS, COLT = "partitions", "siblings", "all classes", "random splits", "COLT"
KINDS = (PARTITIONS, SIBLINGS, ALL, SPLITS, COLT)
CURVE = ["of", "kind", "round"]
COLUMNS = [*CURVE, "epoch", "networks", "lowest", "median", "highest", "chance"]


def learning_curves(training: pd.DataFrame, ticket_training: pd.DataFrame, ticket_scores: pd.DataFrame) -> pd.DataFrame:
    """A row per kind of network, round and epoch (`COLUMNS`): validation accuracies as fractions.

    ``networks`` are the seeds, times partitions and draws where a kind has several; ``lowest``, ``median`` and
    ``highest`` are over them; ``chance`` is the share of the commonest class, the largest where classes differ.

    Args:
        training, ticket_training: a row per epoch of each trajectory's round, and of each ticket.
        ticket_scores: tells the chance level of all classes and of each partition's.
    """
    import pandas as pd

    chance = ticket_scores.groupby("classes")["chance"].max()
    partitions = [name for name in chance.index if name != "all"]
    seen = [_classes(name, partitions) for name in training["trajectory"]]
    runs = training.assign(
        of=TRAJECTORY,
        kind=[_kind(*run) for run in training[["coupling", "trajectory"]].itertuples(index=False, name=None)],
        chance=chance.loc[seen].to_numpy(),
    ).sort_values("kind", key=lambda kinds: kinds.map(KINDS.index), kind="stable")
    tickets = ticket_training.assign(
        of=TICKET, kind=[TicketName.parse(name).family for name in ticket_training["ticket"]], chance=chance["all"]
    )
    shared = [*CURVE, "epoch", "chance", "validation_accuracy"]
    groups = pd.concat([runs[shared], tickets[shared]]).groupby([*CURVE, "epoch"], sort=False)
    accuracy = groups["validation_accuracy"]
    found: dict[str, Any] = {"networks": accuracy.size(), "lowest": accuracy.min(), "median": accuracy.median()}
    table = pd.DataFrame(found | {"highest": accuracy.max(), "chance": groups["chance"].max()}).reset_index()
    place = table.groupby(["of", "kind"], sort=False).ngroup()
    in_order: pd.DataFrame = table.assign(place=place).sort_values(["place", "round", "epoch"], kind="stable")
    return in_order[COLUMNS].reset_index(drop=True)


def _kind(coupling: str, trajectory: str) -> str:
    """Of a trajectory under a coupling."""
    if coupling == "cyclic":
        return COLT
    if trajectory == FULL:
        return ALL
    if split_number(trajectory):
        return SPLITS
    return SIBLINGS if trajectory.endswith(SIBLING) else PARTITIONS


def _classes(trajectory: str, partitions: list[str]) -> str:
    """The classes that a trajectory sees, as tables of scores name them."""
    own = trajectory.removesuffix(SIBLING)
    return own if own in partitions else "all"
