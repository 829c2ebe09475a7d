"""The pages of docs/ build into a site without a warning, which can be read and searched without a network."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

import dilt
from docs import draw_masks
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(page.stem for page in DOCS.glob("*.md"))
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What a browser fetches by itself when it shows a page, or a style sheet.
FETCHED = r"<(?:script|img|iframe|source|audio|video|embed)\b[^>]*?\ssrc=\"([^\"]+)\"|<link\b[^>]*?\shref=\"([^\"]+)\""
FETCHED_BY_STYLE = r"@import\s+[\"']([^\"']+)|url\(\s*[\"']?([^)\"']+)"


def build(source: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Build a site as `make docs` does."""
    (flags,) = re.findall(r"^\tsphinx-build (.*) docs docs/_build$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"-W", "-n", "--keep-going"} <= set(flags.split())
    command = [sys.executable, "-m", "sphinx", *flags.split(), "--doctree-dir", str(folder / "doctrees")]
    return subprocess.run(
        [*command, str(source), str(folder / "site")], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    built = build(DOCS, folder)
    assert built.returncode == 0, built.stderr
    assert built.stderr == ""
    return folder / "site"


def test_every_page_is_in_a_table_of_contents(site: Path) -> None:
    contents = (site / "index.html").read_text()
    linked = set(re.findall(r"<li class=\"toctree-l1[^\"]*\"><a [^>]*href=\"([\w-]+)\.html\"", contents))
    assert linked - {notebook.stem for notebook in DOCS.glob("*.ipynb")} == set(PAGES) - {"index"}


def test_no_page_fetches_anything_from_a_network(site: Path) -> None:
    pages = [*site.glob("*.html"), *site.rglob("*.css")]
    assert len(pages) > len(PAGES)
    fetched = {
        address
        for page in pages
        for found in re.findall(FETCHED if page.suffix == ".html" else FETCHED_BY_STYLE, page.read_text(), re.DOTALL)
        for address in found
        if address
    }
    assert any(address.endswith(".css") or ".css?" in address for address in fetched)
    assert any(".js" in address for address in fetched)
    assert [address for address in fetched if re.match(r"(https?:)?//", address)] == []


def test_a_fetched_style_would_be_noticed() -> None:
    page = '<link rel="stylesheet"\n href="https://fonts.example/a.css"><img alt="" src="//example/b.png">'
    assert re.findall(FETCHED, page) == [("", "https://fonts.example/a.css"), ("//example/b.png", "")]
    assert re.findall(FETCHED_BY_STYLE, "src: url('https://example/c.woff')") == [("", "https://example/c.woff")]


def test_every_picture_is_there(site: Path) -> None:
    pictures = {
        address for page in site.glob("*.html") for address in re.findall(r"<img [^>]*src=\"([^\"]+)", page.read_text())
    }
    assert pictures
    assert [address for address in pictures if not (site / address).is_file()] == []


BROKEN = {
    "[nowhere](nowhere.md)": "nowhere",
    "[nothing](index.md#nothing)": "'nothing'",
    "{py:func}`dilt.unknown`": "dilt.unknown",
    "![none](none.png)": "none.png",
    "```nolanguage\nx\n```": "nolanguage",
}


def test_a_broken_page_and_one_in_no_table_of_contents_fail_the_build(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    shutil.copy(DOCS / "conf.py", source)
    (source / "index.md").write_text("\n\n".join(["# One", *BROKEN, ""]))
    (source / "lost.md").write_text("# Lost\n")
    built = build(source, tmp_path)
    assert built.returncode != 0
    warnings = [line for line in built.stderr.splitlines() if "WARNING" in line]
    assert [complaint for complaint in [*BROKEN.values(), "lost.md"] if not any(complaint in w for w in warnings)] == []
    assert len(warnings) == len(BROKEN) + 1


def test_the_library_s_page_has_every_name_once() -> None:
    shown = re.findall(r"^\.\. auto(?:function|class):: (\w+)$", (DOCS / "api.md").read_text(), re.MULTILINE)
    assert sorted(shown) == dilt.__all__


def test_the_picture_of_masks_is_as_it_is_drawn() -> None:
    assert draw_masks.PLACE.read_text() == draw_masks.draw()


def test_a_built_site_is_not_committed() -> None:
    assert subprocess.run(["git", "check-ignore", "-q", "docs/_build/index.html"], cwd=ROOT).returncode == 0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: install it (Debian: apt-get install chromium) to search the site")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def test_search_finds_pages_from_a_folder_on_disk(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{(site / 'search.html').as_uri()}?q=sibling")
    for title in ("Glossary", "Concepts"):  # results appear one after the other
        page.locator("#search-results li a").get_by_text(title, exact=True).wait_for()
    assert [address for address in asked if not address.startswith("file:")] == []
