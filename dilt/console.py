"""The command ``dilt``: one name for what people type; stages are for Snakemake, as ``python -m dilt.<stage>``."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from importlib.metadata import version

from dilt.foundations.signals import end_with_reader

# In the order in which they are needed.
COMMANDS = {
    "init": "begin a project; look at a folder of images and write a configuration for it",
    "check": "check a configuration, one line per error",
    "plan": "jobs, time, disk, memory and the power of each claim, before anything runs",
    "models": "a model's weights and blocks: what is pruned and observed",
    "status": "what is done, running and left, and the verdicts so far",
    "claims": "the claim table of a finished experiment",
    "export": "write a ticket as a checkpoint with a model card",
    "evidence": "write what a finished experiment found as a folder for a repository",
}
MODULES = {"check": "config"}  # where a command is not called like its module


def main() -> None:
    """Find, dissect and test Disentangled Lottery Tickets; `dilt COMMAND --help` tells more of a command."""
    told = "\n".join(f"  {name:10}{words}" for name, words in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="dilt",
        description=main.__doc__,
        epilog=f"commands:\n{told}\n\nEverything else is Snakemake: snakemake --cores 2 --configfile FILE",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"dilt {version('dilt')}")
    parser.add_argument("command", metavar="COMMAND", help="one of those below")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help="its own arguments")
    if len(sys.argv) == 1:
        parser.print_help()
        return
    arguments = parser.parse_args()
    name = arguments.command
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        parser.error(f"no command '{name}'; {f'did you mean {near[0]}?' if near else 'dilt --help lists them'}")
    sys.argv = [f"dilt {name}", *arguments.words]
    importlib.import_module(f"dilt.{MODULES.get(name, name)}").main(f"dilt {name}")


def script() -> None:
    """What is installed as ``dilt``."""
    if sys.argv[1:2] != ["export"]:
        end_with_reader()
    main()


if __name__ == "__main__":
    script()
