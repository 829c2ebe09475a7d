"""What each ticket is, in a sentence: the texts of the report's glossary of tickets.

How masks are made belongs to `making`; which tickets there are, to `selection`.
"""

from __future__ import annotations

from collections.abc import Mapping

from dilt.tickets.names import (
    CONSENSUS,
    NULL_CORE,
    NULL_SPECIALIST,
    NULL_UNION,
    REINITIALISED,
    SPECIALIST,
    SPLIT_CORE,
    SPLIT_UNION,
    WITH_NULL,
    WITH_SPECIALIST,
    TicketName,
)
from dilt.tickets.selection import SAME_ROUNDS

# Tickets that stand by themselves; {p} is their partition, {k} the number of votes.
_BY_ITSELF = {
    "dense": "All weights: nothing is pruned.",
    "core": "The weights that all partitions kept, each in its own trajectory.",
    "union": "The weights that any partition kept.",
    "lth": "What the trajectory on all source classes kept: the lottery ticket as it was first proposed.",
    "colt": "What the partitions kept in common, where after every round all go on from that: COLT's consensus.",
    "random": "Random weights, in every layer as many as LTH has.",
    SPECIALIST: "The weights that {p} kept and no other partition did.",
    WITH_SPECIALIST: "The core and the specialist of {p}, as one mask.",
    NULL_SPECIALIST: "The weights that {p} kept and its sibling did not: what two runs differ by through data order "
    "alone.",
    CONSENSUS: "The weights that at least {k} partitions kept.",
}
# What x of a matched ticket x@y is; {y} is the ticket whose number of weights it has.
_MATCHED = {
    "lth": "LTH at the size of {y}: the last of its rounds that is at least as dense, pruned once more.",
    "colt": "COLT at the size of {y}: the last of its rounds that is at least as dense, pruned once more.",
    SAME_ROUNDS: "LTH pruned to the size of {y} in as many rounds as the core took, by the same rate in each.",
    "random": "Random weights, in every layer as many as {y} has.",
    "shuffled": "The mask of {y} with every layer's outputs and inputs in another order: as many weights per output "
    "and input, but other ones.",
    REINITIALISED: "The mask of {y}, with another initialisation in place of theta0.",
    "initial-magnitude": "The largest weights of theta0, in every layer as many as {y} has.",
    NULL_CORE: "What {p} and its sibling both kept, brought to the size of {y}: the core if partitions differed no "
    "more than two runs do by data order alone.",
    NULL_UNION: "What {p} or its sibling kept, brought to the size of {y}: the union if partitions differed no more "
    "than two runs do by data order alone.",
    NULL_SPECIALIST: "What {p} kept and its sibling did not, brought to the size of {y}: what is special through data "
    "order alone.",
    WITH_NULL: "The core and what the sibling of {p} kept and {p} did not, brought to the size of {y}.",
    "core+random": "The core and random weights, together in every layer as many as {y} has.",
    SPLIT_CORE: "What runs on disjoint random parts of the images of all classes all kept, at the size of {y}: the "
    "core if classes were not disjoint.",
    SPLIT_UNION: "What any of the runs on disjoint random parts of the images of all classes kept, at the size of {y}: "
    "the union if classes were not disjoint.",
    "snip": "The weights of theta0 that the loss changes most with (SNIP), at the size of {y}.",
    "grasp": "The weights of theta0 without which the flow of gradients falls most (GraSP), at the size of {y}.",
    "synflow": "The weights of theta0 that most passes through (SynFlow), at the size of {y}.",
}


def meaning(ticket: str, defined: Mapping[str, str]) -> str:
    """What a ticket is, in a sentence.

    Args:
        defined: the user's own tickets: what each is made of, by name.
    """
    name = TicketName.parse(ticket)
    if name.reference is None:
        told = _BY_ITSELF.get(name.method) or f"A ticket of the user's own: {defined[ticket]}."
    else:
        told = _MATCHED[name.method]
    partitions = " and ".join(name.partitions)
    several = len(name.partitions) > 1
    told = told.replace("the specialist of {p}", "the specialists of {p}") if several else told
    drawn = f" Draw {name.draw}." if name.draw > 1 else ""
    return told.format(p=partitions, k=name.votes, y=name.reference) + drawn
