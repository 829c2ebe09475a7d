"""Facts about claims: what is planted in made-up scores is found, and noise is not."""

import numpy as np
import pandas as pd
import pytest

from dilt.answers.claim_table import STATEMENTS, claim_table, verdict_table
from dilt.answers.comparisons import comparisons, evidence
from dilt.answers.scores import measures, nearness
from dilt.settings.answers import Claims
from dilt.settings.tickets import CLAIMS
from dilt.tickets.selection import ticket_names

PARTITIONS, TARGETS, PROTOCOLS = ["low", "high"], ["animals", "tools"], ["retrain", "linear"]
COMPARED = comparisons(PARTITIONS, TARGETS, PROTOCOLS)
Scores = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def scores(seeds: int = 4, noise: float = 0.002, better: dict[str, float] | None = None) -> Scores:
    """Accuracies of every ticket around 0.7; ``better`` adds to a ticket's, or to ``ticket/measure``'s."""
    draws, gains = np.random.default_rng(0), better or {}

    def accuracy(ticket: str, what: str) -> float:
        return 0.7 + noise * draws.normal() + gains.get(ticket, 0) + gains.get(f"{ticket}/{what}", 0)

    source, transfer, assembly = [], [], []
    for seed in range(seeds):
        for ticket in ticket_names(PARTITIONS):
            address = {"seed": seed, "ticket": ticket}
            source += [address | {"classes": c, "accuracy": accuracy(ticket, c)} for c in ("all", *PARTITIONS)]
            transfer += [
                address | {"target": t, "protocol": p, "accuracy": accuracy(ticket, "transfer")}
                for t in TARGETS
                for p in PROTOCOLS
            ]
        for ticket, measure in assembled():
            _, partition, core_from, readout = measure.split(", ")
            row = {"seed": seed, "partition": partition, "core_from": core_from, "assembly": ticket}
            assembly.append(row | {"readout": readout, "accuracy": accuracy(ticket, partition)})
    return pd.DataFrame(source), pd.DataFrame(transfer), pd.DataFrame(assembly)


def assembled() -> list[tuple[str, str]]:
    """The scores of assemblies that are compared."""
    terms = [(term.ticket, term.measure) for comparison in COMPARED for term in comparison.terms]
    return [term for term in dict.fromkeys(terms) if term[1].startswith("assembly")]


def table(tables: Scores) -> pd.DataFrame:
    return claim_table(measures(*tables), COMPARED, Claims())


def verdict(claim: str, tables: Scores) -> str:
    return verdict_table(table(tables), Claims()).set_index("claim").loc[claim, "verdict"]


@pytest.mark.parametrize(("claim", "ticket"), [("C1", "core"), ("C3", "union")])
def test_a_planted_difference_is_found_whichever_way_it_points(claim: str, ticket: str) -> None:
    assert verdict(claim, scores(better={ticket: 0.05})) == "supported"
    assert verdict(claim, scores(better={ticket: -0.05})) == "not supported"
    assert verdict(claim, scores()) == "not supported"
    assert verdict(claim, scores(noise=0.05, better={ticket: 0.03})) == "inconclusive"
    assert verdict(claim, scores(seeds=1, better={ticket: 0.05})) == "inconclusive"


CORE_CONTROLS = ["lth@core", "lth-same-rounds@core", "random@core", "shuffled@core", "reinit@core"]


@pytest.mark.parametrize("control", [*CORE_CONTROLS, "initial-magnitude@core", "null-core-low@core"])
def test_c1_needs_the_core_to_beat_every_control(control: str) -> None:
    assert verdict("C1", scores(better={"core": 0.05, control: 0.2})) == "not supported"


UNION_CONTROLS = ["core+random@union", "null-union-high@union"]


@pytest.mark.parametrize("control", ["colt", "colt@union", "lth@union", "random@union", *UNION_CONTROLS])
def test_c3_needs_the_union_to_beat_every_control(control: str) -> None:
    assert verdict("C3", scores(better={"union": 0.05, control: 0.2})) == "not supported"


def test_every_claim_has_its_statement() -> None:
    assert tuple(STATEMENTS) == CLAIMS


def test_a_null_is_the_mean_over_partitions() -> None:
    nulls = {"null-core-low@core": 0.04, "null-core-high@core": 0.08}
    found = table(scores(better=nulls, noise=0)).set_index(["control", "measure"])
    assert found.loc[("null-core@core", "transfer"), "difference_points"] == pytest.approx(-6)


@pytest.mark.parametrize("asked", [["C1"], ["C2"], ["C3"], ["C3", "C1"]], ids=str)
def test_only_the_claims_asked_are_compared_on_their_tickets_alone_and_have_a_verdict(asked: list[str]) -> None:
    names = ticket_names(PARTITIONS, claims=asked)
    source, transfer, assembly = scores()
    of_tickets = source[source["ticket"].isin(names)], transfer[transfer["ticket"].isin(names)], assembly
    found = claim_table(measures(*of_tickets), comparisons(PARTITIONS, TARGETS, PROTOCOLS, asked), Claims())
    assert list(verdict_table(found, Claims())["claim"]) == sorted(asked)


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
        {"null-specialist-low/low": 0.3, "null-specialist-high/high": 0.3},
        {"core+specialist-high/low": 0.3, "core+specialist-low/high": 0.3},
        {"core+random@core+specialist-low/low": 0.3, "core+random@core+specialist-high/high": 0.3},
        {"core+random@core+specialist-low": 0.3, "core+random@core+specialist-high": 0.3},
        {f"null-core-{p}+part-null-specialist-{p}": 0.3 for p in PARTITIONS},
        {"intact-specialist": 0.3},
    ],
    ids=lambda spoiler: next(iter(spoiler)),
)
def test_c2_falls_with_any_of_its_controls(spoiler: dict[str, float]) -> None:
    assert verdict("C2", scores(better=SPECIAL | spoiler)) == "not supported"


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
    found = measures(source, transfer, assembly)
    of_core = found[(found["ticket"] == "core") & (found["measure"] == "transfer") & (found["seed"] == 0)]
    expected = transfer[(transfer["ticket"] == "core") & (transfer["seed"] == 0)]["accuracy"]
    assert len(expected) == 4
    assert of_core["score"].item() == pytest.approx(expected.mean())


