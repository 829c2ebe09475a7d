"""Facts about the figures: what they show, that they are reproducible, and that every kind of experiment draws."""

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dilt.answers.instability import instability
from dilt.reporting import figures, style
from dilt.reporting.accuracy_figure import accuracy_over_density
from dilt.tickets.selection import possible_names
from tests.unit.asking import asked_names

ROUNDS = (2, 4)
LAYERS = ("blocks.0.linear.weight", "blocks.1.linear.weight")
MEASURES = (("transfer", True), ("transfer to held-out, retrain", False), ("source", False))
Tables = dict[str, Any]

DRAWN: dict[str, Callable[[Tables], Figure]] = {
    "accuracy": lambda t: accuracy_over_density(t["densities"], t["scores"], 0.95, 1),
    "by-round": lambda t: figures.overlap_by_round(t["overlaps"]),
    "by-layer": lambda t: figures.overlap_by_layer(t["overlaps"], 4),
    "instability": lambda t: figures.instability(t["instability"]),
    "forest": lambda t: figures.transfer_forest(t["claims"]),
    "specialisation": lambda t: figures.specialisation(t["specialisation"]),
}


def tables(partitions: tuple[str, ...] = ("low", "high"), seeds: int = 2, names: Sequence[str] | None = None) -> Tables:
    """Of made-up scores; of the tickets that an experiment has, or of those named."""
    draws = np.random.default_rng(0)
    names = names or asked_names(partitions, [f"consensus-{k}" for k in range(2, len(partitions))])
    densities = [
        {"seed": s, "round": r, "ticket": t, "layer": layer, "density": 1.0 if t == "dense" else 0.5**r}
        for s, r, t, layer in product(range(seeds), ROUNDS, names, ("all", *LAYERS))
    ]
    for row in densities:
        row["effective_density"] = row["density"] * (1 - 0.1 * (row["ticket"] == "core") * (row["round"] == 4))
    scores = [
        {"seed": s, "round": r, "ticket": t, "corruption": "none", "classes": c, "accuracy": draws.uniform(0.8, 0.9)}
        | {"collapsed": (s, r, t) == (0, 4, "random")}
        for s, r, t, c in product(range(seeds), ROUNDS, names, ("all", *partitions))
    ]
    overlaps = [
        {"seed": s, "round": r, "kind": k, "layer": layer, "jaccard": draws.uniform(), "jaccard_by_chance": 0.1}
        for s, r, k, layer in product(range(seeds), ROUNDS, ("partitions", "siblings"), ("all", *LAYERS))
    ]
    claims = [
        {"claim": claim, "ticket": ticket, "control": control, "measure": measure, "primary": primary}
        | {"difference_points": 1.0, "low_points": 0.5 if seeds > 1 else np.nan}
        | {"high_points": 1.5 if seeds > 1 else np.nan}
        for (claim, ticket, control), (measure, primary) in product(
            (("C1", "core", "lth@core"), ("C1", "core", "random@core"), ("C3", "union", "colt")), MEASURES
        )
    ]
    specialisation = [
        {"specialist": p, "partition": q, "own": p == q, "change": change, "control": control, "readout": readout}
        | {"points": 5.0 if p == q else -2.0, "low_points": -3.0 if seeds > 1 else np.nan}
        | {"high_points": 7.0 if seeds > 1 else np.nan}
        for p, q, change, control, readout in product(
            partitions, partitions, ("removed", "added"), ("nothing", "random", "null specialist"), ("head", "linear")
        )
    ]
    barriers = [
        {
            "seed": s,
            "rewind": k,
            "rewind_epoch": k,
            "round": r,
            "kind": kind,
            "average_points": 1.0,
            "loss_barrier": 0.1,
        }
        | {"error_barrier_points": 10 - k + s + (kind == "partitions")}
        for s, (k, r), kind in product(range(seeds), ((0, 1), (0, 2), (3, 1)), ("siblings", "partitions"))
    ]
    return {
        "instability": instability(pd.DataFrame(barriers), 0.95),
        "specialisation": pd.DataFrame(specialisation),
        "densities": pd.DataFrame(densities),
        "scores": pd.DataFrame(scores),
        "overlaps": pd.DataFrame(overlaps),
        "claims": pd.DataFrame(claims),
    }


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_written_as_svg_and_png_of_the_same_bytes_whatever_the_users_settings(
    name: str, tmp_path: Path
) -> None:
    style.save(DRAWN[name](tables()), tmp_path / "first")
    with matplotlib.rc_context({"font.size": 20, "svg.fonttype": "none", "savefig.bbox": "tight"}):
        style.save(DRAWN[name](tables()), tmp_path / "second")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.png", "first.svg", "second.png", "second.svg"]
    for kind in ("png", "svg"):
        assert (tmp_path / f"first.{kind}").read_bytes() == (tmp_path / f"second.{kind}").read_bytes()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("experiment", [{"partitions": ("a", "b", "c")}, {"seeds": 1}], ids=str)
