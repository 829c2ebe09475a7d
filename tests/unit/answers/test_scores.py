"""Facts about scores: which test accuracies and which single images make up a measure, and how these are read."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dilt.answers.claim_language import Term
from dilt.answers.claim_table import claim_table
from dilt.answers.comparisons import Comparison
from dilt.answers.gathering import read_tables
from dilt.answers.scores import (
    COLLAPSED,
    CORRECT,
    Score,
    contributions,
    correct_file,
    image_errors,
    measures,
    with_correct,
)
from dilt.foundations import storage
from dilt.settings.answers import Claims

SEEDS, ROUND, IMAGES = (0, 1, 2), 2, {"animals": 80, "tools": 120}
Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def right(draws: np.random.Generator, number: int) -> np.ndarray:
    return (draws.random(number) < 0.7).astype(np.uint8)


def tables(with_images: bool = True) -> Tables:
    """Scores of two tickets on the source's two partitions and two targets, with their single images."""
    draws = np.random.default_rng(0)
    source, transfer, assembly = [], [], []
    for seed in SEEDS:
        for ticket in ("core", "lth@core"):
            address = {"seed": seed, "round": ROUND, "ticket": ticket}
            images = {part: right(draws, 50) for part in ("low", "high")}
            images["all"] = np.concatenate(list(images.values()))
            source += [address | {"corruption": "none", "classes": p, CORRECT: r} for p, r in images.items()]
            for target, number in IMAGES.items():
                for protocol in ("retrain", "linear"):
                    transfer.append(address | {"target": target, "protocol": protocol, CORRECT: right(draws, number)})
        address = {"seed": seed, "round": ROUND, "partition": "low", "assembly": "intact", "core_from": "low"}
        address |= {"readout": "head"}
        assembly.append(address | {CORRECT: right(draws, 50)})
    made = tuple(pd.DataFrame(rows) for rows in (source, transfer, assembly))
    for table in made:
        table["accuracy"] = [found.mean() for found in table[CORRECT]]
        table[COLLAPSED] = False
    return made if with_images else tuple(table.drop(columns=CORRECT) for table in made)  # type: ignore[return-value]


def test_single_images_add_up_to_the_scores() -> None:
    parts = contributions(*tables())
    by_images = parts.assign(score=[s * c.mean() for s, c in zip(parts["share"], parts[CORRECT], strict=True)])
    found = by_images.groupby(["seed", "ticket", "measure"])["score"].sum()
    expected = measures(parts).set_index(["seed", "ticket", "measure"])["score"]
    pd.testing.assert_series_equal(found.sort_index(), expected.sort_index())
    assert found.loc[0, "core", "transfer"] == pytest.approx(
        tables()[1].query("seed == 0 and ticket == 'core'")["accuracy"].mean()
    )


def test_scores_under_corruptions_are_part_of_no_measure() -> None:
    source, transfer, assembly = tables()
    noisy = source[source["classes"] == "all"].assign(corruption="noise", accuracy=0.0)
    both = pd.concat([noisy, source], ignore_index=True)
    pd.testing.assert_frame_equal(contributions(both, transfer, assembly), contributions(source, transfer, assembly))


def test_rounds_are_not_mixed() -> None:
    both = [pd.concat([table, table.assign(round=ROUND + 1, accuracy=0.5)]) for table in tables(with_images=False)]
    found = measures(contributions(*both))
    one = measures(contributions(*tables(with_images=False)))
    pd.testing.assert_frame_equal(found.query("round == @ROUND").reset_index(drop=True), one)
    assert (found.query("round != @ROUND")["score"] - 0.5).abs().max() < 1e-12


def test_a_score_collapsed_if_any_run_did_that_it_is_made_of_and_assemblies_are_no_runs() -> None:
    source, transfer, assembly = tables(with_images=False)
    one = transfer.query("seed == 1 and ticket == 'core' and target == 'tools' and protocol == 'linear'").index
    transfer.loc[one, COLLAPSED] = True
    found = measures(contributions(source, transfer, assembly.assign(**{COLLAPSED: True})))
    collapsed = found[found[COLLAPSED]]
    assert set(collapsed["measure"]) == {
        *("transfer", "transfer, linear", "transfer to tools", "transfer to tools, linear")
    }
    assert set(collapsed[["seed", "ticket"]].itertuples(index=False, name=None)) == {(1, "core")}