def test_verdicts_rest_on_primary_comparisons_alone() -> None:
    found = table(scores(better={"core": 0.05}))
    found.loc[~found["primary"], "verdict"] = "not supported"
    assert verdict_table(found, Claims()).set_index("claim").loc["C1", "verdict"] == "supported"


def test_a_missing_score_is_an_error() -> None:
    source, transfer, assembly = scores()
    with pytest.raises(ValueError, match="no score of 'core' by 'transfer'"):
        table((source, transfer[transfer["ticket"] != "core"], assembly))
    one_seed_short = source[(source["ticket"] != "union") | (source["seed"] != 2)]
    with pytest.raises(ValueError, match="for every seed"):
        table((one_seed_short, transfer, assembly))


def distances(near: float = 0.6, seeds: int = 4) -> pd.DataFrame:
    """Distances to the trained networks: 1 and 3 for two layers, ``near`` as much for a specialist to its own."""
    draws = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        unit = 1 + seed  # seeds of other scales
        for p in PARTITIONS:
            tickets = [
                "core",
                *(f"specialist-{q}" for q in PARTITIONS),
                *(f"random@specialist-{q}" for q in PARTITIONS),
            ]
            for index, ticket in enumerate(tickets):
                for depth, distance in enumerate((1, 3)):
                    factor = (near if ticket == f"specialist-{p}" else 1) * (1 + 0.001 * draws.normal())
                    ends = [(ticket, depth), (f"trained-{p}", depth)]
                    (a, da), (b, db) = ends if index % 2 else ends[::-1]
                    rows.append(
                        {"seed": seed, "ticket_a": a, "depth_a": da, "layer_a": f"l{da}"}
                        | {"ticket_b": b, "depth_b": db, "layer_b": f"l{db}", "gw_distance": unit * distance * factor}
                    )
                rows.append(rows[-1] | {"layer_b": "l0", "depth_b": 0, "layer_a": "l1", "gw_distance": 99.0})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("near", "verdict_"), [(0.6, "supported"), (1.0, "not supported"), (1.4, "not supported")])
def test_a_specialist_near_its_trained_network_is_evidence_in_percent_of_the_cores_distance(
    near: float, verdict_: str
) -> None:
    found = claim_table(nearness(distances(near), PARTITIONS), evidence(PARTITIONS), Claims())
    assert list(found["control"]) == ["core", "other partition's specialist", "random@specialist"]
    assert set(found["verdict"]) == {verdict_}
    np.testing.assert_allclose(found["difference_points"], 100 * (1 - near), atol=0.2)
    assert set(found["claim"]) == {"C2"}


def test_evidence_decides_no_claim() -> None:
    tables = scores(better=SPECIAL)
    together = pd.concat([measures(*tables), nearness(distances(1.4), PARTITIONS)])
    compared = COMPARED + evidence(PARTITIONS)
    found = claim_table(together, compared, Claims())
    assert "not supported" in set(found.loc[found["comparison"].str.startswith("evidence"), "verdict"])
    assert verdict_table(found, Claims()).set_index("claim").loc["C2", "verdict"] == "supported"


def test_nearness_is_between_equal_layers_and_relative_to_the_core() -> None:
    found = nearness(distances(0.6), PARTITIONS).set_index(["ticket", "measure", "seed"])["score"].sort_index()
    assert found["core"].tolist() == [-1.0] * 8
    assert found["specialist-low", "nearness, low"].to_numpy() == pytest.approx(-0.6, rel=0.01)
    assert found["specialist-low", "nearness, high"].to_numpy() == pytest.approx(-1, rel=0.01)


def test_without_trained_networks_there_is_no_nearness() -> None:
    table_ = distances()
    assert nearness(table_[(table_["ticket_a"] == "core") & (table_["ticket_b"] == "union")], PARTITIONS).empty


def test_only_primary_comparisons_are_corrected_and_over_their_claim() -> None:
    found = table(scores(noise=0.03))
    for _, rows in found[found["primary"]].groupby("claim"):
        smallest = rows["p_larger"].idxmin()
        assert rows.loc[smallest, "p_larger_holm"] == pytest.approx(min(1, len(rows) * rows.loc[smallest, "p_larger"]))
    others = found[~found["primary"]]
    assert others[["p_larger_holm", "p_no_better_holm"]].isna().all(axis=None)
    assert others[["p_larger", "p_no_better"]].notna().all(axis=None)
    assert found[["bootstrap_low_points", "bootstrap_high_points"]].isna().all(axis=None), "no single images are known"


def test_claims_that_are_not_asked_have_no_verdict() -> None:
    found = table(scores(better={"core": 0.05}))
    only = verdict_table(found[found["claim"] == "C1"], Claims())
    assert only["claim"].tolist() == ["C1"]
    assert "primary comparisons speak for it" in only["words"].item()
