"""Readers of lists that users bring, CSV tables as spreadsheets save them or plain text; errors say where a mistake is.

Tables that dilt itself writes belong to `storage`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dilt.foundations.error_lines import grouped

SEPARATORS = ",;\t"  # a comma, and what spreadsheets write where a comma is the decimal point
UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Row:
    """The cells of a row in the order of the columns asked for, and where they stand.

    Attributes:
        cells: without the spaces around them; empty where the row is too short.
        places: ``file:line:column`` of each, lines and columns counted from one.
    """

    cells: tuple[str, ...]
    places: tuple[str, ...]


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 where its first bytes say so; a byte-order mark is taken off.

    Raises:
        ValueError: it is in another encoding; the message has line and column of the first byte that shows it.
    """
    content = path.read_bytes()
    encoding = "utf-16" if content.startswith(UTF16) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = _lines(content[: error.start].decode(encoding, "replace"))
        raise ValueError(f"{path}:{len(before)}:{len(before[-1]) + 1}: not UTF-8 text; save it as UTF-8") from error


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """``file:line`` and text of each line that is not blank."""
    for number, line in enumerate(_lines(read_text(path)), 1):
        if line.strip():
            yield f"{path}:{number}", line.strip()


def column_names(path: Path) -> list[str]:
    """The names in the first line of a table that is not blank, by the separator that gives most.

    Raises:
        ValueError: the file is not text.
    """
    first = next((text for _, text in read_lines(path)), "")
    return max((_header(first, mark) for mark in SEPARATORS), key=len)


def read_rows(path: Path, columns: Sequence[str], wanted: str) -> list[Row]:
    """Some columns of a table that begins with a line of column names; blank rows are passed over.

    Args:
        columns: names of the columns.
        wanted: what a row is for, such as ``class``.

    Raises:
        ValueError: the file is no such table, a column is missing, or a cell is in no column.
    """
    text = read_text(path)
    first = next((line for line in _lines(text) if line.strip()), "")
    headers = {mark: _header(first, mark) for mark in SEPARATORS}
    separator = max(headers, key=lambda mark: (len(set(columns) & set(headers[mark])), len(headers[mark])))
    header: list[str] = []
    rows, wrong = [], []
    for line, cells in _records(path, text, separator, wanted):
        if not header:
            header = cells
            continue
        wrong += [(line, place, cell) for place, cell in enumerate(cells[len(header) :], len(header) + 1) if cell]
        places = [_place(path, header, column) for column in columns]
        rows.append(
            Row(
                tuple(cells[place] if place < len(cells) else "" for place in places),
                tuple(f"{path}:{line}:{place + 1}" for place in places),
            )
        )
    if wrong:
        raise error(
            f"{path}:{line}:{place}: '{cell}' is in no column; put a cell that has a '{separator}' in quotes"
            for line, place, cell in wrong
        )
    if not rows:
        raise ValueError(f"{path}: no rows; give a line '{','.join(columns)}' and then a row per {wanted}")
    return rows


def read_mapping(path: Path, key: str, value: str, wanted: str, found: str) -> dict[str, str]:
    """One column of a table as keys, another as their values; a row that is there twice counts once.

    Args:
        key, value: names of the columns.
        wanted, found: what the two columns hold, such as ``class`` and ``group``.

    Raises:
        ValueError: as `read_rows`, or a cell is empty, or a key has two values.
    """
    mapping: dict[str, str] = {}
    seen: dict[str, str] = {}
    empty, twice = [], []
    for row in read_rows(path, (key, value), wanted):
        (name, told), (here, there) = row.cells, row.places
        if not (name and told):
            empty.append((there if name else here, name, told))
        elif mapping.setdefault(name, told) != told:
            twice.append((there, name, told, seen[name]))
        seen.setdefault(name, there)
    if empty:
        raise error(
            f"{place}: '{name or told}' has no {found if name else wanted}; fill the cell of "
            f"'{value if name else key}', or remove the row"
            for place, name, told in empty
        )
    if twice:
        raise error(
            f"{place}: {wanted} '{name}' is '{told}' here and '{mapping[name]}' in {before}; keep one"
            for place, name, told, before in twice
        )
    return mapping


def error(wrong: Iterable[str]) -> ValueError:
    """The error to raise for findings on a list: the first, and how many more of its kind there are."""
    return ValueError(grouped(wrong)[0])


def _records(path: Path, text: str, separator: str, wanted: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each row that is not blank begins, and its cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path}:{line}: not readable as CSV ({error}); save it as UTF-8 text with a row per {wanted}"
        ) from error


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def _header(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])]
    except csv.Error:
        return []


def _place(path: Path, header: Sequence[str], column: str) -> int:
    if header.count(column) > 1:
        raise ValueError(f"{path}: column '{column}' is there twice; rename one")
    if column not in header:
        raise ValueError(f"{path}: no column '{column}'; name one of {', '.join(header)}")
    return header.index(column)
