"""Facts about plans: what trainings see, and that time follows from what other runs took, in proportion to work."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from configurations import changed

from dilt.answers.claim_table import COLUMNS as COLUMNS_OF_CLAIMS
from dilt.configuration import past_runs, plan_tables, sharing, workload
from dilt.configuration.past_runs import PastRun, Spent
from dilt.configuration.planned import (
    Plan,
    by_rule_in_turn,
    expected,
    jobs_by_rule,
    planned_files,
    shortest,
    wall_seconds,
)
from dilt.configuration.reading import parse_config
from dilt.configuration.workload import Settings, pieces
from dilt.foundations.storage import write_json
from dilt.jobs.usage import COLUMNS
from dilt.settings.experiment import Config

# Training images of the default's digits, by hand: 30 % of each class are test images, 20 % of the others validation.
LOW, HIGH, TARGET = 100 + 102 + 99, 102 + 102 + 102, 102 + 100 + 98 + 101
EPOCHS, ON_TARGET, PROBES, DEPTH = 20, 15, 72, 4
FILES = {
    ("train", "seed-0/independent/low/round-1/weights.safetensors"): EPOCHS * LOW,
    ("train", "seed-0/independent/high-sibling/round-2/weights.safetensors"): EPOCHS * HIGH,
    ("train", "seed-0/independent/full/round-1/weights.safetensors"): EPOCHS * (LOW + HIGH),
    ("train_to_core", "seed-0/same-rounds-4/full/round-2/weights.safetensors"): EPOCHS * (LOW + HIGH),
    ("train_ticket", "seed-0/tickets/round-4/core/weights.safetensors"): EPOCHS * (LOW + HIGH),
    ("retrain_assembly", "seed-0/assembly/round-4/high/core/weights.safetensors"): EPOCHS * HIGH,
    ("transfer_ticket", "seed-0/transfer/round-4/held-out/core/retrain.safetensors"): ON_TARGET * TARGET,
    ("transfer_ticket", "seed-0/transfer/round-4/held-out/core/linear.safetensors"): TARGET,
    ("represent", "seed-0/representations/round-4/core.zarr/zarr.json"): 1,
    ("represent_references", "seed-0/representations/references/untrained.zarr/zarr.json"): 1,
    ("compare", "seed-0/geometry/round-4/distances.csv"): (2 * DEPTH) ** 2 * PROBES**3,
}


def config(**changes: Any) -> Config:
    return parse_config(changed({key.replace("__", "/"): value for key, value in changes.items()}))


def make(results: Path, made: Config, seconds: dict[str, float], name: str = "old") -> None:
    """An earlier run: its settings, files and records; the CPU's seconds are half of the wall's."""
    networks = results / name
    sharing.register(made.model_copy(update={"experiment": name}), networks)
    for _, path in FILES:
        (networks / path).parent.mkdir(parents=True, exist_ok=True)
        (networks / path).touch()
    for job, wall in seconds.items():
        table = networks / "logs" / f"{job}.usage.csv"
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_text(
            f"{','.join(COLUMNS)}\n2026-01-0{1 + len(name) % 9}T00:00:00+00:00,finished,{wall},{wall / 2},1\n"
        )


LOGS = {
    "train/seed-0/all/all/round-1": 600.0,
    "train_ticket/seed-0/round-4/all": 100.0,
    "compare/seed-0/round-4": 50.0,
    "summarise": 7.0,
}


@pytest.mark.parametrize(
    ("file", "units"), FILES.items(), ids=lambda value: value[1] if isinstance(value, tuple) else ""
)
def test_work_is_counted_in_images_seen_and_in_pairs_of_layers(file: tuple[str, str], units: float) -> None:
    found = {piece.path: piece for piece in pieces(FILES, Settings.of(config()))}
    assert found[file[1]].units == units


def test_files_beside_them_are_not_counted() -> None:
    beside = [("train", "seed-0/independent/low/round-1/metrics.csv"), ("summarise", "tables/claims.csv")]
    assert pieces(beside, Settings.of(config())) == []


def test_theta0_is_trained_only_in_late_rewinding() -> None:
    file = [("initialise", "seed-0/theta0.safetensors")]
    (piece,) = pieces(file, Settings.of(config()))
    assert (piece.kind, piece.units, piece.work) == ("", 1, "initialise")
    (piece,) = pieces(file, Settings.of(config(pruning__rewind_epoch=2)))
    assert (piece.kind, piece.units, piece.work) == ("initialise", 2 * (LOW + HIGH), "train")


def test_a_past_run_tells_the_time_of_a_unit_and_of_a_job(tmp_path: Path) -> None:
    make(tmp_path, config(), LOGS)
    run = past_runs.latest(tmp_path, config(training__epochs=99, seeds=[7]))
    assert run is not None
    assert (run.experiment, run.gpu) == ("old", False)
    trained = EPOCHS * (LOW + HIGH + LOW + HIGH)
    assert (run.per_unit["train"].cpu_s, run.per_unit["train"].wall_s) == pytest.approx((300 / trained, 600 / trained))
    assert run.per_job["summarise"] == Spent(3.5, 7)


def test_starting_a_job_does_not_grow_with_its_epochs(tmp_path: Path) -> None:
    logs = LOGS | {"initialise/seed-0": 20.0, "train/seed-0/all/all/round-2": 600.0, "prune/seed-0/all": 1.0}
    make(tmp_path, config(), logs)
    run = past_runs.latest(tmp_path, config())
    assert run is not None
    assert run.startup == Spent(10, 20)
    file = ("train", "seed-0/independent/full/round-1/weights.safetensors")
    trained, new = EPOCHS * 2 * (LOW + HIGH), 3 * EPOCHS * (LOW + HIGH)
    work = pieces([file], Settings.of(config(training__epochs=3 * EPOCHS)))
    assert expected(run, work, {"train": 1})["train"].wall_s == pytest.approx(20 + (1200 - 40) / trained * new)
    assert shortest(run, work, together=True) == pytest.approx(20 + (1200 - 40) / trained * new)


def test_only_a_run_of_the_same_network_tells_and_of_several_the_latest(tmp_path: Path) -> None:
    make(tmp_path, config(model__arguments={"width": 50, "depth": 4}), LOGS, "wide")
    assert past_runs.latest(tmp_path, config()) is None
    make(tmp_path, config(), LOGS, "of-the-sixth")
    make(tmp_path, config(), LOGS, "second")
    found = past_runs.latest(tmp_path, config())
    assert found is not None
    assert found.experiment == "second"


def test_a_record_of_another_version_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path, config(), LOGS)
    record = tmp_path / "old/experiments/old.json"
    write_json(record, {"model.name": "mlp", "training.new_key": 1})
    assert past_runs.latest(tmp_path, config()) is None


def run_of(**rates: float) -> PastRun:
    """A run that took so many seconds for a unit, the CPU half of them."""
    from datetime import UTC, datetime

    spent = {rule: Spent(rate / 2, rate) for rule, rate in rates.items()}
    return PastRun("old", Path("old"), datetime(2026, 1, 1, tzinfo=UTC), False, spent, {"summarise": Spent(3, 7)})


def test_expected_times_are_in_proportion_to_work() -> None:
    work = pieces(FILES, Settings.of(config()))
    found = expected(run_of(train=0.01, compare=1e-6), work, {"train": 2, "summarise": 2, "compare": 1, "report": 1})
    assert found["train"].wall_s == pytest.approx(0.01 * EPOCHS * (2 * LOW + 2 * HIGH))
    assert found["summarise"] == Spent(6, 14)
    assert found["compare"].cpu_s == pytest.approx(0.5e-6 * (2 * DEPTH) ** 2 * PROBES**3)
    assert "report" not in found


def test_trainings_of_a_kind_that_the_run_had_none_of_take_what_trajectories_took() -> None:
    work = pieces(FILES, Settings.of(config()))
    found = expected(run_of(train=0.01), work, {"train_ticket": 1})
    assert found["train_ticket"].wall_s == pytest.approx(0.01 * EPOCHS * (LOW + HIGH))


def test_what_shares_a_job_is_taken_one_after_the_other_and_rounds_wait_for_each_other() -> None:
    runs = [
        f"seed-{s}/independent/{t}/round-{r}/weights.safetensors"
        for s in (0, 1)
        for t in ("low", "high")
        for r in (1, 2)
    ]
    tickets = [("train_ticket", f"seed-0/tickets/round-{r}/core/weights.safetensors") for r in (2, 4)]
    work = pieces([*(("train", path) for path in runs), *tickets], Settings.of(config()))
    whole = EPOCHS * (LOW + HIGH)
    run = PastRun(**{**vars(run_of(train=1, train_ticket=1)), "startup": Spent(0, 5)})
    assert shortest(run, work, together=True) == 2 * whole + 2 * whole + 3 * 5
    assert shortest(run, work, together=False) == 2 * EPOCHS * HIGH + whole + 3 * 5
    work = pieces([("train_rounds", path) for path in runs], Settings.of(config()))
    assert shortest(run, work, together=True) == 2 * whole, "both rounds in one job, which initialise has begun"


def test_what_takes_its_turn_in_a_job_is_counted_by_its_rule_and_starts_up_once() -> None:
    trained = "seed-0/independent/low/round-1/weights.safetensors"
    files = [
        ("train_trajectories", "seed-0/theta0.safetensors"),
        ("train_trajectories", trained),
        ("train_trajectories", "seed-0/independent/low/round-1/metrics.csv"),
        ("make_tickets", "seed-0/tickets/round-2/core/weights.safetensors"),
    ]
    work = pieces(files, Settings.of(config()))
    assert [piece.rule for piece in work] == ["initialise", "train_rounds", "train_ticket"]
    jobs = by_rule_in_turn({"prepare": 2, "train_trajectories": 1, "make_tickets": 1}, {p.rule for p in work})
    assert jobs == {"prepare": 2, "initialise": 1, "train_rounds": 1, "train_ticket": 1}
    run = PastRun(**{**vars(run_of(train=1, train_ticket=1)), "startup": Spent(5, 5)})
    assert expected(run, work, jobs)["train_rounds"].wall_s == EPOCHS * LOW
    alone = expected(run, pieces([("train", trained)], Settings.of(config())), {"train": 1})
    assert alone["train"].wall_s == EPOCHS * LOW + 5


def test_targets_have_jobs_side_by_side() -> None:
    run = run_of(transfer_ticket=1)
    path = "seed-0/transfer/round-{}/{}/core/linear.safetensors"
    one, two, other = (
        pieces([("transfer_ticket", path.format(*place)) for place in places], Settings.of(config()))
        for places in ([(2, "held-out")], [(2, "held-out"), (4, "held-out")], [(2, "held-out"), (2, "gone")])
    )
    assert shortest(run, two, together=True) == 2 * shortest(run, one, together=True)
    assert shortest(run, other, together=True) == max(piece.units for piece in other)


def test_time_is_that_of_rounds_cores_or_gpus_whichever_is_longest() -> None:
    spent = {"train": Spent(0, 4000), "prune": Spent(0, 100)}
    cpu, gpu = run_of(), PastRun(**{**vars(run_of()), "gpu": True})
    assert wall_seconds(cpu, spent, 10, config(), cores=2, gpus=1) == 2050
    assert wall_seconds(cpu, spent, 3000, config(), cores=2, gpus=1) == 3000
    assert wall_seconds(gpu, spent, 10, config(), cores=50, gpus=2) == 2000
    assert wall_seconds(gpu, spent, 10, config(jobs={"per_gpu": 4}), cores=50, gpus=2) == 500


def test_what_snakemake_prints_is_read() -> None:
    table = "Job stats:\njob      count\n-----  -----\ntrain        4\nall          1\ntotal        5\n"
    assert jobs_by_rule(table) == {"train": 4}
    lines = [
        "Building DAG of jobs...",
        "output_file\tdate\trule\tlog-file(s)\tstatus\tplan",
        "results/digits/a.csv\tnow\ttrain\tlog\tok\tno update",
        "results/digits/b.csv\t-\ttrain\t-\tmissing\tupdate pending",
        "results/digits/c\t-\ttrain\t-\tmissing\tno update",
    ]
    found = planned_files("\n".join(lines))
    assert [(file.rule, file.path, file.left, file.removed) for file in found] == [
        ("train", "digits/a.csv", False, False),
        ("train", "digits/b.csv", True, False),
        ("train", "digits/c", False, True),
    ]


def planned(made: Config, left: bool) -> Plan:
    lines = [
        f"results/digits/{path}\t-\t{rule}\t-\tok\t{'update pending' if left else 'no update'}" for rule, path in FILES
    ]
    files = planned_files("\n".join(["output_file\tdate\trule\tlog\tstatus\tplan", *lines]))
    numbers = dict.fromkeys(("train", "summarise"), 1)
    return Plan.of(made, files, numbers, numbers if left else {})


def cells(text: str, first: str) -> list[str]:
    return next(line for line in text.splitlines() if line.startswith(first)).removeprefix(first).split()


def test_the_tables_say_what_is_trained_and_what_is_left() -> None:
    made, run = config(), run_of(train=0.1, train_ticket=0.1)
    found = plan_tables.trainings(planned(made, True).work)
    assert cells(found, "trajectories") == ["3", "60", f"{EPOCHS * 2 * (LOW + HIGH) / 1e6:.2f}"]
    assert cells(found, "all")[:2] == ["8", f"{6 * EPOCHS + ON_TARGET + 1}"]
    hours = f"{0.05 * EPOCHS * 2 * (LOW + HIGH) / 60:.1f}"
    assert cells(plan_tables.jobs(planned(made, True), run, made), "train ")[:6] == [
        "1",
        "1",
        hours,
        "min",
        hours,
        "min",
    ]
    assert cells(plan_tables.jobs(planned(made, False), run, made), "train ")[:6] == ["1", "0", hours, "min", "0", "s"]
    assert cells(plan_tables.jobs(planned(made, False), None, made), "train ")[:4] == ["1", "0", "-", "-"]
    told = plan_tables.time(planned(made, False), run, made, cores=2, gpus=1)
    assert "experiment old" in told
    assert "- what is left: about 0 s at 2 cores" in told
    assert "--measure" in plan_tables.time(planned(made, False), None, made, cores=2, gpus=1)


def test_disk_is_what_parameters_take() -> None:
    settings = Settings.of(config())
    others = [
        "seed-0/tickets/round-4/core/mask.safetensors",
        "seed-0/transfer/round-4/held-out/core.logits.safetensors",
    ]
    found = workload.disk([*(path for _, path in FILES), *others], settings)
    parameters = settings.network.parameters
    assert found["weights"] == 6 * parameters
    assert found["transferred networks"] == 2 * parameters
    assert found["masks"] == parameters // 32
    assert found["stores of activations"] == 2 * DEPTH * PROBES * 4 * 96


def test_the_table_of_disk_tells_what_is_left_without_networks() -> None:
    made = config()
    theta0 = "results/digits/seed-0/theta0.safetensors\t-\tinitialise\t-\tok\tno update"
    files = [*planned(made, True).files, *planned_files(f"output_file\n{theta0}")]
    found = plan_tables.disk(files, made)
    parameters = Settings.of(made).network.parameters / 1e9
    assert cells(found, "weights") == [f"{7 * parameters:.3f}", f"{parameters:.3f}"]
    assert cells(found, "transferred networks") == [f"{2 * parameters:.3f}", "0.000"]
    assert len(set(cells(found, "stores of activations"))) == 1


def test_power_is_told_for_each_claim_by_the_spreads_given_seen_or_assumed(tmp_path: Path) -> None:
    made = config(claims__asked=["C1"], seeds=list(range(8)))
    given = plan_tables.power(made, tmp_path, [5.0], 3.0)
    assert float(cells(given, "C1")[3]) == pytest.approx(0.9, abs=0.02), "seven comparisons, spread 3, eight seeds"
    assert cells(given, "C1")[5] == "lth-same-rounds@core"
    assert plan_tables.power(made, tmp_path, [2.0, 5.0], None).count("\nC1") == 2 * len(plan_tables.SPREADS)
    assert "two or more" in plan_tables.power(config(seeds=[0]), tmp_path, [5.0], 3.0)


def test_spreads_are_taken_from_the_experiments_own_claim_table(tmp_path: Path) -> None:
    made = config(claims__asked=["C1"], seeds=list(range(8)))
    row = {
        "claim": "C1",
        "comparison": "core - lth@core on transfer",
        "ticket": "core",
        "control": "lth@core",
        "measure": "transfer",
    }
    numbers = {"difference_points": 4.0, "effect": 2.0, "seeds": 5}
    table = pd.DataFrame([row | numbers], columns=COLUMNS_OF_CLAIMS)
    (tmp_path / "digits/tables").mkdir(parents=True)
    table.to_csv(tmp_path / "digits/tables/claims.csv", index=False)
    found = plan_tables.power(made, tmp_path, [5.0], None)
    assert cells(found, "C1")[1] == "2.0-2.0"
    assert "as seen in" in found


def test_speed_is_measured_on_steps_of_the_training_loop() -> None:
    run = past_runs.measured(config())
    rates = {(rate.cpu_s, rate.wall_s) for rate in run.per_unit.values()}
    assert len(rates) == 1
    assert all(1e-7 < seconds < 0.1 for rate in rates for seconds in rate)
    assert set(past_runs.TRAINING) == set(run.per_unit)
    told = plan_tables.time(planned(config(), False), run, config(), cores=2, gpus=1)
    assert "computed contiguous, as the network has no convolutions; float32, as training.precision says." in told


def test_the_density_at_which_a_claim_is_read_is_that_of_the_pattern_and_later_rounds() -> None:
    rounds = {"pruning__rounds": 6, "pruning__rate": 0.2, "tickets__rounds": [3], "claims__asked": ["C1"]}
    rounds |= {"tickets__claim_rounds": {"C1": 3}}
    assert "6 rounds, 20% each;" in (told := plan_tables.settled(config(**rounds)))
    assert "C1 at round 3 (51% of the weights)" in told
    assert "6 rounds, the first to 1:4, then 20% each;" in (
        told := plan_tables.settled(config(**rounds, pruning__pattern="1:4"))
    )
    assert "C1 at round 3 (16% of the weights)" in told
