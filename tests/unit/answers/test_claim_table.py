"""Facts about claims: what is planted in made-up scores is found, and noise is not."""

import numpy as np
import pandas as pd
import pytest

from dilt.answers.claim_table import claim_table, verdict_table
from dilt.answers.comparisons import comparisons
from dilt.answers.paper_claims import STATEMENTS
from dilt.answers.scores import contributions, measures
from dilt.settings.answers import Claims
from dilt.settings.tickets import CLAIMS
from tests.unit.answers.planted import COMPARED, PARTITIONS, scores, stated, table, verdict


@pytest.mark.parametrize(("claim", "ticket"), [("C1", "core"), ("C3", "union")])
def test_a_planted_difference_is_found_whichever_way_it_points(claim: str, ticket: str) -> None:
    assert verdict(claim, scores(better={ticket: 0.05})) == "supported"
    assert verdict(claim, scores(better={ticket: -0.05})) == "not supported"
    assert verdict(claim, scores()) == "not supported"
    assert verdict(claim, scores(noise=0.05, better={ticket: 0.03})) == "inconclusive"
    assert verdict(claim, scores(seeds=1, better={ticket: 0.05})) == "inconclusive"


CORE_CONTROLS = [
    *("lth@core", "lth-same-rounds@core", "split-core@core", "random@core", "shuffled@core", "reinit@core"),
    *("initial-magnitude@core", "null-core-low@core"),
]


@pytest.mark.parametrize("control", CORE_CONTROLS)
def test_c1_needs_the_core_to_beat_every_control(control: str) -> None:
    assert verdict("C1", scores(better={"core": 0.05, control: 0.2})) == "not supported"


UNION_CONTROLS = ["lth@union", "colt@union", "split-union@union", "random@union", "core+random@union"]


@pytest.mark.parametrize("control", ["colt", *UNION_CONTROLS, "null-union-high@union"])
@pytest.mark.parametrize("measure", ["all", "transfer"])
def test_c3_needs_the_union_to_beat_every_control_on_the_source_and_in_transfer(control: str, measure: str) -> None:
    assert verdict("C3", scores(better={"union": 0.05, f"{control}/{measure}": 0.2})) == "not supported"


def test_the_decisive_control_is_one_that_was_named_beforehand() -> None:
    decisive = {(c.claim, c.control) for c in COMPARED if c.decisive}
    assert decisive == {
        ("C1", "lth-same-rounds@core"),
        ("C2", "null-specialist-OWN@specialist-OWN"),
        ("C3", "colt@union"),
    }


def test_every_claim_has_its_statement() -> None:
    assert tuple(STATEMENTS) == CLAIMS
    found = verdict_table(table(scores()), stated(), Claims(), 4, 2)
    assert dict(zip(found["claim"], found["statement"], strict=True)) == STATEMENTS


def test_every_claim_is_read_at_its_own_round() -> None:
    found = table(scores())
    assert found.groupby("claim")["round"].unique().map(list).to_dict() == {"C1": [1], "C2": [3], "C3": [2]}
    source, transfer, assembly = scores(better={"core": 0.05})
    elsewhere = transfer.assign(round=4, accuracy=0.0)
    both = source, pd.concat([elsewhere, transfer]), assembly
    assert verdict("C1", both) == "supported"


def test_a_null_is_the_mean_over_partitions() -> None:
    nulls = {"null-core-low@core": 0.04, "null-core-high@core": 0.08}
    found = table(scores(better=nulls, noise=0)).set_index(["control", "measure"])
    assert found.loc[("null-core-OWN@core", "transfer"), "difference_points"] == pytest.approx(-6)


@pytest.mark.parametrize("asked", [["C1"], ["C2"], ["C3"], ["C3", "C1"]], ids=str)
def test_only_the_claims_asked_are_compared_on_their_scores_alone_and_have_a_verdict(asked: list[str]) -> None:
    claims = stated(asked)
    compared = comparisons(claims, PARTITIONS)
    read = {(c.round, term.ticket, term.measure) for c in compared for term in c.terms}
    all_scores = measures(contributions(*scores()))
    keys = all_scores[["round", "ticket", "measure"]].itertuples(index=False, name=None)
    found = claim_table(all_scores[[key in read for key in keys]], compared, Claims(), range(4))
    assert list(verdict_table(found, claims, Claims(), 4, 2)["claim"]) == sorted(asked)


def test_c1_is_about_transfer_not_about_the_source() -> None:
    assert verdict("C1", scores(better={"core/transfer": 0.05})) == "supported"
    assert verdict("C1", scores(better={"core/all": 0.05})) == "not supported"


SPECIAL = {
    "specialist-low/low": 0.1,
    "specialist-high/high": 0.1,
    "core+specialist-low/low": 0.1,
    "core+specialist-high/high": 0.1,
    "core+part-specialist-low/low": 0.1,
    "core+part-specialist-high/high": 0.1,
    "intact-random": 0.1,
}


def test_c2_is_supported_where_specialists_serve_their_own_classes_and_assemble() -> None:
    assert verdict("C2", scores(better=SPECIAL)) == "supported"


