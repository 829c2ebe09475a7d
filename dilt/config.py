"""The command ``dilt check FILE ...``: a configuration checked, or the JSON schema of configurations."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dilt.configuration.reading import load, schema
from dilt.configuration.yaml_files import ConfigError as ConfigError
from dilt.foundations.signals import end_with_reader


def main(prog: str = "python -m dilt.config") -> None:
    """Check a configuration, or print its JSON schema."""
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="configurations, each laid over the first")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema instead")
    arguments = parser.parse_args()
    if arguments.schema:
        print(schema(), end="")
        return
    files = arguments.files or [Path("config.yaml")]
    try:
        load(*files)
    except ConfigError as error:
        sys.exit(str(error))
    print(f"{' + '.join(map(str, files))}: valid")


if __name__ == "__main__":
    end_with_reader()
    main()
