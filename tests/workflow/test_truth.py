"""The end-to-end test of the science: in made-up worlds (`tests.truth`) the pipeline finds what is known to be there.

Where partitions need features of their own, core and specialists are found to the weight and all claims are supported;
where they do not, no claim is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from dilt import summarise
from dilt.answers import gathering, scores
from dilt.settings.experiment import Config
from dilt.tickets.mask_files import read_mask
from dilt.tickets.masks import Mask
from tests.truth import CLAIM_ROUND, FIRST, INPUTS, PARTITIONS, World, inputs_for
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
        found = scores.measures(*(self.tables[name] for name in ("ticket_scores", "transfer", "assembly")))
        return found[(found["ticket"] == ticket) & (found["measure"] == measure)]["score"].mean()

    def verdicts(self) -> dict[str, str]:
        return dict(zip(self.tables["verdicts"]["claim"], self.tables["verdicts"]["verdict"], strict=True))


def finished(world: World, folder: Path) -> Run:
    """A world's experiment, run and answered; without geometry, on which no verdict rests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config = hand_built.run(world, folder, SEEDS)
    results = folder / "results" / config.shared
    tables = {}
    for name, keys in scores.IMAGE_KEYS.items():
        paths = gathering.files(results, gathering.OF_NETWORKS[name], config, PARTITIONS)
        tables[name], _ = gathering.read_tables(paths, keys)
    tables["distances"] = pd.DataFrame(columns=["seed", *(f"{x}_{y}" for x in ("ticket", "layer") for y in "ab")])
    tables["distances"]["gw_distance"] = pd.Series(dtype=float)
    return Run(results, config, tables | summarise.answer(tables, PARTITIONS, config))


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
            noise = world.kept(partition, seed) - world.kept(f"{partition}-sibling", seed)
            assert run.mask(seed, f"null-specialist-{partition}") == noise


def test_tickets_are_as_good_as_what_they_see(specialised: Run) -> None:
    """Of the source's four pairs of shared features, two belong to each partition, with two specific features each."""
    everything = {"source": 1, "source, low": 1, "source, high": 1, "transfer": 1}
    seen = {
        "union": everything,
        "core": {"source": 1 / 2, "transfer": 1 / 3},
        "core+specialist-low": {"source, low": 1, "source, high": 1 / 2, "transfer": 2 / 3},
        "core+specialist-high": {"source, low": 1 / 2, "source, high": 1, "transfer": 2 / 3},
        "specialist-low": {"source, low": 1 / 2},
        "specialist-high": {"source, high": 1 / 2},
        "lth@core": {"source": 1 / 2, "transfer": 1 / 6},
        "random@core": {"source": 1 / 8, "transfer": 1 / 18},
        "null-specialist-low": {"source": 1 / 8, "transfer": 1 / 18},
    }
    found = {
        ticket: {measure: specialised.accuracy(ticket, measure) for measure in known} for ticket, known in seen.items()
    }
    assert found == {ticket: pytest.approx(known, abs=LIKE_CHANCE) for ticket, known in seen.items()}


def test_all_claims_are_supported_where_partitions_specialise(specialised: Run) -> None:
    primary = specialised.tables["claims"].query("primary")
    assert specialised.verdicts() == dict.fromkeys(["C1", "C2", "C3"], "supported"), primary.to_string()


def test_no_claim_is_supported_where_there_is_nothing_to_specialise_in(null: Run) -> None:
    primary = null.tables["claims"].query("primary")
    assert null.verdicts() == dict.fromkeys(["C1", "C2", "C3"], "not supported"), primary.to_string()


def test_even_then_the_core_beats_what_sees_nothing(null: Run) -> None:
    claims = null.tables["claims"].query("primary and claim == 'C1'").set_index("control")
    assert set(claims.loc[["random@core", "initial-magnitude@core"], "verdict"]) == {"supported"}
    assert claims.loc["lth@core", "verdict"] == "not supported"


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
        training={"epochs": 20, "batch_size": 32, "learning_rate": 0.05, "weight_decay": 0.005},
        pruning={"rounds": 3, "rate": 0.75},
        tickets={"rounds": [2], "claim_round": 2},
    )
    for own, other in (PARTITIONS, PARTITIONS[::-1]):
        first = read_mask(folder / f"specialist-{own}/mask.safetensors")[FIRST]
        shares = {name: first[:, inputs_for(SPECIALISED.specific(name))].sum() / first.sum() for name in PARTITIONS}
        by_chance = inputs_for(SPECIALISED.specific(own)).sum() / INPUTS
        assert shares[own] > 2.5 * by_chance
        assert shares[other] < 0.5 * by_chance
