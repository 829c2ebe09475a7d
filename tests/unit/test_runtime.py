"""Facts about run time and cost: every job of the experiment is counted, and what was not measured is said."""

from pathlib import Path

import pytest

from dilt.runtime import AGAIN, jobs_of, runtime_table

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"
WILDCARDS = {
    "dataset": ["source"],
    "seed": [0, 1],
    "round": [1, 2],
    "ticket_round": [2],
    "claim_round": [2],
    "target": ["birds"],
    "run": ["all/all"],
    "trajectory": ["all"],
    "ticket": ["all"],
    "assembly": ["all/all"],
    "part": [],
    "round_to_core": [1, 2],
    "later_round_to_core": [2],
}


def measured(folder: Path, job: str, seconds: float, memory: str = "100.0") -> None:
    path = folder / "benchmarks" / f"{job}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}\n{seconds}\t0:00:00\t{memory}\t1\t1\t1\t0\t0\t50\t{seconds / 2}\n")


def table(networks: Path, answers: Path, gpus: int = 0):
    return runtime_table(jobs_of(networks, answers, WILDCARDS, gpus)).set_index("stage")


def test_times_are_summed_and_memory_is_the_largest(tmp_path: Path) -> None:
    for seed, round_, seconds in ((0, 1, 1.0), (0, 2, 2.0), (1, 1, 4.0), (1, 2, 8.0)):
        measured(tmp_path, f"train/seed-{seed}/all/all/round-{round_}", seconds, memory=f"{100 * seconds}")
    row = table(tmp_path, tmp_path).loc["train"]
    assert row[["jobs", "without_benchmark", "given_again"]].tolist() == [4, 0, 0]
    assert row[["wall_s", "cpu_s", "longest_job_s", "peak_memory_mb"]].tolist() == [15, 7.5, 8, 800]


def test_jobs_without_a_benchmark_are_counted_and_those_of_other_experiments_are_not(tmp_path: Path) -> None:
    measured(tmp_path, "train/seed-0/all/all/round-1", 1.0)
    measured(tmp_path, "train/seed-7/all/all/round-1", 100.0)
    row = table(tmp_path, tmp_path).loc["train"]
    assert row[["jobs", "without_benchmark", "wall_s"]].tolist() == [4, 3, 1.0]


def test_a_job_that_gave_finished_work_again_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "logs/train_ticket/seed-1/round-2/all.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"core: {AGAIN} checkpoints/core\n")
    assert table(tmp_path, tmp_path)["given_again"].to_dict()["train_ticket"] == 1


def test_stages_of_the_answers_are_read_there_and_all_are_added_up(tmp_path: Path) -> None:
    measured(tmp_path / "networks", "prepare/source", 3.0, memory="NA")
    measured(tmp_path / "answers", "summarise", 5.0)
    found = table(tmp_path / "networks", tmp_path / "answers")
    assert found.loc["prepare", "wall_s"] == 3
    assert found.loc["summarise", "wall_s"] == 5
    assert found.loc["all", ["wall_s", "peak_memory_mb"]].tolist() == [8, 100]
    assert found.loc["all", "jobs"] == found["jobs"].drop("all").sum()


@pytest.mark.parametrize(("gpus", "trained", "represented"), [(0, 0, 0), (1, 1, 1), (4, 4, 1)])
def test_gpu_hours_are_wall_time_times_reserved_gpus(
    tmp_path: Path, gpus: int, trained: float, represented: float
) -> None:
    measured(tmp_path, "train/seed-0/all/all/round-1", 3600)
    measured(tmp_path, "represent/seed-0/round-2/all", 3600)
    measured(tmp_path, "combine/seed-0/round-1", 3600)
    hours = table(tmp_path, tmp_path, gpus)["gpu_hours"]
    assert hours[["train", "represent", "combine"]].tolist() == [trained, represented, 0]
