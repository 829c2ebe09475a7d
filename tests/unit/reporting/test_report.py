"""Facts about what the report gathers: where each row comes from, and words for every figure and table."""

import pandas as pd
import pytest

from dilt import report, summarise
from dilt.answers import comparisons, gathering
from dilt.answers.paper_claims import paper_claims
from dilt.configuration.reading import load
from dilt.reporting import captions
from dilt.settings.tickets import ClaimRounds
from tests.conftest import ROOT


def test_every_row_comes_from_the_file_that_it_was_read_from(tmp_path) -> None:
    paths = [tmp_path / f"seed-{seed}.csv" for seed in range(2)]
    for seed, path in enumerate(paths):
        pd.DataFrame({"seed": [seed] * (seed + 1)}).to_csv(path, index=False)
    table, lengths = gathering.read_tables(paths)
    sources = pd.DataFrame(gathering.source_rows("scores", paths, lengths, tmp_path))
    found = report.origins("scores", {"scores": table, "sources": sources})
    assert found == [{f"seed-{seed}.csv": f"seed-{seed}.csv"} for seed in table["seed"]]


def test_a_comparison_leads_to_the_tables_of_its_terms() -> None:
    claims = paper_claims(ClaimRounds(C1=1, C2=2, C3=2), targets=["birds"], protocols=["linear"])
    compared = comparisons.comparisons(claims, ("low", "high"))
    terms = comparisons.terms_table(compared)
    rows = terms[["claim", "comparison", "ticket", "control", "measure"]].drop_duplicates()
    found = report.origins("claims", {"claims": rows, "terms": terms})
    assert len(found) == len(compared)
    by_measure = dict(zip(rows["measure"], found, strict=True))
    assert by_measure["transfer"] == {"transfer": "#table-transfer"}
    assert by_measure["source"] == {"ticket_scores": "#table-ticket_scores"}
    assert by_measure["transfer to birds, linear"] == {"transfer": "#table-transfer"}
    assert by_measure["source, OWN minus source, OTHER"] == {"ticket_scores": "#table-ticket_scores"}
    assert by_measure["assembly, OWN, mean, head"] == {"assembly": "#table-assembly"}


@pytest.mark.parametrize(
    ("numerics", "gpu"), [("cpu with 2 thread(s), float32", False), ("NVIDIA H100, deterministic, bfloat16", True)]
)
def test_gpus_count_where_a_network_was_trained_on_one(numerics: str, gpu: bool) -> None:
    versions = pd.DataFrame({"table": ["ticket_scores"], "versions": [f"python 3.11, torch 2.11, {numerics}"]})
    assert report.on_gpu(versions) == gpu


def barriers(*rows: tuple[int, int, float, bool]) -> pd.DataFrame:
    """Of partitions: rewinding epoch, round, mean barrier, whether stable; siblings beside them are stable always."""
    common = {"average_points": 1.25, "stable_below_points": 2.0}
    return pd.DataFrame(
        [
            {"rewind": epoch, "rewind_epoch": epoch, "round": round_, "kind": kind, "error_barrier_points": points}
            | common
            | {"stable": stable or kind == "siblings"}
            for epoch, round_, points, stable in rows
            for kind in ("siblings", "partitions")
        ]
    )


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (
            [(0, 1, 12.34, False), (0, 2, 0.1, True)],
            "No rewind_epoch of those tried (0) surely makes averaging core weights across partitions meaningful: in "
            "round 1 with rewind_epoch 0 the mean barrier is 12.3 points (two networks' average loses 1.2), not surely "
            "below 2 points; retrain, or read assemblies with one partition's weights.",
        ),
        (
            [(5, 1, 0.2, True), (0, 1, 12.0, False), (2, 1, 1.0, True)],
            "Averaging core weights across partitions is meaningful from rewind_epoch 2 on (tried: 0, 2, 5): in round "
            "1 with rewind_epoch 2 the mean barrier is 1.0 points (two networks' average loses 1.2), surely below 2 "
            "points.",
        ),
    ],
)
def test_a_line_tells_from_which_rewinding_epoch_weights_can_be_averaged(rows, line: str) -> None:
    assert captions.averaging(barriers(*rows)) == line


def test_every_figure_and_table_is_explained() -> None:
    assert set(captions.DRAWN_FROM) == set(summarise.FIGURES)
    assert set(captions.TABLES) == {*gathering.TABLES, "runtime"}
    summary = {"module_verdict": "smooth", "explained_by": "", "stability_over": "subsets of the layers"}
    told = captions.figure_captions(load(ROOT / "config.yaml"), summary)
    assert set(told) == set(summarise.FIGURES)
    assert set(captions.SEE) == set(summarise.FIGURES)
    assert sorted(name for names in captions.GROUPS.values() for name in names) == sorted(summarise.FIGURES)
