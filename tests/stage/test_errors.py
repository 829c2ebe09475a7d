"""Facts about what goes wrong: exit code 1, one line that names the culprit, no traceback, no half-made file."""

from pathlib import Path

import numpy as np
import pipeline
import pytest
from pipeline import FEW
from small_run import Arguments

from dilt.foundations.storage import read_tensors, write_tensors
from dilt.jobs.fingerprint import code_digest


def error_of(stage: str, arguments: Arguments, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        pipeline.run(stage, arguments)
    stderr = capsys.readouterr().err
    assert ended.value.code == 1
    assert len(stderr.splitlines()) == 1, stderr
    assert stderr.startswith(f"python -m dilt.{stage}: error: ")
    return stderr


def shortened(arguments: Arguments, option: str) -> Arguments:
    values = arguments[option]
    assert isinstance(values, list)
    return arguments | {option: values[:-1]}


def test_missing_files_are_named(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in ("theta0.safetensors", "data/source/train-images.npy", "dense.safetensors", "data/source/dataset.json"):
        (results / file).rename(results / "elsewhere")
        assert file in error_of("train", pipeline.train(results, 1), capsys)
        (results / "elsewhere").rename(results / file)


@pytest.mark.parametrize("stage", ["train", "combine"])
def test_code_that_was_edited_since_it_was_planned_does_not_run(
    results: Path, capsys: pytest.CaptureFixture[str], stage: str
) -> None:
    """Else its results would be recorded, and kept, as those of the code that the plan was made with."""
    arguments = {"train": pipeline.train(results, 1), "combine": pipeline.combine(results)}[stage]
    said = error_of(stage, arguments | {"code": "0123456789abcdef"}, capsys)
    assert f"the code of dilt.{stage} was edited since this run was planned; give the same command again" in said
    pipeline.run(stage, arguments | {"code": code_digest(f"dilt.{stage}")})


def test_options_that_do_not_fit_are_named(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = pipeline.prune(results, 1, "independent")
    assert "--options: rate" in error_of(
        "prune", arguments | {"options": '{"scope": "global", "pattern": null}'}, capsys
    )
    assert "--options: rat:" in error_of("prune", arguments | {"options": pipeline.options("prune", rat=1)}, capsys)
    assert "--options" in error_of("prune", arguments | {"options": "rate=0.5"}, capsys)


def test_a_trajectory_that_does_not_exist_is_named(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = pipeline.train(results, 1, ["independent/low"]) | {"runs": ["independent/middle"]}
    assert "'middle'" in error_of("train", runs, capsys)


def test_diverged_weights_name_their_layer(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = results / "independent/low/round-1/weights.safetensors"
    weights, record = read_tensors(file)
    weights["blocks.2.linear.weight"][3, 3] = np.nan
    write_tensors(file, weights, record)
    said = error_of("prune", pipeline.prune(results, 1, "independent"), capsys)
    assert "'blocks.2.linear.weight' are not finite" in said


def test_pruning_everything_is_refused(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = pipeline.prune(results, 1, "independent") | {
        "options": '{"rate": 0.9999, "scope": "global", "pattern": null}'
    }
    assert "no weight is left after independent/low round 1" in error_of("prune", arguments, capsys)


def test_a_mask_of_another_network_is_named(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wider = {"name": "mlp", "arguments": {"width": 17, "depth": 4}}
    arguments = pipeline.train(results, 1) | {"options": pipeline.options("train", model=wider)}
    assert "'blocks.0.linear.bias' differs" in error_of("train", arguments, capsys)


def test_networks_that_do_not_tell_what_is_scored_are_named(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tickets, targets = pipeline.evaluate_tickets(results, ["core"]), pipeline.evaluate_transfer(results, ["core"])
    said = error_of("evaluate", tickets | {"kind": "transfer"}, capsys)
    assert "core/weights.safetensors: does not tell its target; give networks of the transfer" in said
    said = error_of("evaluate", targets | {"data": tickets["data"]}, capsys)
    assert "core/retrain.safetensors: is for the class '4', which is not in --data" in said


def test_too_many_probes_are_explained(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = pipeline.represent(results, FEW) | {
        "options": pipeline.options("represent", representations={"probes": 5000})
    }
    assert "ask for at most" in error_of("represent", arguments, capsys)


def test_tickets_seen_on_other_probes_are_not_compared(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fewer = pipeline.represent(results, ["union"]) | {
        "options": pipeline.options("represent", representations={"probes": 16})
    }
    pipeline.run("represent", fewer)
    said = error_of("compare", pipeline.compare(results, FEW), capsys)
    assert "'dense' and 'union' saw 24 and 16 probes" in said


LISTS = {
    "train": ("runs", "masks", "weights", "metrics"),
    "prune": ("weights", "masks", "pruned"),
    "combine": (
        *("partitions", "partition-masks", "sibling-masks", "lth-masks", "lth-weights"),
        *("split-masks", "split-weights", "same-rounds-masks", "same-rounds-weights", "criteria", "saliencies"),
        *("colt-masks", "colt-weights", "tickets"),
    ),
    "score": ("criteria", "saliencies"),
    "instability": ("rewind-epochs", "rounds", "weights", "sibling-weights"),
    "train_ticket": ("tickets", "masks", "weights", "metrics"),
    "represent": ("tickets", "weights", "stores"),
    "assemble": ("partitions", "masks", "sibling-masks", "weights", "sibling-weights"),
    "retrain_assembly": ("partitions", "masks", "runs", "weights", "metrics"),
    "transfer": ("tickets", "masks", "weights", "networks"),
    "evaluate": ("networks", "scores", "correct", "logits"),
}


@pytest.mark.parametrize(("stage", "option"), [(stage, option) for stage, names in LISTS.items() for option in names])
def test_lists_of_siblings_that_differ_in_length_are_refused(
    results: Path, capsys: pytest.CaptureFixture[str], stage: str, option: str
) -> None:
    whole = {
        "train": pipeline.train(results, 1),
        "prune": pipeline.prune(results, 1, "cyclic"),
        "combine": pipeline.combine(results),
        "score": pipeline.score(results),
        "instability": pipeline.instability(results),
        "train_ticket": pipeline.train_ticket(results),
        "represent": pipeline.represent(results, FEW),
        "assemble": pipeline.assemble(results),
        "retrain_assembly": pipeline.retrain_assembly(results),
        "transfer": pipeline.transfer(results, FEW),
        "evaluate": pipeline.evaluate_transfer(results, FEW),
    }[stage]
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    said = error_of(stage, shortened(whole, option), capsys)
    assert "differ in length" in said
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()} == before
