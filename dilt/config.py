"""The command ``python -m dilt.config FILE``: a configuration checked, or the JSON schema of configurations."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dilt.configuration.reading import load, schema
from dilt.configuration.yaml_files import ConfigError as ConfigError


def main() -> None:
    """Check a configuration, or print its JSON schema."""
    parser = argparse.ArgumentParser(prog="python -m dilt.config", description=main.__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("config.yaml"), help="configuration to check")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema instead")
    arguments = parser.parse_args()
    if arguments.schema:
        print(schema(), end="")
        return
    try:
        load(arguments.file)
    except ConfigError as error:
        sys.exit(str(error))
    print(f"{arguments.file}: valid")


if __name__ == "__main__":
    main()
