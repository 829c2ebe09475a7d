"""Facts about the figures of geometry: what they show, that they are reproducible, and that extremes can be drawn."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dilt.geometry.distance_table import DistanceMatrix
from dilt.reporting import geometry_figures, style

Tables = dict[str, Any]
TICKETS = ("core", "colt", "specialist-a", "specialist-b", "consensus-2")
REFERENCES = ("untrained", "trained-a")
KEYS = ("ticket", "depth", "layer")

DRAWN: dict[str, Callable[[Tables], Figure]] = {
    "gw": lambda t: geometry_figures.gw_matrix(t["matrix"], t["clusters"]),
    "map": lambda t: geometry_figures.module_map(t["clusters"]),
    "stability": lambda t: geometry_figures.stability(t["shares"], t["over_seeds"], t["clusters"]),
    "dendrogram": lambda t: geometry_figures.dendrogram(t["matrix"], t["clusters"]),
    "eigenvalues": lambda t: geometry_figures.eigenvalues(t["eigenvalues"], 3, 2),
    "adjacent": lambda t: geometry_figures.adjacent_distances(t["matrix"]),
    "layers": lambda t: geometry_figures.layer_map(t["matrix"]),
}


def tables(layers: int = 3, tickets: tuple[str, ...] = TICKETS, references: tuple[str, ...] = REFERENCES) -> Tables:
    """Layers at random places, nodes shuffled so that no order is given."""
    draws = np.random.default_rng(0)
    names = [*tickets, *references]
    nodes = [(t, d, f"blocks.{d}") for d in range(layers) for t in names]
    places = draws.normal(size=(len(nodes), 3))
    matrix = DistanceMatrix(nodes, np.linalg.norm(places[:, None] - places[None, :], axis=-1))
    grouped = [(t, d, f"blocks.{d}") for t in tickets for d in range(layers)]
    clusters = [
        {"ticket": t, "depth": d, "layer": layer, "cluster": min(d, i % 3)} for i, (t, d, layer) in enumerate(grouped)
    ]
    shares = [
        {
            f"{key}_{end}": value
            for end, node in zip("ab", pair, strict=True)
            for key, value in zip(KEYS, node, strict=True)
        }
        | {"together": 0.25}
        for pair in combinations(grouped, 2)
    ]
    return {
        "matrix": matrix,
        "clusters": pd.DataFrame(clusters),
        "shares": pd.DataFrame(shares),
        "over_seeds": np.ones((len(grouped), len(grouped))),
        "eigenvalues": pd.DataFrame({"index": range(len(grouped)), "eigenvalue": np.linspace(0, 1, len(grouped))}),
    }


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_of_geometry_is_the_same_bytes_whatever_the_users_settings(name: str, tmp_path: Path) -> None:
    style.save(DRAWN[name](tables()), tmp_path / "first")
    with matplotlib.rc_context({"font.size": 20, "svg.fonttype": "none", "savefig.bbox": "tight"}):
        style.save(DRAWN[name](tables()), tmp_path / "second")
    for kind in ("png", "svg"):
        assert (tmp_path / f"first.{kind}").read_bytes() == (tmp_path / f"second.{kind}").read_bytes()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "experiment",
    [{"tickets": ("core",), "references": ()}, {"layers": 30, "references": ()}, {"layers": 2}],
    ids=["one ticket", "many layers", "two layers"],
)
@pytest.mark.parametrize("name", DRAWN)
def test_extremes_can_be_drawn(name: str, experiment: dict[str, Any]) -> None:
    figure = DRAWN[name](tables(**experiment))
    figure.draw_without_rendering()
    assert figure.get_figwidth() in (style.ONE_COLUMN, style.TWO_COLUMNS)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("gw", {"Gromov-Wasserstein distance (scaled cost units)"}),
        ("map", {"ticket (name)", "layer (name, input to output)"}),
        ("stability", {"share that puts two together (dimensionless)", "layers, by module (number)"}),
        (
            "dendrogram",
            {"mean Gromov-Wasserstein distance (scaled cost units)", "ticket and layer (names) [module (number)]"},
        ),
        ("eigenvalues", {"rank of the eigenvalue (number)", "eigenvalue (dimensionless)"}),
        (
            "adjacent",
            {"Gromov-Wasserstein distance (scaled cost units)", "layer that the step leads to (name, input to output)"},
        ),
    ],
)
def test_axes_of_geometry_carry_their_units(name: str, labels: set[str]) -> None:
    figure = DRAWN[name](tables())
    found = {figure.get_supxlabel(), figure.get_supylabel()}
    for ax in figure.axes:
        found |= {ax.get_xlabel(), ax.get_ylabel()}
    assert labels <= found


def test_distances_are_shown_in_a_block_per_ticket_in_order_of_depth_without_references() -> None:
    made = tables()
    matrix = made["matrix"]
    order = [matrix.nodes.index((t, d, f"blocks.{d}")) for t in TICKETS for d in range(3)]
    image = DRAWN["gw"](made).axes[0].images[0].get_array()
    np.testing.assert_array_equal(image, matrix.values[np.ix_(order, order)])


def test_the_module_map_writes_every_module_in_its_cell() -> None:
    clusters = tables()["clusters"]
    ax = geometry_figures.module_map(clusters).axes[0]
    layers = ["blocks.0", "blocks.1", "blocks.2"]
    written = {text.get_position(): int(text.get_text()) for text in ax.texts}
    for row in clusters.itertuples():
        assert written.pop((layers.index(row.layer), TICKETS.index(row.ticket))) == row.cluster
    assert not written


def test_stability_is_ordered_by_module() -> None:
    made = tables()
    first, second = made["clusters"].index[made["clusters"]["cluster"] == 2][:2]
    one, two = (made["clusters"].loc[index] for index in (first, second))
    of_pair = (made["shares"][[f"{key}_a" for key in KEYS]] == list(one[list(KEYS)])).all(axis=1) & (
        made["shares"][[f"{key}_b" for key in KEYS]] == list(two[list(KEYS)])
    ).all(axis=1)
    made["shares"].loc[of_pair, "together"] = 0.75
    image = np.asarray(DRAWN["stability"](made).axes[0].images[0].get_array())
    start = int((made["clusters"]["cluster"] < 2).sum())
    assert image[start, start + 1] == image[start + 1, start] == 0.75
    assert (image == 0.75).sum() == 2


def test_the_dendrogram_has_a_leaf_for_every_layer_with_its_module() -> None:
    made = tables()
    leaves = [label.get_text() for label in DRAWN["dendrogram"](made).axes[0].get_yticklabels()]
    rows = made["clusters"].itertuples()
    assert sorted(leaves) == sorted(f"{row.ticket} {row.layer} [{row.cluster}]" for row in rows)


def test_adjacent_distances_are_those_of_each_layer_to_the_next() -> None:
    made = tables()
    matrix = made["matrix"]
    lines = {line.get_label(): line.get_ydata() for ax in DRAWN["adjacent"](made).axes for line in ax.lines}
    assert set(lines) == {*TICKETS, *REFERENCES}
    for network, steps in lines.items():
        nodes = [matrix.nodes.index((network, d, f"blocks.{d}")) for d in range(3)]
        assert steps.tolist() == [matrix.values[nodes[0], nodes[1]], matrix.values[nodes[1], nodes[2]]]


def test_layers_that_lie_in_a_plane_are_mapped_as_they_lie() -> None:
    made = tables()
    places = np.random.default_rng(1).normal(size=(len(made["matrix"].nodes), 2))
    made["matrix"] = DistanceMatrix(made["matrix"].nodes, np.linalg.norm(places[:, None] - places[None, :], axis=-1))
    figure = DRAWN["layers"](made)
    line = next(line for line in figure.axes[0].lines if line.get_label() == "core")
    nodes = [made["matrix"].nodes.index(("core", d, f"blocks.{d}")) for d in range(3)]
    drawn = np.linalg.norm(np.diff(line.get_xydata(), axis=0), axis=1)
    np.testing.assert_allclose(drawn, np.linalg.norm(np.diff(places[nodes], axis=0), axis=1), rtol=1e-2)
    assert "stress 0.00" in figure.get_supxlabel()
