"""Facts about the report: it says every verdict, holds every figure, and fetches nothing."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from dilt import report

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


def page(compared: pd.DataFrame | None = None, rows: int = 3) -> str:
    transfer = pd.DataFrame({"ticket": "core", "accuracy": np.linspace(0, 1, rows), "penalty": np.nan})
    return report.render(
        "Digits",
        VERDICTS,
        claims() if compared is None else compared,
        SVGS,
        {"transfer.csv": transfer},
        {"Configuration": "root: https://example.org/data\nname: <digits>", "Versions": "torch 2.11"},
    )


class Page(HTMLParser):
    """Collects the attributes that a browser may follow by itself, and checks that elements nest."""

    VOID = frozenset({"meta", "img", "link", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "link", "iframe"}
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "data"}]
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_verdict_stands_above_the_figures_with_its_numbers() -> None:
    top = page().split('id="figures"')[0]
    for row in VERDICTS.itertuples():
        assert f"{row.claim}: {row.statement}" in top
        assert f'<span class="verdict">{row.verdict}</span>' in top
    assert "+1.25" in top
    assert "+0.30 to +2.20" in top
    assert "\N{MINUS SIGN}0.50" in top


def test_every_figure_is_embedded_with_its_caption() -> None:
    images = Page(page()).images
    assert [image["alt"] for image in images] == list(SVGS)
    for image, svg in zip(images, SVGS.values(), strict=True):
        assert base64.b64decode((image["src"] or "").removeprefix("data:image/svg+xml;base64,")).decode() == svg


def test_nothing_is_fetched_and_elements_nest() -> None:
    html = page()
    parsed = Page(html)
    assert parsed.open == []
    assert all(address.startswith(("#", "data:")) for address in parsed.addresses)
    style = html.split("<style>")[1].split("</style>")[0]
    assert not re.search(r"url\(|@import", style)


def test_text_is_escaped() -> None:
    assert "name: &lt;digits&gt;" in page()


def test_claims_stand_in_full() -> None:
    tables = page().split('id="tables"')[1]
    assert tables.count("<td>lth@core</td>") == 2


@pytest.mark.parametrize(("rows", "shown", "noted"), [(200, 200, False), (201, 200, True)])
def test_long_tables_are_cut_with_a_note_of_their_file(rows: int, shown: int, noted: bool) -> None:
    table = page(rows=rows).split("<summary>transfer.csv")[1].split("</details>")[0]
    assert table.count("<td>core</td>") == shown
    assert ("<code>transfer.csv</code>" in table) == noted


def test_a_single_seed_has_no_interval() -> None:
    html = page(claims(np.nan, np.nan))
    assert "none from one seed" in html
    assert "nan" not in re.sub(r"base64,[^\"]*", "", html)
