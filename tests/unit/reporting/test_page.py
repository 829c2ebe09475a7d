"""Facts about the page: it shows every verdict and figure, tells where rows are from, and fetches nothing."""

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dilt.reporting import captions, page
from dilt.reporting.page import Glance, PageFigure, PageTable

SVGS = {
    "Accuracy over density": '<svg xmlns="http://www.w3.org/2000/svg"><g id="a"/></svg>',
    "Overlap <by> round": '<svg xmlns="http://www.w3.org/2000/svg"><g id="a"/><g id="b"/></svg>',
}
VERDICTS = pd.DataFrame(
    {
        "claim": ["C1", "C3"],
        "statement": ["The core transfers.", "The union beats COLT."],
        "verdict": ["supported", "inconclusive"],
    }
)


def claims(low: float = 0.3, high: float = 2.2) -> pd.DataFrame:
    row = {"difference_points": 1.25, "low_points": low, "high_points": high, "seeds": 4, "verdict": "supported"}
    return pd.DataFrame(
        [
            {"claim": "C1", "ticket": "core", "control": "lth@core", "measure": "transfer", "primary": True} | row,
            {"claim": "C1", "ticket": "core", "control": "lth@core", "measure": "source", "primary": False} | row,
            {"claim": "C3", "ticket": "union", "control": "colt", "measure": "source", "primary": True}
            | row
            | {"difference_points": -0.5, "verdict": "inconclusive"},
        ]
    )


def rendered(
    compared: pd.DataFrame | None = None,
    rows: int = 3,
    verdicts: pd.DataFrame = VERDICTS,
    connection: Sequence[str] = (),
    **more: Any,
) -> str:
    transfer = pd.DataFrame({"ticket": "core", "accuracy": np.linspace(0, 1, rows), "penalty": np.nan})
    sources = [{f"seed-{row}/core.csv": f"seed-{row}/core.csv"} for row in range(rows)]
    return page.render(
        "Digits",
        verdicts,
        claims() if compared is None else compared,
        [
            PageFigure(f"figure{number}", *drawn, ("transfer",), f"See <{number}>.", f"Group {number}")
            for number, drawn in enumerate(SVGS.items())
        ],
        [PageTable("transfer", "A ticket on a target.", transfer, sources)],
        [PageTable("runtime", "A stage.", pd.DataFrame({"stage": ["train"], "wall_s": [12345.678]}))],
        {"Configuration": "root: https://example.org/data\nname: <digits>", "Versions": "torch 2.11"},
        PageTable("sources", "A file.", pd.DataFrame({"table": ["transfer"], "file": ["seed-0/core.csv"]})),
        connection,
        **more,
    )


