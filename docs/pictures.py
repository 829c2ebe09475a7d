"""Makes the pictures of README and documentation from a finished run: `make pictures`, after `make demo`.

`python docs/pictures.py FILE ... --into FOLDER` makes them of another experiment, whose configurations are given as to
Snakemake. Beside them it writes pictures.json: what they show, as far as configuration and code tell it, and the digest
of each. `stale` tells where this no longer holds, without any run; tests/workflow/test_pictures.py asks it. Chromium
and Graphviz have to be installed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from dilt.answers.claim_table import COLUMNS, DESCRIBED, VERDICT_COLUMNS
from dilt.answers.comparisons import claims_of, comparisons
from dilt.configuration.derived_names import asked_tickets, partition_names
from dilt.configuration.reading import parse_config
from dilt.configuration.yaml_files import gather
from dilt.foundations.result_paths import Answers
from dilt.foundations.storage import file_digest
from dilt.reporting import page
from dilt.reporting.accuracy_figure import accuracy_over_density
from dilt.settings.experiment import Config

ROOT = Path(__file__).resolve().parents[1]
FOLDER, RECORD = ROOT / "docs", "pictures.json"
ACCURACY, RULES, REPORT = "accuracy_over_density.png", "rulegraph.svg", "report.png"
SCREEN = {"width": 1150, "height": 960}  # pixels of the report's top
COLOURS = 64  # of its picture
# Keys and sections that change no accuracy and no verdict.
WITHOUT_TRACE = ("networks", "jobs", "instability", "representations", "distances", "clustering", "evaluation")
UNDECIDED = {"verdict": "inconclusive", "outcome": "unclear", "flag": ""}
Edges = list[tuple[str, str]]


def main() -> None:
    """Make the pictures of README and documentation from a finished run."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[ROOT / "config.yaml"], help="configurations of the run")
    parser.add_argument("--into", type=Path, default=FOLDER, metavar="FOLDER", help="where pictures are put")
    arguments = parser.parse_args()
    try:
        make(arguments.files, arguments.into)
    except (ValueError, OSError) as error:
        sys.exit(str(error))


def make(files: Sequence[Path], folder: Path) -> None:
    """Write the pictures and their record; the run lies below ``results`` of the working directory.

    Raises:
        ConfigError: the configuration is wrong.
        ValueError: the run is not finished, or a program is missing.
    """
    config = read(files)
    require_finished(files)
    answers, screen, graph = Path("results", config.experiment), chromium(), program("dot", "Graphviz")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(answers / Answers.FIGURE_BITMAP.format(figure=Path(ACCURACY).stem), folder / ACCURACY)
    drawn = subprocess.run([graph, "-Tsvg"], input=rulegraph(files), capture_output=True, text=True, check=True)
    (folder / RULES).write_text(drawn.stdout)
    (folder / REPORT).write_bytes(screenshot(answers / Answers.PAGE, screen))
    (folder / RECORD).write_text(json.dumps(record(config, folder), indent=1) + "\n")


def read(files: Sequence[Path]) -> Config:
    """A configuration from its files, each laid over those before it; raises ConfigError."""
    given = gather(files)
    return parse_config(given.values, " + ".join(map(str, files)), written=given.written)


def require_finished(files: Sequence[Path]) -> None:
    """Make sure that all results are there and of today's code and configuration; raises ValueError."""
    told = snakemake(files, "--dry-run", "--quiet", "rules", "host")
    if "Nothing to be done" not in told.stdout + told.stderr:
        raise ValueError("the run is not finished, or not up to date; run snakemake (`make demo`) first")


