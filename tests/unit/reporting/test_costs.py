"""Facts about run time and cost: every job of the experiment is counted, and what was not measured is said."""

from pathlib import Path

import pytest

from dilt.jobs.usage import COLUMNS, TRAINING
from dilt.reporting.costs import jobs_of, runtime_table

WILDCARDS = {
    "dataset": ["source"],
    "seed": [0, 1],
    "round": [1, 2],
    "pruned_round": [1, 2],
    "first_round": [1],
    "rewind": [],
    "rewound": [],
    "geometry_round": [2],
    "run": ["all/all"],
    "trajectory": ["all"],
    "trained": ["1/all", "2/all"],
    "transferred": ["2/birds/all"],
    "compared": ["core", "union"],
    "assembly": ["all/all"],
    "part": [],
    "to_core": ["2/full/round-1", "2/full/round-2"],
    "trained_to_core": ["2/full/round-2"],
}


def told(folder: Path, job: str, *attempts: tuple[str, float], memory: float = 100.0, training: str = "") -> None:
    """Attempts at a job, how each ended and its wall seconds; the CPU's are half of these.

    Args:
        training: ``WALL,CPU`` seconds of it in each attempt; empty as in tables of earlier versions.
    """
    path = folder / "logs" / f"{job}.usage.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"2026-01-01T00:00:00+00:00,{ended},{wall},{wall / 2},{memory},{training}" for ended, wall in attempts]
    columns = [*COLUMNS, *(TRAINING if training else ())]
    path.write_text("\n".join([",".join(columns), *(row.removesuffix(",") for row in rows), ""]))


def table(networks: Path, answers: Path, gpus: int = 0):
    return runtime_table(jobs_of(networks, answers, WILDCARDS, gpus)).set_index("stage")


def test_times_are_summed_and_memory_is_the_largest(tmp_path: Path) -> None:
    for seed, round_, seconds in ((0, 1, 1.0), (0, 2, 2.0), (1, 1, 4.0), (1, 2, 8.0)):
        job = f"train/seed-{seed}/all/all/round-{round_}"
        told(tmp_path, job, ("finished", seconds), memory=100 * seconds)
    row = table(tmp_path, tmp_path).loc["train"]
    assert row[["jobs", "without_record", "given_again", "attempts"]].tolist() == [4, 0, 0, 4]
    assert row[["wall_s", "cpu_s", "longest_job_s", "peak_memory_mb"]].tolist() == [15, 7.5, 8, 800]


def test_attempts_at_a_job_add_up(tmp_path: Path) -> None:
    told(tmp_path, "train/seed-0/all/all/round-1", ("killed", 10.0), ("stopped", 20.0), ("finished", 30.0))
    row = table(tmp_path, tmp_path).loc["train"]
    assert row[["attempts", "killed", "wall_s", "cpu_s", "longest_job_s"]].tolist() == [3, 1, 60, 30, 60]


def test_jobs_without_a_record_are_counted_and_those_of_other_experiments_are_not(tmp_path: Path) -> None:
    told(tmp_path, "train/seed-0/all/all/round-1", ("finished", 1.0))
    told(tmp_path, "train/seed-7/all/all/round-1", ("finished", 100.0))
    row = table(tmp_path, tmp_path).loc["train"]
    assert row[["jobs", "without_record", "wall_s"]].tolist() == [4, 3, 1.0]


def test_a_job_that_only_gave_finished_work_again_is_counted(tmp_path: Path) -> None:
    told(tmp_path, "train_ticket/seed-0/round-2/all", ("finished", 9.0), ("given again", 1.0))
    told(tmp_path, "train_ticket/seed-1/round-2/all", ("given again", 1.0))
    row = table(tmp_path, tmp_path).loc["train_ticket"]
    assert row[["given_again", "wall_s"]].tolist() == [1, 11]


