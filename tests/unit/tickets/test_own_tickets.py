"""Facts about tickets that a user defines: made of masks of the rounds named, with controls, never empty if trained."""

from dataclasses import replace

import pytest
from builders import material

from dilt.tickets import algebra
from dilt.tickets.making import make_tickets, require_weights
from dilt.tickets.masks import Mask
from dilt.tickets.selection import CONTROLS, is_possible, possible_names

DEFINED = {
    "shared": "low & high-sibling - core",
    "lost": "core[1] - core",
    "both": "shared | lost[3] | specialist-low",
    "lth-low": "low & full",
}


def own_tickets(round_: int, *names: str) -> dict[str, Mask]:
    made_from = material(["low", "high"], round_=round_)
    return make_tickets(replace(made_from, defined={n: algebra.parse(text) for n, text in DEFINED.items()}), names)


def test_defined_tickets_are_made_of_masks_of_their_rounds() -> None:
    made_from = material(["low", "high"])
    tickets = own_tickets(2, *DEFINED)
    low, high = (made_from.partitions[name].mask for name in ("low", "high"))
    shared = (low(2) & made_from.siblings["high"].mask(2)) - (low(2) & high(2))
    lost = {r: (low(1) & high(1)) - (low(r) & high(r)) for r in (2, 3)}
    assert tickets["shared"] == shared
    assert tickets["lost"] == lost[2] != lost[3]
    assert tickets["both"] == shared | lost[3] | (low(2) - high(2))
    assert tickets["lth-low"] == low(2) & made_from.lth.mask(2)


def test_a_random_ticket_in_a_definition_is_the_one_that_is_trained() -> None:
    made_from = replace(material(["low", "high"], round_=3), defined={"own": algebra.parse("random@core[2]")})
    trained = make_tickets(material(["low", "high"], round_=2), ["random@core"])["random@core"]
    assert make_tickets(made_from, ["own"])["own"] == trained


def test_a_defined_ticket_has_controls_of_its_number_of_weights() -> None:
    names = [f"{x}@shared" for x in CONTROLS]
    assert all(is_possible(name, ["low", "high"], DEFINED) for name in ("shared", *names))
    assert set(names) <= set(possible_names(["low", "high"], DEFINED))
    assert not is_possible("core+random@shared", ["low", "high"], DEFINED)
    assert not is_possible("lth@shared", ["low", "high"])
    tickets = own_tickets(2, "shared", *names)
    assert {mask.count for mask in tickets.values()} == {tickets["shared"].count}


def test_a_defined_ticket_may_be_empty_but_then_cannot_be_trained() -> None:
    made_from = replace(material(["low", "high"]), defined={"none": algebra.parse("core - low")})
    names = ["core", "none", *(f"{x}@none" for x in CONTROLS)]
    made = make_tickets(made_from, names)
    assert [made[name].count for name in names[1:]] == [0] * (1 + len(CONTROLS))
    require_weights("core", made["core"], made_from)
    with pytest.raises(
        ValueError, match=r"^tickets\.define\.none: 'core - low' keeps no weight after round 2 \(seed 0\)"
    ):
        require_weights("none", made["none"], made_from)
