"""The command ``dilt claims FOLDER``: the claim table of an experiment, as text."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dilt.answers import wording
from dilt.answers.claim_table import read_claims, read_verdicts
from dilt.foundations.signals import end_with_reader


def main(prog: str = "python -m dilt.claims") -> None:
    """Print the claim table of an experiment, and where its figures and report are."""
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("folder", type=Path, help="of an experiment, such as results/digits, or of its tables")
    parser.add_argument("--brief", action="store_true", help="the verdicts in words alone")
    arguments = parser.parse_args()
    folder = arguments.folder
    folder = folder / "tables" if (folder / "tables").is_dir() else folder
    try:
        table = read_claims(folder / "claims.csv")
        verdicts = read_verdicts(folder / "verdicts.csv")
    except (ValueError, OSError) as error:
        sys.exit(f"{error}; run `snakemake claims --cores 2` first")
    print(wording.as_text(table.to_dict("records"), verdicts.to_dict("records"), arguments.brief))
    report = folder.parent / "report.html"
    print(f"\ntables: {folder}   figures: {folder.parent / 'figures'}   report: {report}")
    if report.exists():
        print(f"Open the report: python -m webbrowser {report.resolve().as_uri()}")


if __name__ == "__main__":
    end_with_reader()
    main()
