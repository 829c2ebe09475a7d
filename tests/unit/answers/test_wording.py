"""Facts about sentences: they say what decided, with its numbers, and nothing that is not a number."""

import math

import pytest

from dilt.answers.wording import as_text, reason
from dilt.settings.answers import Claims

Row = dict[str, object]


def row(control: str, verdict: str, **numbers: float) -> Row:
    """A comparison of the core; an interval over images only if given."""
    return {
        "claim": "C1",
        "ticket": "core",
        "control": control,
        "measure": "transfer",
        "primary": True,
        "difference_points": 2.04,
        "low_points": 1.0,
        "high_points": 3.0,
        "bootstrap_low_points": math.nan,
        "bootstrap_high_points": math.nan,
        "p_larger_holm": 0.012,
        "p_no_better_holm": 0.9,
        "seeds": 5,
        "seeds_needed": 7.0,
        "verdict": verdict,
    } | numbers


SURE, LESS = row("lth@core", "supported", p_larger_holm=0.0001), row("random@core", "supported")
OPEN = row("colt@core", "inconclusive", p_larger_holm=0.3, difference_points=-0.04, seeds_needed=23.0)
WORSE = row("shuffled@core", "not supported", p_no_better_holm=0.004, difference_points=-3.0)


def test_a_supported_claim_tells_its_weakest_comparison() -> None:
    assert reason([SURE, LESS], Claims()) == (
        "Over 5 seeds all 2 primary comparisons speak for it. The least sure is core against random@core (transfer): "
        "+2.0 points, 95 % interval over seeds +1.0 to +3.0 (p = 0.012 after Holm's correction)."
    )


def test_an_open_claim_tells_what_is_open_and_how_many_seeds_it_takes() -> None:
    words = reason([SURE, LESS, OPEN], Claims())
    assert words.startswith("Over 5 seeds 2 of 3 primary comparisons speak for it and none against it. The least sure")
    assert "against colt@core (transfer): +0.0 points" in words, "no minus before zero"
    assert words.endswith("23 seeds would give it a verdict four times in five.")
    assert "no number of seeds would" in reason([OPEN | {"seeds_needed": math.nan}], Claims())


def test_a_refuted_claim_tells_what_refutes_it() -> None:
    assert reason([SURE, OPEN, WORSE], Claims()) == (
        "Over 5 seeds 1 of 3 primary comparisons speaks against it. The surest is core against shuffled@core "
        "(transfer): -3.0 points, 95 % interval over seeds +1.0 to +3.0. The smallest difference worth having, 1, "
        "is above that (p = 0.004 after Holm's correction)."
    )


def test_the_interval_over_images_is_told_where_there_is_one() -> None:
    words = reason([SURE | {"bootstrap_low_points": 0.5, "bootstrap_high_points": 3.5}], Claims(confidence=0.9))
    assert "90 % interval over seeds and test images +0.5 to +3.5 (p < 0.001" in words


@pytest.mark.parametrize("seeds", [1, 5])
def test_what_is_printed_has_no_nan(seeds: int) -> None:
    nothing = dict.fromkeys(
        ("low_points", "high_points", "p_larger_holm", "p_no_better_holm", "seeds_needed"), math.nan
    )
    rows = [SURE, OPEN] if seeds == 5 else [OPEN | nothing | {"seeds": 1}] * 2
    words = reason(rows, Claims())
    verdict = {"claim": "C1", "statement": "The core transfers.", "verdict": "inconclusive", "words": words}
    text = as_text(rows, [verdict])
    assert "C1 INCONCLUSIVE: The core transfers." in text
    assert "core - colt@core (transfer)" in text
    assert "nan" not in text
    assert ("one seed" in text) == (seeds == 1)
    assert words.startswith("A verdict needs two or more seeds") == (seeds == 1)