@pytest.mark.parametrize("name", DRAWN)
def test_three_partitions_and_a_single_seed_can_be_drawn(name: str, experiment: dict[str, Any]) -> None:
    figure = DRAWN[name](tables(**experiment))
    figure.draw_without_rendering()
    assert figure.get_figwidth() in (style.ONE_COLUMN, style.TWO_COLUMNS)


def test_drawing_leaves_matplotlibs_settings_alone() -> None:
    before = dict(matplotlib.rcParams)
    figures.overlap_by_round(tables()["overlaps"])
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        (
            "accuracy",
            {
                "density (% of prunable weights); below it, in brackets, sparsity (%)",
                "test accuracy on all source classes (%)",
            },
        ),
        ("by-round", {"pruning round (number)", "Jaccard index (dimensionless)"}),
        ("instability", {"error barrier (percentage points)", "pruning round (number)", "rewinding epoch (number)"}),
        ("by-layer", {"Jaccard index at round 4 (dimensionless)", "layer (name)"}),
        ("specialisation", {"change of test accuracy\n(percentage points)", "what is done to the specialist (name)"}),
        ("forest", {"difference in test accuracy (percentage points; right of zero: the ticket does better)"}),
    ],
)
def test_axes_carry_their_units(name: str, labels: set[str]) -> None:
    figure = DRAWN[name](tables())
    found = {figure.get_supxlabel(), figure.get_supylabel()}
    for ax in figure.axes:
        found |= {ax.get_xlabel(), ax.get_ylabel()}
    assert labels <= found


def test_barriers_are_drawn_by_round_and_by_rewinding_epoch() -> None:
    by_round, by_epoch = DRAWN["instability"](tables()).axes
    for ax, kind, expected in (
        (by_round, "siblings", [(1, 10.5), (2, 10.5)]),
        (by_round, "partitions", [(1, 11.5), (2, 11.5)]),
        (by_epoch, "partitions", [(0, 11.5), (3, 8.5)]),
    ):
        line = next(bars for bars in ax.containers if bars.get_label() == kind).lines[0]
        assert [tuple(point) for point in line.get_xydata()] == expected
    one = tables()["instability"].query("rewind_epoch == 0")
    assert len(figures.instability(one).axes) == 1


def test_what_a_specialist_is_worth_is_filled_for_its_own_classes_and_open_for_others() -> None:
    marks = [line for line in DRAWN["specialisation"](tables()).axes[0].lines if line.get_marker() == "o"]
    found = [(float(line.get_xdata()[0]), line.get_markerfacecolor()) for line in marks]
    assert sorted(set(found)) == [(-2.0, "white"), (5.0, "black")]
    assert len(found) == 6 * 4, "every change and control, for every specialist and partition, by one readout"


def test_accuracy_is_in_percent_and_averaged_over_seeds_on_all_classes() -> None:
    made = tables()
    scores = made["scores"].query("ticket == 'core' and classes == 'all'")
    panel = DRAWN["accuracy"](made).axes[1]
    core = next(bars for bars in panel.containers if bars.get_label() == "core").lines[0]
    density, accuracy = core.get_xydata().T
    np.testing.assert_allclose(density, [25, 6.25])
    np.testing.assert_allclose(accuracy, 100 * scores.groupby("round")["accuracy"].mean())


def test_an_open_mark_is_at_the_effective_density_where_it_is_lower() -> None:
    made = tables()
    panel = DRAWN["accuracy"](made).axes[1]
    (mark,) = [line for line in panel.lines if line.get_markerfacecolor() == "white"]
    core = next(bars for bars in panel.containers if bars.get_label() == "core").lines[0]
    np.testing.assert_allclose(mark.get_xydata(), [[0.9 * 6.25, core.get_ydata()[1]]])
    made["densities"].loc[made["densities"]["ticket"] == "core", "effective_density"] = 0
    assert not [line for line in DRAWN["accuracy"](made).axes[1].lines if line.get_markerfacecolor() == "white"]


def test_a_cross_marks_a_point_with_a_collapsed_run() -> None:
    panel = DRAWN["accuracy"](tables()).axes[0]
    (cross,) = [line for line in panel.lines if line.get_marker() == "x"]
    random = next(bars for bars in panel.containers if bars.get_label() == "random").lines[0]
    np.testing.assert_allclose(cross.get_xydata()[0], random.get_xydata()[1])


