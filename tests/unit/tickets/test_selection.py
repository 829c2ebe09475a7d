"""Facts about which tickets an experiment can have: all can be made, and claims compare no others."""

import pytest
from builders import material

from dilt.answers.asked import default_compared
from dilt.answers.comparisons import comparisons, evidence
from dilt.answers.paper_claims import paper_claims
from dilt.answers.scores import ASSEMBLY
from dilt.settings.tickets import ClaimRounds
from dilt.tickets.making import make_tickets
from dilt.tickets.selection import is_possible, possible_names

MATCHED = ("lth", "colt", "random", "shuffled", "reinit", "initial-magnitude")


def controls(reference: str, *more: str) -> set[str]:
    return {f"{method}@{reference}" for method in (*MATCHED, *more)}


def test_with_two_partitions_there_are_these_tickets() -> None:
    criteria = ("snip", "grasp", "synflow")
    assert set(possible_names(["low", "high"])) == {
        *("dense", "lth", "random", "colt", "core", "union", "shuffled@lth", "reinit@lth"),
        *controls("core", "lth-same-rounds", "split-core", "null-core-low", "null-core-high", *criteria),
        *controls("union", "core+random", "split-union", "null-union-low", "null-union-high", *criteria),
        *("specialist-low", "specialist-high", "core+specialist-low", "core+specialist-high"),
        *controls("specialist-low", "null-specialist-low"),
        *controls("specialist-high", "null-specialist-high"),
        *controls("core+specialist-low", "core+random", "core+null-specialist-low"),
        *controls("core+specialist-high", "core+random", "core+null-specialist-high"),
        *("null-specialist-low", "null-specialist-high"),
        *controls("null-specialist-low"),
        *controls("null-specialist-high"),
    }


@pytest.mark.parametrize("partitions", [["low", "high"], ["a", "b", "c"], ["a", "b", "c", "d"]], ids=len)
def test_claims_compare_tickets_that_there_can_be(partitions: list[str]) -> None:
    claims = paper_claims(ClaimRounds(C1=1, C2=1, C3=1), targets=["target"], protocols=["retrain"])
    layers = default_compared(partitions)
    compared = [*comparisons(claims, partitions), *evidence(partitions, 1, layers)]
    terms = [term for comparison in compared for term in comparison.terms]
    tickets = {term.ticket for term in terms if not term.measure.startswith(ASSEMBLY)}
    assert {f"null-specialist-{p}@specialist-{p}" for p in partitions} < tickets
    assert all(is_possible(name, partitions) for name in (*tickets, *layers))


@pytest.mark.parametrize("partitions", [["low", "high"], ["a", "b", "c", "d"]], ids=len)
def test_what_is_possible_can_be_made(partitions: list[str]) -> None:
    possible = possible_names(partitions)
    assert len(set(possible)) == len(possible)
    assert all(is_possible(name, partitions) for name in possible)
    made = make_tickets(material(partitions), possible)
    assert all(mask.count == made[name.rpartition("@")[2]].count for name, mask in made.items())


@pytest.mark.parametrize(
    ("partitions", "name"),
    [
        (["a", "b"], "core+specialist-a+specialist-b"),
        (["a", "b", "c"], "core+specialist-b+specialist-a"),
        (["a", "b", "c"], "specialist-a+specialist-b"),
        *(
            (["a", "b"], name)
            for name in (
                "consensus-2",
                "random@dense",
                "random@lth",
                "snip@lth",
                "synflow@specialist-a",
                "null-core-c@core",
            )
        ),
        *((["a", "b"], name) for name in ("split-core@union", "split-union@core", "split-core", "null-core-a@union")),
        *((["a", "b"], name) for name in ("null-specialist-b@specialist-a", "null-specialist-a@core")),
        *((["a", "b"], name) for name in ("core+null-specialist-a", "core+null-specialist-a@core")),
        (["a", "b"], "core+null-specialist-b@core+specialist-a"),
        (["a", "b", "c"], "core+null-specialist-a@core+specialist-a+specialist-b"),
        *((["a", "b"], name) for name in ("lth-same-rounds@union", "core+random@core", "core+random", "@core")),
    ],
)
def test_other_names_are_no_tickets(partitions: list[str], name: str) -> None:
    assert not is_possible(name, partitions)
