"""Facts about comparisons as text: what each is a sum of."""

import pytest

from dilt.answers.claim_language import Text

Sum = dict[tuple[str, str], float]


def total(text: str, *partitions: str) -> Sum:
    """The weight of every score, ticket's and control's together."""
    terms = Text.parse(text).terms(partitions)
    found: Sum = {}
    for term in terms:
        key = (term.ticket, term.measure)
        found[key] = found.get(key, 0) + term.weight
    return found


def test_a_ticket_minus_its_control() -> None:
    terms = Text.parse("core - lth@core on transfer to birds, linear").terms(["a", "b"])
    assert [(term.weight, term.ticket, term.of_control) for term in terms] == [
        (1, "core", False),
        (-1, "lth@core", True),
    ]
    assert {term.measure for term in terms} == {"transfer to birds, linear"}


def test_own_is_every_partition_in_turn_and_other_the_mean_of_those_besides() -> None:
    assert total("specialist-OWN - specialist-OTHER on source, OWN", "a", "b", "c") == pytest.approx(
        {
            ("specialist-a", "source, a"): 1 / 3,
            ("specialist-b", "source, b"): 1 / 3,
            ("specialist-c", "source, c"): 1 / 3,
        }
        | {(f"specialist-{q}", f"source, {p}"): -1 / 6 for p in "abc" for q in "abc" if p != q}
    )


def test_a_ticket_of_no_partition_has_its_whole_weight() -> None:
    found = total("core - null-core-OWN@core on transfer", "a", "b", "c")
    assert found.pop(("core", "transfer")) == pytest.approx(1)
    assert found == pytest.approx({(f"null-core-{p}@core", "transfer"): -1 / 3 for p in "abc"})


def test_the_difference_of_two_measures() -> None:
    assert total("specialist-OWN - random on source, OWN minus source, OTHER", "a", "b") == pytest.approx(
        {("specialist-a", "source, a"): 0.5, ("specialist-b", "source, b"): 0.5}
        | {("specialist-a", "source, b"): -0.5, ("specialist-b", "source, a"): -0.5}
        # A ticket of no partition is scored on own and on other classes alike: nothing is left.
        | {("random", "source, a"): 0, ("random", "source, b"): 0}
    )


def test_a_name_that_holds_the_word_is_not_filled_in() -> None:
    assert total("specialist-BROWN - core on source", "BROWN", "b") == {
        ("specialist-BROWN", "source"): 1,
        ("core", "source"): -1,
    }


@pytest.mark.parametrize(
    "text",
    ["core", "core - lth", "core -lth on source", "core - lth on", "a - b on x minus y minus z", "a b - c on source"],
)
def test_another_form_is_told_with_an_example(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"should be TICKET - CONTROL on MEASURE, such as 'core - lth@core on transfer'"
    ):
        Text.parse(text)
