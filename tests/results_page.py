"""What docs/results.md tells of: patterns of files, and the columns of each table."""

import re
from dataclasses import dataclass

from tests.conftest import ROOT

PAGE = ROOT / "docs/results.md"
TEXT = PAGE.read_text()
COMMON = "Columns that many tables have"


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        files: patterns of the files that have it.
        columns: patterns of the columns that it has besides the common ones.
    """

    files: list[str]
    columns: list[str]


def sections() -> dict[str, str]:
    """The text below each heading of the third level."""
    return dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE))


def told_columns(text: str) -> list[str]:
    """The names in the first cells of a table's rows."""
    rows = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(.+?)`", row)]


def tables() -> dict[str, Table]:
    """The tables of the page by their names; without the common columns."""
    found = {}
    for heading, text in sections().items():
        if (columns := told_columns(text)) and heading != COMMON:
            words = text.partition("\n| ")[0]
            found[heading] = Table([one for one in re.findall(r"`(\S+)`", words) if is_file(one)], columns)
    return found


def is_file(name: str) -> bool:
    """Whether something in code is the path of a table."""
    return name.endswith(".csv") and "/" in name


def files() -> list[str]:
    """Patterns of all files: what stands before the colon of each item."""
    text = TEXT.partition("\n## Files\n")[2].partition("\n## Tables\n")[0]
    items = re.findall(r"^- ((?:`\S+`,?\s+)*`\S+`):", text, re.MULTILINE)
    return [name for item in items for name in re.findall(r"`(\S+)`", item)]


def expression(pattern: str) -> str:
    """A pattern of the page as a regular expression: ``<x>`` is one part of a path, ``**`` any number of them."""
    parts = re.split(r"(<\w+>|\*\*/?|\*)", pattern)
    marks = {"**/": "(?:.+/)?", "**": ".+", "*": "[^/]*"}
    return "".join(marks.get(part, "[^/]+") if place % 2 else re.escape(part) for place, part in enumerate(parts))


def as_told(path: str) -> str:
    """A pattern of `result_paths` in the page's notation."""
    return re.sub(r"\{(\w+)\}", r"<\1>", path)
