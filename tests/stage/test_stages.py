"""Facts about the files of a small run: what the stages promise each other."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pipeline
import pytest
import small_run
from pipeline import FEW
from safetensors.numpy import save_file
from small_run import PARTITIONS, RUNS, TICKETS, table

from dilt.data.prepared import Images, read_split
from dilt.foundations.storage import read_tensors
from dilt.geometry.zarr_stores import read_representations
from dilt.initialise import untrained
from dilt.networks import building, states
from dilt.settings.networks import Model
from dilt.tickets.mask_files import read_mask
from dilt.tickets.masks import Mask, intersection
from dilt.tickets.names import CRITERIA
from dilt.tickets.pruning import prune_to_count
from dilt.tickets.trajectories import splits
from dilt.training.loop import Work

ROOT = Path(__file__).resolve().parents[2]


def trained(results: Path) -> Iterator[tuple[str, dict[str, np.ndarray], Mask]]:
    """Name, trained weights and mask of every training of a trajectory or ticket."""
    for round_ in pipeline.ROUNDS:
        for name in RUNS:
            weights, _ = read_tensors(results / name / f"round-{round_}" / "weights.safetensors")
            yield f"{name} {round_}", weights, read_mask(pipeline.mask_path(results, name, round_ - 1))
    for ticket in TICKETS:
        folder = results / "tickets/round-1" / ticket
        yield ticket, read_tensors(folder / "weights.safetensors")[0], read_mask(folder / "mask.safetensors")


def test_trained_weights_are_zero_where_pruned_and_moved_where_they_live(finished: Path) -> None:
    theta0, _ = read_tensors(finished / "theta0.safetensors")
    for name, weights, mask in trained(finished):
        for layer in mask.names:
            assert not weights[layer][~mask[layer]].any(), name
            assert mask.counts[layer] == 0 or np.any(weights[layer] != np.where(mask[layer], theta0[layer], 0)), name


def test_theta0_has_no_head_and_the_dense_mask_covers_the_hidden_layers(finished: Path) -> None:
    theta0, _ = read_tensors(finished / "theta0.safetensors")
    dense = read_mask(finished / "dense.safetensors")
    assert not any(name.startswith("head") for name in theta0)
    assert dense.names == [f"blocks.{index}.linear.weight" for index in range(4)]
    assert dense.density == 1


def test_the_first_round_of_the_cyclic_coupling_is_that_of_the_independent_one(finished: Path) -> None:
    for partition in PARTITIONS:
        weights = [
            read_tensors(finished / coupling / partition / "round-1/weights.safetensors")[0]
            for coupling in ("independent", "cyclic")
        ]
        assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
        masks = [read_mask(finished / c / partition / "round-1/mask.safetensors") for c in ("independent", "cyclic")]
        assert masks[0] == masks[1]
    core = read_mask(finished / "tickets/round-1/core/mask.safetensors")
    assert core == read_mask(finished / "tickets/round-1/colt/mask.safetensors")


def test_the_consensus_is_the_intersection_and_what_cyclic_runs_go_on_from(finished: Path) -> None:
    first, second = (read_mask(finished / f"cyclic/consensus/round-{r}/mask.safetensors") for r in (1, 2))
    pruned = [read_mask(finished / f"cyclic/{name}/round-2/mask.safetensors") for name in PARTITIONS]
    assert second == intersection(pruned) <= first
    assert all(mask <= first and mask.count == first.count - round(0.4 * first.count) for mask in pruned)


def test_every_round_keeps_the_rate_of_the_round_before(finished: Path) -> None:
    for name in (run for run in RUNS if run.startswith("independent")):
        masks = [read_mask(pipeline.mask_path(finished, name, round_)) for round_ in (0, 1, 2)]
        assert masks[2] <= masks[1] <= masks[0]
        assert masks[2].density == pytest.approx(0.6**2, abs=1e-3)


def test_lth_in_as_many_rounds_as_the_core_ends_at_exactly_its_number_of_weights(finished: Path) -> None:
    rounds = pipeline.CLAIM_ROUND
    core = intersection(read_mask(pipeline.mask_path(finished, f"independent/{name}", rounds)) for name in PARTITIONS)
    masks = [read_mask(pipeline.mask_path(finished, pipeline.TO_CORE, round_)) for round_ in range(rounds + 1)]
    assert [mask.count for mask in masks] == [core.size, round((core.size * core.count) ** 0.5), core.count]
    assert masks[2] <= masks[1]
    made = (finished / f"tickets/round-{rounds}/{name}/mask.safetensors" for name in ("core", "lth-same-rounds@core"))
    assert list(map(read_mask, made)) == [core, masks[2]]
    record = read_tensors(pipeline.weights_to_core(finished, rounds))[1]
    assert record["run"] == pipeline.TO_CORE
    assert record["classes"] == [name for members in PARTITIONS.values() for name in members]


def test_a_ticket_that_starts_anew_has_another_theta0_of_the_same_distribution(finished: Path) -> None:
    first, other = (read_tensors(finished / f"{name}.safetensors")[0] for name in ("theta0", "reinitialised-1"))
    assert first.keys() == other.keys()
    for name in (name for name in first if name.endswith("linear.weight")):
        assert not np.any(first[name] == other[name])
        assert np.std(first[name]) == pytest.approx(np.std(other[name]), rel=0.2)
    masks = [read_mask(finished / f"tickets/round-1/{name}/mask.safetensors") for name in ("core", "reinit@core")]
    weights = [
        read_tensors(finished / f"tickets/round-1/{name}/weights.safetensors")[0] for name in ("core", "reinit@core")
    ]
    assert masks[0] == masks[1]
    near = [
        [np.corrcoef(w[name][mask], start[name][mask])[0, 1] for name, mask in masks[0].layers.items()]
        for w, start in zip(weights, (first, other), strict=True)
    ]
    far = [np.corrcoef(weights[1][name][mask], first[name][mask])[0, 1] for name, mask in masks[0].layers.items()]
    assert np.min(near) > 0.7 > 0.5 > np.max(np.abs(far))


def test_a_later_draw_starts_from_an_initialisation_of_its_own(results: Path) -> None:
    first = (results / "reinitialised-1.safetensors").read_bytes()
    arguments = pipeline.initialise(results)
    starts = [results / f"reinitialised-{draw}.safetensors" for draw in (1, 2, 3)]
    pipeline.run("initialise", arguments | {"reinitialised": starts})
    assert starts[0].read_bytes() == first
    tensors = [read_tensors(start)[0] for start in starts]
    for name in (name for name in tensors[0] if name.endswith("linear.weight")):
        assert not any(np.any(tensors[one][name] == tensors[other][name]) for one, other in ((0, 1), (1, 2), (0, 2)))

    ticket = results / "tickets/round-1/reinit~2@core"
    ticket.mkdir()
    shutil.copy(results / "tickets/round-1/core/mask.safetensors", ticket)
    arguments = pipeline.train_ticket(results, ["reinit~2@core"]) | {"reinitialised": starts}
    pipeline.run("train_ticket", arguments)
    weights, mask = read_tensors(ticket / "weights.safetensors")[0], read_mask(ticket / "mask.safetensors")
    for name, kept in mask.layers.items():
        near, *far = (np.corrcoef(weights[name][kept], tensors[draw][name][kept])[0, 1] for draw in (1, 0, 2))
        assert near > 0.5 > np.max(np.abs(far))


def test_a_draw_without_an_initialisation_is_told(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(results / "tickets/round-1/reinit@core", results / "tickets/round-1/reinit~2@core")
    with pytest.raises(SystemExit):
        pipeline.run("train_ticket", pipeline.train_ticket(results, ["reinit~2@core"]))
    assert "--reinitialised: reinit~2@core needs file 2, of 1; add it" in capsys.readouterr().err


def test_saliencies_rank_the_prunable_weights_of_theta0_and_come_out_the_same(results: Path) -> None:
    pipeline.run("score", pipeline.score(results))
    files = pipeline.score(results)["saliencies"]
    first = [file.read_bytes() for file in files]
    dense = read_mask(results / "dense.safetensors")
    for file, criterion in zip(files, CRITERIA, strict=True):
        saliencies, record = read_tensors(file)
        assert record["criterion"] == criterion
        assert {name: found.shape for name, found in saliencies.items()} == dense.shapes
        assert prune_to_count(saliencies, dense, 100, "global").count == 100
    pipeline.run("score", pipeline.score(results) | {"options": pipeline.options("score", exclude=["blocks.0*"])})
    assert all(set(read_tensors(file)[0]) < set(dense.names) for file in files)
    pipeline.run("score", pipeline.score(results))
    assert [file.read_bytes() for file in files] == first


def test_pretrained_weights_are_not_what_a_control_starts_anew_from() -> None:
    given = Model(name="resnet18", arguments={"pretrained": True, "channels": [4, 4, 4, 4]}, weights="x.safetensors")
    assert untrained(given) == Model(name="resnet18", arguments={"channels": [4, 4, 4, 4]})


def test_a_sibling_is_another_data_order_of_the_same_start(finished: Path) -> None:
    for partition in PARTITIONS:
        own, sibling = (
            read_tensors(finished / "independent" / name / "round-1/weights.safetensors")
            for name in (partition, f"{partition}-sibling")
        )
        assert own[1]["classes"] == sibling[1]["classes"] == PARTITIONS[partition]
        assert any(not np.array_equal(own[0][name], sibling[0][name]) for name in own[0])


def test_the_ends_of_lines_are_the_trained_networks_as_they_were_after_their_last_epoch(finished: Path) -> None:
    for row in table(finished / "instability/lines.csv"):
        for end, alpha in (("first", "0.0"), ("second", "1.0")):
            if row["alpha"] == alpha:
                folder = finished / "independent" / row[end] / f"round-{row['round']}"
                last = table(folder / "metrics.csv")[-1]
                assert float(row["error"]) == pytest.approx(1 - float(last["validation_accuracy"]))
                assert float(row["loss"]) == pytest.approx(float(last["validation_loss"]), rel=1e-5)


def test_another_rewinding_epoch_equal_to_the_trajectories_gives_their_bits(results: Path, finished: Path) -> None:
    """theta0 without the other initialisation, and dense trainings from it, as instability analysis has them."""
    theta0, trained = results / "rewound/theta0.safetensors", results / "rewound/weights.safetensors"
    start = pipeline.initialise(results) | {"theta0": theta0} | pipeline.saving(results, "initialise_rewound")
    del start["reinitialised"], start["dense"]
    pipeline.run("initialise", start)
    assert theta0.read_bytes() == (finished / "theta0.safetensors").read_bytes()
    arguments = pipeline.train(results, 1, ["independent/low"]) | pipeline.saving(results, "train_rewound")
    arguments |= {
        "theta0": theta0,
        "runs": ["rewind-0/low"],
        "weights": [trained],
        "metrics": [results / "rewound.csv"],
    }
    pipeline.run("train", arguments)
    weights, _ = read_tensors(trained)
    expected, _ = read_tensors(finished / "independent/low/round-1/weights.safetensors")
    assert all(np.array_equal(weights[name], expected[name]) for name in expected)
    assert {row["coupling"] for row in table(results / "rewound.csv")} == {"rewind-0"}


def test_tickets_are_represented_on_the_same_probes_and_compared_pair_by_pair(finished: Path) -> None:
    stores = [read_representations(finished / "representations" / f"{ticket}.zarr") for ticket in FEW]
    assert len({store.probes.digest for store in stores}) == 1
    assert np.bincount(stores[0].probes.labels).tolist() == [6, 6, 6, 6]
    rows = table(finished / "geometry/distances.csv")
    assert all(float(r["lower_bound"]) <= float(r["gw_loss"]) <= float(r["identity_loss"]) for r in rows)
    assert {row["converged"] for row in rows} == {"True"}
    assert len({(row["ticket_a"], row["layer_a"], row["ticket_b"], row["layer_b"]) for row in rows}) == 66


def test_only_the_linear_head_has_a_penalty(finished: Path) -> None:
    penalties = {row["protocol"]: row["penalty"] for row in table(finished / "transfer/core.csv")}
    assert penalties["retrain"] == penalties["finetune"] == ""
    assert float(penalties["linear"]) in pipeline.TRANSFER["penalties"]


def test_nothing_unfinished_is_left_once_the_outputs_are_there(finished: Path) -> None:
    kept = [path for path in (finished / "checkpoints").rglob("*") if path.is_file()]
    assert kept
    assert all(read_tensors(path)[1]["finished"] for path in kept)
    assert not [path for path in finished.rglob("*") if "partial" in path.name]


def test_trained_weights_and_what_is_kept_of_them_are_one_file_on_disk(finished: Path) -> None:
    weights = finished / "tickets/round-1/core/weights.safetensors"
    assert weights.samefile(finished / "checkpoints/tickets/1.core.safetensors")
    network = finished / "transfer/core/retrain.safetensors"
    assert network.samefile(finished / "checkpoints/transfer/held-out.1.core.retrain.safetensors")


def test_what_was_finished_is_given_again_without_doing_it_again(results: Path, finished: Path) -> None:
    shutil.copytree(finished / "checkpoints", results / "checkpoints")
    jobs = {
        "initialise": pipeline.initialise(results),
        "train": pipeline.train(results, 1),
        "instability": pipeline.instability(results),
        "train_ticket": pipeline.train_ticket(results),
        "represent": pipeline.represent(results, pipeline.FEW),
        "compare": pipeline.compare(results, pipeline.FEW),
        "assemble": pipeline.assemble(results),
        "retrain_assembly": pipeline.retrain_assembly(results),
        "transfer": pipeline.transfer(results, pipeline.FEW),
    }
    for stage, arguments in jobs.items():
        outputs = small_run.outputs(stage, arguments)
        for path in outputs:
            path.unlink()
        said = pipeline.run(stage, arguments)
        assert "finished before" in said
        assert "accuracy 0." not in said, "no epoch was trained"
        for path in outputs:
            assert path.read_bytes() == (finished / path.relative_to(results)).read_bytes(), path


def test_choices_never_see_test_images(results: Path) -> None:
    for file in (results / "data").glob("*/test-*.npy"):
        file.unlink()
    before = (results / "independent/low/round-1/weights.safetensors").read_bytes()
    for stage, arguments in {
        "initialise": pipeline.initialise(results),
        "train": pipeline.train(results, 1),
        "score": pipeline.score(results),
        "instability": pipeline.instability(results),
        "train_ticket": pipeline.train_ticket(results, FEW),
        "represent": pipeline.represent(results, FEW),
        "transfer": pipeline.transfer(results, FEW),
        "assemble": pipeline.assemble(results),
        "retrain_assembly": pipeline.retrain_assembly(results, ["low/core"]),
    }.items():
        pipeline.run(stage, arguments)
    assert (results / "independent/low/round-1/weights.safetensors").read_bytes() == before


def test_a_second_run_writes_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    pipeline.run_all(tmp_path / "seed-0")
    files = sorted(path.relative_to(finished) for path in finished.rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(tmp_path / "seed-0") for p in (tmp_path / "seed-0").rglob("*") if p.is_file())
    for file in files:
        assert (finished / file).read_bytes() == (tmp_path / "seed-0" / file).read_bytes(), file


def test_a_job_of_its_own_writes_what_a_shared_job_writes(results: Path) -> None:
    for name in ("independent/high", "cyclic/low"):
        file = results / name / "round-2/weights.safetensors"
        before = file.read_bytes()
        file.unlink()
        pipeline.run("train", pipeline.train(results, 2, [name]))
        assert file.read_bytes() == before


def test_split_runs_see_disjoint_random_parts_of_the_images_of_all_classes(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def train(work: Work, validation: Images, *_: object) -> list[dict[str, float]]:
        seen.append((work, validation))
        return [{"epoch": 1}]

    monkeypatch.setattr("dilt.training.session.train", train)
    for round_ in (1, 2):
        arguments = pipeline.train(results, round_, [f"independent/{name}" for name in splits(len(PARTITIONS))])
        dense = [results / "dense.safetensors"] * 2
        pipeline.run("train", arguments | {"masks": dense, "seed": 5} | pipeline.saving(results, f"splits-{round_}"))
    source, held_out = (read_split(results / "data/source/dataset.json", split) for split in ("train", "validation"))
    parts = [sorted(map(bytes, work.data.pixels[np.arange(len(work.data))])) for work, _ in seen]
    assert parts[0] == parts[2] != parts[1] == parts[3]
    assert sorted(parts[0] + parts[1]) == sorted(map(bytes, source.pixels[np.arange(len(source))]))
    for work, validation in seen:
        assert work.data.classes == source.classes
        assert np.ptp(np.bincount(work.data.labels) - np.bincount(source.labels) / 2) <= 1
        assert len(validation) == len(held_out)


def test_late_rewinding_moves_theta0_and_keeps_the_dense_mask(results: Path) -> None:
    before, _ = read_tensors(results / "theta0.safetensors")
    other, _ = read_tensors(results / "reinitialised-1.safetensors")
    pipeline.run(
        "initialise", pipeline.initialise(results) | {"options": pipeline.options("initialise", rewind_epoch=1)}
    )
    after, _ = read_tensors(results / "theta0.safetensors")
    assert before.keys() == after.keys()
    assert all(not np.array_equal(before[name], after[name]) for name in before if name.endswith("linear.weight"))
    anew, record = read_tensors(results / "reinitialised-1.safetensors")
    assert all(not np.array_equal(anew[name], other[name]) for name in other if name.endswith("linear.weight"))
    assert record["seed"] == 0
    assert read_mask(results / "dense.safetensors").density == 1


@pytest.mark.parametrize(("schedule", "epochs"), [("continue", ["2"]), ("restart", ["1", "2"])])
def test_trainings_go_on_from_the_rewinding_epoch_of_the_schedule(
    results: Path, schedule: str, epochs: list[str]
) -> None:
    rewinding = {"rewind_epoch": 1, "rewind_schedule": schedule}
    trained = {
        "train": (pipeline.train(results, 1, ["independent/low"]), "independent/low/round-1"),
        "train_ticket": (pipeline.train_ticket(results, ["core"]), "tickets/round-1/core"),
        "retrain_assembly": (pipeline.retrain_assembly(results, ["low/core"]), "assembly/low/core"),
    }
    for stage, (arguments, folder) in trained.items():
        pipeline.run(stage, arguments | {"options": pipeline.options(stage, **rewinding)})
        assert [row["epoch"] for row in table(results / folder / "metrics.csv")] == epochs


def test_theta0_follows_the_content_of_a_file_of_pretrained_weights(results: Path) -> None:
    arguments, file = pipeline.initialise(results), results / "pretrained.safetensors"
    settings = {"name": "resnet18", "arguments": {"channels": [4, 4, 4, 4]}}
    network = building.build(Model.model_validate(settings), (3, 32, 32), ["a", "b"], seed=5)
    options = json.loads(str(arguments["options"])) | {"model": settings | {"weights": str(file)}}
    records = []
    for shift in (0, 1):  # the second under the same name
        tensors = {name: np.asarray(array + shift) for name, array in states.state(network).items()}
        save_file(tensors, file)
        pipeline.run("initialise", arguments | {"options": json.dumps(options)})
        theta0, record = read_tensors(results / "theta0.safetensors")
        assert np.array_equal(theta0["layer1.0.conv1.weight"], tensors["layer1.0.conv1.weight"])
        assert record["weights"] == hashlib.sha256(file.read_bytes()).hexdigest()
        records.append(record)
    assert records[0] != records[1]


def test_networks_are_pruned_without_torch_from_beginning_to_end(results: Path) -> None:
    code = f"""
import importlib, sys
sys.argv = ["dilt.prune", *{small_run.command_line(pipeline.prune(results, 1, "cyclic"))}]
importlib.import_module("dilt.prune").main()
assert not {{"torch", "pandas", "sklearn", "timm"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def test_a_log_starts_with_the_command_and_the_versions(results: Path) -> None:
    command, versions, *_ = pipeline.run("prune", pipeline.prune(results, 1, "independent")).splitlines()
    assert command.startswith("$ python -m dilt.prune --weights ")
    assert versions.startswith("# python 3.")
    assert "torch " in versions
