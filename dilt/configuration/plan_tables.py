"""The plan of an experiment as plain text: tables of trainings, jobs, time, disk and the power of its claims.

What is planned belongs to `planned`, what earlier runs took to `past_runs`, simulated experiments to `answers.power`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dilt.answers import power as simulated
from dilt.answers.comparisons import Comparison, claims_of, comparisons
from dilt.configuration import workload
from dilt.configuration.derived_names import partition_names
from dilt.configuration.job_memory import predict
from dilt.configuration.past_runs import PastRun, Spent
from dilt.configuration.planned import Plan, PlannedFile, expected, shortest, uses_gpu, wall_seconds
from dilt.configuration.workload import Piece, Settings, steps_per_epoch
from dilt.foundations.result_paths import Answers, is_trained
from dilt.jobs.gpus import installed_gpus
from dilt.settings.experiment import Config

KINDS = {
    "initialise": "theta0 (late rewinding)",
    "train": "trajectories",
    "train_to_core": "LTH to the core",
    "train_ticket": "tickets",
    "retrain_assembly": "assemblies",
    "retrain": "transfer: retrain",
    "finetune": "transfer: finetune",
    "linear": "transfer: linear",
}
FEW_STEPS = 300  # of a training on all source classes
SPREADS = (1.0, 3.0, 5.0)  # points, where nothing is known
UNKNOWN = "-"
Row = Sequence[str]


def table(header: Row, rows: Sequence[Row]) -> str:
    """Aligned columns with two spaces between: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in (header, *rows))
    ]
    return "\n".join(line.rstrip() for line in (lines[0], "  ".join("-" * width for width in widths), *lines[1:]))


def settled(config: Config) -> str:
    """How long networks are trained, and at which rounds tickets are trained and claims read."""
    training, pruning, tickets = config.training, config.pruning, config.tickets
    images = Settings.of(config).images()
    steps = steps_per_epoch(images, training)
    claims = ", ".join(
        f"{claim} at round {round_} ({pruning.density(round_):.0%} of the weights)"
        for claim, round_ in tickets.claim_rounds
        if claim in config.claims.asked
    )
    each = f"{pruning.rate:.0%} each"
    if pruning.pattern:
        each = f"the first to {pruning.pattern}, then {each}"
    few = " That is few: networks may stay at chance." if training.epochs * steps < FEW_STEPS else ""
    return (
        f"training: {training.epochs} epochs of {steps:,} steps on all source classes.{few}\n"
        f"pruning: {pruning.rounds} rounds, {each}; tickets are trained at "
        f"{', '.join(map(str, tickets.rounds))}; claims are read: {claims}"
    )


def trainings(work: Sequence[Piece]) -> str:
    """How many networks are trained, for how many epochs and images in all."""
    rows = []
    for kind, words in [*KINDS.items(), (None, "all")]:
        chosen = [piece for piece in work if piece.kind == kind or (kind is None and piece.kind)]
        epochs, images = sum(piece.epochs for piece in chosen), sum(piece.units for piece in chosen)
        if chosen:
            rows.append([words, f"{len(chosen):,}", f"{epochs:,.0f}", f"{images / 1e6:,.2f}"])
    return table(["trainings", "networks", "epochs", "million images"], rows)


def jobs(planned: Plan, run: PastRun | None, config: Config) -> str:
    """Jobs of every rule, what they take and what is left of it."""
    gpu = run.gpu if run else bool(installed_gpus())
    memory = predict(config, gpu)
    all_, left = _spent(planned, run)
    rows = [
        [
            *(rule, f"{number:,}", f"{planned.jobs_left.get(rule, 0):,}", *_times([rule], all_, left, gpu)),
            f"{memory[rule]:,}" if rule in memory else UNKNOWN,
        ]
        for rule, number in planned.jobs.items()
    ]
    numbers = [f"{sum(found.values()):,}" for found in (planned.jobs, planned.jobs_left)]
    rows.append(["all", *numbers, *_times(list(planned.jobs), all_, left, gpu), ""])
    times = ["CPU time", "of the left", *(["GPU time", "of the left"] if gpu else [])]
    return table(["jobs", "number", "left", *times, "MB a job"], rows)


def progress(planned: Plan) -> str:
    """Of every stage that has jobs left, how many."""
    rows = [[rule, f"{left:,}"] for rule, left in planned.jobs_left.items()]
    return table(["stage", "jobs left"], rows) if rows else ""


def time_left(planned: Plan, run: PastRun | None, config: Config, cores: int, gpus: int) -> str:
    """How long what is left will take, in a line."""
    if run is None:
        return "Time left: unknown until some networks are trained."
    least = shortest(run, planned.work_left, config.jobs.group != "apart")
    seconds = wall_seconds(run, _spent(planned, run)[1], least, config, cores, gpus)
    return f"Time left: about {duration(seconds)} at {cores} cores, as the jobs of {run.experiment} took."


def _spent(planned: Plan, run: PastRun | None) -> tuple[Mapping[str, Spent], Mapping[str, Spent]]:
    """What all jobs and those left are expected to take, by rule."""
    if run is None:
        return {}, {}
    return expected(run, planned.work, planned.jobs), expected(run, planned.work_left, planned.jobs_left)


