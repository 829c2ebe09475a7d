"""Facts about the zoo: its table and two pages tell the same; small members of odd families pass again."""

import csv
import re
from collections import Counter

import pytest

from benchmarks import zoo
from tests.conftest import ROOT

ROWS = list(csv.DictReader(zoo.TABLE.open()))
# Weight-standardised; class tokens; batch norms; channels last; depthwise; several heads of attention over channels;
# branches of several resolutions.
SMALL = [
    "test_nfnet",
    "test_vit",
    "test_resnet",
    "test_convnext",
    "test_efficientnet",
    "test_byobnet",
    "xcit_nano_12_p8_224",
]


def test_every_family_of_timms_has_its_row() -> None:
    """Those that a newer timm has are not known yet; none that was known is gone."""
    families = [row["family"] for row in ROWS]
    assert families == sorted(set(families))
    assert {"resnet", "vision_transformer", "nfnet", "swin_transformer", "xcit", "hrnet"} <= set(families)


def test_none_that_is_let_pass_fails() -> None:
    assert {row["support"] for row in ROWS} <= {zoo.SUPPORTED, zoo.REFUSED}
    assert all(row["reason"] for row in ROWS if row["support"] == zoo.REFUSED)


def test_the_pages_tell_what_the_table_has() -> None:
    counts = Counter(row["support"] for row in ROWS)
    assert zoo.PAGE.read_text() == zoo.page(ROWS)
    told = re.search(r"(\d+) of timm's (\d+) families", (ROOT / "docs/models.md").read_text())
    assert told is not None
    assert (int(told[1]), int(told[2])) == (counts[zoo.SUPPORTED], len(ROWS))


@pytest.mark.parametrize("name", SMALL)
def test_a_small_member_passes_what_the_table_tells_of(name: str) -> None:
    row = zoo.row_of("", name)
    assert (row["support"], row["reason"]) == (zoo.SUPPORTED, "")
    assert int(row["prunable"]) > 0
    assert int(row["blocks"]) > 0
