"""docs/configuration.md is what settings and config.yaml say now, and leaves no key unexplained."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from dilt.settings.experiment import Config
from docs import configuration_page
from tests.conftest import ROOT

TEXT = (ROOT / "config.yaml").read_text()
PAGE = configuration_page.PAGE.read_text()
ENTRIES = dict(re.findall(r"^### `(.+?)`\n\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))


def names(values: Any, section: Any, prefix: str = "") -> Iterator[str]:
    """Whole names of the keys that config.yaml has, down to those whose values are no sections."""
    for key, value in values.items():
        field = section.model_fields[key]
        below = configuration_page.section_of(field)
        if below and key != "targets" and not prefix:
            yield from names(value, below, f"{key}.")
        elif not below or prefix:
            yield prefix + key


def test_the_page_is_made_of_what_the_code_and_config_yaml_say_now() -> None:
    assert configuration_page.page(TEXT) == PAGE, "make schema"


def test_every_key_has_an_entry_with_a_kind_and_an_explanation() -> None:
    assert set(names(yaml.safe_load(TEXT), Config)) == set(ENTRIES)
    for key, entry in ENTRIES.items():
        kind, explanation, *_ = entry.split("\n\n")
        assert re.search("(required|; default `.+`|; left out: .+).*[.]$", kind, re.DOTALL), key
        assert len(explanation) > 8, key


def test_links_lead_to_headings_of_the_page() -> None:
    headings = {configuration_page.anchor(title) for title in re.findall(r"^##+ (.+)$", PAGE, re.MULTILINE)}
    links = re.findall(r"\]\(#(.+?)\)", PAGE)
    assert len(links) > 4
    assert set(links) <= headings


def test_an_edited_comment_or_value_changes_the_page() -> None:
    edited = TEXT.replace("# Images per step.", "# Images for each step.").replace("batch_size: 32", "batch_size: 33")
    page = configuration_page.page(edited)
    assert "Images for each step." in page
    assert "`33` in config.yaml" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("results/<name> by *.bias", r"results/\<name> by \*.bias"),
        ("as `*.bias` and", "as `*.bias` and"),
        ("[here](#there) a | b", r"[here](#there) a \| b"),
    ],
)
def test_marks_of_markdown_are_shown_as_they_are(text: str, shown: str) -> None:
    assert configuration_page.escaped(text) == shown


def test_no_line_of_a_paragraph_becomes_an_item_of_a_list() -> None:
    words = " ".join(["word"] * 23)
    assert configuration_page.wrapped(f"{words} more - minus").splitlines()[1] == r"\- minus"
