"""Facts about sentences: they say what decided, with its numbers, and nothing that is not a number."""

import math

import pytest

from dilt.answers.wording import as_text, flag, reason
from dilt.settings.answers import Claims

Row = dict[str, object]
LOOKS = Claims(looks=[5, 10, 15])


def row(control: str, verdict: str, **numbers: object) -> Row:
    """A comparison of the core; an interval over images only if given."""
    return {
        "claim": "C1",
        "ticket": "core",
        "control": control,
        "measure": "transfer",
        "primary": True,
        "decisive": False,
        "difference_points": 2.04,
        "low_points": 1.0,
        "high_points": 3.0,
        "bootstrap_low_points": math.nan,
        "bootstrap_high_points": math.nan,
        "p_larger": 0.012,
        "p_no_better_holm": 0.9,
        "level": 0.025,
        "flag": "",
        "collapsed_seeds": 0,
        "headroom_points": 30.0,
        "seeds": 5,
        "seeds_needed": 7.0,
        "verdict": verdict,
    } | numbers


SURE, LESS = row("lth@core", "supported", p_larger=0.0001), row("random@core", "supported")
OPEN = row("colt@core", "inconclusive", p_larger=0.3, difference_points=-0.04, seeds_needed=23.0)
WORSE = row("shuffled@core", "not supported", p_no_better_holm=0.004, difference_points=-3.0)
HIGH = row("dense", "inconclusive", flag="ceiling", headroom_points=0.251)
LOST = row("reinit@core", "inconclusive", flag="collapse", collapsed_seeds=2)


def test_a_supported_claim_tells_its_weakest_comparison_with_its_own_p() -> None:
    assert reason([SURE, LESS], Claims(), 5) == (
        "Over 5 seeds all 2 primary comparisons speak for it. The least sure is core against random@core (transfer): "
        "+2.0 points, 95 % interval over seeds +1.0 to +3.0 (p = 0.012)."
    )


def test_an_open_claim_tells_what_is_open() -> None:
    words = reason([SURE, LESS, OPEN], Claims(), 5)
    assert words.startswith("Over 5 seeds 2 of 3 primary comparisons speak for it and none against it. The least sure")
    assert "against colt@core (transfer): +0.0 points" in words, "no minus before zero"


def test_a_refuted_claim_tells_what_refutes_it() -> None:
    told = (
        "Over 5 seeds 1 of 3 primary comparisons speaks against it. The surest is core against shuffled@core "
        "(transfer): -3.0 points, 95 % interval over seeds +1.0 to +3.0. The smallest difference worth having, 1, "
        "is above that (p = 0.004 after Holm's correction{})."
    )
    assert reason([SURE, OPEN, WORSE], Claims(), 5) == told.format("")
    decisive = WORSE | {"decisive": True}
    assert reason([SURE, OPEN, decisive], Claims(), 5) == told.format(", with half of the level on this control")


def test_the_interval_over_images_is_told_where_there_is_one() -> None:
    words = reason([SURE | {"bootstrap_low_points": 0.5, "bootstrap_high_points": 3.5}], Claims(confidence=0.9), 5)
    assert "90 % interval over seeds and test images +0.5 to +3.5 (p < 0.001" in words


def at(rows: list[Row], seeds: int, level: float, **numbers: object) -> list[Row]:
    return [each | {"seeds": seeds, "level": level} | numbers for each in rows]


def test_a_verdict_at_a_look_tells_which_its_level_and_that_later_seeds_do_not_count() -> None:
    assert reason(at([SURE, LESS], 5, 0.005), LOOKS, 5).startswith(
        "Judged at the look at 5 seeds, at level 0.005. Over 5 seeds all 2 primary comparisons speak for it."
    )
    assert reason(at([SURE, LESS], 5, 0.005), LOOKS, 12).startswith(
        "Judged at the look at 5 seeds, at level 0.005, which 7 later seeds do not change. Over 5 seeds all 2"
    )


def test_before_the_first_look_nothing_is_decided_which_is_told() -> None:
    words = reason(at([SURE | {"verdict": "inconclusive"}], 3, 0.0, seeds_needed=5.0), LOOKS, 3)
    assert words.startswith("The first look is at 5 seeds, and there are 3: nothing is decided before it. Over 3 seeds")