def test_tickets_have_jobs_in_the_rounds_that_they_are_trained_transferred_and_compared_in(tmp_path: Path) -> None:
    jobs = table(tmp_path, tmp_path)["jobs"]
    of_seed = {"combine": 1, "train_ticket": 2, "evaluate_tickets": 2, "transfer_ticket": 1, "evaluate_transfer": 1}
    of_seed |= {"represent": 2, "compare": 1, "assemble": 1, "prune_to_core": 2, "train_to_core": 1}
    assert jobs[[*of_seed]].to_dict() == {stage: 2 * count for stage, count in of_seed.items()}


def test_saliencies_that_no_ticket_needs_are_no_jobs_without_a_record(tmp_path: Path) -> None:
    assert "score" not in table(tmp_path, tmp_path).index
    told(tmp_path, "score/seed-0", ("finished", 3.0))
    assert table(tmp_path, tmp_path).loc["score", ["jobs", "without_record", "wall_s"]].tolist() == [1, 0, 3]


def test_stages_of_the_answers_are_read_there_and_all_are_added_up(tmp_path: Path) -> None:
    told(tmp_path / "networks", "prepare/source", ("finished", 3.0))
    told(tmp_path / "answers", "summarise", ("finished", 5.0))
    told(tmp_path / "answers", "snakemake", ("finished", 7.0), memory=50.0)
    found = table(tmp_path / "networks", tmp_path / "answers")
    assert found.loc[["prepare", "summarise", "snakemake"], "wall_s"].tolist() == [3, 5, 7]
    assert found.loc["all", ["wall_s", "peak_memory_mb"]].tolist() == [15, 100]
    assert found.loc["all", "jobs"] == found["jobs"].drop("all").sum()


@pytest.mark.parametrize(("gpus", "trained", "represented"), [(0, 0, 0), (1, 1, 1), (4, 4, 1)])
def test_gpu_hours_are_wall_time_times_reserved_gpus(
    tmp_path: Path, gpus: int, trained: float, represented: float
) -> None:
    for job in ("train/seed-0/all/all/round-1", "represent/seed-0/round-2/core", "combine/seed-0"):
        told(tmp_path, job, ("finished", 3600))
    hours = table(tmp_path, tmp_path, gpus)["gpu_hours"]
    assert hours[["train", "represent", "combine"]].tolist() == [trained, represented, 0]


def test_rounds_that_share_a_job_have_none_of_their_own(tmp_path: Path) -> None:
    for seed in (0, 1):
        told(tmp_path, f"train_rounds/seed-{seed}", ("finished", 3.0))
    shared = WILDCARDS | {"run": [], "trajectory": [], "pruned_round": [], "to_core": [], "trained_to_core": []}
    rows = runtime_table(jobs_of(tmp_path, tmp_path, shared, 0)).set_index("stage")
    assert rows.loc["train_rounds", ["jobs", "without_record"]].tolist() == [2, 0]
    rounds = {"train", "prune", "prune_to_consensus", "train_to_core", "prune_to_core"}
    assert not rounds & set(rows.index[rows["jobs"] > 0])


def test_the_share_of_training_is_of_the_attempts_that_tell_it(tmp_path: Path) -> None:
    """A run that an earlier version began: its jobs tell nothing of training, and what none tells is not known."""
    told(tmp_path, "train/seed-0/all/all/round-1", ("finished", 1000.0))
    told(tmp_path, "train/seed-0/all/all/round-2", ("stopped", 10.0), ("finished", 30.0), training="10,5")
    told(tmp_path, "train_ticket/seed-0/round-1/all", ("finished", 20.0), training="0,0")
    told(tmp_path, "assemble/seed-0/core", ("finished", 20.0))
    shares = table(tmp_path, tmp_path, gpus=1)[["training_share", "gpu_training_share"]]
    assert shares.loc["train"].tolist() == [10 / 20, 20 / 40]
    assert shares.loc["train_ticket"].tolist() == [0, 0]
    assert shares.loc["assemble"].isna().all()
    assert shares.loc["all"].tolist() == [round(10 / 30, 3), round(20 / 60, 3)]
