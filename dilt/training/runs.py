"""What `train` and `train_rounds` share: how a trajectory is trained for a round."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dilt.tickets.trajectories import split_number, trajectory_classes
from dilt.training.job import Options, Part, Start, Task, Trainings

if TYPE_CHECKING:
    from dilt.tickets.masks import Mask


class Runs:
    """The trajectories of a seed: their images, the theta0 that they share, and the checkpoints of the job.

    Attributes:
        partitions: the classes of each.

    Args:
        arguments: of a command line with `job.add_options`.
    """

    def __init__(self, arguments: argparse.Namespace, options: Options) -> None:
        from dilt.data.prepared import read_partitions

        self._seed, self._trainings = arguments.seed, Trainings(arguments, options)
        self.partitions, self._theta0 = read_partitions(arguments.data), Start.read(arguments.theta0)

    def train(self, name: str, round_: int, mask: Mask, weights: Path, metrics: Path, checkpoint: str) -> None:
        """Train a run (named COUPLING/TRAJECTORY) for a round under a mask; write its weights and metrics.

        Args:
            checkpoint: its name in the job.
        """
        coupling, _, trajectory = name.partition("/")
        classes = trajectory_classes(trajectory, self.partitions, self._trainings.classes)
        record = {"seed": self._seed, "run": name, "round": round_, "classes": classes}
        address = {"seed": self._seed, "coupling": coupling, "trajectory": trajectory, "round": round_}
        order, number = f"{trajectory} round {round_}", split_number(trajectory)
        part = None if number is None else Part(number, len(self.partitions))
        task = Task(checkpoint, classes, mask, self._theta0, order, record, address, part)
        self._trainings.run(task, weights, metrics)
