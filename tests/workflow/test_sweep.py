"""All points of a sweep are planned together, and any claims can be asked alone, however jobs are grouped."""

import pytest
import yaml

from dilt.configuration.rules_in_turn import IN_TURN
from tests.workflow.project import Project
from tests.workflow.test_graph import STAGES

COMPARISON = "specialist-OWN - null-specialist-OWN@specialist-OWN on source, OWN"
OWN = {"statement": "Specialists serve their classes.", "round": 1, "comparisons": [COMPARISON]}
OF_TICKETS = {"train_to_core", "prune_to_core", "transfer_ticket", "evaluate_transfer"}


@pytest.fixture
def asking(clean: Project, tmp_path) -> Project:
    """A clone that asks a claim of its own alone, which reads neither LTH in as many rounds nor transfers."""
    project = clean.copy(tmp_path / "project")
    (project.folder / "own.yaml").write_text(yaml.safe_dump({"claims": {"asked": [], "own": {"special": OWN}}}))
    project.configuration.append("own.yaml")
    return project


def test_the_points_of_a_sweep_share_a_plan_and_end_in_its_figure(asking: Project) -> None:
    axes = {"rewinding epoch": {str(epoch): {"pruning": {"rewind_epoch": f"{epoch}it"}} for epoch in (1, 2)}}
    sweep = {"sweep": "both", "base": asking.configuration, "comparison": COMPARISON, "axes": axes}
    (asking.folder / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    (asking.folder / "which.yaml").write_text("sweep: sweep.yaml")
    asking.configuration = ["which.yaml"]
    planned = asking.planned("--snakefile", "workflow/sweep.smk")
    stages = {rule: jobs for rule, jobs in STAGES.items() if rule not in OF_TICKETS}
    for point in ("point_1", "point_2"):
        found = {rule.removeprefix(f"{point}_"): jobs for rule, jobs in planned.items() if rule.startswith(point)}
        assert found.keys() == stages.keys()
    assert planned["sweep"] == 1


def test_a_claim_of_ones_own_can_be_asked_alone_where_rounds_share_a_job(asking: Project) -> None:
    planned = asking.planned("--config", "jobs={group: rounds}")
    assert planned.keys().isdisjoint(OF_TICKETS)
    assert IN_TURN.keys() <= planned.keys()