def snakemake(files: Sequence[Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    """What Snakemake says of the workflow in the working directory; raises ValueError where it fails."""
    words = [sys.executable, "-m", "snakemake", *arguments, "--configfile", *map(str, files)]
    told = subprocess.run(words, capture_output=True, text=True)
    if told.returncode:
        raise ValueError(f"snakemake {' '.join(arguments)} failed:\n{told.stderr.strip()}")
    return told


def rulegraph(files: Sequence[Path]) -> str:
    """The graph of the rules, in the language of Graphviz."""
    return snakemake(files, "--rulegraph").stdout


def chromium() -> str:
    """The browser's program; raises ValueError where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return found or program("chromium", "Chromium")


def program(name: str, called: str) -> str:
    """Where a program is; raises ValueError where it is not installed."""
    if found := shutil.which(name):
        return found
    raise ValueError(f"{name}: no such program; install {called} (Debian: apt-get install {called.lower()})")


def screenshot(report: Path, browser: str) -> bytes:
    """The top of a report as a PNG of few colours."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        context = running.new_context(viewport=SCREEN, color_scheme="light", reduced_motion="reduce")
        shown = context.new_page()
        shown.goto(report.resolve().as_uri())
        picture = shown.screenshot()
        running.close()
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    written = io.BytesIO()
    few.save(written, "PNG", optimize=True)
    return written.getvalue()


def record(config: Config, folder: Path) -> dict[str, Any]:
    """What is kept of the pictures in a folder."""
    digests = {name: file_digest(folder / name) for name in (ACCURACY, RULES, REPORT)}
    return {"pictures": digests, "settings": settings(config), "shown": shown(config)}


def stale(config: Config, edges: Edges, folder: Path = FOLDER) -> list[str]:
    """Why the pictures in a folder are no longer what would be made; empty if they are.

    Args:
        config: of the experiment that they show.
        edges: of today's graph of rules.
    """
    kept, found = json.loads((folder / RECORD).read_text()), []
    for name, digest in kept["pictures"].items():
        if file_digest(folder / name) != digest:
            found.append(f"{name} is not the picture that {RECORD} tells of")
    if set(edges_of_svg((folder / RULES).read_text())) != set(edges):
        found.append(f"{RULES} shows other rules, or other ways between them")
    now = dict(flat(settings(config)))
    changed = [key for key, value in flat(kept["settings"]) if now.get(key) != value]
    found += [f"{ACCURACY} and {REPORT} are of another {key}" for key in changed]
    for name, of_now in shown(config).items():
        before = dict(flat(kept["shown"].get(name, {})))
        parts = [key for key, value in flat(of_now) if before.pop(key, None) != value] + list(before)
        if parts:
            found.append(f"{name} shows something else now: {', '.join(parts[:5])}")
    return found


def settings(config: Config) -> dict[str, Any]:
    """What is found depends on these keys. `stale` passes over keys that are newer than the pictures."""
    return config.model_dump(mode="json", exclude=set(WITHOUT_TRACE))


def shown(config: Config) -> dict[str, Any]:
    """By picture what can be seen on it whatever the results are: drawn, or written, with made-up numbers."""
    return {ACCURACY: look(made_up_figure(config)), REPORT: top(config)}


def made_up_figure(config: Config) -> Figure:
    """The figure of accuracy over density with the experiment's tickets and made-up accuracies."""
    runs = asked_tickets(config).trained
    address = [{"seed": seed, "round": round_, "ticket": ticket} for seed in config.seeds for round_, ticket in runs]
    accuracies = 0.5 + 0.4 * np.arange(len(address)) / len(address)
    densities = pd.DataFrame([{**one, "layer": "all", "density": 0.5 ** one["round"]} for one in address])
    scores = pd.DataFrame(address).assign(accuracy=accuracies, classes="all", corruption="none", collapsed=False)
    densities = densities.assign(effective_density=densities["density"])
    return accuracy_over_density(densities, scores, config.claims.confidence, config.claims.margin)


def look(figure: Figure) -> dict[str, Any]:
    """Size, words and letters of a figure; by panel, for each entry of its legend, how it is drawn and how often."""
    words = [text for text in figure.findobj(Text) if text.get_text()]
    panels = {}
    for ax in figure.axes:
        if ax.get_visible():
            entries = zip(*ax.get_legend_handles_labels(), strict=True)
            panels[ax.get_title(loc="left") or ax.get_title()] = {name: " ".join(drawn(mark)) for mark, name in entries}
    return {
        "inches": "{:g} x {:g}".format(*figure.get_size_inches()),
        "points of letters": sorted({float(text.get_fontsize()) for text in words}),
        "axes": [figure.get_supxlabel(), figure.get_supylabel()],
        "panels": panels,
    }


def drawn(mark: Any) -> Iterator[str]:
    """Colour, marker, line and number of points of an entry of a legend."""
    line = mark if isinstance(mark, Line2D) else mark.lines[0]
    yield from (to_hex(line.get_color()), str(line.get_marker()), str(line.get_linestyle()))
    yield str(len(np.atleast_1d(line.get_xdata())))


def top(config: Config) -> dict[str, Any]:
    """The page down to its figures, with made-up numbers: its claims, and digests of what it says and of its style."""
    claims = claims_of(config)
    blank = dict.fromkeys(VERDICT_COLUMNS, "-")
    verdicts = pd.DataFrame(blank | {"claim": name, "statement": one.statement} for name, one in claims.items())
    compared = comparisons(claims, partition_names(config.source))
    rows = [
        dict.fromkeys(COLUMNS, 0.125) | {name: getattr(one, name) for name in DESCRIBED} | UNDECIDED for one in compared
    ]
    empty = page.PageTable("sources", "", pd.DataFrame({"table": [], "file": []}))
    html = page.render(config.experiment, verdicts, pd.DataFrame(rows), [], [], [], {}, empty)
    *_, style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    body = html.partition("<body")[2].partition('<section id="figures"')[0]
    return {
        "comparisons": {name: sum(one.primary and one.claim == name for one in compared) for name in claims},
        "page": digest(body),
        "style": digest(on_screen(style)),
    }


def on_screen(style: str) -> str:
    """The rules of a style sheet that a screen follows, without comments and what is for paper alone."""
    return re.sub(r"/\*.*?\*/|^@media print \{.*?^\}", "", style, flags=re.DOTALL | re.MULTILINE)


def digest(text: str) -> str:
    """Of a text, however it is laid out."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]


def flat(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in nested mappings, by its keys joined by points."""
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, values


def edges_of_dot(text: str) -> Edges:
    """Which rule leads to which, in a graph that Snakemake prints."""
    names = dict(re.findall(r'^\s*(\d+)\[label = "([^"\\]+)', text, re.MULTILINE))
    return [(names[a], names[b]) for a, b in re.findall(r"^\s*(\d+) -> (\d+)", text, re.MULTILINE)]


def edges_of_svg(text: str) -> Edges:
    """The same in a picture that Graphviz drew of one."""
    names = dict(re.findall(r"<title>(\d+)</title>.*?<text[^>]*>([^<]+)</text>", text, re.DOTALL))
    return [(names[a], names[b]) for a, b in re.findall(r"<title>(\d+)&#45;&gt;(\d+)</title>", text)]


if __name__ == "__main__":
    main()
