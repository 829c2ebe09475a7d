"""The end-to-end test of the science: in made-up worlds (`tests.truth`) the pipeline finds what is known to be there.

Where partitions need features of their own, core and specialists are found to the weight and all claims are supported;
where they do not, no claim is. Nor are those of the experiment's own, on a ticket of its own. Where a control is right
on all images, or a run is at chance, a comparison decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dilt.answers import flags, gathering, scores
from dilt.answers.answering import answer
from dilt.settings.experiment import Config
from dilt.tickets.mask_files import read_mask
from dilt.tickets.masks import Mask
from tests.truth import (
    CLAIM_ROUND,
    FIRST,
    INPUTS,
    MARK,
    PARTITIONS,
    SHARED,
    SHOWN,
    SURE,
    World,
    inputs_for,
    readers,
)
from tests.workflow import hand_built

SEEDS = 4
SPECIALISED, NULL = World(specialised=True), World(specialised=False)
LIKE_CHANCE = 0.08  # how far accuracies may be from what guessing among the classes left gives


@dataclass
class Run:
    """A finished experiment."""

    results: Path
    config: Config
    tables: dict[str, pd.DataFrame]

    def mask(self, seed: int, ticket: str) -> Mask:
        return read_mask(self.results / f"seed-{seed}/tickets/round-{CLAIM_ROUND}/{ticket}/mask.safetensors")

    def accuracy(self, ticket: str, measure: str) -> float:
        """Mean over seeds."""
        parts = scores.contributions(*(self.tables[name] for name in ("ticket_scores", "transfer", "assembly")))
        found = scores.measures(parts)
        return found[(found["ticket"] == ticket) & (found["measure"] == measure)]["score"].mean()

    def verdicts(self, key: str = "verdict") -> dict[str, str]:
        return dict(zip(self.tables["verdicts"]["claim"], self.tables["verdicts"][key], strict=True))

    def primary(self, claim: str) -> pd.DataFrame:
        """The comparisons that the verdict on a claim rests on."""
        return self.tables["claims"].query("primary and claim == @claim").set_index(["control", "measure"])

    def answered(self) -> Run:
        """With the answers that follow from the scores."""
        tables = {name: flags.with_collapse(self.tables[name]) for name in ("ticket_scores", "transfer")}
        return replace(self, tables=self.tables | answer(self.tables | tables, PARTITIONS, self.config))


def finished(world: World, folder: Path) -> Run:
    """A world's experiment, run and answered; without geometry, on which no verdict rests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config = hand_built.run(world, folder, SEEDS)
    results = folder / "results" / config.shared
    tables = {}
    for name, keys in scores.IMAGE_KEYS.items():
        paths = gathering.files(results, *gathering.OF_NETWORKS[name], config, PARTITIONS)
        tables[name], _ = gathering.read_tables(paths, keys)
    where = ["seed", "round", *(f"{x}_{y}" for x in ("ticket", "layer") for y in "ab")]
    tables["distances"] = pd.DataFrame(columns=[*where, *scores.NEARNESSES.values()])
    return Run(results, config, tables).answered()


