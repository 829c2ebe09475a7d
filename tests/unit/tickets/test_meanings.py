"""Facts about the sentences on tickets: every ticket that there can be has one, which names its own parts."""

import re

import pytest

from dilt.tickets.meanings import meaning
from dilt.tickets.selection import possible_names

PARTITIONS = ("ants", "bees", "cats")
JOINED = ["core+specialist-ants+specialist-cats", "lth@core+specialist-ants+specialist-cats"]


@pytest.mark.parametrize("name", [*possible_names(PARTITIONS, ["mine"]), *JOINED])
def test_every_ticket_has_a_sentence_without_gaps(name: str) -> None:
    told = meaning(name, {"mine": "bees & full"})
    assert re.fullmatch(r"[^{}]+\.", told)
    if name != "mine":
        assert [p for p in PARTITIONS if p in told] == [p for p in PARTITIONS if p in name]


def test_sentences_tell_parts_apart() -> None:
    assert meaning("specialist-ants", {}) == "The weights that ants kept and no other partition did."
    assert meaning("consensus-2", {}) == "The weights that at least 2 partitions kept."
    assert meaning(JOINED[0], {}) == "The core and the specialists of ants and cats, as one mask."
    assert meaning("mine", {"mine": "ants & full[5]"}) == "A ticket of the user's own: ants & full[5]."
    assert "LTH at the size of mine" in meaning("lth@mine", {"mine": "ants"})
    assert meaning("random~3@core", {}) == "Random weights, in every layer as many as core has. Draw 3."
    assert len({meaning(name, {}) for name in possible_names(PARTITIONS)}) == len(possible_names(PARTITIONS))