class Page(HTMLParser):
    """Collects the attributes that a browser may follow by itself, and checks that elements nest."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.policy = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"link", "iframe", "object", "form"}
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}]
        if tag == "img":
            self.images.append(dict(attrs))
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"] or ""
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_verdict_stands_above_the_figures_with_its_numbers() -> None:
    top = rendered().split('id="figures"')[0]
    for row in VERDICTS.itertuples():
        assert f"{row.claim}: {row.statement}" in top
        assert f'<span class="verdict">{row.verdict}</span>' in top
    assert "+1.25" in top
    assert "+0.30 to +2.20" in top
    assert "\N{MINUS SIGN}0.50" in top


def test_tickets_with_weights_on_no_path_are_named_above_the_figures_if_there_are_any() -> None:
    assert captions.connection([]) == []
    told = rendered(connection=captions.connection(["round 3: core 0.650", "round 4: core 0.5"]))
    told = told.split('id="figures"')[1].split("<figure")[0]
    assert "less than 0.95 of the live weights lie on a path" in told
    assert re.findall("<li>(.*)</li>", told) == ["round 3: core 0.650", "round 4: core 0.5"]
    assert "<li>" not in rendered().split('id="figures"')[1].split("<figure")[0]
    Page(rendered(connection=["Some:", "round 3: core 0.650"]))


def test_what_the_claims_say_beyond_that_stands_there_too() -> None:
    top = rendered(
        claims().assign(
            bootstrap_low_points=0.25,
            bootstrap_high_points=2.5,
            p_larger=0.03125,
            flag="ceiling",
            p_no_better_holm=0.5625,
        ),
        verdicts=VERDICTS.assign(words="It does, by 1.25 points.", change="A smaller difference."),
    ).split('id="figures"')[0]
    assert "<b>What decided it.</b> It does, by 1.25 points." in top
    assert "<b>What is open.</b> It does, by 1.25 points." in top
    assert "<b>What would change it.</b> A smaller difference." in top
    assert "+0.25 to +2.50" in top
    assert "0.03125" in top
    assert "0.5625" in top
    assert "<td>ceiling</td>" in top


def test_figures_stand_under_their_headings_with_numbers_in_order_folded_unless_they_are_to_be_open() -> None:
    html = rendered(open_groups=["Group 1"])
    groups = re.findall(r'<details class="key"( open)?>\n<summary><h3>(Group .)</h3>', html)
    assert groups == [("", "Group 0"), (" open", "Group 1")]
    assert re.findall(r"<strong>Figure (\d)", html) == ["1", "2"]


def test_what_is_told_at_a_glance_stands_below_the_verdicts_with_its_table() -> None:
    top = rendered(glances=[Glance("Trained?", "None <of them>.", "collapsed")]).split('id="figures"')[0]
    assert "<dt>Trained?</dt>" in top
    assert '<dd>None &lt;of them&gt;. <a href="#table-collapsed">Table collapsed</a></dd>' in top
    assert "<dt>" not in rendered().split('id="figures"')[0]


def test_tickets_are_a_glossary_with_a_row_of_numbers_for_each_round() -> None:
    rows = [("core", 1, 0.5, "C1"), ("core", 2, 0.0625, ""), ("union", 2, 0.001234, "C3")]
    tickets = pd.DataFrame(
        {
            "ticket": t,
            "round": r,
            "density": d,
            "sparsity": 1 - d,
            "effective_density": d / 2,
            "claims": c,
            "what": f"<{t}>",
        }
        for t, r, d, c in rows
    )
    html = rendered(tickets=tickets)
    Page(html)
    table = html.split('<table class="tickets">')[1].split("</table>")[0]
    assert re.findall(r'<th scope="rowgroup" rowspan="(\d)">(.+)</th>', table) == [("2", "core"), ("1", "union")]
    assert table.count("&lt;core&gt;") == 1, "what it is stands once"
    cells = [re.findall(r'<td class="n">([^<]+)</td>', row) for row in table.split("<tr>")[2:]]
    assert cells == [
        ["1", "50 %", "50 %", "25 %"],
        ["2", "6.25 %", "93.8 %", "3.12 %"],
        ["2", "0.123 %", "99.9 %", "0.0617 %"],
    ]
    assert 'id="tickets"' not in rendered()
    assert "in pattern" not in table
    html = rendered(tickets=tickets.assign(in_pattern=[1, 0.5, 0.25]))
    patterned = html.split('<table class="tickets">')[1].split("</table>")[0]
    assert '<th scope="col" class="n">in pattern</th>' in patterned
    cells = [re.findall(r'<td class="n">([^<]+)</td>', row) for row in patterned.split("<tr>")[2:]]
    assert [row[-1] for row in cells] == ["100 %", "50 %", "25 %"]


def test_every_figure_is_embedded_with_its_caption_its_tables_and_its_files() -> None:
    html = rendered()
    images = Page(html).images
    assert [image["alt"] for image in images] == ["Figure0. See <0>.", "Figure1. See <1>."]
    for number, (image, (caption, svg)) in enumerate(zip(images, SVGS.items(), strict=True)):
        assert base64.b64decode((image["src"] or "").removeprefix("data:image/svg+xml;base64,")).decode() == svg
        figure = html.split(f'id="figure-figure{number}"')[1].split("</figure>")[0]
        assert f"<strong>Figure {number + 1}. See &lt;{number}&gt;.</strong> {escape(caption)}" in figure
        assert {'href="#table-transfer"', f'href="figures/figure{number}.svg"'} <= set(
            re.findall(r'href="[^"]+"', figure)
        )


def test_nothing_is_fetched_and_elements_nest() -> None:
    html = rendered()
    parsed = Page(html)
    assert parsed.open == []
    assert not [address for address in parsed.addresses if re.match(r"[a-z]+:(?!image)|//", address)]
    for style in re.findall(r"<style>(.*?)</style>", html, re.DOTALL):
        assert not re.search(r"url\((?!data:)|@import", style)


def test_the_tables_code_is_a_module_that_needs_no_other_and_gives_datatables() -> None:
    """What the page's script takes from itables; a version that bundles it otherwise fails here."""
    found = re.search(r'import DataTable from "data:text/javascript;base64,([^"]+)"', rendered())
    assert found
    code = base64.b64decode(found[1]).decode()
    assert re.search(r"export\{[^}]*\bas default\b[^}]*\}", code)
    assert not re.search(r"^import\b|[;}]import\b|\bimport\(", code, re.MULTILINE)


def test_the_page_forbids_itself_to_fetch_and_allows_its_own_script_by_digest() -> None:
    html = rendered()
    rules = dict(rule.strip().split(" ", 1) for rule in Page(html).policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert not [rule for rule, allowed in rules.items() if "http" in allowed or "*" in allowed]
    script = html.split('<script type="module">')[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["script-src"] == f"data: 'sha256-{digest}'"


def test_text_is_escaped() -> None:
    assert "name: &lt;digits&gt;" in rendered()


def test_every_row_leads_to_its_file() -> None:
    table = rendered().split('id="table-transfer"')[1].split("</details>")[0]
    assert re.findall(r'<a href="(seed[^"]+)">', table) == [f"seed-{row}/core.csv" for row in range(3)]
    assert 'href="tables/transfer.csv"' in table


@pytest.mark.parametrize(("rows", "shown", "noted"), [(500, 500, False), (501, 500, True)])
def test_long_tables_are_cut_with_a_note_of_their_file(rows: int, shown: int, noted: bool) -> None:
    table = rendered(rows=rows).split('id="table-transfer"')[1].split("</details>")[0]
    assert table.count("<td>core</td>") == shown
    assert ("The first 500 of 501 rows" in table) == noted


def test_numbers_have_four_digits_and_all_before_the_point() -> None:
    assert ">12346</td>" in rendered()
    assert ">0.5</td>" in rendered()


def test_a_single_seed_has_no_interval() -> None:
    html = rendered(claims(np.nan, np.nan))
    top = html.split('id="figures"')[0].split("<main>")[1]
    assert ">none</td>" in top
    assert "nan" not in top
