"""What the pages tell people to type is understood: options and targets exist, and YAML is a configuration.

Nothing is run. Python blocks and exports run in tests/workflow/test_pages.py and tests/unit/exports/test_exporting.py.
"""

import argparse
import importlib
import re
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import yaml

from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import gather
from tests import archives, pages
from tests.conftest import ROOT
from tests.pages import Block

LANGUAGES = {"bash", "python", "yaml", "text", "{toctree}", "{include}", "{eval-rst}"}
OTHERS = {"apptainer", "conda", "docker", "dot", "pip", "tensorboard"}  # programs of others
RULES = {
    rule
    for file in [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
    for rule in re.findall(r"^ *(?:rule|use rule \w+ as) (\w+)", file.read_text(), re.MULTILINE)
}
MAKE = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
# Files and folders that a page makes or supposes.
SUPPOSED = r"(photos|cifar10\.yaml|birds\.yaml|trial\.yaml|alone\.yaml|my\.yaml|sweep=rewinding\.yaml|results/.*)$"
# What a page's YAML is laid over, if not the default.
BASES = {
    "tutorial-cifar10.md": "workflow/presets/cifar10-resnet.yaml",
    "data-sets.md": "birds.yaml",
    "models.md": "birds.yaml",
    "own-data.md": "birds.yaml",
    "recipes.md": "birds.yaml",
}
CLASSES = {"blackbird": "animals", "robin": "animals", "oak": "plants", "ash": "plants"}


class ParsedError(Exception):
    """A command line was understood, and its command is not to go on."""


def name(case: Any) -> str:
    if isinstance(case, Path):
        return case.stem
    return " ".join(case)[:60] if isinstance(case, list) else case.text.partition("\n")[0]


@pytest.fixture
def only_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands end once they have understood their command line; `dilt` itself goes on to the command that it names."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_stop(parser: argparse.ArgumentParser, *given: Any, **named: Any) -> Any:
        understood = parse(parser, *given, **named)
        if parser.prog == "dilt":
            return understood
        raise ParsedError(understood)

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
    monkeypatch.chdir(ROOT)


def test_every_block_says_what_it_is() -> None:
    for page in pages.PAGES:
        text = page.read_text()
        found = [block for block in pages.FOUND if block.page == page]
        assert text.count("\n```") + text.startswith("```") == 2 * len(found), page
        assert {block.language for block in found} <= LANGUAGES, page
        prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
        assert re.findall(r"\n\n    .*", prose) == [], f"{page}: a block by indentation, which no test reads"


@pytest.mark.usefixtures("only_parsed")
@pytest.mark.parametrize(("page", "words"), pages.COMMANDS, ids=name)
def test_a_command_is_understood(page: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    understand(words, monkeypatch)
    for word in words[1:]:
        if re.search(r"\.(ya?ml|py)$", word) or word.startswith(("workflow/", "docs/")):
            assert (ROOT / word).exists() or re.match(SUPPOSED, word), f"{page}: no file {word}"


@pytest.mark.usefixtures("only_parsed")
@pytest.mark.parametrize(
    "line",
    [
        "snakemake tikets --cores 2",
        "snakemake -R tikets --cores 2",
        "snakemake --coers 2",
        "dilt plan --sdd 2",
        "dilt plann",
        "python -m dilt.nothing",
        "python benchmarks/throughput.py --modell x",
        "make demoo",
        "diltt check",
    ],
)
def test_a_wrong_command_is_not(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises((AssertionError, SystemExit, ModuleNotFoundError)):
        understand(line.split(), monkeypatch)


def understand(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise an error, or end the process, if the program that a command names does not understand it."""
    program, *rest = words
    monkeypatch.setattr(sys, "argv", words)
    if program == "snakemake":
        assert_snakemake(rest)
    elif words[:2] == ["python", "-m"]:
        assert rest[1].startswith("dilt.")
        monkeypatch.setattr(sys, "argv", rest[1:])
        parse_only(importlib.import_module(rest[1]).main)
    elif program == "python":
        assert (ROOT / rest[0]).is_file()
        monkeypatch.setattr(sys, "argv", rest)
        parse_only(importlib.import_module(rest[0].removesuffix(".py").replace("/", ".")).main)
    elif program == "dilt":
        parse_only(EntryPoint("dilt", SCRIPTS["dilt"], "console_scripts").load())
    elif program == "make":
        assert set(rest) <= MAKE
    else:
        assert program in OTHERS


def parse_only(main: Any) -> None:
    with pytest.raises(ParsedError):
        main()


def assert_snakemake(words: list[str]) -> None:
    from snakemake.cli import get_argument_parser

    given = get_argument_parser().parse_args(words)
    assert {rule for rule in given.targets if not rule.startswith("results/")} <= RULES
    assert set(given.forcerun or []) - {"RULE"} <= RULES
    assert given.workflow_profile is None or (ROOT / given.workflow_profile / "config.yaml").exists()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the images and tables that the pages' configurations name, of few classes and images."""
    folder = tmp_path_factory.mktemp("place")
    for split in ("train", "test"):
        for label, kind in enumerate(CLASSES):
            for number in range(200):
                size = (48 + number % 20, 64)
                archives.picture(folder / f"photos/{split}/{kind}/patient{number}_{label}.png", label, True, size)
    for label, kind in enumerate(["fern", "moss"]):
        for number in range(40):
            archives.picture(folder / f"leaves/train/{kind}/{number}.png", label, True)
    (folder / "birds.csv").write_text("class,habitat\n" + "".join(f"{c},{g}\n" for c, g in CLASSES.items()))
    cifar = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    for split, images in {"train": 260, "test": 9}.items():
        for label, kind in enumerate(cifar):
            for number in range(images):
                archives.picture(folder / f"data/cifar10/{split}/{kind}/{number}.png", label % 5, True, (32, 32))
    (folder / "data/cifar100").mkdir()
    archives.tiny_imagenet(folder / "data/tiny-imagenet", per_class=20)
    (folder / "workflow").symlink_to(ROOT / "workflow")
    (folder / "config.yaml").symlink_to(ROOT / "config.yaml")
    (birds,) = [block.text for block in pages.blocks("yaml") if block.text.startswith("experiment: birds\n")]
    (folder / "birds.yaml").write_text(birds)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def is_whole(block: Block) -> bool:
    """Whether a configuration is laid over no other."""
    return {"experiment", "source", "model"} <= yaml.safe_load(block.text).keys()


@pytest.mark.parametrize("block", pages.blocks("yaml"), ids=name)
def test_yaml_is_a_configuration(place: Path, block: Block) -> None:
    text = block.text
    for claim in ("C1", "C2", "C3"):  # the page shows the paper's claims, and says that own ones have other names
        text = text.replace(f"    {claim}:\n", f"    own-{claim}:\n")
    if block.page.name == "configuration.md":  # keys stand below a heading that names their section
        above = re.findall(r"^### `(\w+)\.", block.page.read_text().partition(block.text)[0], re.MULTILINE)
        text = f"{above[-1]}:\n{textwrap.indent(text, '  ')}"
    (place / "block.yaml").write_text(text)
    base = [] if is_whole(block) else [BASES.get(block.page.name, "config.yaml")]
    found = gather([Path(file) for file in [*base, "block.yaml"]])
    assert parse_config(found.values, block.page.name, written=found.written)


def test_a_wrong_key_is_no_configuration(place: Path) -> None:
    (place / "block.yaml").write_text("training: {epoch: 3}\n")
    with pytest.raises(ValueError, match="training"):
        parse_config(gather([Path("config.yaml"), Path("block.yaml")]).values)


def test_troubleshooting_shows_what_is_really_said() -> None:
    page = (ROOT / "docs/troubleshooting.md").read_text()
    shown = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    said = [part.strip() for cell in shown for text in re.findall(r"`(.+?)`", cell) for part in text.split("…")]
    assert len(said) > 15
    sources = "".join(without_joints(path.read_text()) for path in sorted((ROOT / "dilt").rglob("*.py")))
    snakemake = Path(importlib.import_module("snakemake").__file__ or "").parent
    sources += "".join(without_joints((snakemake / file).read_text()) for file in ("exceptions.py", "workflow.py"))
    others = {"Killed", "CUDA out of memory", "Slurm temporarily unable to accept job"}  # of shells, torch and sbatch
    assert [part for part in said if part not in sources and part not in others] == []


def without_joints(source: str) -> str:
    """Source text in which strings that stand one behind the other are one, and values in them are left out."""
    return re.sub(r"\{[^{}\"]*\}", "", re.sub(r"\"\s*\n\s*f?\"", "", source))


def test_links_between_files_on_github_lead_somewhere() -> None:
    for page in pages.PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            file, _, heading = target.partition("#")
            if file.startswith(("http:", "https:")):
                continue
            place = (page.parent / file).resolve() if file else page
            assert place.exists(), f"{page}: no {file}"
            if heading and "{include}" not in place.read_text():
                assert heading in headings(place.read_text()), f"{page}: no heading {target}"


def headings(text: str) -> set[str]:
    """The names under which GitHub links to headings."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_pages_that_only_include_a_file_include_it() -> None:
    included = [block for block in pages.FOUND if block.language == "{include}"]
    files = [re.search(r"^```\{include\} (\S+)", block.page.read_text(), re.MULTILINE) for block in included]
    assert all(found and (ROOT / "docs" / found[1]).is_file() for found in files)
    assert len(files) == 3
