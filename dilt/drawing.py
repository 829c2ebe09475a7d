"""How figures look: sizes, colours, marks, and how they are written.

Drawn to be read in black and white and in either column width; what they show is `figures` and `geometry_figures`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.figure import Figure

from dilt.storage import replacing

ONE_COLUMN, TWO_COLUMNS = 3.4, 7.0  # inches
POINTS_PER_INCH = 72

_LOOK: dict[str, Any] = {
    "figure.constrained_layout.use": True,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.1,
    "lines.markersize": 4,
    "svg.hashsalt": "dilt",
}
pinned = style.context(["default", _LOOK])  # as a decorator: the user's settings neither matter nor change

# Okabe & Ito, https://jfly.uni-koeln.de/color/
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
ORANGE, PURPLE, SKY = "#E69F00", "#CC79A7", "#56B4E9"
GREY, RULE = "#666666", "#BBBBBB"

# Colour, marker and line of a ticket; x@y looks like x.
_TICKET_LOOKS: dict[str, tuple[str, str, Any]] = {
    "core": (BLUE, "o", "-"),
    "union": (GREEN, "D", "-"),
    "specialist": (PURPLE, "p", "-"),
    "core+specialist": (SKY, "P", (0, (6, 1, 1, 1, 1, 1))),
    "null-specialist": (ORANGE, "<", "--"),
    "null-core": (ORANGE, "<", "--"),
    "null-union": (ORANGE, "<", "--"),
    "core+random": (GREY, "x", (0, (1, 1))),
    "lth": (VERMILLION, "s", "--"),
    "colt": (ORANGE, "v", "-."),
    "lth-same-rounds": (VERMILLION, "D", ":"),
    "shuffled": (GREEN, "v", (0, (1, 1))),
    "reinit": (SKY, "d", "-."),
    "initial-magnitude": (PURPLE, "X", (0, (4, 1, 1, 1))),
    "random": (GREY, "^", ":"),
    "dense": ("black", ".", "-"),
    "untrained": ("black", "x", ":"),
    "trained": ("black", "+", "--"),
}
# Which tickets are seen together, by family.
PANELS = {
    "tickets and baselines": ("union", "core", "lth", "colt", "random"),
    "at the core's density": (
        *("core", "lth@core", "lth-same-rounds@core", "null-core@core"),
        *("initial-magnitude@core", "reinit@core", "shuffled@core", "random@core"),
    ),
    "at the union's density": (
        *("union", "lth@union", "colt@union", "null-union@union"),
        *("core+random@union", "random@union"),
    ),
    "parts (mean over partitions)": (
        *("core+specialist", "core+random@core+specialist"),
        *("specialist", "null-specialist", "random@specialist"),
    ),
}


@pinned
def save(figure: Figure, stem: Path) -> None:
    """Write ``stem``.svg and ``stem``.png (300 dpi), the same bytes for the same figure."""
    for kind, metadata in (("svg", {"Date": None}), ("png", {})):
        with replacing(stem.with_name(f"{stem.name}.{kind}")) as partial:
            figure.savefig(partial, format=kind, dpi=300, metadata=metadata)


def family_of(network: str) -> str:
    """A ticket or reference without the name of its partition."""
    return re.sub(r"(specialist|^trained|^null-core|^null-union)-[^@+]+", r"\1", network)


def ticket_look(family: str) -> tuple[str, str, Any]:
    """Colour, marker and line."""
    if family.startswith("consensus-"):
        return SKY, ("h", "d", "*")[int(family.split("-")[1]) % 3], (0, (6, 1, 1, 1, 1, 1))
    return _TICKET_LOOKS[re.sub(r"(\+specialist)+", "+specialist", family.split("@")[0])]
