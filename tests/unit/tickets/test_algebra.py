"""Facts about mask algebra in words: it says what Python's sets say, and mistakes are told by their character."""

from collections.abc import Mapping

import pytest
from builders import DENSE
from builders import masks as some_masks
from hypothesis import given
from hypothesis import strategies as st

from dilt.tickets.algebra import Combined, Expression, Named, cycle, evaluate, parse
from dilt.tickets.masks import Mask

NAMES = ("core", "low-sibling", "core+specialist-low", "random~2@core", "lth-same-rounds@core", "P_1")
NAMED = st.builds(Named, st.sampled_from(NAMES), st.none() | st.integers(1, 30))
EXPRESSIONS = st.recursive(
    NAMED, lambda inner: st.builds(Combined, st.sampled_from("&|-"), inner, inner), max_leaves=12
)
CORE, LOW, HIGH = Named("core"), Named("low"), Named("high")


@given(EXPRESSIONS)
def test_an_expression_that_is_written_is_read_again(expression: Expression) -> None:
    assert parse(str(expression)) == expression


@given(EXPRESSIONS)
def test_blanks_between_parts_do_not_matter(expression: Expression) -> None:
    text = str(expression)
    assert parse(f"  {text.replace(' ', '   ')} ") == expression
    assert parse(text.replace(" & ", "&").replace(" | ", "|").replace(" - (", " -(")) == expression


@given(EXPRESSIONS, some_masks(len(NAMES), len(NAMES)))
def test_it_says_what_sets_of_weights_say(expression: Expression, found: list[Mask]) -> None:
    by_name = dict(zip(NAMES, found, strict=True))
    rounds = {(name, round_): by_name[name] for name in NAMES for round_ in (None, *range(1, 31))}
    mask = evaluate(expression, lambda name, round_: rounds[name, round_])
    sets = {name: {place for place, kept in enumerate(mask.flatten()) if kept} for name, mask in by_name.items()}
    assert {place for place, kept in enumerate(mask.flatten()) if kept} == weights(expression, sets)


def weights(expression: Expression, sets: Mapping[str, set[int]]) -> set[int]:
    """By Python's own operators, every part in parentheses."""
    if isinstance(expression, Named):
        return sets[expression.name]
    assert isinstance(expression, Combined)
    left, right = weights(expression.left, sets), weights(expression.right, sets)
    return {"&": left & right, "|": left | right, "-": left - right}[expression.sign]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("core", CORE),
        ("core[2]", Named("core", 2)),
        ("((core))", CORE),
        ("low & high - core", Combined("-", Combined("&", LOW, HIGH), CORE)),
        ("core - low & high", Combined("-", CORE, Combined("&", LOW, HIGH))),
        ("core - low | high", Combined("|", Combined("-", CORE, LOW), HIGH)),
        ("core | low - high", Combined("-", Combined("|", CORE, LOW), HIGH)),
        ("core - (low | high)", Combined("-", CORE, Combined("|", LOW, HIGH))),
        ("(core)-(low)", Combined("-", CORE, LOW)),
        ("low-high", Named("low-high")),
    ],
)
def test_intersections_bind_tightest_and_the_rest_goes_from_left_to_right(text: str, expected: Expression) -> None:
    assert parse(text) == expected


def test_names_come_with_their_rounds_and_places() -> None:
    found = parse("low & (high[3] - random~2@core) | low").names()
    assert [(named.name, named.round, named.position) for named in found] == [
        *(("low", None, 1), ("high", 3, 8), ("random~2@core", None, 18), ("low", None, 35)),
    ]


def test_a_lookup_is_told_the_round_or_that_there_is_none() -> None:
    asked = []

    def lookup(name: str, round_: int | None) -> Mask:
        asked.append((name, round_))
        return DENSE

    evaluate(parse("low[2] & high"), lookup)
    assert asked == [("low", 2), ("high", None)]


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", 1, "the end: expected a name or '('"),
        ("low & & high", 7, "'&': expected a name or '('"),
        ("low high", 5, "'high': expected &, |, - or the end"),
        ("low &", 6, "the end: expected a name or '('"),
        ("(low | high", 12, "the end: expected &, |, - or ')'"),
        ("low)", 4, "')': expected &, |, - or the end"),
        ("- low", 1, "'-': expected a name or '('"),
        ("low -high", 5, "'-': a difference needs a space on both sides of -"),
        ("low- high", 1, "'low-': a difference needs a space on both sides of -"),
        ("(low)-high", 6, "'-': a difference needs a space on both sides of -"),
        ("low + high", 5, "'+': expected &, |, - or the end"),
        ("low[0]", 4, "'[0]': rounds count from 1; the mask before them is called dense"),
        ("low [2]", 5, "'[2]': a round stands right after a name, as in core[2]"),
        ("low[two]", 4, "'[': a round stands right after a name, as in core[2]"),
        ("löw", 2, "'ö': expected &, |, - or the end"),
    ],
)
def test_a_mistake_is_told_by_its_character(text: str, place: int, told: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 the whole message is compared
        parse(text)
    assert str(raised.value) == f"'{text}': at character {place}, {told}"


@pytest.mark.parametrize(
    ("definitions", "circle"),
    [
        ({"a": "low", "b": "a & high", "c": "a | b"}, []),
        ({"a": "a"}, ["a", "a"]),
        ({"a": "low - a[1]"}, ["a", "a"]),
        ({"a": "low", "b": "low | c", "c": "d & a", "d": "random@b"}, ["b", "c", "d", "b"]),
        ({"z": "b", "b": "c", "c": "b"}, ["b", "c", "b"]),
    ],
)
def test_tickets_made_of_themselves_are_named(definitions: dict[str, str], circle: list[str]) -> None:
    assert cycle({name: parse(text) for name, text in definitions.items()}) == circle
