"""The command ``dilt evidence FILE ...``: what a finished experiment found, as a folder for a repository.

`reporting.evidence_folder` has what is kept of the results, `reporting.evidence_page` the page.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dilt.foundations.signals import end_with_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dilt.configuration.sweeps import Point, Sweep
    from dilt.reporting.evidence_folder import Evidence
    from dilt.reporting.sweep_evidence import SweepEvidence
    from dilt.settings.experiment import Config

PLACE = Path("docs/evidence")


def main(prog: str = "python -m dilt.evidence") -> None:
    """Write a finished experiment's evidence: configuration, tables, figures, and a page in plain words."""
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="configurations, each laid over the first")
    parser.add_argument("--sweep", type=Path, metavar="FILE", help="a sweep instead, whose points are finished")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help=f"where it is written; default: {PLACE}/EXPERIMENT")
    parser.add_argument("--redraw", type=Path, metavar="FOLDER", help="write page and figures of evidence anew instead")
    arguments = parser.parse_args()
    try:
        if arguments.redraw:
            folder = arguments.redraw
        elif arguments.sweep:
            folder = keep_sweep(arguments.sweep, arguments.to)
        else:
            files = arguments.files or [Path("config.yaml")]
            folder = keep(files, arguments.to)
        show(folder)
    except (ValueError, OSError) as error:
        sys.exit(str(error))
    print(f"{folder / 'README.md'}: written, with tables/ and figures/ beside it")


def keep(files: Sequence[Path], to: Path | None) -> Path:
    """Write what is kept of an experiment's results, and the configuration, into a folder, which is given.

    Raises:
        ConfigError: the configuration is wrong; a line for each mistake.
        ValueError: the experiment is not finished.
    """
    from dilt.configuration.dry_runs import RESULTS, planned_by_snakemake
    from dilt.configuration.reading import load
    from dilt.reporting import evidence_folder

    config = load(*files)
    left = planned_by_snakemake(files, config, whole=False).jobs_left
    if left:
        names = " ".join(map(str, files))
        raise ValueError(
            f"{RESULTS / config.experiment}: {sum(left.values())} jobs are left ({', '.join(left)}); run "
            f"`snakemake --cores 2 --configfile {names}` first"
        )
    folder = to or PLACE / config.experiment
    copies = [_copied(file, folder) for file in files]
    evidence_folder.write(folder, gathered(config, RESULTS, {"folder": str(folder), "files": copies}))
    return folder


def keep_sweep(file: Path, to: Path | None) -> Path:
    """Write what is kept of a sweep's results, and its file, into a folder, which is given.

    Raises:
        ConfigError: the sweep is wrong; a line for each mistake.
        ValueError: it is not finished.
    """
    from dilt.configuration import sweeps
    from dilt.configuration.dry_runs import RESULTS
    from dilt.reporting import sweep_evidence

    sweep, points = sweeps.read(file)
    folder = to or PLACE / sweep.sweep
    evidence = gathered_of_sweep(sweep, points, RESULTS, {"file": str(folder / file.name), **_made_by()})
    _copied(file, folder)
    sweep_evidence.write(folder, evidence)
    return folder


def _copied(file: Path, folder: Path) -> str:
    """A copy of a file in a folder, or the file itself if it lies there."""
    from dilt.foundations import storage

    copy = folder / file.name
    if copy.resolve() != file.resolve():
        with storage.replacing(copy) as partial:
            partial.write_bytes(file.read_bytes())
    return str(copy)


def gathered(config: Config, results: Path, record: dict[str, Any]) -> Evidence:
    """What is known of an experiment, from its results.

    Args:
        results: has a folder for each experiment.
        record: is added to what is recorded of data and machine.
    """
    from dilt.answers import scores
    from dilt.answers.gathering import OF_NETWORKS, files, read_tables
    from dilt.configuration.derived_names import partition_names
    from dilt.foundations import storage
    from dilt.foundations.result_paths import Answers, Networks
    from dilt.reporting.evidence_folder import READ, TOLD, Evidence, read_table

    networks, answers = results / config.shared, results / config.experiment
    data = {
        name: storage.read_json(networks / Networks.DATASET.format(dataset=name))
        for name in ("source", *config.targets)
    }
    partitions = partition_names(config.source)
    tables = {name: read_table(answers / Answers.TABLE.format(table=name)) for name in (*READ, *TOLD)}
    for name, keys in scores.IMAGE_KEYS.items():
        pattern, over = OF_NETWORKS[name]
        rows, _ = read_tables(files(networks, pattern, over, config, partitions), keys)
        tables[name] = tables[name].assign(**{scores.CORRECT: rows[scores.CORRECT]})
    record |= {
        "partitions": partitions,
        "data": {name: {key: dataset[key] for key in ("classes", "images")} for name, dataset in data.items()},
    }
    return Evidence(config, tables, record | _made_by())


