"""Facts about all figures as they are printed: sizes, text, units, and that they can be told apart without colour."""

import io
import re
from collections.abc import Callable
from functools import cache
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib import colors
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from dilt.reporting import style
from dilt.tickets import selection
from dilt.tickets.names import CRITERIA
from tests.unit.asking import asked_names
from tests.unit.reporting import test_curve_figures, test_figures, test_geometry_figures, test_network_figures

UNITS = r"\(.*(%|points|scaled cost units|dimensionless|number|name).*\)"


def tickets(partitions: tuple[str, ...]) -> tuple[str, ...]:
    """All that an experiment with these partitions trains when it asks for every claim, and many besides."""
    several = ["core+specialist-animals+specialist-plants", "consensus-2"] if len(partitions) > 2 else []
    nulls = [f"null-specialist-{partition}" for partition in partitions]
    ranked = [f"{criterion}@{ticket}" for ticket in ("core", "union") for criterion in CRITERIA]
    return tuple(asked_names(partitions, [*nulls, *ranked, *several]))


PARTITIONS = ("animals", "vehicles", "plants")
LAYERS = 8
NAMES = (*test_curve_figures.DRAWN, *test_figures.DRAWN, *test_network_figures.DRAWN, *test_geometry_figures.DRAWN)


def figure(name: str) -> Figure:
    """A figure of an experiment with many tickets and long names."""
    if name in test_curve_figures.DRAWN:
        return test_curve_figures.DRAWN[name](test_curve_figures.curves(tickets(PARTITIONS), rounds=8))
    if name in test_figures.DRAWN:
        return test_figures.DRAWN[name](test_figures.tables(PARTITIONS, names=tickets(PARTITIONS)))
    if name in test_network_figures.DRAWN:
        return test_network_figures.DRAWN[name](test_network_figures.tables(PARTITIONS, names=tickets(PARTITIONS)))
    references = ("untrained", *(f"trained-{p}" for p in PARTITIONS))
    made = test_geometry_figures.tables(LAYERS, tickets(PARTITIONS), references)
    return test_geometry_figures.DRAWN[name](made)


@pytest.fixture(scope="module")
def drawn() -> Callable[[str], Figure]:
    @cache
    def draw(name: str) -> Figure:
        made = figure(name)
        made.draw_without_rendering()
        return made

    return draw


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_fits_a_column_or_two_and_a_page(drawn, name: str) -> None:
    width, height = drawn(name).get_size_inches()
    assert width in (3.3, 6.9)
    assert height <= style.PAGE + 0.1


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_smaller_than_seven_points(drawn, name: str) -> None:
    texts = [text for text in drawn(name).findobj(Text) if text.get_visible() and text.get_text().strip()]
    assert min(text.get_fontsize() for text in texts) >= 7


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_off(drawn, name: str) -> None:
    found = drawn(name)
    width, height = found.get_size_inches()
    x0, y0, x1, y1 = found.get_tightbbox().extents
    assert min(x0, y0) > -0.02
    assert x1 < width + 0.02
    assert y1 < height + 0.02


@pytest.mark.parametrize("name", NAMES)
def test_numbers_along_an_axis_do_not_meet(drawn, name: str) -> None:
    for ax in drawn(name).axes:
        labels = [label for label in ax.get_xticklabels() if label.get_visible() and label.get_text()]
        if not ax.get_visible() or not ax.xaxis.get_visible() or any(label.get_rotation() for label in labels):
            continue
        shown = [label.get_window_extent() for label in labels]
        left, right = ax.get_window_extent().intervalx
        shown = sorted((box.x0, box.x1) for box in shown if left - 1 <= (box.x0 + box.x1) / 2 <= right + 1)
        assert all(end < begin for (_, end), (begin, _) in pairwise(shown)), [label.get_text() for label in labels]


@pytest.mark.parametrize("name", NAMES)
def test_every_axis_says_what_it_shows_and_in_what_unit(drawn, name: str) -> None:
    found = drawn(name)
    for ax in found.axes:
        if not ax.get_visible():
            continue
        for axis, shared in ((ax.xaxis, found.get_supxlabel()), (ax.yaxis, found.get_supylabel())):
            if axis.get_visible() and len(axis.get_ticklocs()) > 0:
                label = axis.get_label_text() or shared or _beside(found, ax)
                assert re.search(UNITS, label), f"{label!r}"


def _beside(figure: Figure, ax: Any) -> str:
    """The label of the axes that an inset of it, such as a colour bar or a strip, stands for."""
    labels = [one.get_xlabel() or one.get_ylabel() for one in (*figure.axes, *ax.child_axes)]
    return next((label for label in labels if label), "")


@pytest.mark.parametrize("name", NAMES)
def test_lines_of_a_panel_differ_without_colour(drawn, name: str) -> None:
    for ax in drawn(name).axes:
        legend = ax.get_legend()
        looks = [
            (handle.get_marker(), handle.get_linestyle())
            for handle in getattr(legend, "legend_handles", [])
            if hasattr(handle, "get_marker")
        ]
        assert len(looks) == len(set(looks))


def test_what_is_drawn_in_one_panel_has_different_markers() -> None:
    families = {style.family_of(name) for name in tickets(PARTITIONS)}
    for names in style.panels(sorted(families)).values():
        markers = [style.ticket_look(name)[1] for name in names]
        assert len(markers) == len(set(markers)), names


def test_a_defined_ticket_has_a_panel_with_its_controls_in_different_markers() -> None:
    controls = [f"{x}@shared" for x in selection.CONTROLS]
    found = style.panels(sorted(["core", "union", "shared", "alone", *controls]))
    assert found["shared and its controls"] == ["shared", *sorted(controls)]
    assert found["alone and its controls"] == ["alone"]
    assert len({style.ticket_look(name)[1] for name in ("shared", *controls)}) == 1 + len(controls)


def test_every_family_is_in_a_panel_extra_controls_too() -> None:
    families = {style.family_of(name) for name in tickets(("low", "high"))} | {"colt@core", "lth@specialist"}
    shown = {name for names in style.panels(families).values() for name in names}
    assert shown == families - {"dense"}


@pytest.mark.parametrize("palette", ["viridis", "cividis", "Greys"])
def test_maps_of_colours_are_ordered_by_lightness(palette: str) -> None:
    from matplotlib import colormaps

    red, green, blue, _ = colormaps[palette](np.linspace(0, 1, 64)).T
    steps = np.diff(0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2)
    assert (steps > 0).all() or (steps < 0).all()


def test_colours_of_tickets_differ_for_colour_blind_eyes() -> None:
    """Okabe and Ito's, seen by eyes without red cones or green cones (Vienot, Brettel and Mollon 1999)."""
    looks = (style.BLUE, style.VERMILLION, style.GREEN, style.ORANGE, style.PURPLE, style.SKY)
    linear = np.array([colors.to_rgb(look) for look in looks]) ** 2.2
    protan = np.array([[0.112, 0.888, 0.0], [0.112, 0.888, 0.0], [0.004, -0.004, 1.0]])
    deutan = np.array([[0.293, 0.707, 0.0], [0.293, 0.707, 0.0], [-0.022, 0.022, 1.0]])
    for eyes in (protan, deutan):
        seen = np.clip(linear @ eyes.T, 0, 1) ** (1 / 2.2)
        assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 0.1


def test_bitmaps_have_300_dots_per_inch(tmp_path) -> None:
    style.save(figure("by-round"), tmp_path / "figure")
    image = Image.open(io.BytesIO((tmp_path / "figure.png").read_bytes()))
    assert image.width == round(3.3 * 300)
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