@pytest.mark.parametrize(
    "spoiler",
    [
        {"specialist-low/high": 0.3, "specialist-high/low": 0.3},
        {"random@specialist-low/low": 0.2, "random@specialist-high/high": 0.2},
        {f"null-specialist-{p}@specialist-{p}/{p}": 0.3 for p in PARTITIONS},
        {"core+specialist-high/low": 0.3, "core+specialist-low/high": 0.3},
        {f"core+null-specialist-{p}@core+specialist-{p}/{p}": 0.3 for p in PARTITIONS},
        {"core+random@core+specialist-low/low": 0.3, "core+random@core+specialist-high/high": 0.3},
        {f"null-core-{p}+part-null-specialist-{p}": 0.3 for p in PARTITIONS},
        {"intact-specialist": 0.3},
    ],
    ids=lambda spoiler: next(iter(spoiler)),
)
def test_c2_falls_with_any_of_its_controls(spoiler: dict[str, float]) -> None:
    assert verdict("C2", scores(better=SPECIAL | spoiler)) == "not supported"


def test_c2_is_about_where_networks_end_not_about_gains_over_others_classes() -> None:
    anywhere = SPECIAL | {"specialist-low/high": 0.05, "core": -0.3}
    assert verdict("C2", scores(better=anywhere)) == "supported"


def test_differences_are_percentage_points_paired_by_seed() -> None:
    tables = scores(better={"core": 0.05}, noise=0)
    for part in tables:
        part["accuracy"] += 0.1 * part["seed"]
    found = table(tables).set_index(["ticket", "control", "measure"])
    row = found.loc[("core", "lth@core", "transfer")]
    assert (row["difference_points"], row["low_points"], row["seeds"]) == (pytest.approx(5), pytest.approx(5), 4)


def test_transfer_is_the_mean_over_targets_and_protocols() -> None:
    source, transfer, assembly = scores()
    transfer["accuracy"] = np.arange(len(transfer)) / len(transfer)
    found = measures(contributions(source, transfer, assembly))
    core = "ticket == 'core' and seed == 0 and round == 1"
    expected = transfer.query(core)["accuracy"]
    assert len(expected) == 4
    assert found.query(f"{core} and measure == 'transfer'")["score"].item() == pytest.approx(expected.mean())


def test_verdicts_rest_on_primary_comparisons_alone() -> None:
    found = table(scores(better={"core": 0.05}))
    found.loc[~found["primary"], "verdict"] = "not supported"
    assert verdict_table(found, stated(), Claims(), 4, 2).set_index("claim").loc["C1", "verdict"] == "supported"


def test_a_missing_score_is_an_error() -> None:
    source, transfer, assembly = scores()
    with pytest.raises(ValueError, match="claim C1: no score of 'core' by 'transfer' at round 1"):
        table((source, transfer[transfer["ticket"] != "core"], assembly))
    one_seed_short = source[(source["ticket"] != "union") | (source["seed"] != 2)]
    with pytest.raises(ValueError, match="for every seed"):
        table((one_seed_short, transfer, assembly))


def test_only_primary_comparisons_are_corrected_and_over_their_claim() -> None:
    found = table(scores(noise=0.03))
    for _, rows in found[found["primary"]].groupby("claim"):
        smallest = rows["p_larger"].idxmin()
        assert rows.loc[smallest, "p_larger_holm"] == pytest.approx(min(1, len(rows) * rows.loc[smallest, "p_larger"]))
    others = found[~found["primary"]]
    assert others[["p_larger_holm", "p_no_better_holm"]].isna().all(axis=None)
    assert others[["p_larger", "p_no_better"]].notna().all(axis=None)
    assert found[["bootstrap_low_points", "bootstrap_high_points"]].isna().all(axis=None), "no single images are known"


def test_the_decisive_comparison_has_half_of_the_level_and_the_others_share_the_other() -> None:
    found = table(scores(better={"core": 0.3, "lth-same-rounds@core": 0.3})).query("claim == 'C1' and primary")
    decisive = found[found["decisive"]]
    assert decisive["p_no_better_holm"].item() == pytest.approx(2 * decisive["p_no_better"].item())
    found = table(scores(better={"core": 0.3, "random@core": 0.3})).query("claim == 'C1' and primary")
    other = found[found["control"] == "random@core"]
    assert other["p_no_better_holm"].item() == pytest.approx(2 * 7 * other["p_no_better"].item())


def test_claims_that_are_not_asked_have_no_verdict() -> None:
    found = table(scores(better={"core": 0.05}))
    only = verdict_table(found[found["claim"] == "C1"], stated(), Claims(), 4, 2)
    assert only["claim"].tolist() == ["C1"]
    assert only[["round", "seeds"]].to_numpy().tolist() == [[1, 4]]
    assert "primary comparisons speak for it" in only["words"].item()


def test_with_two_partitions_the_words_on_c2_say_that_core_and_specialist_are_the_partitions_mask() -> None:
    found = table(scores())
    for partitions, told in ((2, [False, True, False]), (3, [False] * 3)):
        words = verdict_table(found, stated(), Claims(), 4, partitions)["words"]
        assert words.str.contains("joining them assembles nothing that was not there").tolist() == told
