"""The section ``jobs``: how work is cut into jobs. It changes no number in the results."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dilt.settings.base import YAML_FLOAT, Count, Section, Share


class Jobs(Section):
    """How work is cut into jobs; changes no number in the results."""

    group: Literal["rounds", "together", "apart"] = "together"
    threads: Count = 1
    gpus: Annotated[int, Field(ge=1, description="GPUs of a job that trains; without any, CPU processes")] = 1
    per_gpu: Annotated[int, Field(ge=1, description="jobs that share a GPU")] = 1
    mem_mb: Annotated[int | None, Field(ge=1, description="of jobs with networks; null: as predicted")] = None
    runtime: Count = 60
    memory_share: Annotated[Share, Field(description="of the memory, above which a data set is streamed")] = 0.5
    workers: Annotated[int | None, Field(ge=0, description="processes that decode images; null: one a thread")] = None
    tensorboard: Annotated[bool, Field(description="whether trainings write event files")] = False
    keep: Annotated[
        Literal["all", "masks"], Field(description="of a finished seed: masks removes the networks that were trained")
    ] = "all"
    checkpoint_minutes: Annotated[float, Field(gt=0), YAML_FLOAT] = 5.0
    compare_threads: Count = Field(default=1, description="processes of a job that compares layers")
    compare_jobs: Count = Field(default=1, description="jobs that the comparison of a seed's layers is cut into")
