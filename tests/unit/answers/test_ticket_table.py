"""Facts about the table of tickets: densities are means over seeds, and claims are named where they read a ticket."""

import pandas as pd
import pytest

from dilt.answers import comparisons
from dilt.answers.paper_claims import paper_claims
from dilt.answers.ticket_table import COLUMNS, IN_PATTERN, ticket_table
from dilt.settings.tickets import ClaimRounds
from dilt.tickets.meanings import meaning

TERMS = comparisons.terms_table(
    comparisons.comparisons(
        paper_claims(ClaimRounds(C1=1, C2=2, C3=2), ("C1", "C3"), ["birds"], ["linear"]), ("a", "b")
    )
)


def densities() -> pd.DataFrame:
    names = ["core", "random~2@core", "mine"]
    return pd.DataFrame(
        {
            "seed": seed,
            "round": round_,
            "ticket": name,
            "layer": layer,
            "density": share,
            "effective_density": share / 2,
        }
        for seed, share in ((0, 0.2), (1, 0.4))
        for round_ in (1, 2)
        for name in names
        for layer in ("all", "blocks.0")
    )


def test_rounds_of_a_ticket_stand_together_with_densities_over_seeds() -> None:
    found = ticket_table(densities(), TERMS, {"mine": "core & full"})
    assert list(found.columns) == [name for name in COLUMNS if name != IN_PATTERN]
    assert list(zip(found["ticket"], found["round"], strict=True)) == [
        *(("core", 1), ("core", 2), ("random~2@core", 1), ("random~2@core", 2), ("mine", 1), ("mine", 2))
    ]
    assert found["density"].tolist() == pytest.approx([0.3] * 6)
    assert found["sparsity"].tolist() == pytest.approx([0.7] * 6)
    assert found["effective_density"].tolist() == pytest.approx([0.15] * 6)
    assert found["what"].tolist() == [meaning(name, {"mine": "core & full"}) for name in found["ticket"]]


def test_under_a_pattern_it_tells_how_many_groups_keep_it() -> None:
    found = ticket_table(densities().assign(in_pattern=[0.5, 0.9] * 12), TERMS, {"mine": "core & full"})
    assert list(found.columns) == COLUMNS
    assert found[IN_PATTERN].tolist() == pytest.approx([0.5] * 6)


def test_claims_are_named_at_their_round_for_later_draws_too() -> None:
    found = ticket_table(densities(), TERMS, {"mine": "core & full"}).set_index(["ticket", "round"])["claims"]
    assert found.to_dict() == {
        ("core", 1): "C1",
        ("core", 2): "",
        ("random~2@core", 1): "C1",
        ("random~2@core", 2): "",
        ("mine", 1): "",
        ("mine", 2): "",
    }