def gathered_of_sweep(sweep: Sweep, found: Sequence[Point], results: Path, record: dict[str, Any]) -> SweepEvidence:
    """What is known of a sweep, from the results of its points.

    Args:
        results: has a folder for each point.
        record: is added to what is recorded.

    Raises:
        ValueError: its points' results are not those that its table was made of, or there are none; the message names
            the table.
    """
    import pandas as pd

    from dilt.answers import sweep_tables
    from dilt.configuration.reading import parse_config
    from dilt.foundations import storage
    from dilt.reporting.costs import TOTAL
    from dilt.reporting.sweep_evidence import SweepEvidence

    folders = [results / point.experiment for point in found]
    values = [point.values for point in found]
    made = sweep_tables.table_of(results / sweep.sweep, "sweep")
    storage.require_file(made, "the table of a finished sweep; run workflow/sweep.smk first")
    tables = {
        "sweep": sweep_tables.sweep_table(sweep.comparison, values, folders),
        "sweep_by_seed": sweep_tables.sweep_by_seed(sweep.comparison, values, folders),
    }
    if made.read_text() != tables["sweep"].to_csv(index=False, lineterminator="\n"):
        raise ValueError(f"{made}: not what its points found; run the sweep again")
    config = parse_config(found[0].configuration)
    data = storage.read_json(results / config.shared / "data/source/dataset.json")
    runtimes = [
        pd.read_csv(sweep_tables.table_of(folder, "runtime")).query(f"stage == '{TOTAL}'") for folder in folders
    ]
    return SweepEvidence(
        {
            "sweep": sweep.sweep,
            "comparison": sweep.comparison,
            "axes": list(sweep.axes),
            "model": config.model.model_dump(mode="json", include={"name", "arguments"}),
            "data": {"name": config.source.root or config.source.name}
            | {key: data[key] for key in ("classes", "images")},
            "seeds": list(config.seeds),
            "pruning": config.pruning.model_dump(mode="json", include={"rounds", "rate"}),
            "match": config.tickets.match,
            "confidence": config.claims.confidence,
            "cpu_hours": float(pd.concat(runtimes)["cpu_s"].sum()) / 3600,
            **record,
        },
        tables,
    )


def _made_by() -> dict[str, Any]:
    """Machine, day and version that evidence is gathered with."""
    from dilt.reporting.machine import machine

    return {
        "machine": machine(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "dilt": f"{version('dilt')}{_commit()}",
    }


def _commit() -> str:
    """The checkout's commit, in brackets; nothing where there is none."""
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""
    return f" ({told})" if told else ""


def show(folder: Path) -> None:
    """Write the page and draw its figures, from the evidence in a folder.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
        ValueError: a file is damaged; the message names it.
    """
    from dilt.foundations import storage
    from dilt.foundations.result_paths import Answers
    from dilt.reporting import evidence_folder, evidence_page, style, sweep_evidence
    from dilt.reporting.drawing import draw

    if (folder / sweep_evidence.RECORD).exists():
        swept = sweep_evidence.read(folder)
        figures, page = {sweep_evidence.FIGURE: swept.figure()}, sweep_evidence.render(swept)
    else:
        evidence = evidence_folder.read(folder)
        figures = draw(evidence.tables, evidence.config, evidence_page.FIGURES)
        page = evidence_page.render(evidence)
    for name, figure in figures.items():
        style.save_bitmap(figure, folder / Answers.FIGURE_BITMAP.format(figure=name), evidence_page.DOTS_PER_INCH)
    with storage.replacing(folder / "README.md") as partial:
        partial.write_text(page)


if __name__ == "__main__":
    end_with_reader()
    main()
