"""Style of figures: sizes, colours, marks, and how figures are saved.

Figures can be read in black and white and in either column width; `figures` and `geometry_figures` draw them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib import style
from matplotlib.figure import Figure

from dilt.foundations.storage import replacing
from dilt.grouping import chains
from dilt.tickets.names import CRITERIA, TicketName

ONE_COLUMN, TWO_COLUMNS, PAGE = 3.3, 6.9, 9.2  # inches: widths, and the height of a page
LEAST = 7.0  # points, of any text: figures are printed at the size that they are drawn in
CHARACTER = 0.055  # inches, about, of a character of such text
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

# Colour, marker and line of a ticket; x@y looks like x. No two that share a panel have the same marker.
_TICKET_LOOKS: dict[str, tuple[str, str, Any]] = {
    "core": (BLUE, "o", "-"),
    "union": (GREEN, "D", "-"),
    "specialist": (PURPLE, "p", "-"),
    "core+specialist": (SKY, "P", (0, (6, 1, 1, 1, 1, 1))),
    "core+specialists": (BLUE, "*", (0, (8, 2))),
    "core+random": (GREY, "X", (0, (1, 2))),
    "null-specialist": (ORANGE, "<", "--"),
    "null-specialist@specialist": (ORANGE, "v", "-."),
    "core+null-specialist": (ORANGE, ">", (0, (1, 1))),
    "null-core": (ORANGE, "<", "--"),
    "null-union": (ORANGE, "<", "--"),
    "lth": (VERMILLION, "s", "--"),
    "lth-same-rounds": (PURPLE, "d", (0, (2, 1))),
    "colt": (ORANGE, "v", "-."),
    "initial-magnitude": (PURPLE, "X", (0, (4, 1, 1, 1))),
    "split-core": (VERMILLION, "h", (0, (3, 1, 1, 1))),
    "split-union": (VERMILLION, "h", (0, (3, 1, 1, 1))),
    "snip": (PURPLE, "v", "-."),
    "grasp": (SKY, "s", "--"),
    "synflow": (ORANGE, "P", ":"),
    "random": (GREY, "^", ":"),
    "shuffled": (GREEN, ">", (0, (1, 2))),
    "reinit": (SKY, "*", (0, (8, 2))),
    "dense": ("black", ".", "-"),
    "untrained": ("black", "x", ":"),
    "trained": ("black", "+", "--"),
}
_DEFINED = (BLUE, "8", (0, (5, 2)))  # of tickets that the user defines
_CONSENSUS = (SKY, (0, (6, 1, 1, 1, 1, 1)))
DEFINED = (BLUE, "h", "-")  # of a ticket that the user defines, which shares its panel with its controls alone
BASELINES, PARTS = "tickets and baselines", "parts (mean over partitions)"
JOINED = "core and parts (mean over partitions)"
AT_CORE, AT_UNION = "at the core's density", "at the union's density"
# Families of tickets that are seen together in a panel; the others are compared with the first of each.
_PANELS = {
    BASELINES: ("union", "core", "lth", "colt", "random"),
    AT_CORE: ("core", "lth@core", "lth-same-rounds@core", "split-core@core", "initial-magnitude@core", "random@core"),
    "the core, changed": ("core", "reinit@core", "shuffled@core", "null-core@core"),
    "the core: ranked at initialisation": ("core", *(f"{criterion}@core" for criterion in CRITERIA)),
    AT_UNION: ("union", "lth@union", "colt@union", "random@union"),
    "the union, otherwise": ("union", "null-union@union", "split-union@union", "core+random@union"),
    "the union, changed": ("union", "reinit@union", "shuffled@union"),
    "the union: ranked at initialisation": ("union", *(f"{criterion}@union" for criterion in CRITERIA)),
    PARTS: ("specialist", "null-specialist", "null-specialist@specialist", "random@specialist"),
    JOINED: ("core+specialist", "core+null-specialist@core+specialist", "core+random@core+specialist"),
}


@pinned
def save(figure: Figure, stem: Path) -> None:
    """Write ``stem``.svg and ``stem``.png (300 dpi), the same bytes for the same figure."""
    with replacing(stem.with_name(f"{stem.name}.svg")) as partial:
        figure.savefig(partial, format="svg", metadata={"Date": None})
    save_bitmap(figure, stem.with_name(f"{stem.name}.png"), 300)


@pinned
def save_bitmap(figure: Figure, path: Path, dots_per_inch: int) -> None:
    """Write a figure as PNG, the same bytes for the same figure."""
    with replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=dots_per_inch)


def family_of(network: str) -> str:
    """A ticket or reference without the names of its partitions."""
    return network.partition("-")[0] if chains.is_reference(network) else TicketName.parse(network).family


def ticket_look(family: str) -> tuple[str, str, Any]:
    """Colour, marker and line of a family."""
    name = TicketName.parse(family)
    if name.votes is not None:
        colour, line = _CONSENSUS
        return colour, ("h", "d", "*")[name.votes % 3], line
    if _is_defined(name):
        return DEFINED
    several = name.method.count("+specialist") > 1
    own = "core+specialists" if several else name.method
    return _TICKET_LOOKS.get(family, _TICKET_LOOKS.get(own, _DEFINED))


def panels(families: Iterable[str]) -> dict[str, list[str]]:
    """Families by the title of the panel that they are seen in; every family but the references is in one.

    A family that no panel names is put with similar ones; a ticket that the user defines has a panel of its own. Panels
    that add nothing to that of the baselines are left out.
    """
    present = list(families)
    of_own = {_likes(name): (name,) for name in present if _is_defined(TicketName.parse(name))}
    found = {title: [name for name in named if name in present] for title, named in (_PANELS | of_own).items()}
    placed = {name for names in found.values() for name in names}
    for name in present:
        if name not in placed and name not in ("dense", "untrained", "trained"):
            found.setdefault(_likes(name), []).append(name)
    baselines = set(found[BASELINES])
    return {title: names for title, names in found.items() if title == BASELINES or set(names) - baselines}


def _likes(family: str) -> str:
    """The panel of a family that no panel names."""
    counted = TicketName.parse(family).counted
    if _is_defined(counted):
        return f"{counted} and its controls"
    if "specialist" in family:
        return JOINED if family.startswith("core+") or "@core+" in family else PARTS
    return {"core": AT_CORE, "union": AT_UNION}.get(str(TicketName.parse(family).reference), BASELINES)


def _is_defined(name: TicketName) -> bool:
    """Whether the user defines the ticket: no kind of ticket has its name."""
    return name.votes is None and "+" not in name.method and name.method not in _TICKET_LOOKS
