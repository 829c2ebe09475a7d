"""Facts about the tickets that `combine` makes of a small run: of several rounds at once, own ones, matched ones."""

from pathlib import Path

import pipeline
import pytest
import small_run
from small_run import PARTITIONS, Arguments, table
from test_errors import error_of

from dilt.combine import effective_weights
from dilt.settings.networks import Model
from dilt.tickets.mask_files import read_mask
from dilt.tickets.masks import Mask, intersection
from dilt.tickets.selection import possible_names


def mask_of(results: Path, place: str, round_: int) -> Mask:
    return read_mask(results / place / f"round-{round_}/mask.safetensors")


def making(results: Path, *names: str, **options: object) -> Arguments:
    """The command that makes other tickets, in a folder of their own."""
    return pipeline.combine(results) | {
        "names": list(names),
        "tickets": [results / "made" / name / "mask.safetensors" for name in names],
        "densities": results / "made/densities.csv",
        "overlaps": results / "made/overlaps.csv",
        "options": pipeline.options("combine", **options),
    }


def made(results: Path, name: str) -> Mask:
    return read_mask(results / "made" / name / "mask.safetensors")


def test_lth_in_as_many_rounds_as_the_core_is_told_apart_by_round(results: Path) -> None:
    folder, first = results / "independent/full", results / "same-rounds-1/full/round-1/mask.safetensors"
    pruned = {"masks": [results / "dense.safetensors"], "pruned": [first], "rounds": 1}
    of_core = [results / f"independent/{name}/round-1/mask.safetensors" for name in PARTITIONS]
    pipeline.run("prune", pipeline.prune_to_core(results, 1) | pruned | {"core-of": of_core})
    arguments = making(results, "1/lth-same-rounds@core", "2/lth-same-rounds@core")
    ways = {
        "same-rounds": [1, 2],
        "same-rounds-masks": [first, *arguments["same-rounds-masks"]],
        "same-rounds-weights": [folder / "round-1/weights.safetensors", *arguments["same-rounds-weights"]],
    }
    pipeline.run("combine", arguments | ways)
    assert made(results, "1/lth-same-rounds@core") == read_mask(first)
    assert made(results, "2/lth-same-rounds@core") == mask_of(results, pipeline.TO_CORE, 2)
    cores = [intersection(mask_of(results, f"independent/{name}", round_) for name in PARTITIONS) for round_ in (1, 2)]
    assert [made(results, f"{round_}/lth-same-rounds@core").count for round_ in (1, 2)] == [c.count for c in cores]


def test_tickets_of_one_s_own_are_their_algebra_at_their_round(results: Path) -> None:
    define = {"late": "low & high-sibling", "grown": "(union[1] - late) | full"}
    pipeline.run("combine", making(results, "2/late", "2/grown", "1/late", define=define))
    low, other, high, full = (
        {round_: mask_of(results, f"independent/{name}", round_) for round_ in (1, 2)}
        for name in ("low", "high-sibling", "high", "full")
    )
    for round_ in (1, 2):
        assert made(results, f"{round_}/late") == low[round_] & other[round_]
    assert made(results, "2/grown") == ((low[1] | high[1]) - (low[2] & other[2])) | full[2]
    assert {(row["round"], row["ticket"]) for row in table(results / "made/densities.csv")} == {
        *(("1", "late"), ("2", "late"), ("2", "grown"))
    }


def test_a_ticket_of_one_s_own_without_weights_is_told(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = error_of("combine", making(results, "2/nothing", define={"nothing": "core - union"}), capsys)
    assert "tickets.define.nothing: 'core - union' keeps no weight after round 2 (seed 0)" in said
    assert not (results / "made/2/nothing/mask.safetensors").exists()


def test_controls_are_matched_by_the_weights_on_a_path_where_that_is_asked(results: Path) -> None:
    """Exactly, or where their number jumps over the wanted one, nearer than with as many live weights."""
    references = {"2/lth@core": "2/core", "2/random@specialist-low": "2/specialist-low"}
    names = [*references, *references.values()]
    on_path = effective_weights(Model.model_validate(small_run.MODEL), results / "data/source/dataset.json")
    off: dict[str, dict[str, int]] = {}
    for match in ("weights", "effective"):
        pipeline.run("combine", making(results, *names, match=match))
        told = [row for row in table(results / "made/densities.csv") if row["layer"] == "all"]
        found = {f"{row['round']}/{row['ticket']}": int(row["effective"]) for row in told}
        assert found == {name: on_path(made(results, name)).count for name in names}
        off[match] = {name: abs(found[name] - found[reference]) for name, reference in references.items()}
    assert off["effective"]["2/lth@core"] == 0 < off["weights"]["2/lth@core"]
    assert off["effective"]["2/random@specialist-low"] < off["weights"]["2/random@specialist-low"]


@pytest.mark.parametrize("match", ["weights", "effective"])
def test_tickets_are_the_same_files_however_many_are_made_at_a_time(results: Path, match: str) -> None:
    names = [f"{round_}/{ticket}" for round_ in (1, 2) for ticket in possible_names(PARTITIONS) if "same" not in ticket]
    files = []
    for threads in (1, 4):
        pipeline.run("combine", making(results, *names, match=match) | {"threads": threads})
        files.append({path: path.read_bytes() for path in (results / "made").rglob("*") if path.is_file()})
        assert len(files[-1]) > len(names)
    assert files[0] == files[1]


def test_overlaps_are_those_of_every_round(finished: Path) -> None:
    rows = [row for row in table(finished / "tickets/overlaps.csv") if row["layer"] == "all"]
    found = {
        (int(row["round"]), row["trajectories"]): int(row["shared"]) for row in rows if row["kind"] == "partitions"
    }
    for round_ in pipeline.ROUNDS:
        shared = intersection(mask_of(finished, f"independent/{name}", round_) for name in PARTITIONS).count
        assert found[round_, " & ".join(PARTITIONS)] == shared
