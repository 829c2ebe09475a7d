"""Figures of the geometry of layers: distances, modules and where they come from; matrices and tables in, figure out.

The matrices come from `geometry.distance_table`, the tables from the stage `cluster`. All are of one seed and round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from dilt.geometry.distance_table import DistanceMatrix, Node
from dilt.grouping import chains
from dilt.reporting.style import (
    BASELINES,
    CHARACTER,
    LEAST,
    ONE_COLUMN,
    PAGE,
    PARTS,
    POINTS_PER_INCH,
    RULE,
    TWO_COLUMNS,
    family_of,
    panels,
    pinned,
    ticket_look,
)

Labels = NDArray[np.int64]
UNIT = "scaled cost units"
LONG_NAME = 16  # characters of a name that a legend has in one line
_LEAF = 0.105  # inches of a dendrogram for each leaf, so that its name can be read
# References shown beside the families of a panel.
_BESIDE = {BASELINES: ("dense", "untrained"), PARTS: ("trained",)}


@pinned
def gw_matrix(matrix: DistanceMatrix, clusters: pd.DataFrame) -> Figure:
    """Heat map of distances, a block per ticket with its layers in order of depth; along both axes the modules."""
    tickets = chains.tickets(matrix)
    labels = _labels(tickets.nodes, clusters)
    blocks = _runs([ticket for ticket, _, _ in tickets.nodes])
    names = [name for _, _, name in blocks]
    # Points for each layer, about: the names take the rest of the width.
    pitch = (TWO_COLUMNS - 0.6 - CHARACTER * max(map(len, names))) * POINTS_PER_INCH / len(labels)
    figure = Figure(figsize=(TWO_COLUMNS, TWO_COLUMNS))
    ax = figure.subplots()
    image = ax.imshow(tickets.values, cmap="cividis", interpolation="nearest")
    for start, _, _ in _runs(labels.tolist())[1:]:
        ax.axhline(start - 0.5, color="white", lw=0.3, ls=(0, (2, 2)))
        ax.axvline(start - 0.5, color="white", lw=0.3, ls=(0, (2, 2)))
    for start, _, _ in blocks[1:]:
        ax.axhline(start - 0.5, color="white", lw=0.9)
        ax.axvline(start - 0.5, color="white", lw=0.9)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    left, top = ax.inset_axes((-0.045, 0, 0.035, 1)), ax.inset_axes((0, 1.01, 1, 0.035))
    _module_strip(left, labels[:, None], pitch)
    _module_strip(top, labels[None, :], pitch)
    centres = [(start + end - 1) / 2 for start, end, _ in blocks]
    step = math.ceil(LEAST * len(blocks) / (pitch * len(labels)))  # not every name, where they would not all fit
    top.set_xticks(centres[::step], names[::step], rotation=90)
    top.xaxis.tick_top()
    left.set_yticks(centres[::step], names[::step])
    left.set_ylabel("ticket (name), in each its layers from input to output; strip: module (number)")
    for strip in (left, top):
        strip.tick_params(length=0)
    figure.colorbar(
        image, ax=ax, location="bottom", shrink=0.6, aspect=40, label=f"Gromov-Wasserstein distance ({UNIT})"
    )
    return figure


@pinned
def module_map(clusters: pd.DataFrame) -> Figure:
    """The module of every layer of every ticket."""
    layers = list(clusters.sort_values("depth", kind="stable")["layer"].unique())
    tickets = list(clusters["ticket"].unique())
    grid = clusters.pivot(index="ticket", columns="layer", values="cluster").loc[tickets, layers]
    labels = grid.to_numpy(dtype=float)
    room = ONE_COLUMN - 0.4 - CHARACTER * max(map(len, tickets))
    width = ONE_COLUMN if room >= max(1.3, 0.2 * len(layers)) else TWO_COLUMNS
    figure = Figure(figsize=(width, min(1.0 + 0.17 * len(tickets), PAGE)))
    ax = figure.subplots()
    crowded = CHARACTER * (max(map(len, layers)) + 2) * len(layers) > room + width - ONE_COLUMN
    _draw_modules(ax, labels)
    for row, column in np.argwhere(np.isfinite(labels)):
        _write_module(ax, column, row, int(labels[row, column]), int(np.nanmax(labels)))
    ax.set_xticks(range(len(layers)), layers, rotation=90 if crowded else 0)
    ax.set_yticks(range(len(tickets)), tickets)
    ax.tick_params(length=0)
    ax.set_title("module (number)", loc="left")
    ax.set(xlabel="layer (name, input to output)", ylabel="ticket (name)")
    return figure


@pinned
def stability(shares: pd.DataFrame, over_seeds: NDArray[np.float64], clusters: pd.DataFrame) -> Figure:
    """How often two layers fall together: over subsets of probes or layers of one seed, and over seeds.

    Args:
        shares: the table stability.csv.
        over_seeds: (m, m), in the order of ``clusters``.
        clusters: layers are ordered by their module in it, and then by ticket and depth.
    """
    nodes = [(str(t), int(d), str(layer)) for t, d, layer in clusters[["ticket", "depth", "layer"]].to_numpy()]
    labels = clusters["cluster"].to_numpy(dtype=np.int64)
    order = np.argsort(labels, kind="stable")
    place = {node: index for index, node in enumerate(nodes)}
    over_subsets = np.eye(len(nodes))
    for row in shares.to_dict("records"):
        i, j = (place[str(row[f"ticket_{e}"]), int(row[f"depth_{e}"]), str(row[f"layer_{e}"])] for e in "ab")
        over_subsets[i, j] = over_subsets[j, i] = row["together"]
    figure = Figure(figsize=(TWO_COLUMNS, 3.9))
    panels = figure.subplots(1, 2)
    titles = ("subsets, one seed", "seeds")
    for ax, title, values in zip(panels, titles, (over_subsets, over_seeds), strict=True):
        image = ax.imshow(values[np.ix_(order, order)], cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        runs = _runs(labels[order].tolist())
        for start, end, _ in runs:
            ax.add_patch(
                Rectangle((start - 0.5, start - 0.5), end - start, end - start, fill=False, ec="black", lw=0.6)
            )
        ax.set_xticks([(start + end - 1) / 2 for start, end, _ in runs], [module for _, _, module in runs])
        ax.set_yticks([(start + end - 1) / 2 for start, end, _ in runs], [module for _, _, module in runs])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(True)
        ax.set_title(f"over {title}", loc="left")
        ax.set(xlabel="layers, by module (number)", ylabel="layers, by module (number)")
    figure.colorbar(
        image, ax=panels, location="bottom", shrink=0.5, aspect=40, label="share that puts two together (dimensionless)"
    )
    return figure


@pinned
def dendrogram(matrix: DistanceMatrix, clusters: pd.DataFrame) -> Figure:
    """Average linkage of the distances between all layers of tickets (Sokal and Michener 1958), with their modules.

    If there are more layers than lines on a page, the nearest ones are drawn as one leaf with their number.
    """
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    tickets = chains.tickets(matrix)
    labels = _labels(tickets.nodes, clusters)
    leaves = min(len(labels), int((PAGE - 0.8) / _LEAF))
    figure = Figure(figsize=(TWO_COLUMNS, 0.8 + _LEAF * leaves))
    ax = figure.subplots()
    names = [f"{ticket} {layer} [{label}]" for (ticket, _, layer), label in zip(tickets.nodes, labels, strict=True)]
    links = hierarchy.linkage(squareform(tickets.values, checks=False), "average")
    sizes = links[:, 3].astype(int)
    hierarchy.dendrogram(
        links,
        orientation="left",
        leaf_label_func=lambda node: names[node] if node < len(names) else f"({sizes[node - len(names)]} layers)",
        truncate_mode="lastp",
        p=leaves,
        ax=ax,
        color_threshold=0,
        above_threshold_color="black",
        leaf_font_size=LEAST,
    )
    for line in ax.collections:
        line.set_linewidth(0.6)
    ax.set(xlabel=f"mean Gromov-Wasserstein distance ({UNIT})", ylabel="ticket and layer (names) [module (number)]")
    ax.spines["left"].set_visible(False)
    return figure


@pinned
def eigenvalues(values: pd.DataFrame, chosen: int, by_eigengap: int) -> Figure:
    """The least eigenvalues of the Laplacian: as many are small as there are groups that are hardly connected.

    Args:
        values: the table eigenvalues.csv.
        chosen, by_eigengap: numbers of modules, each drawn as the gap above it.
    """
    shown = values.sort_values("index")["eigenvalue"].to_numpy()[:16]
    figure = Figure(figsize=(ONE_COLUMN, 2.5))
    ax = figure.subplots()
    ax.plot(np.arange(1, len(shown) + 1), shown, color="black", marker="o", ls="-", lw=0.6)
    ax.axvline(chosen + 0.5, color=RULE, lw=3, label=f"modules chosen: {chosen}")
    ax.axvline(by_eigengap + 0.5, color="black", lw=1, ls=":", label=f"largest gap: {by_eigengap}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="rank of the eigenvalue (number)", ylabel="eigenvalue (dimensionless)", ylim=(0, None))
    ax.legend(loc="lower right")
    return figure


@pinned
def adjacent_distances(matrix: DistanceMatrix) -> Figure:
    """Distance from each layer to the next, a line per network: a long step is where a module would end."""
    chain_of = {network: chains.part(matrix, [network]) for network in chains.networks(matrix)}
    steps = {network: np.diagonal(chain.values, 1) for network, chain in chain_of.items()}
    layers = [layer for _, _, layer in max(chain_of.values(), key=lambda chain: len(chain.nodes)).nodes]
    figure, found = _panels(matrix)
    for ax, shown in found:
        for network, look in shown.items():
            ax.plot(np.arange(len(steps[network])), steps[network], label=network, **look)
        ax.set_xticks(range(len(layers) - 1), layers[1:], rotation=90 if len(layers) > 5 else 0)
        ax.set_ylim(0, 1.05 * max(map(max, steps.values())))
        _families_legend(ax, shown)
    figure.supxlabel("layer that the step leads to (name, input to output)", fontsize=8)
    figure.supylabel(f"Gromov-Wasserstein distance ({UNIT})", fontsize=8)
    return figure


@pinned
def layer_map(matrix: DistanceMatrix) -> Figure:
    """All layers in the plane, as near to their distances as possible; each network is a line through depth.

    Metric multidimensional scaling by SMACOF from the classical solution; the first layer is open. Axes mean nothing.
    """
    from sklearn.manifold import MDS

    scaling = MDS(2, metric="precomputed", init="classical_mds", n_init=1, normalized_stress=True, random_state=0)
    everything = chains.part(matrix, chains.networks(matrix))
    places = scaling.fit_transform(everything.values)
    of_network = {
        network: places[[name == network for name, _, _ in everything.nodes]] for network in chains.networks(matrix)
    }
    figure, found = _panels(matrix)
    for ax, shown in found:
        for path in of_network.values():
            ax.plot(*path.T, color=RULE, lw=0.5, zorder=0)
        for network, look in shown.items():
            x, y = of_network[network].T
            ax.plot(x, y, label=network, **look)
            ax.plot(x[0], y[0], **look | {"mfc": "white"})
        ax.set_aspect("equal", adjustable="box")
        _families_legend(ax, shown)
    figure.supxlabel(
        f"first dimension of Gromov-Wasserstein distance ({UNIT}; stress {scaling.stress_:.2f}, dimensionless)",
        fontsize=8,
    )
    figure.supylabel(f"second dimension ({UNIT})", fontsize=8)
    return figure


def _labels(nodes: Sequence[Node], clusters: pd.DataFrame) -> Labels:
    """The module of each node."""
    module_of = clusters.set_index(["ticket", "depth", "layer"])["cluster"].to_dict()
    return np.array([module_of[node] for node in nodes], dtype=np.int64)


def _panels(matrix: DistanceMatrix) -> tuple[Figure, list[tuple[Axes, dict[str, dict[str, Any]]]]]:
    """Small multiples by question, as in `figures.accuracy_over_density`, each with its networks and their looks.

    Networks of several partitions look alike but for the size of their marks, which is largest for the first.
    """
    networks = chains.networks(matrix)
    members = {family: [name for name in networks if family_of(name) == family] for family in map(family_of, networks)}
    found = []
    for title, families in panels(members).items():
        shown = [name for family in (*_BESIDE.get(title, ()), *families) for name in members.get(family, ())]
        found.append((title.partition(" (")[0], shown))
    rows = math.ceil(len(found) / 2)
    figure = Figure(figsize=(TWO_COLUMNS, min(0.6 + 2 * rows, PAGE)))
    axes = figure.subplots(rows, 2, squeeze=False, sharex=True, sharey=True).ravel()
    for ax in axes[len(found) :]:
        ax.set_visible(False)
    panels_of = []
    for ax, (title, shown) in zip(axes, found, strict=False):
        ax.set_title(title, loc="left")
        before = [[family_of(other) for other in shown[:place]] for place in range(len(shown))]
        panels_of.append(
            (ax, {name: _look(name, others.count(family_of(name))) for name, others in zip(shown, before, strict=True)})
        )
    return figure, panels_of


def _families_legend(ax: Axes, shown: dict[str, dict[str, Any]]) -> None:
    """Draw the legend of a panel: a line per family, with the look of its first network."""
    first = {family_of(name): look for name, look in reversed(shown.items())}
    handles = [Line2D([], [], label=_two_lines(family), **look) for family, look in reversed(first.items())]
    ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5), handlelength=2.4)


def _two_lines(family: str) -> str:
    """A long name of a matched control, broken before what it is matched to."""
    return family.replace("@", "\n@") if len(family) > LONG_NAME else family


def _look(network: str, place: int) -> dict[str, Any]:
    """How the network at a place among those of its family is drawn."""
    colour, marker, line = ticket_look(family_of(network))
    return {"color": colour, "marker": marker, "ls": line, "lw": 0.9, "ms": 4.5 / (1 + 0.6 * place)}


def _runs(values: Sequence[object]) -> list[tuple[int, int, str]]:
    """Start, end (exclusive) and value of each stretch of equal values."""
    found, start = [], 0
    for value, run in groupby(values):
        end = start + len(list(run))
        found.append((start, end, str(value)))
        start = end
    return found


def _module_strip(ax: Axes, labels: NDArray[np.int64], pitch: float) -> None:
    """Modules of shape (m, 1) or (1, m), ``pitch`` points each, bounded where they change, numbered where that fits."""
    _draw_modules(ax, labels)
    ax.set(xticks=[], yticks=[])
    upright = labels.shape[1] == 1
    for start, end, module in _runs(labels.ravel().tolist()):
        centre = (start + end - 1) / 2
        x, y = (0.0, centre) if upright else (centre, 0.0)
        if pitch * (end - start) > LEAST:
            _write_module(ax, x, y, int(module), int(labels.max()))
        (ax.axhline if upright else ax.axvline)(end - 0.5, color="white", lw=0.4)


def _draw_modules(ax: Axes, labels: NDArray[Any]) -> None:
    ax.imshow(labels, cmap="viridis", vmin=0, vmax=max(1, np.nanmax(labels)), aspect="auto", interpolation="nearest")
    ax.spines[:].set_visible(False)


def _write_module(ax: Axes, x: float, y: float, module: int, last: int) -> None:
    red, green, blue, _ = colormaps["viridis"](module / max(1, last))
    ink = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 0.45 else "white"
    ax.text(x, y, str(module), color=ink, ha="center", va="center_baseline", fontsize=LEAST)