def _times(rules: Sequence[str], all_: Mapping[str, Spent], left: Mapping[str, Spent], gpu: bool) -> list[str]:
    """CPU time of rules, of all jobs and of those left; then their GPU time, if networks run on GPUs."""
    if not any(rule in all_ for rule in rules):
        return [UNKNOWN] * (4 if gpu else 2)
    cpu = [sum(found[rule].cpu_s for rule in rules if rule in found) for found in (all_, left)]
    on_gpu = [sum(found[r].wall_s for r in rules if r in found and uses_gpu(r)) for found in (all_, left)]
    return [duration(seconds) for seconds in [*cpu, *(on_gpu if gpu else [])]]


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.0f} s"


def time(planned: Plan, run: PastRun | None, config: Config, cores: int, gpus: int) -> str:
    """How long all of it takes, by which record, and what that holds for."""
    model = config.model.name
    if run is None:
        return (
            f"Time: unknown. No run of {model} with these arguments on images of this size is recorded in results/; "
            "--measure times some steps of its training on this machine."
        )
    if run.experiment:
        source = (
            f"Time: from the jobs of experiment {run.experiment} ({run.networks}, {run.date:%Y-%m-%d}), which has the "
            "same network,\nby networks, epochs and images. They hold for a machine like that one, as busy as that was."
        )
    else:
        source = (
            "Time: of training alone, from some steps just measured; evaluation, distances and start-up come on top.\n"
            f"The steps were computed {'; '.join(run.choices)}."
        )
    lines = [source]
    spent = _spent(planned, run)
    together = config.jobs.group != "apart"
    for words, work, rules in zip(("all", "what is left"), (planned.work, planned.work_left), spent, strict=True):
        least = shortest(run, work, together)
        seconds = wall_seconds(run, rules, least, config, cores, gpus)
        places = f"{cores} cores" + (f" and {gpus} GPUs" if run.gpu else "")
        lines.append(f"- {words}: about {duration(seconds)} at {places}; at least {duration(least)} at any number")
    unknown = [rule for rule in planned.jobs if rule not in spent[0]]
    if run.experiment and unknown:
        lines.append(f"- that run had none of these jobs, which come on top: {', '.join(unknown)}")
    return "\n".join(lines)


def disk(files: Sequence[PlannedFile], config: Config) -> str:
    """What results take on disk in the end, by jobs.keep; checkpoints of unfinished trainings come on top."""
    settings, paths = Settings.of(config), [file.path for file in files]
    all_, masks = (workload.disk(kept, settings) for kept in (paths, [path for path in paths if not is_trained(path)]))
    rows = [[kind, *(f"{found.get(kind, 0) / 1e9:,.3f}" for found in (all_, masks))] for kind in all_]
    sums = [f"{sum(found.values()) / 1e9:,.3f}" for found in (all_, masks)]
    return table(["disk", "GB, keep: all", "GB, keep: masks"], [*rows, ["all", *sums]])


def power(config: Config, results: Path, effects: Sequence[float], spread: float | None) -> str:
    """How likely each claim is to be supported, or not supported, if the true differences are as given.

    Args:
        results: the folder that has a folder for each experiment, with its claim table.
        effects: in points.
        spread: standard deviation of all differences over seeds; None: as seen in the experiment's claim table.
    """
    seeds = len(config.seeds)
    if seeds < 2:
        return "Power: one seed has no verdict; give seeds two or more."
    claims = claims_of(config)
    compared = comparisons(claims, partition_names(config.source))
    rows, sources = [], set()
    for claim in claims:
        primary = [each for each in compared if each.claim == claim and each.primary]
        decisive = [each.decisive for each in primary]
        failing = decisive.index(True) if any(decisive) else 0
        for spreads, source in _spreads(primary, config, results, spread):
            sources.add(source)
            margin, confidence = config.claims.margin, config.claims.confidence
            design = simulated.Design(seeds, spreads, decisive, margin, confidence)
            for effect in effects:
                false = [-effect if place == failing else effect for place in range(len(primary))]
                found = simulated.rates(design, effect).supported, simulated.rates(design, false).not_supported
                told = [claim, f"{len(primary)}", f"{min(spreads):.1f}-{max(spreads):.1f}", f"{effect:g}"]
                rows.append([*told, *(f"{share:.2f}" for share in found), primary[failing].control])
    header = ["power", "comparisons", "SD", "effect E", "P(supported)", "P(not supported)", "decisive control"]
    return "\n".join(
        [
            table(header, rows),
            f"{seeds} seeds, {simulated.EXPERIMENTS:,} simulated experiments: P(supported) if all true differences are",
            "E points, P(not supported) if that with the decisive control is -E and the others are E.",
            f"SD of differences over seeds, in points, from the least to the largest: {'; '.join(sorted(sources))}.",
        ]
    )


def _spreads(
    primary: Sequence[Comparison], config: Config, results: Path, given: float | None
) -> list[tuple[list[float], str]]:
    """Standard deviations of the comparisons, and where they are from; several choices where nothing is known."""
    from dilt.answers.claim_table import read_claims
    from dilt.answers.spreads import seen

    if given is not None:
        return [([given] * len(primary), "as given by --sd")]
    path = results / config.experiment / Answers.TABLE.format(table="claims")
    found = seen(read_claims(path), primary) if path.is_file() else []
    if found:
        return [(found, f"as seen in {path}")]
    return [([each] * len(primary), "assumed, as no claim table tells them (--sd sets one)") for each in SPREADS]