def test_images_are_those_of_a_target_or_a_partition() -> None:
    images = contributions(*tables()).groupby("measure")["images"].unique().map(list).to_dict()
    assert images["transfer"] == ["transfer to animals", "transfer to tools"]
    assert images["transfer to tools, linear"] == ["transfer to tools"]
    assert images["source, low"] == images["assembly, low, low, head"] == ["source, low"]
    assert images["source"] == ["source, all"]


def stacked(errors: dict[Score, dict[int, np.ndarray]]) -> dict[Score, np.ndarray]:
    """Errors by score, shape (num_seeds, num_resamples)."""
    return {score: np.stack(list(by_seed.values())) for score, by_seed in errors.items()}


def test_the_images_of_a_target_are_drawn_once_for_all_tickets_seeds_and_protocols() -> None:
    source, transfer, assembly = tables()
    of_core = transfer[transfer["ticket"] == "core"]
    transfer = pd.concat([of_core, of_core.assign(ticket="lth@core")])
    errors = stacked(image_errors(contributions(source, transfer, assembly), 300))
    each = [errors[ROUND, "core", f"transfer to {t}, {p}"] for t in IMAGES for p in ("retrain", "linear")]
    np.testing.assert_allclose(errors[ROUND, "core", "transfer"], np.mean(each, axis=0), atol=1e-12)
    np.testing.assert_array_equal(errors[ROUND, "core", "transfer"], errors[ROUND, "lth@core", "transfer"])
    assert errors[ROUND, "core", "transfer"].shape == (len(SEEDS), 300)


def test_without_single_images_there_is_no_error_of_them() -> None:
    assert image_errors(contributions(*tables(with_images=False)), 300) == {}
    source, transfer, assembly = tables()
    errors = image_errors(contributions(source, transfer, assembly.drop(columns=CORRECT)), 300)
    assert (ROUND, "core", "source, low") in errors
    assert (ROUND, "intact", "assembly, low, low, head") not in errors


def test_a_difference_that_hangs_on_few_images_is_less_sure_than_its_seeds_say() -> None:
    """Right on the same seven of hundred images more than the control, whichever the seed."""
    control = np.repeat([1, 0], [50, 50]).astype(np.uint8)
    ticket = np.repeat([1, 0], [57, 43]).astype(np.uint8)
    rows = [
        {
            "seed": seed,
            "round": ROUND,
            "ticket": name,
            COLLAPSED: False,
            "corruption": "none",
            "classes": "all",
            CORRECT: correct,
            "accuracy": correct.mean(),
        }
        for seed in range(4)
        for name, correct in (("core", ticket), ("lth@core", control))
    ]
    scored = (pd.DataFrame(rows), *(table.iloc[:0] for table in tables()[1:]))
    terms = (Term(1, "core", "source", False), Term(-1, "lth@core", "source", True))
    compared = [Comparison("C1", ROUND, "core - lth@core", "core", "lth@core", "source", True, False, terms)]

    def found(with_images: bool) -> pd.Series:
        errors = image_errors(contributions(*scored), 4000) if with_images else None
        return claim_table(measures(contributions(*scored)), compared, Claims(), range(4), errors).iloc[0]

    by_seeds, by_both = found(False), found(True)
    assert by_seeds["low_points"] == by_both["low_points"] == pytest.approx(7)
    assert np.isnan(by_seeds["bootstrap_low_points"])
    # Seven images of hundred: 7 +- 1.96 sqrt(7 * 93 / 100) points.
    assert by_both["bootstrap_low_points"] == pytest.approx(7 - 5, abs=0.5)
    assert by_both["bootstrap_high_points"] == pytest.approx(7 + 5, abs=0.5)
    assert by_seeds["p_larger"] == 0
    assert 0 < by_both["p_larger"] < 0.01


def written(folder: Path) -> list[Path]:
    """Two tables of transfer scores with their single images beside them."""
    draws, paths = np.random.default_rng(0), []
    for ticket in ("core", "lth@core"):
        images = {protocol: right(draws, 30) for protocol in ("retrain", "linear")}
        paths.append(folder / f"{ticket}.csv")
        rows = [{"ticket": ticket, "protocol": p, "accuracy": float(found.mean())} for p, found in images.items()]
        storage.write_rows(paths[-1], rows)
        storage.write_tensors(correct_file(paths[-1]), images)
    return paths


