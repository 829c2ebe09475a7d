"""A whole configuration, section by section.

Reading it from a file, and checking that sections fit together, belongs to `configuration`.
"""

from __future__ import annotations

from pydantic import Field

from dilt.settings.answers import Claims
from dilt.settings.base import Distinct, Name, Section, Seed
from dilt.settings.data import DataSet, Source
from dilt.settings.evaluation import Evaluation
from dilt.settings.geometry import Distances, Representations
from dilt.settings.grouping import Clustering
from dilt.settings.instability import Instability
from dilt.settings.jobs import Jobs
from dilt.settings.networks import Model
from dilt.settings.tickets import Tickets
from dilt.settings.training import Pruning, Training
from dilt.settings.transfer import Transfer

RENAMED = {"jobs.siblings": "jobs.group"}  # old names of keys to new ones
REPLACED = {  # keys that are gone, and what is there instead
    "tickets.claim_round": "is tickets.claim_rounds now, with a round for each claim, such as {C1: 2, C2: 5, C3: 5}"
}


class Config(Section):
    """A whole experiment."""

    experiment: Name
    networks: Name | None = Field(None, description="folder of what is trained; null: the experiment's own")
    seeds: Distinct[Seed] = Field([0, 1, 2, 3, 4], min_length=1)
    source: Source
    targets: dict[Name, DataSet] = Field(min_length=1)
    model: Model = Model()
    training: Training = Training()
    pruning: Pruning = Pruning()
    instability: Instability = Instability()
    tickets: Tickets = Tickets()
    transfer: Transfer = Transfer()
    evaluation: Evaluation = Evaluation()
    representations: Representations = Representations()
    distances: Distances = Distances(tickets=None)
    clustering: Clustering = Clustering()
    claims: Claims = Claims()
    jobs: Jobs = Jobs()

    @property
    def shared(self) -> str:
        """The folder below results/ of data, networks, tickets and scores."""
        return self.networks or self.experiment

    @property
    def other_rewindings(self) -> list[int | str]:
        """Rewinding epochs of instability analysis at which networks are trained for it alone."""
        return [epoch for epoch in self.instability.rewind_epochs if epoch != self.pruning.rewind_epoch]
