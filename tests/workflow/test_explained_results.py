"""docs/results.md against a finished run: it tells of each file and each column, and of nothing that is not there."""

import csv
import re

import pytest

from tests import results_page

# What the page tells of that the tests' run, a small one without options, does not have.
FILES_BY_OPTION = {
    "seed-<seed>/saliencies/<criterion>.safetensors",  # tickets.names
    "seed-<seed>/instability/rewind-<rewind>/theta0.safetensors",  # instability.rewind_epochs
    "seed-<seed>/instability/rewind-<rewind>/<trajectory>/round-<round>/weights.safetensors",
    "seed-<seed>/instability/rewind-<rewind>/<trajectory>/round-<round>/metrics.csv",
    "seed-<seed>/same-rounds-<core_round>/full/round-<round>/weights.safetensors",  # cores of later rounds than 1
    "seed-<seed>/same-rounds-<core_round>/full/round-<round>/metrics.csv",
    "seed-<seed>/geometry/round-<round>/parts/<part>-of-<parts>.json",  # jobs.compare_jobs
    "seed-<seed>/digests/<job>.json",  # jobs.group: rounds
    "seed-<seed>/removed_networks.json",  # jobs.keep
    "tensorboard/**",  # jobs.tensorboard
    "logs/slurm_run.txt",
    "snakemake.lock",  # while a run works on the folder
}
COLUMNS_BY_OPTION = {
    "module_summaries": {  # networks of six and more layers
        *("smooth_drift.p", "untrained_twin.p", "random_tickets.p"),
        *("smooth_drift.gain", "untrained_twin.gain", "random_tickets.gain"),
    },
    "tickets": {"in_pattern"},  # pruning.pattern
    "densities": {"in_pattern"},
}
COMMON = results_page.told_columns(results_page.sections()[results_page.COMMON])
TABLES = results_page.tables()


@pytest.fixture(scope="module")
def results(finished):
    """All files of the run, as paths below the folder of results."""
    root = finished.folder / "results/digits"
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def headers(results):
    """The columns of every CSV file."""
    found = {}
    for name, path in results.items():
        if path.suffix == ".csv":
            with path.open(newline="") as file:
                found[name] = next(csv.reader(file))
    return found


def fits(name, patterns):
    return [pattern for pattern in patterns if re.fullmatch(results_page.expression(pattern), name)]


def test_every_file_is_told_of(results):
    assert len(results) > 500
    untold = [name for name in results if not fits(name, results_page.files())]
    assert not untold


def test_every_file_that_is_told_of_is_there(results):
    missing = {pattern for pattern in results_page.files() if not any(fits(name, [pattern]) for name in results)}
    assert missing == FILES_BY_OPTION


def test_every_column_is_explained(headers):
    unexplained = set()
    for name, columns in headers.items():
        told = [table for table in TABLES.values() if fits(name, table.files)]
        assert told, f"{name} is in no section of {results_page.PAGE.name}"
        known = [*COMMON, *(column for table in told for column in table.columns)]
        unexplained |= {(name, column) for column in columns if not fits(column, known)}
    assert not unexplained


@pytest.mark.parametrize("section", TABLES)
def test_a_table_has_every_column_that_is_explained(headers, section):
    table = TABLES[section]
    there = {column for name, columns in headers.items() if fits(name, table.files) for column in columns}
    missing = {pattern for pattern in table.columns if not any(fits(column, [pattern]) for column in there)}
    assert missing == COLUMNS_BY_OPTION.get(section, set())


def test_common_columns_are_those_of_several_tables(headers):
    for column in COMMON:
        having = [
            section
            for section, table in TABLES.items()
            for name in headers
            if fits(name, table.files) and column in headers[name]
        ]
        assert len(set(having)) > 1, column
