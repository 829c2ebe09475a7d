"""Facts about the figures: what they show, that they are reproducible, and that every kind of experiment draws."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dilt import figures
from dilt.distances import DistanceMatrix
from dilt.tickets import ticket_names

ROUNDS = (2, 4)
LAYERS = ("blocks.0.linear.weight", "blocks.1.linear.weight")
MEASURES = (("transfer", True), ("transfer to held-out, retrain", False), ("source", False))
Tables = dict[str, Any]

DRAWN: dict[str, Callable[[Tables], Figure]] = {
    "accuracy": lambda t: figures.accuracy_over_density(t["densities"], t["scores"], 0.95),
    "by-round": lambda t: figures.overlap_by_round(t["overlaps"]),
    "by-layer": lambda t: figures.overlap_by_layer(t["overlaps"], 4),
    "gw": lambda t: figures.gw_matrix(t["matrix"], t["modules"]),
    "modules": lambda t: figures.module_map(t["modules"]),
    "forest": lambda t: figures.transfer_forest(t["claims"]),
}


def tables(partitions: tuple[str, ...] = ("low", "high"), seeds: int = 2) -> Tables:
    draws = np.random.default_rng(0)
    names = ticket_names(partitions)
    densities = [
        {"seed": s, "round": r, "ticket": t, "layer": layer, "density": 1.0 if t == "dense" else 0.5**r}
        for s, r, t, layer in product(range(seeds), ROUNDS, names, ("all", *LAYERS))
    ]
    scores = [
        {"seed": s, "round": r, "ticket": t, "classes": c, "accuracy": draws.uniform(0.8, 0.9)}
        for s, r, t, c in product(range(seeds), ROUNDS, names, ("all", *partitions))
    ]
    overlaps = [
        {"seed": s, "round": r, "kind": k, "layer": layer, "jaccard": draws.uniform(), "jaccard_by_chance": 0.1}
        for s, r, k, layer in product(range(seeds), ROUNDS, ("partitions", "siblings"), ("all", *LAYERS))
    ]
    nodes = [(t, d, f"blocks.{d}") for t in ("core", "colt", "dense") for d in (0, 1)]
    values = draws.uniform(size=(6, 6))
    modules = [
        {"ticket": t, "depth": d, "layer": layer, "cluster": (d + i) % 3} for i, (t, d, layer) in enumerate(nodes)
    ]
    claims = [
        {"claim": claim, "ticket": ticket, "control": control, "measure": measure, "primary": primary}
        | {"difference_points": 1.0, "low_points": 0.5 if seeds > 1 else np.nan}
        | {"high_points": 1.5 if seeds > 1 else np.nan}
        for (claim, ticket, control), (measure, primary) in product(
            (("C1", "core", "lth@core"), ("C1", "core", "random@core"), ("C3", "union", "colt")), MEASURES
        )
    ]
    return {
        "densities": pd.DataFrame(densities),
        "scores": pd.DataFrame(scores),
        "overlaps": pd.DataFrame(overlaps),
        "matrix": DistanceMatrix(nodes, values + values.T),
        "modules": pd.DataFrame(modules),
        "claims": pd.DataFrame(claims),
    }


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_written_as_svg_and_png_of_the_same_bytes_whatever_the_users_settings(
    name: str, tmp_path: Path
) -> None:
    figures.save(DRAWN[name](tables()), tmp_path / "first")
    with matplotlib.rc_context({"font.size": 20, "svg.fonttype": "none", "savefig.bbox": "tight"}):
        figures.save(DRAWN[name](tables()), tmp_path / "second")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.png", "first.svg", "second.png", "second.svg"]
    for kind in ("png", "svg"):
        assert (tmp_path / f"first.{kind}").read_bytes() == (tmp_path / f"second.{kind}").read_bytes()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("experiment", [{"partitions": ("a", "b", "c")}, {"seeds": 1}], ids=str)
@pytest.mark.parametrize("name", DRAWN)
def test_three_partitions_and_a_single_seed_can_be_drawn(name: str, experiment: dict[str, Any]) -> None:
    figure = DRAWN[name](tables(**experiment))
    figure.draw_without_rendering()
    assert figure.get_figwidth() in (figures.ONE_COLUMN, figures.TWO_COLUMNS)


def test_drawing_leaves_matplotlibs_settings_alone() -> None:
    before = dict(matplotlib.rcParams)
    figures.overlap_by_round(tables()["overlaps"])
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("accuracy", {"density (% of prunable weights)", "test accuracy, all source classes (%)"}),
        ("by-round", {"pruning round", "Jaccard index (shared / joined)"}),
        ("by-layer", {"Jaccard index (shared / joined), round 4", "layer, input to output"}),
        ("gw", {"Gromov-Wasserstein distance (scaled cost units)"}),
        ("modules", {"ticket", "layer, input to output"}),
        ("forest", {"difference in test accuracy (percentage points; right of zero: the ticket does better)"}),
    ],
)
def test_axes_carry_their_units(name: str, labels: set[str]) -> None:
    figure = DRAWN[name](tables())
    found = {figure.get_supxlabel(), figure.get_supylabel()}
    for ax in figure.axes:
        found |= {ax.get_xlabel(), ax.get_ylabel()}
    assert labels <= found


def test_accuracy_is_in_percent_and_averaged_over_seeds_on_all_classes() -> None:
    made = tables()
    scores = made["scores"].query("ticket == 'core' and classes == 'all'")
    panel = DRAWN["accuracy"](made).axes[1]
    core = next(bars for bars in panel.containers if bars.get_label() == "core").lines[0]
    density, accuracy = core.get_xydata().T
    np.testing.assert_allclose(density, [25, 6.25])
    np.testing.assert_allclose(accuracy, 100 * scores.groupby("round")["accuracy"].mean())


def test_every_ticket_has_its_place_in_a_panel() -> None:
    figure = DRAWN["accuracy"](tables(("a", "b", "c", "d")))
    shown = {text.get_text() for ax in figure.axes for text in ax.get_legend().get_texts()}
    names = {name.split("specialist-")[0] + "specialist" * ("specialist-" in name) for name in ticket_names("abcd")}
    assert shown == names


def test_distances_are_ordered_by_depth_and_then_by_ticket() -> None:
    made = tables()
    image = DRAWN["gw"](made).axes[0].images[0].get_array()
    order = [0, 2, 4, 1, 3, 5]
    np.testing.assert_array_equal(image, made["matrix"].values[np.ix_(order, order)])


def test_the_module_map_writes_every_module_in_its_cell() -> None:
    modules = tables()["modules"]
    ax = figures.module_map(modules).axes[0]
    layers, tickets = ["blocks.0", "blocks.1"], ["core", "colt", "dense"]
    written = {text.get_position(): int(text.get_text()) for text in ax.texts}
    for row in modules.itertuples():
        assert written.pop((layers.index(row.layer), tickets.index(row.ticket))) == row.cluster
    assert not written


@pytest.mark.parametrize(("seeds", "intervals"), [(2, 6), (1, 0)])
def test_the_forest_fills_primary_marks_and_has_no_interval_for_one_seed(seeds: int, intervals: int) -> None:
    ax = DRAWN["forest"](tables(seeds=seeds)).axes[0]
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert (faces.count("black"), faces.count("white")) == (2, 4)
    assert len(ax.collections) == intervals
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[:4] == ["lth@core", "transfer, mean", "held-out, retrain", "source"]
