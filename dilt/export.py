"""The command ``dilt export``: writes a network of an experiment as a checkpoint for timm, or reads one back.

What is written belongs to `dilt.exports`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydantic import ValidationError

from dilt.exports.exporting import EXAMPLE, TICKET, Files, export_files, export_network, export_ticket, restore
from dilt.settings.networks import Model


def main(prog: str = "python -m dilt.export") -> None:
    """Write a network as a checkpoint that timm loads, with its mask and a model card; or, with --from, back."""
    parser = argparse.ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument(
        "ticket",
        nargs="?",
        type=Path,
        help=f"folder of a ticket, such as {EXAMPLE}; of a trajectory's round; or of a round's assemblies, with --row",
    )
    parser.add_argument("--row", metavar="ROW", help="of assemblies, PARTITION/ASSEMBLY/CORE_FROM/READOUT")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="folder to write")
    parser.add_argument("--start", action="store_true", help="theta0's weights instead of the trained ones")
    parser.add_argument(
        "--from", dest="exported", type=Path, metavar="FOLDER", help="an exported ticket, to be read back"
    )
    named = parser.add_argument_group("the files one by one, in place of a ticket's folder")
    named.add_argument("--mask", type=Path, metavar="FILE", help="mask.safetensors")
    named.add_argument("--weights", type=Path, metavar="FILE", help="weights.safetensors or theta0.safetensors")
    named.add_argument("--dataset", type=Path, metavar="FILE", help="dataset.json of the source")
    named.add_argument("--model", metavar="JSON", help="section model of the configuration")
    named.add_argument("--seed", type=int, default=0, help="draws the head of theta0")
    arguments = parser.parse_args()
    files = (arguments.mask, arguments.weights, arguments.dataset, arguments.model)
    if sum([arguments.ticket is not None, arguments.exported is not None, all(files)]) != 1:
        parser.error("give the folder of a ticket, or --from, or all of --mask, --weights, --dataset and --model")
    try:
        print(_answer(arguments))
    except (ValueError, OSError) as error:
        sys.exit(f"{parser.prog}: error: {error}")


def _answer(arguments: argparse.Namespace) -> str:
    """Do what the command line asks for; gives a line that says what was written."""
    to = arguments.to
    if arguments.exported:
        restore(arguments.exported, to)
        return f"{to}: weights.safetensors, mask.safetensors"
    if arguments.ticket and not TICKET.fullmatch(str(arguments.ticket)):
        if arguments.start:
            raise ValueError("--start: is of tickets; leave it out")
        card = export_network(arguments.ticket, to, arguments.row)
    elif arguments.ticket:
        card = export_ticket(arguments.ticket, to, arguments.start)
    else:
        try:
            model = Model.model_validate_json(arguments.model)
        except ValidationError as error:
            raise ValueError(f'--model: {error.errors()[0]["msg"]}; give it as \'{{"name": "resnet18"}}\'') from error
        card = export_files(Files(arguments.mask, arguments.weights, arguments.dataset, model, arguments.seed), to)
    if card.loads_in_timm:
        return f"{to}: timm.create_model('local-dir:{to}', pretrained=True) loads it; more in README.md"
    return f"{to}: timm has no such network; dilt.load_exported('{to}') loads it"


if __name__ == "__main__":
    main()
