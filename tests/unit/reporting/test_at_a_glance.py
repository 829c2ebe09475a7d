"""Facts about what is told below the verdicts: the runs that they rest on are counted, and the cost is the run's."""

import math

import pandas as pd

from dilt.reporting.at_a_glance import cost, made_with, trained

OF_COMPARISON = ["claim", "comparison", "ticket", "control", "measure"]


def tables(*collapsed: tuple[int, str, str]) -> dict[str, pd.DataFrame]:
    """Two seeds; C1 compares the core with random and LTH by transfer, and besides with dense on the source.

    Args:
        collapsed: seed, ticket and table of runs that collapsed.
    """
    compared = [
        ("C1", "a", "core", "random@core", "transfer", True, "transfer"),
        ("C1", "b", "core", "lth@core", "source", True, "ticket_scores"),
        ("C1", "c", "core", "dense", "source", False, "ticket_scores"),
    ]
    claims = pd.DataFrame([row[:6] for row in compared], columns=[*OF_COMPARISON, "primary"])
    terms = pd.DataFrame(
        dict(zip(OF_COMPARISON, row, strict=False)) | {"term_ticket": ticket, "round": 3, "table": row[6]}
        for row in compared
        for ticket in row[2:4]
    )
    tickets = {"core": 0.9, "random@core": 0.5, "random~2@core": 0.5, "lth@core": 0.8, "dense": 0.3}
    scores = pd.DataFrame(
        {"seed": seed, "round": round_, "ticket": ticket, "corruption": corruption, "classes": classes, "chance": 0.25}
        | {"accuracy": accuracy, "collapsed": (seed, ticket, "ticket_scores") in collapsed}
        for seed in (0, 1)
        for round_ in (2, 3)
        for ticket, accuracy in tickets.items()
        for corruption, classes in (("none", "all"), ("none", "low"), ("blur", "all"))
    )
    transfer = pd.DataFrame(
        {"seed": seed, "round": 3, "ticket": ticket, "target": "birds", "protocol": protocol, "accuracy": 0.1}
        | {"chance": 0.5, "collapsed": (seed, ticket, "transfer") in collapsed}
        for seed in (0, 1)
        for ticket in tickets
        for protocol in ("retrain", "linear")
    )
    return {"claims": claims, "terms": terms, "ticket_scores": scores, "transfer": transfer}


def test_runs_that_primary_comparisons_read_are_counted_with_all_draws() -> None:
    # By transfer core and two draws of random, by two protocols; on the source core and LTH; each in two seeds.
    assert trained(tables()) == (
        "None of the 16 networks that the verdicts rest on collapsed (at chance, or not better than after the "
        "first epoch). Least accurate on the source: lth@core in round 3, 80.0% (chance 25.0%)."
    )


def test_collapsed_runs_are_named_most_first_and_those_of_no_verdict_are_not() -> None:
    lost = [(0, "lth@core", "ticket_scores"), *((seed, "random~2@core", "transfer") for seed in (0, 1))]
    told = trained(tables(*lost, (0, "dense", "ticket_scores"), (0, "random@core", "ticket_scores")))
    assert told.startswith("5 of the 16 networks")
    assert (
        "first epoch): random~2@core in round 3 on birds, retrain, 2 of 2; random~2@core in round 3 on birds, linear, "
        "2 of 2; and 1 more. Least"
    ) in told
    assert "): lth@core in round 3 on the source, 1 of 2. Least" in trained(tables(lost[0]))


def test_claims_that_transfer_nothing_or_only_transfer_are_told_of_too() -> None:
    made = tables()
    only = made | {"terms": made["terms"][made["terms"]["table"] == "transfer"]}
    assert trained(only) == (
        "None of the 12 networks that the verdicts rest on collapsed (at chance, or not better than after the "
        "first epoch)."
    )
    nothing = made | {
        "terms": made["terms"][made["terms"]["table"] == "ticket_scores"],
        "transfer": made["transfer"].iloc[:0],
    }
    assert trained(nothing).startswith("None of the 4 networks")


def runtime(share: float = math.nan, **snakemake: float) -> pd.DataFrame:
    rows = [("train", 3, 600.0, 7200.0, 0.25), *([("snakemake", 1, *snakemake.values(), 0.0)] if snakemake else [])]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows), 0.25))
    table = pd.DataFrame(rows, columns=["stage", "jobs", "wall_s", "cpu_s", "gpu_hours"])
    return table.assign(without_record=0, training_share=share, gpu_training_share=share / 2)


def test_cost_is_that_of_all_jobs_and_time_that_of_snakemake() -> None:
    assert cost(runtime(wall_s=330, cpu_s=1800)) == ("2.5 CPU hours, 0.25 GPU hours, 5.5 minutes from start to end.")
    slow = runtime(wall_s=7560, cpu_s=0)
    slow["gpu_hours"] = 0.0
    slow.loc[slow["stage"] == "all", "without_record"] = 2
    assert cost(slow) == "2 CPU hours, no GPU, 2.1 hours from start to end; 2 jobs have no record."


def test_without_a_record_of_snakemake_the_jobs_times_are_told() -> None:
    assert "10 minutes of jobs, one after the other." in cost(runtime())


def test_the_share_of_training_is_told_where_it_was_recorded() -> None:
    assert cost(runtime(0.5, wall_s=330, cpu_s=1800)).startswith("2.5 CPU hours (50% training), 0.25 GPU hours (25% tr")


def test_versions_that_differ_within_a_table_are_told_and_others_are_not() -> None:
    def versions(*rows: tuple[str, str]) -> pd.DataFrame:
        return pd.DataFrame([(*row, 3) for row in rows], columns=["table", "versions", "rows"])

    old, new = "python 3.11, torch 2.14.0, timm 1.0, cpu", "python 3.11, torch 2.15.0, timm 1.0, cpu"
    assert made_with(versions(("ticket_scores", old), ("compare", new))) == ""
    assert made_with(versions(("assembly", old), ("assembly", f"{old}, cpu with 1 thread(s)"))) == "", "no network"
    mixed = versions(("ticket_scores", old), ("ticket_scores", new), ("transfer", new), ("transfer", old))
    assert made_with(mixed) == "ticket_scores, transfer mix rows made with torch 2.14.0 or torch 2.15.0"
