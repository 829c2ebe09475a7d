"""Facts about the figures of calibration, robustness and likeness: what they show, and that every experiment draws."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from dilt.reporting import network_figures, style
from tests.unit.asking import asked_names

KINDS = ("none", "noise", "blur", "brightness", "contrast", "pixelate")
Tables = dict[str, Any]

DRAWN: dict[str, Callable[[Tables], Figure]] = {
    "robustness": lambda t: network_figures.calibration_and_robustness(t["scores"], 4, 0.95),
    "similarity": lambda t: network_figures.task_similarity(t["similarity"]),
}


def tables(
    partitions: tuple[str, ...] = ("low", "high"),
    seeds: int = 2,
    names: Sequence[str] | None = None,
    kinds: Sequence[str] = KINDS,
    measures: Sequence[str] = network_figures.MEASURES,
) -> Tables:
    """Of made-up scores: every corruption takes as many points as its place in ``kinds`` times ten."""
    draws = np.random.default_rng(0)
    rows = [
        {"seed": s, "round": r, "ticket": t, "corruption": k, "classes": c, "ece": draws.uniform(0, 0.1)}
        | {"nll": draws.uniform(0.1, 2), "accuracy": 0.9 + 0.01 * s - 0.1 * place}
        for s, r, t, (place, k), c in product(
            range(seeds), (2, 4), names or asked_names(partitions), enumerate(kinds), ("all", *partitions)
        )
        if c == "all" or k == "none"
    ]
    similarity = [
        {"partition_a": a, "partition_b": b, "measure": measure, "value": (1 + partitions.index(a)) / 10, "low": np.nan}
        for measure, a, b in product(measures, partitions, partitions)
        if measure != "CKA" or a != b
    ]
    return {"scores": pd.DataFrame(rows), "similarity": pd.DataFrame(similarity)}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "experiment",
    [
        {},
        {"partitions": ("a", "b", "c")},
        {"partitions": tuple(f"partition-number-{i}" for i in range(20))},
        {"seeds": 1},
        {"kinds": ("none",)},
        {"measures": ("mask overlap",)},
    ],
    ids=["default", "three partitions", "twenty partitions", "one seed", "no corruptions", "one measure"],
)
@pytest.mark.parametrize("name", DRAWN)
def test_every_kind_of_experiment_can_be_drawn(name: str, experiment: dict[str, Any]) -> None:
    figure = DRAWN[name](tables(**experiment))
    figure.draw_without_rendering()
    assert figure.get_figwidth() == style.TWO_COLUMNS
    assert figure.get_figheight() <= style.PAGE


def test_a_panel_for_each_measure_of_calibration_and_each_corruption_with_what_it_takes() -> None:
    figure = DRAWN["robustness"](tables())
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == ["ECE (points)", "NLL (nats)", "noise", "blur", "brightness", "contrast", "pixelate"]
    families = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {"core", "lth@core", "specialist"} <= set(families)
    for place, ax in enumerate(figure.axes[2:], 1):
        marks = [line for line in ax.lines if len(line.get_xdata()) == 1]
        assert [line.get_xdata()[0] for line in marks] == pytest.approx([10 * place] * len(families))


def test_a_family_s_calibration_error_is_in_points_of_images_as_they_are_and_averaged_over_its_tickets() -> None:
    made = tables()
    figure = DRAWN["robustness"](made)
    families = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    marks = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    of_core = made["scores"].query("round == 4 and ticket == 'core' and classes == 'all' and corruption == 'none'")
    assert marks[families.index("core")].get_xdata()[0] == pytest.approx(100 * of_core["ece"].mean())
    both = made["scores"].query("round == 4 and classes == 'all' and corruption == 'none'")
    both = both[both["ticket"].isin(["specialist-low", "specialist-high"])]
    assert marks[families.index("specialist")].get_xdata()[0] == pytest.approx(100 * both["ece"].mean())


def test_a_matrix_for_each_measure_with_its_values_in_the_cells() -> None:
    figure = DRAWN["similarity"](tables())
    shown = {ax.get_title(loc="left"): ax for ax in figure.axes if ax.get_title(loc="left")}
    assert list(shown) == list(network_figures.MEASURES)
    for measure, ax in shown.items():
        written = {text.get_position(): text.get_text() for text in ax.texts}
        cells = {(1, 0): ".10", (0, 1): ".20"} | ({} if measure == "CKA" else {(0, 0): ".10", (1, 1): ".20"})
        assert written == cells, "column and row"


def test_values_are_left_out_where_cells_are_too_small_for_them() -> None:
    figure = DRAWN["similarity"](tables(tuple(f"p{i}" for i in range(20))))
    assert not [text for ax in figure.axes for text in ax.texts]
