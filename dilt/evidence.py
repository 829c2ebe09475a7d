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

    from dilt.reporting.evidence_folder import Evidence
    from dilt.settings.experiment import Config

PLACE = Path("docs/evidence")


def main(prog: str = "python -m dilt.evidence") -> None:
    """Write a finished experiment's evidence: configuration, tables, figures, and a page in plain words."""
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="configurations, each laid over the first")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help=f"where it is written; default: {PLACE}/EXPERIMENT")
    parser.add_argument("--redraw", type=Path, metavar="FOLDER", help="write page and figures of evidence anew instead")
    arguments = parser.parse_args()
    try:
        if arguments.redraw:
            folder = arguments.redraw
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
    from dilt.foundations import storage
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
    copies = []
    for file in files:
        copy = folder / file.name
        if copy.resolve() != file.resolve():
            with storage.replacing(copy) as partial:
                partial.write_bytes(file.read_bytes())
        copies.append(str(copy))
    evidence_folder.write(folder, gathered(config, RESULTS, {"folder": str(folder), "files": copies}))
    return folder


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
    from dilt.reporting.machine import machine

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
        "machine": machine(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "dilt": f"{version('dilt')}{_commit()}",
    }
    return Evidence(config, tables, record)


def _commit() -> str:
    """The checkout's commit, in brackets; nothing where there is none."""
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""
    return f" ({told})" if told else ""


def show(folder: Path) -> None:
    """Write the page and draw its figures, from the evidence in a folder; raises as `evidence_folder.read` does."""
    from dilt.foundations import storage
    from dilt.foundations.result_paths import Answers
    from dilt.reporting import evidence_folder, evidence_page, style
    from dilt.reporting.drawing import draw

    evidence = evidence_folder.read(folder)
    for name, figure in draw(evidence.tables, evidence.config, evidence_page.FIGURES).items():
        style.save_bitmap(figure, folder / Answers.FIGURE_BITMAP.format(figure=name), evidence_page.DOTS_PER_INCH)
    with storage.replacing(folder / "README.md") as partial:
        partial.write_text(evidence_page.render(evidence))


if __name__ == "__main__":
    end_with_reader()
    main()
