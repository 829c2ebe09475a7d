"""What the pages of the project tell people to type: their blocks of code, by language."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(ROOT.glob("*/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


class Block(NamedTuple):
    """A block of a page, its fences aside."""

    page: Path
    language: str
    text: str


FOUND = [
    Block(page, language, text)
    for page in PAGES
    for language, text in re.findall(r"^```(\S*).*\n((?:.*\n)*?)```$", page.read_text(), re.MULTILINE)
]


def blocks(language: str) -> list[Block]:
    """All blocks of a language."""
    return [block for block in FOUND if block.language == language]


def commands(text: str) -> list[list[str]]:
    """The commands of a shell block, in words; comments left out, lines that go on joined, pipes taken apart."""
    lines = text.replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [command for line in words for command in _piped(line) if command]


def _piped(words: list[str]) -> list[list[str]]:
    if "|" not in words:
        return [words]
    cut = words.index("|")
    return [words[:cut], *_piped(words[cut + 1 :])]


BLOCKS = [block.text for block in blocks("python")]
OF_TIMM = [block for block in BLOCKS if "= timm.create_model(" in block]  # for networks that timm has
OF_GPU = [block for block in BLOCKS if ".cuda()" in block]
OF_ANY = [block for block in BLOCKS if block not in (*OF_TIMM, *OF_GPU)]
COMMANDS = [(block.page, command) for block in blocks("bash") for command in commands(block.text)]
EXPORTS = [
    ["-m", "dilt.export", *command[2:]]
    for _, command in COMMANDS
    if command[:2] == ["dilt", "export"] and "--push-to" not in command  # tests/unit/exports/test_hub.py pushes
]