def test_a_panel_shows_what_is_compared_and_not_how_far_its_first_ticket_falls() -> None:
    made = tables()
    scores, controls = made["scores"], ["lth@core", "random@core"]
    kept = (scores["round"] == 2) | scores["ticket"].isin(["core", "lth", "union", "dense"])
    made["scores"] = scores[kept]
    made["scores"].loc[(scores["ticket"] == "core") & (scores["round"] == 4), "accuracy"] = 0.2
    everything, at_core = DRAWN["accuracy"](made).axes[:2]
    assert {"core", *controls} <= {bars.get_label() for bars in at_core.containers}
    assert everything.get_ylim()[0] < 20 < 40 < at_core.get_ylim()[0]
    left, right = at_core.get_xlim()
    assert 100 * 0.5**4 < left < 100 * 0.5**2 < right


@pytest.mark.parametrize("densities", [(0.223, 0.223), (0.04, 0.034), (0.5, 0.04), (0.8, 0.01), (0.5, 0.0001)], ids=str)
def test_densities_are_written_with_their_sparsities_and_do_not_meet(densities: tuple[float, float]) -> None:
    made = tables(names=["dense", "core", "union", "random@core"])
    made["densities"] = made["densities"][made["densities"]["ticket"] != "dense"]
    rounds = dict(zip(ROUNDS, densities, strict=True))
    for column in ("density", "effective_density"):
        made["densities"][column] = made["densities"]["round"].map(rounds)
    made["densities"] = pd.concat([made["densities"], tables()["densities"].query("ticket == 'dense'")])
    figure = DRAWN["accuracy"](made)
    figure.draw_without_rendering()
    for ax in (ax for ax in figure.axes if ax.get_visible()):
        left, right = ax.get_xlim()
        shown = [label for label in ax.get_xticklabels() if left <= label.get_position()[0] <= right]
        assert len(shown) >= 2
        for label in shown:
            density, sparsity = label.get_text().replace("(", "").replace(")", "").split("\n")
            assert float(density) + float(sparsity) == pytest.approx(100)
        places = sorted(label.get_window_extent().intervalx.tolist() for label in shown)
        assert all(before[1] < after[0] for before, after in pairwise(places))


def test_every_ticket_has_its_place_in_a_panel() -> None:
    figure = DRAWN["accuracy"](tables(("a", "b", "c", "d")))
    shown = {text.get_text() for ax in figure.axes if ax.get_visible() for text in ax.get_legend().get_texts()}
    assert shown == {style.family_of(name) for name in asked_names("abcd", ["consensus-2", "consensus-3"])}
    assert {"null-core@core", "null-union@union", "core+random@core+specialist", "random@specialist"} <= shown


def test_every_ticket_that_there_can_be_has_a_look_of_its_family() -> None:
    partitions = ["a", "b", "c"]
    names = [*possible_names(partitions), "core+specialist-a+specialist-c", "lth@core+specialist-a+specialist-c"]
    families = [style.family_of(name) for name in names]
    assert all(style.ticket_look(family) != style.DEFINED for family in families)
    assert "core+specialist+specialist" in families, "denser than the core with one specialist, so not of its family"
    assert not any(family.endswith(("-a", "-b", "-c")) or "-a@" in family for family in families)


def test_defined_tickets_are_drawn_in_panels_of_their_own() -> None:
    figure = DRAWN["accuracy"](tables(names=["dense", "core", "union", "shared", "lth@shared", "lost"]))
    drawn = [ax for ax in figure.axes if ax.get_legend()]
    shown = {ax.get_title(loc="left"): [text.get_text() for text in ax.get_legend().get_texts()] for ax in drawn}
    assert shown["shared and its controls"] == ["dense", "shared", "lth@shared"]
    assert shown["lost and its controls"] == ["dense", "lost"]


@pytest.mark.parametrize(
    ("asked", "drawn"), [(("C1", "C2"), ["C1"]), (("C3",), ["C3"]), (("C2",), ["C2"]), (("C1", "C4"), ["C1", "C4"])]
)
def test_the_forest_shows_claims_that_are_asked(asked: tuple[str, ...], drawn: list[str]) -> None:
    made = tables()
    rows = made["claims"]
    third = rows[rows["claim"] == "C3"]
    several = third.assign(claim="C2", ticket=[f"ticket {index}" for index in range(len(third))])
    made["claims"] = pd.concat([rows, several, third.assign(claim="C4")])
    made["claims"] = made["claims"][made["claims"]["claim"].isin(asked)]
    assert [ax.get_title(loc="left")[:2] for ax in DRAWN["forest"](made).axes] == drawn


@pytest.mark.parametrize(("seeds", "intervals"), [(2, 6), (1, 0)])
def test_the_forest_fills_primary_marks_and_has_no_interval_for_one_seed(seeds: int, intervals: int) -> None:
    ax = DRAWN["forest"](tables(seeds=seeds)).axes[0]
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert (faces.count("black"), faces.count("white")) == (2, 4)
    assert len(ax.collections) == intervals
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[:4] == ["lth@core", "transfer, mean", "held-out, retrain", "source"]
