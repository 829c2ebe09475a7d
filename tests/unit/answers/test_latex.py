"""Facts about the LaTeX table: it is one, with every primary comparison and nothing that LaTeX would trip over."""

import re

import numpy as np
import pandas as pd
import pytest

from dilt.answers.latex import claims_latex
from dilt.settings.answers import Claims

VERDICTS = pd.DataFrame({"claim": ["C1", "C3"], "verdict": ["supported", "inconclusive"]})


def claims(seeds: int = 4) -> pd.DataFrame:
    nothing = np.nan if seeds == 1 else 1.0
    row = {
        "difference_points": 1.25,
        "low_points": 0.3 * nothing,
        "high_points": 2.2 * nothing,
        "bootstrap_low_points": -10.04 * nothing,
        "bootstrap_high_points": 12.5 * nothing,
        "effect": 2.0 * nothing,
        "p_larger": 0.0123 * nothing,
        "p_no_better_holm": 0.0001 * nothing,
        "verdict": "supported",
        "flag": "",
    }
    names = [
        ("C1", "core", "lth@core", "transfer", True),
        ("C1", "core", "null-core-wild_cats@core", "transfer to 100%_{#1} & co, linear", True),
        ("C1", "core", "lth@core", "source", False),
        ("C3", "union", "colt", "source", True),
    ]
    columns = ("claim", "ticket", "control", "measure", "primary")
    return pd.DataFrame([dict(zip(columns, name, strict=True)) | row for name in names])


def body(latex: str) -> list[list[str]]:
    """The cells between the rules."""
    between = latex.split("\\midrule")[1].split("\\bottomrule")[0]
    return [re.split(r"(?<!\\)&", line.removesuffix(r"\\")) for line in between.strip().splitlines()]


@pytest.mark.parametrize("seeds", [1, 4])
def test_it_is_a_table_with_rules_caption_and_label(seeds: int) -> None:
    latex = claims_latex(claims(seeds), VERDICTS, Claims())
    assert re.findall(r"\\begin\{(\S+?)\}", latex) == ["table*", "tabular"]
    assert re.findall(r"\\end\{(\S+?)\}", latex) == ["tabular", "table*"]
    for command in ("\\toprule", "\\midrule", "\\bottomrule", "\\centering", "\\label{tab:claims}", "\\caption{"):
        assert latex.count(command) == 1
    unescaped = re.sub(r"\\[{}$]", "", latex)
    assert unescaped.count("{") == unescaped.count("}")
    assert unescaped.count("$") % 2 == 0
    assert "nan" not in latex
    assert "C1: supported; C3: inconclusive." in latex


def test_every_row_fills_every_column() -> None:
    latex = claims_latex(claims(), VERDICTS, Claims())
    columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", latex)
    assert columns is not None
    heading = latex.split("\\toprule")[1].split("\\midrule")[0]
    assert heading.count("&") + 1 == len(columns[1])
    assert {len(cells) for cells in body(latex)} == {len(columns[1])}


def test_primary_comparisons_are_there_each_claim_named_once() -> None:
    rows = [[cell.strip() for cell in cells] for cells in body(claims_latex(claims(), VERDICTS, Claims()))]
    assert [cells[0] for cells in rows] == ["C1", "", "C3"]
    assert [cells[1] for cells in rows] == ["core", "core", "union"]
    assert rows[0][4:7] == ["$+1.2$", r"$[+0.3,\,+2.2]$", r"$[-10.0,\,+12.5]$"]
    assert rows[0][7:] == ["$+2.0$", "$0.012$", "$<0.001$", "supported"]


def test_a_flag_stands_beside_the_verdict_also_where_the_table_was_read_from_a_file() -> None:
    flagged = claims().assign(flag=[np.nan, "collapse", "", "ceiling"], verdict="inconclusive")
    verdicts = [cells[-1].strip() for cells in body(claims_latex(flagged, VERDICTS, Claims()))]
    assert verdicts == ["inconclusive", "inconclusive, collapse", "inconclusive, ceiling"]


def test_names_are_escaped() -> None:
    latex = claims_latex(claims(), VERDICTS, Claims())
    assert r"null-core-wild\_cats@core" in latex
    assert r"100\%\_\{\#1\} \& co" in latex