def test_single_images_are_read_beside_their_table(tmp_path: Path) -> None:
    paths = written(tmp_path)
    assert correct_file(paths[1]).name == "lth@core.correct.safetensors"
    table, _ = read_tables(paths, ["protocol"])
    np.testing.assert_array_equal([found.mean() for found in table[CORRECT]], table["accuracy"])


def test_single_images_that_are_missing_or_of_another_table_are_told(tmp_path: Path) -> None:
    paths = written(tmp_path)
    correct_file(paths[0]).rename(correct_file(paths[1]))
    with pytest.raises(FileNotFoundError, match=r"core\.correct\.safetensors: no such file"):
        read_tables(paths, ["protocol"])
    table = pd.read_csv(paths[1])
    with pytest.raises(ValueError, match=r"lth@core.correct.safetensors: not the images that lth@core.csv counts"):
        with_correct(table, paths[1], ["protocol"])
    with pytest.raises(ValueError, match="not the images"):
        with_correct(table, paths[1], ["ticket"])


def scored(*rows: tuple[int, str, float]) -> Tables:
    """Source scores by seed and ticket, each the same on two targets with two and four times the errors."""
    address = [{"seed": seed, "round": ROUND, "ticket": ticket, COLLAPSED: False} for seed, ticket, _ in rows]
    source = [
        a | {"corruption": "none", "classes": "all", "accuracy": accuracy}
        for a, (*_, accuracy) in zip(address, rows, strict=True)
    ]
    transfer = [
        a | {"target": target, "protocol": "retrain", "accuracy": 1 - errors * (1 - accuracy)}
        for a, (*_, accuracy) in zip(address, rows, strict=True)
        for target, errors in (("animals", 2), ("tools", 4))
    ]
    return pd.DataFrame(source), pd.DataFrame(transfer), tables()[2].iloc[:0]


def test_draws_of_a_ticket_are_averaged_over_those_that_a_seed_has() -> None:
    rows = [(0, "random@core", 0.9), (0, "random~2@core", 0.8), (0, "random~3@core", 0.7), (1, "random@core", 0.6)]
    found = (
        measures(contributions(*scored(*rows, (0, "core", 0.95))))
        .set_index(["seed", "ticket", "measure"])["score"]
        .to_dict()
    )
    expected = {}
    for key, source, animals, tools, both in (
        ((0, "random@core"), 0.8, 0.6, 0.2, 0.4),
        ((1, "random@core"), 0.6, 0.2, -0.6, -0.2),
        ((0, "core"), 0.95, 0.9, 0.8, 0.85),
    ):
        expected |= {(*key, "source"): source, (*key, "transfer"): both, (*key, "transfer, retrain"): both}
        for target, score in (("animals", animals), ("tools", tools)):
            expected |= {(*key, f"transfer to {target}{protocol}"): score for protocol in ("", ", retrain")}
    assert found == pytest.approx(expected)


def test_image_errors_are_of_the_mean_over_draws() -> None:
    """Two draws, right on the one half of the images and on the other: whatever is drawn, their mean stays a half."""
    halves = np.repeat([[1, 0], [0, 1]], 50, axis=1).astype(np.uint8)
    source, transfer, assembly = scored((0, "random@core", 0.5), (0, "random~2@core", 0.5), (0, "core", 0.5))
    source[CORRECT] = [*halves, halves[0]]
    errors = stacked(image_errors(contributions(source, transfer, assembly), 200))
    assert set(errors) == {(ROUND, "random@core", "source"), (ROUND, "core", "source")}
    np.testing.assert_allclose(errors[ROUND, "random@core", "source"], 0, atol=1e-12)
    assert np.std(errors[ROUND, "core", "source"]) == pytest.approx(0.05, rel=0.2)


@pytest.mark.parametrize("name", ["random~1@core", "random~two@core", "lth~2@core", "randon~2@core"])
def test_a_name_that_is_no_draw_is_a_ticket_of_its_own(name: str) -> None:
    found = measures(contributions(*scored((0, "random@core", 0.9), (0, name, 0.1), (0, "core", 0.8))))
    assert found.query("ticket == 'random@core' and measure == 'source'")["score"].item() == 0.9
    assert found.query("ticket == @name and measure == 'source'")["score"].item() == 0.1
