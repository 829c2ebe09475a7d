"""Stage `train_ticket`: trains tickets from theta0 on all source classes; `evaluate` scores them."""

from __future__ import annotations

import argparse

from dilt.jobs import command
from dilt.tickets.mask_files import read_mask
from dilt.tickets.names import TicketName, read_run
from dilt.training import job
from dilt.training.job import Starts, Task, Trainings


def train_ticket(arguments: argparse.Namespace) -> None:
    """Train tickets (named ROUND/TICKET) on all source classes; write weights and per-epoch metrics."""
    trainings = Trainings(arguments, command.options(arguments, job.Options))
    classes = trainings.classes
    starts = Starts.read(arguments)
    for name, mask, weights, metrics in command.zipped(
        arguments.tickets, arguments.masks, arguments.weights, arguments.metrics
    ):
        round_, ticket = read_run(name)
        start = starts.of(TicketName.parse(ticket))
        address = {"seed": arguments.seed, "round": round_, "ticket": ticket}
        record = address | {"classes": classes, "readout": "head"}
        trainings.run(Task(name, classes, read_mask(mask), start, "ticket", record, address), weights, metrics)


def main() -> None:
    """Run the stage from the command line."""
    parser = command.parser("train_ticket", train_ticket.__doc__)
    job.add_options(parser)
    job.add_starts(parser)
    parser.add_argument("--tickets", nargs="+", required=True, metavar="ROUND/TICKET")
    command.add_path_lists(parser, "--masks", help="mask of each ticket")
    command.run(parser, train_ticket)


if __name__ == "__main__":
    main()
