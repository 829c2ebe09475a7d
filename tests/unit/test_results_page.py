"""docs/results.md tells of every place where rules put results, of every table and of every log.

tests/workflow/test_explained_results.py holds it against a finished run, column by column.
"""

import re

from dilt.answers.gathering import TABLES
from dilt.foundations.result_paths import LOGS_OF_ANSWERS, LOGS_OF_NETWORKS, Answers, Networks
from tests import results_page

# What lies there is told of.
FOLDERS = {Networks.RUN, Networks.TICKET, Networks.ASSEMBLIES, Networks.CHECKPOINTS, Networks.EVENTS}
PLACES = {results_page.as_told(place) for place in (*Networks, *Answers) if place not in FOLDERS}
SPLIT_UP = {"tables/<table>.csv"}  # a section for each


def test_every_result_is_told_of_and_nothing_else() -> None:
    told = {re.sub(r"\*\*$", "zarr.json", name) for name in results_page.files() if ".zarr/" in name}
    told |= {name for name in results_page.files() if "**" not in name}
    assert told == PLACES


def test_every_log_is_told_of() -> None:
    patterns = [name for name in results_page.files() if name.startswith("logs/**")]
    for log in (*LOGS_OF_NETWORKS.values(), *LOGS_OF_ANSWERS.values()):
        assert any(re.fullmatch(results_page.expression(pattern), log) for pattern in patterns), log


def test_every_table_has_a_section_and_is_in_it() -> None:
    tables = results_page.tables()
    named = [file for table in tables.values() for file in table.files]
    assert {file for file in named if file.startswith("tables/")} == {
        f"tables/{table}.csv" for table in {*TABLES, "runtime"}
    }
    assert {place for place in PLACES - SPLIT_UP if place.endswith(".csv")} <= set(named)
    assert {file for file in named if not file.startswith(("tables/", "logs/"))} <= PLACES
    assert all(f"tables/{name}.csv" in tables[name].files for name in {*TABLES, "runtime"})


def test_links_lead_to_headings() -> None:
    headings = {title.lower().replace(" ", "-") for title in re.findall(r"^##+ (.+)$", results_page.TEXT, re.MULTILINE)}
    links = re.findall(r"\]\(#(.+?)\)", results_page.TEXT)
    assert len(links) > 20
    assert set(links) <= headings


def test_a_pattern_means_parts_of_a_path() -> None:
    one = results_page.expression("seed-<seed>/<ticket>.csv")
    assert re.fullmatch(one, "seed-3/core+specialist-low.csv")
    assert not re.fullmatch(one, "seed-3/below/core.csv")
    assert re.fullmatch(results_page.expression("**/.*.sha256"), ".top.csv.sha256")
    assert re.fullmatch(results_page.expression("**/.*.sha256"), "a/b/.below.csv.sha256")
    assert not re.fullmatch(results_page.expression("**/.*.sha256"), "a/b/seen.sha256")
