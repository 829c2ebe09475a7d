"""Facts about the figures of learning curves: a panel for each kind, a line for each round, chance dotted."""

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dilt.answers import learning_curves as curves_of
from dilt.reporting import style
from dilt.reporting.curve_figures import learning_curves
from dilt.tickets.names import TicketName

DRAWN: dict[str, Callable[[pd.DataFrame], Figure]] = {
    "trajectory-curves": lambda table: learning_curves(table, curves_of.TRAJECTORY),
    "ticket-curves": lambda table: learning_curves(table, curves_of.TICKET),
}


def curves(names: Sequence[str] = ("dense", "core", "lth@core"), rounds: int = 2, epochs: int = 3) -> pd.DataFrame:
    """Of made-up accuracies, of every kind of trajectory and of tickets, half a point from median to each end."""
    families = dict.fromkeys(TicketName.parse(name).family for name in names)
    kinds = [*product([curves_of.TRAJECTORY], curves_of.KINDS), *product([curves_of.TICKET], families)]
    return pd.DataFrame(
        {"of": of, "kind": kind, "round": round_, "epoch": epoch, "networks": 2, "chance": 0.25}
        | {"lowest": 0.895 - 0.3 / epoch, "median": 0.9 - 0.3 / epoch, "highest": 0.905 - 0.3 / epoch}
        for (of, kind), round_, epoch in product(kinds, range(1, rounds + 1), range(1, epochs + 1))
    )


def panels(figure: Figure) -> dict[str, object]:
    """The axes of a figure by title, those of its scale aside."""
    return {ax.get_title(loc="left"): ax for ax in figure.axes if ax.get_title(loc="left")}


def test_every_kind_has_a_panel_and_every_round_a_line_in_percent() -> None:
    found = panels(DRAWN["trajectory-curves"](curves()))
    assert list(found) == list(curves_of.KINDS)
    for ax in found.values():
        chance, *lines = ax.lines
        assert set(chance.get_ydata()) == {25}
        assert len(lines) == 2
        for line in lines:
            np.testing.assert_allclose(line.get_xydata(), [(1, 60), (2, 75), (3, 80)])
    assert list(panels(DRAWN["ticket-curves"](curves()))) == ["dense", "core", "lth@core"]


def test_the_range_over_networks_is_shaded() -> None:
    ax = panels(DRAWN["ticket-curves"](curves(rounds=1)))["core"]
    (shade,) = ax.collections
    heights = shade.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(59.5)
    assert heights.max() == pytest.approx(80.5)


def test_lines_of_rounds_differ_in_lightness_and_are_named() -> None:
    figure = DRAWN["ticket-curves"](curves(rounds=6))
    ax = panels(figure)["core"]
    light = [
        0.2126 * r**2.2 + 0.7152 * g**2.2 + 0.0722 * b**2.2 for r, g, b, _ in (x.get_color() for x in ax.lines[1:])
    ]
    assert (np.diff(light) > 0.01).all()
    (scale,) = [ax for ax in figure.axes if ax.get_xlabel() == "round (number)"]
    assert [label.get_text() for label in scale.get_xticklabels()] == list("123456")


@pytest.mark.parametrize("name", DRAWN)
def test_a_single_epoch_is_seen(name: str) -> None:
    figure = DRAWN[name](curves(epochs=1, rounds=1))
    for ax in panels(figure).values():
        assert [line.get_marker() for line in ax.lines[1:]].count(".") == 1


def test_long_names_of_tickets_are_broken_not_cut() -> None:
    name = "core+null-specialist-animals@core+specialist-animals"
    *_, title = panels(DRAWN["ticket-curves"](curves(["dense", "core", "lth", "union", name])))
    assert title == "core+null-specialist\n@core+specialist"
    *_, title = panels(DRAWN["ticket-curves"](curves(["dense", "core", "lth", "union", "colt", name])))
    assert title == "core\n+null-specialist\n@core+specialist"


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_table_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    for stem in ("first", "second"):
        style.save(DRAWN[name](curves()), tmp_path / stem)
    for kind in ("png", "svg"):
        assert (tmp_path / f"first.{kind}").read_bytes() == (tmp_path / f"second.{kind}").read_bytes()
