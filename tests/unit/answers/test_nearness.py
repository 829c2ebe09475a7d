"""Facts about evidence from layers: whose networks a specialist's layers lie near, in every geometry."""

import numpy as np
import pandas as pd
import pytest

from dilt.answers.claim_table import claim_table, verdict_table
from dilt.answers.comparisons import evidence
from dilt.answers.scores import contributions, measures, nearness
from dilt.settings.answers import Claims
from tests.unit.answers.planted import COMPARED, PARTITIONS, ROUNDS, scores, stated
from tests.unit.answers.test_claim_table import SPECIAL

TICKETS = [
    "core",
    *(f"specialist-{p}" for p in PARTITIONS),
    *(f"null-specialist-{p}@specialist-{p}" for p in PARTITIONS),
    *(f"random@specialist-{p}" for p in PARTITIONS),
]
EVIDENCE = evidence(PARTITIONS, ROUNDS.C2, TICKETS)


def distances(near: float = 0.6, seeds: int = 4) -> pd.DataFrame:
    """Distances to the trained networks: 1 and 3 for two layers, ``near`` as much for a specialist to its own."""
    draws = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        unit = 1 + seed  # seeds of other scales
        for p in PARTITIONS:
            for index, ticket in enumerate(TICKETS):
                for depth, distance in enumerate((1, 3)):
                    factor = (near if ticket == f"specialist-{p}" else 1) * (1 + 0.001 * draws.normal())
                    ends = [(ticket, depth), (f"trained-{p}", depth)]
                    (a, da), (b, db) = ends if index % 2 else ends[::-1]
                    rows.append(
                        {"seed": seed, "round": ROUNDS.C2, "ticket_a": a, "depth_a": da, "layer_a": f"l{da}"}
                        | {"ticket_b": b, "depth_b": db, "layer_b": f"l{db}", "gw_distance": unit * distance * factor}
                    )
                rows.append(rows[-1] | {"layer_b": "l0", "depth_b": 0, "layer_a": "l1", "gw_distance": 99.0})
    table = pd.DataFrame(rows)
    return table.assign(rdm_distance=2 * table["gw_distance"], debiased_cka=1 - table["gw_distance"] / 100)


@pytest.mark.parametrize(("near", "verdict"), [(0.6, "supported"), (1.0, "not supported"), (1.4, "not supported")])
def test_a_specialist_near_its_trained_network_is_evidence_in_percent_of_the_cores_distance(
    near: float, verdict: str
) -> None:
    found = claim_table(nearness(distances(near), PARTITIONS), EVIDENCE, Claims(), range(4))
    controls = ["core", "specialist-OTHER", "null-specialist-OWN@specialist-OWN", "random@specialist-OWN"]
    assert list(found["control"]) == 3 * controls
    assert found["measure"].unique().tolist() == [
        f"% of the core's distance by {geometry}" for geometry in ("GW", "RDM", "debiased CKA")
    ]
    assert set(found["verdict"]) == {verdict}
    np.testing.assert_allclose(found["difference_points"], 100 * (1 - near), atol=0.2)
    assert set(found["claim"]) == {"C2"}
    assert not found[["primary", "decisive"]].any(axis=None)


def test_evidence_decides_no_claim() -> None:
    both = pd.concat([measures(contributions(*scores(better=SPECIAL))), nearness(distances(1.4), PARTITIONS)])
    found = claim_table(both, COMPARED + EVIDENCE, Claims(), range(4))
    assert "not supported" in set(found.loc[found["comparison"].str.contains("on nearness"), "verdict"])
    verdicts = verdict_table(found, stated(), Claims(), 4, 2).set_index("claim")["verdict"]
    assert verdicts["C2"] == "supported"


def test_specialists_are_compared_with_the_tickets_whose_layers_are() -> None:
    found = evidence(PARTITIONS, 3, ["core", "specialist-low", "specialist-high", "random@specialist-low"])
    assert {comparison.control for comparison in found} == {"core", "specialist-OTHER"}
    assert evidence(PARTITIONS, 3, ["core", "union"]) == []


def test_nearness_is_between_equal_layers_and_relative_to_the_core() -> None:
    scores_ = nearness(distances(0.6), PARTITIONS).set_index(["ticket", "measure", "seed"])["score"].sort_index()
    assert scores_["core"].tolist() == [-1.0] * 4 * 2 * 3
    for geometry in ("GW", "RDM", "debiased CKA"):
        of = f"nearness by {geometry}"
        assert scores_["specialist-low", f"{of}, low"].to_numpy() == pytest.approx(-0.6, rel=0.01)
        assert scores_["specialist-low", f"{of}, high"].to_numpy() == pytest.approx(-1, rel=0.01)


def test_without_trained_networks_there_is_no_nearness() -> None:
    table = distances()
    assert nearness(table[(table["ticket_a"] == "core") & (table["ticket_b"] == "union")], PARTITIONS).empty