def test_comparisons_at_the_ceiling_tell_their_headroom_and_what_would_help() -> None:
    assert reason([SURE, HIGH], Claims(), 5) == (
        "Over 5 seeds 1 of 2 primary comparisons speaks for it and none against it. 1 comparison decides nothing, "
        "against dense (transfer): the control leaves 0.25 points of headroom, less than the margin of 1."
    )
    two = reason([HIGH, HIGH | {"control": "lth@core", "headroom_points": 0.5}], Claims(margin=2), 5)
    assert "none of 2 primary comparisons speak for it and none against it" in two
    assert "2 comparisons decide nothing, against dense (transfer), lth@core (transfer): the control leaves 0.25" in two
    assert "less than the margin of 2" in two


def test_collapsed_comparisons_tell_in_how_many_seeds_beside_what_decides() -> None:
    collapsed = (
        "1 comparison decides nothing, against reinit@core (transfer): in up to 2 seeds a run collapsed (at chance, or "
        "not better than after its first epoch)."
    )
    assert reason([SURE, OPEN, LOST], Claims(), 5).endswith(f"seeds +1.0 to +3.0. {collapsed}")
    assert reason([SURE, WORSE, LOST], Claims(), 5).endswith(f"after Holm's correction). {collapsed}")
    assert "in up to 1 seed a run collapsed" in reason([SURE, LOST | {"collapsed_seeds": 1}], Claims(), 5)


def test_a_flagged_comparison_is_not_the_least_sure_one() -> None:
    words = reason([SURE, OPEN, LOST | {"p_larger": 0.9}], Claims(), 5)
    assert "The least sure is core against colt@core" in words
    assert words.startswith("Over 5 seeds 1 of 3 primary comparisons speaks for it and none against it.")


def test_flags_are_read_from_tables_in_files_too_where_none_is_not_a_number() -> None:
    assert [flag(each) for each in (HIGH, LOST, SURE, SURE | {"flag": math.nan})] == ["ceiling", "collapse", "", ""]


@pytest.mark.parametrize("seeds", [1, 5])
def test_what_is_printed_has_no_nan(seeds: int) -> None:
    nothing = dict.fromkeys(("low_points", "high_points", "p_larger", "p_no_better_holm", "seeds_needed"), math.nan)
    rows = [SURE, OPEN, HIGH | {"flag": "ceiling"}, SURE | {"flag": math.nan}]
    rows = rows if seeds == 5 else [OPEN | nothing | {"seeds": 1, "flag": math.nan}] * 2
    words = reason(rows, Claims(), seeds)
    verdict = {
        "claim": "C1",
        "statement": "The core transfers.",
        "verdict": "inconclusive",
        "words": words,
        "change": "Seeds.",
    }
    text = as_text(rows, [verdict])
    assert "C1 INCONCLUSIVE: The core transfers." in text
    assert "\nWhat would change it: Seeds.\n" in text
    assert "core - colt@core (transfer)" in text
    assert "nan" not in text
    assert ("one seed" in text) == (seeds == 1)
    assert ("inconclusive, ceiling" in text) == (seeds == 5)
    assert words.startswith("A verdict needs two or more seeds") == (seeds == 1)


def test_seeds_needed_are_printed_only_where_seeds_would_help() -> None:
    verdict = {"claim": "C1", "statement": "It.", "verdict": "inconclusive", "words": "So it is.", "change": "Nothing."}
    for each, needed in ((SURE, "-"), (WORSE, "-"), (OPEN, "23"), (LOST, "-")):
        (line,) = [line for line in as_text([each], [verdict]).splitlines() if line.startswith("  core - ")]
        assert line.split(str(each["verdict"]))[0].split()[-1] == needed


def test_a_long_comparison_has_a_line_of_its_own_above_its_numbers() -> None:
    verdict = {"claim": "C1", "statement": "It.", "verdict": "supported", "words": "So it is.", "change": "Nothing."}
    long = row("null-specialist-OWN@specialist-OWN", "supported")
    lines = as_text([SURE, long], [verdict]).splitlines()
    name = next(place for place, line in enumerate(lines) if "null-specialist" in line)
    assert lines[name] == "  core - null-specialist-OWN@specialist-OWN (transfer)"
    assert len(lines[name + 1]) == len(lines[name - 1])
    assert lines[name + 1].split()[0] == "+2.0"
    assert lines[name + 1].index("+2.0") < 50