@pytest.fixture(scope="module")
def specialised(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished(SPECIALISED, tmp_path_factory.mktemp("specialised"))


@pytest.fixture(scope="module")
def null(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished(NULL, tmp_path_factory.mktemp("null"))


@pytest.mark.parametrize("world", [SPECIALISED, NULL], ids=["specialised", "null"])
def test_core_and_specialists_are_found_to_the_weight(world: World, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue("specialised" if world.specialised else "null")
    for seed in run.config.seeds:
        core = world.core(seed)
        assert run.mask(seed, "core") == core
        assert run.mask(seed, "union") == world.kept("low", seed) | world.kept("high", seed)
        for partition in PARTITIONS:
            specialist = world.specialist(partition, seed)
            assert run.mask(seed, f"specialist-{partition}") == specialist
            assert run.mask(seed, f"core+specialist-{partition}") == core | specialist
            sibling = world.kept(f"{partition}-sibling", seed)
            noise = world.kept(partition, seed) - sibling
            null = run.mask(seed, f"null-specialist-{partition}@specialist-{partition}")
            assert noise <= null
            assert null.count == specialist.count
            assert (null & sibling).count == 0
            joined = run.mask(seed, f"core+null-specialist-{partition}@core+specialist-{partition}")
            assert core | sibling - world.kept(partition, seed) <= joined
            assert joined.count == (core | specialist).count
            assert joined & world.kept(partition, seed) == core


@pytest.mark.parametrize("world", [SPECIALISED, NULL], ids=["specialised", "null"])
def test_a_ticket_of_one_s_own_has_the_weights_that_its_definition_says(
    world: World, request: pytest.FixtureRequest
) -> None:
    run: Run = request.getfixturevalue("specialised" if world.specialised else "null")
    for seed in run.config.seeds:
        assert run.mask(seed, SURE) == Mask(readers([MARK, *SHARED, *world.specific("low")])) | world.core(seed)


def test_tickets_are_as_good_as_what_they_see(specialised: Run) -> None:
    """Of the source's four pairs of shared features, two belong to each partition, with two specific features each.

    Who sees nothing but the mark knows one class of those that have it and one of those that do not. Of held-out
    images, some show nothing.
    """
    everything = {"source": 1, "source, low": 1, "source, high": 1}
    seen = {
        "union": everything,
        "core": {"source": 1 / 2, "transfer": 2 / 3},
        SURE: {"source": 3 / 4, "source, low": 1, "source, high": 1 / 2},
        "core+specialist-low": {"source, low": 1, "source, high": 1 / 2},
        "core+specialist-high": {"source, low": 1 / 2, "source, high": 1},
        "specialist-low": {"source, low": 1 / 2},
        "specialist-high": {"source, high": 1 / 2},
        "lth@core": {"source": 1 / 2, "transfer": 1 / 6},
        "split-core@core": {"source": 1 / 2, "transfer": 1 / 6},
        "random@core": {"source": 1 / 4, "transfer": 1 / 9},
        "null-specialist-low@specialist-low": {"source": 1 / 4},
        "core+null-specialist-low@core+specialist-low": {"source": 1 / 2},
    }
    found = {
        ticket: {measure: specialised.accuracy(ticket, measure) for measure in known} for ticket, known in seen.items()
    }
    known = {
        ticket: {
            measure: pytest.approx(share * (SHOWN if measure == "transfer" else 1), abs=LIKE_CHANCE)
            for measure, share in by_measure.items()
        }
        for ticket, by_measure in seen.items()
    }
    assert found == known


def test_all_claims_are_supported_where_partitions_specialise(specialised: Run) -> None:
    claims = specialised.tables["claims"].query("primary")
    expected = dict.fromkeys(["C1", "C2", "C3", "sure", "easy"], "supported")
    assert specialised.verdicts() == expected, claims.to_string()
    assert set(claims["outcome"]) == {"larger"}


def test_no_claim_is_supported_where_there_is_nothing_to_specialise_in(null: Run) -> None:
    primary = null.tables["claims"].query("primary")
    expected = dict.fromkeys(["C1", "C2", "C3", "sure"], "not supported") | {"easy": "inconclusive"}
    assert null.verdicts() == expected, primary.to_string()


def test_even_then_the_core_beats_what_sees_nothing(null: Run) -> None:
    claims = null.primary("C1").droplevel("measure")
    assert set(claims.loc[["random@core", "initial-magnitude@core"], "verdict"]) == {"supported"}
    assert claims.loc["lth@core", "verdict"] != "supported"


def test_the_decisive_control_is_enough_to_fail_a_claim(null: Run) -> None:
    """It has half of the level, however many other comparisons there are."""
    for claim, control in {"C1": "lth-same-rounds@core", "sure": "core"}.items():
        decisive = null.primary(claim).loc[(control, "transfer")]
        assert decisive["decisive"]
        assert decisive["verdict"] == "not supported"
        assert decisive["p_no_better"] <= null.config.claims.level / 2


def test_where_the_control_leaves_no_headroom_nothing_is_decided(null: Run) -> None:
    """On low's own classes the core is right on all, which in this world is as good as the ticket can be."""
    at_ceiling = null.primary("easy").loc[("core", "source, low")]
    assert at_ceiling["flag"] == "ceiling"
    assert at_ceiling["verdict"] == "inconclusive"
    assert at_ceiling["headroom_points"] < null.config.claims.margin
    assert at_ceiling["p_no_better"] <= null.config.claims.level  # which would else have been enough
    words = null.verdicts("words")["easy"]
    assert "1 comparison decides nothing, against core (source, low): the control leaves" in words
    assert "points of headroom, less than the margin of 1" in words


def test_a_run_that_collapsed_keeps_its_comparisons_from_deciding_and_no_others(specialised: Run) -> None:
    """The last seed's shuffled core, a control of C1 alone, named one class throughout instead."""
    transfer = specialised.tables["transfer"].copy()
    (row,) = transfer.query("ticket == 'shuffled@core' and seed == @SEEDS - 1").index
    named = np.arange(transfer.at[row, "images"]) < round(transfer.at[row, "images"] * transfer.at[row, "chance"])
    transfer.at[row, "correct"], transfer.at[row, "accuracy"] = named.astype(np.float32), named.mean()
    collapsed = replace(specialised, tables=specialised.tables | {"transfer": transfer}).answered()
    expected = specialised.verdicts() | {"C1": "inconclusive"}
    assert collapsed.verdicts() == expected
    claims = collapsed.primary("C1").droplevel("measure")
    assert dict(claims["verdict"]) == dict.fromkeys(claims.index, "supported") | {"shuffled@core": "inconclusive"}
    assert claims.loc["shuffled@core", ["flag", "collapsed_seeds"]].tolist() == ["collapse", 1]
    assert "against shuffled@core (transfer): in up to 1 seed a run collapsed" in collapsed.verdicts("words")["C1"]


def test_what_is_really_trained_reads_what_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing hand-built but the images: two rounds of pruning from an ordinary theta0.

    Which units detect a feature is then for each training to choose, so that the core is small and of no particular
    inputs; but a specialist's first layer reads its own partition's specific features, and leaves the other's alone.
    """
    monkeypatch.chdir(tmp_path)
    folder = Path("results/specialised/seed-0/tickets/round-2")
    hand_built.run_really(
        SPECIALISED,
        tmp_path,
        str(folder / "core/mask.safetensors"),
        images=300,
        training={"epochs": 20, "batch_size": 32, "optimizer": "sgd", "learning_rate": 0.05, "weight_decay": 0.005},
        pruning={"rounds": 3, "rate": 0.75},
        tickets={"rounds": [2], "claim_rounds": dict.fromkeys(["C1", "C2", "C3"], 2)},
        claims={},
    )
    for own, other in (PARTITIONS, PARTITIONS[::-1]):
        first = read_mask(folder / f"specialist-{own}/mask.safetensors")[FIRST]
        shares = {name: first[:, inputs_for(SPECIALISED.specific(name))].sum() / first.sum() for name in PARTITIONS}
        by_chance = inputs_for(SPECIALISED.specific(own)).sum() / INPUTS
        assert shares[own] > 2.5 * by_chance
        assert shares[other] < 0.5 * by_chance
