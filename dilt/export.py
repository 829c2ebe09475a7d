"""The command ``dilt export``: writes a network of an experiment for timm, ONNX and model hubs, or reads one back.

What is written belongs to `dilt.exports`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydantic import ValidationError

from dilt.exports import hub
from dilt.exports.cards import Card
from dilt.exports.exporting import EXAMPLE, TICKET, Files, export_files, export_network, export_ticket, restore
from dilt.exports.programs import FILES
from dilt.settings.networks import Model

FOR_EXPORTS = ("start", "row", "onnx", "pt2", "licence", "push_to")  # options that reading back has no use for


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
    parser.add_argument("--onnx", action="store_true", help="also write model.onnx; needs pip install 'dilt[onnx]'")
    parser.add_argument("--pt2", action="store_true", help="also write model.pt2, a program of torch.export's")
    parser.add_argument("--licence", "--license", metavar="ID", help="that the model card names, such as mit")
    parser.add_argument("--push-to", metavar="OWNER/NAME", help="repository of the Hugging Face Hub to upload it to")
    parser.add_argument("--public", action="store_true", help="with --push-to: a new repository is for all to see")
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
    if arguments.public and not arguments.push_to:
        parser.error("--public: is of --push-to OWNER/NAME; give both")
    others = [f"--{name.replace('_', '-')}" for name in FOR_EXPORTS if getattr(arguments, name)]
    if arguments.exported and others:
        parser.error(f"{others[0]}: is of exports; leave out --from")
    try:
        print(_answer(arguments))
    except (ValueError, OSError) as error:
        sys.exit(f"{parser.prog}: error: {error}")


def _answer(arguments: argparse.Namespace) -> str:
    """Do what the command line asks for; gives lines that say what was written."""
    to = arguments.to
    if arguments.exported:
        restore(arguments.exported, to)
        return f"{to}: weights.safetensors, mask.safetensors"
    if arguments.push_to:
        hub.require_name(arguments.push_to)
    card = _exported(arguments)
    loads = f"timm.create_model('local-dir:{to}', pretrained=True) loads it; more in README.md"
    if not card.loads_in_timm:
        loads = f"dilt.load_exported('{to}') loads it, a network that timm has not"
    lines = [*(f"{to}/{program}" for program in card.programs), f"{to}: {loads}"]
    if arguments.push_to:
        print(*lines, sep="\n", flush=True)
        return f"{hub.push(to, arguments.push_to, arguments.public)}: pushed"
    return "\n".join(lines)


def _exported(arguments: argparse.Namespace) -> Card:
    """Write the folder that the command line asks for; gives its card."""
    to, licence = arguments.to, arguments.licence
    programs = [kind for kind in FILES if getattr(arguments, kind)]
    if arguments.ticket and not TICKET.fullmatch(str(arguments.ticket)):
        if arguments.start:
            raise ValueError("--start: is of tickets; leave it out")
        return export_network(arguments.ticket, to, arguments.row, licence, programs)
    if arguments.ticket:
        return export_ticket(arguments.ticket, to, arguments.start, licence, programs)
    try:
        model = Model.model_validate_json(arguments.model)
    except ValidationError as error:
        raise ValueError(f'--model: {error.errors()[0]["msg"]}; give it as \'{{"name": "resnet18"}}\'') from error
    files = Files(arguments.mask, arguments.weights, arguments.dataset, model, arguments.seed)
    return export_files(files, to, licence, programs)


if __name__ == "__main__":
    main()
