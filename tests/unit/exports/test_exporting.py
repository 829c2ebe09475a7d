"""Facts about exported tickets: timm loads them strictly, and they come back bit for bit."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import timm
from builders import images
from huggingface_hub import ModelCard, metadata_load
from safetensors.numpy import save_file
from small_networks import CPU, MLP, RESNET, VIT, mask_of

import dilt
from dilt.data.preparation import write_splits
from dilt.data.prepared import Images
from dilt.foundations.storage import read_json, read_tensors, write_json, write_rows, write_tensors
from dilt.networks import building, states
from dilt.networks.outputs import logits, score
from dilt.networks.paths import EffectiveWeights
from dilt.settings.data import DataSet
from dilt.settings.networks import Model
from dilt.tickets.mask_files import read_mask, write_mask
from tests import pages

ROOT = Path(__file__).resolve().parents[3]
DATA = images(side=32)
SMALL_STEM = RESNET.model_copy(update={"stem": "cifar"})
OF_TIMM = pytest.mark.parametrize("settings", [RESNET, VIT], ids=lambda settings: settings.name)
OF_ALL = pytest.mark.parametrize("settings", [RESNET, VIT, MLP, SMALL_STEM], ids=["resnet18", "vit", "mlp", "stem"])


def experiment(folder: Path, settings: Model, data: Images = DATA) -> Path:
    """A ticket of a made-up experiment: what its stages leave, with the accuracy that its network really has."""
    model = building.build(settings, data.image_shape, data.classes, 0)
    mask = mask_of(model).with_origin("core round 1")
    ticket = folder / "results/made-up/seed-0/tickets/round-1/core"
    write_tensors(folder / "results/made-up/seed-0/theta0.safetensors", states.backbone(model), {"seed": 0})
    states.apply_mask(model, mask)
    found = score(logits(model, data, CPU, "float32"), data.labels)
    write_mask(ticket / "mask.safetensors", mask)
    write_tensors(ticket / "weights.safetensors", states.state(model), {"finished": True, "versions": "of then"})
    row = {"corruption": "none", "classes": "all", "images": found.images, "accuracy": found.accuracy}
    write_rows(ticket / "scores.csv", [row, row | {"corruption": "noise", "accuracy": 0.0}])
    splits = {"train": data, "validation": data, "test": data}
    write_splits(folder / "results/made-up/data/source/dataset.json", splits, {}, DataSet(name="digits"))
    told = {f"model.{key}": value for key, value in settings.model_dump().items()} | {
        "source.resize": "crop",
        "source.crop_share": 0.875,
    }
    write_json(folder / "results/made-up/experiments/made-up.json", told)
    return ticket


@OF_TIMM
def test_timm_loads_an_exported_ticket_strictly_by_name_and_by_folder(
    settings: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, to = experiment(tmp_path, settings), tmp_path / "exported"
    card = dilt.export_ticket(ticket, to)
    told = read_json(to / "config.json")
    by_name = timm.create_model(
        settings.name,
        checkpoint_path=to / "model.safetensors",
        pretrained_cfg_overlay=card.images,
        **{"num_classes": told["num_classes"], **told["model_args"]},
    )
    by_folder = timm.create_model(f"local-dir:{to}", pretrained=True)
    (code,) = re.findall(r"^```python\n(.*?)^```$", (to / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    exec(code, as_told := {})
    weights, _ = read_tensors(ticket / "weights.safetensors")
    for model in (by_name, as_told["model"], by_folder):
        state = states.state(model)
        assert list(state) == list(weights)
        assert all(np.array_equal(state[name], array) for name, array in weights.items())
        expected = timm.data.resolve_model_data_config(model)
        assert (expected["mean"], expected["std"]) == (list(card.mean), list(card.std))
        assert tuple(expected["input_size"]) == (1, 32, 32)
        assert (expected["crop_pct"], expected["crop_mode"]) == (0.875, "center")


@pytest.mark.parametrize("block", pages.OF_TIMM)
def test_a_python_block_of_the_pages_runs(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = experiment(tmp_path, Model(name="resnet18"), images(num_classes=10, side=32, channels=3))
    dilt.export_ticket(ticket, tmp_path / "core")
    monkeypatch.chdir(tmp_path)
    exec(block, {})


@OF_ALL
def test_an_exported_ticket_comes_back_byte_for_byte(settings: Model, tmp_path: Path) -> None:
    ticket = experiment(tmp_path, settings)
    dilt.export_ticket(ticket, tmp_path / "exported")
    ran = command("--from", tmp_path / "exported", "--to", tmp_path / "back")
    assert ran.returncode == 0, ran.stderr
    for file in ("weights.safetensors", "mask.safetensors"):
        assert (tmp_path / "back" / file).read_bytes() == (ticket / file).read_bytes()


@OF_ALL
def test_the_card_tells_density_scores_and_origin(settings: Model, tmp_path: Path) -> None:
    ticket, to = experiment(tmp_path, settings), tmp_path / "exported"
    dilt.export_ticket(ticket, to)
    mask, told = read_mask(ticket / "mask.safetensors"), read_json(to / "config.json")
    assert told["dilt"]["density"] == mask.density
    assert {name: layer["live"] for name, layer in told["dilt"]["layers"].items()} == mask.counts
    model = building.build(settings, DATA.image_shape, DATA.classes, 0)
    effective = EffectiveWeights(model, DATA.image_shape)(mask)
    assert (told["dilt"]["effective"], told["dilt"]["effective_density"]) == (effective.count, effective.density)
    assert {name: layer["effective"] for name, layer in told["dilt"]["layers"].items()} == effective.counts
    assert told["label_names"] == list(DATA.classes)
    known = {"experiment": "made-up", "seed": 0, "round": 1, "ticket": "core", "versions": "of then"}
    assert known.items() <= told["dilt"]["origin"].items()
    (row,) = told["dilt"]["scores"]
    loaded = dilt.load_exported(to)
    assert row["accuracy"] == score(logits(loaded, DATA, CPU, "float32"), DATA.labels).accuracy
    card = (to / "README.md").read_text()
    assert f"| source, all | trained | 36 | {row['accuracy']:.4f} |" in card
    assert all(f"| {name} | {mask[name].size} | {count} |" in card for name, count in mask.counts.items())
    assert f"{effective.count} of them are on a path" in card
    assert f"(effective density\n{effective.density:.4f})" in card
    assert ("timm.create_model(" in card) == (settings in (RESNET, VIT))


@OF_ALL
def test_model_hubs_read_the_card_and_its_accuracies(settings: Model, tmp_path: Path) -> None:
    ticket = experiment(tmp_path, settings)
    transferred = tmp_path / "results/made-up/seed-0/transfer/round-1/birds/core.csv"
    row = {"target": "birds", "protocol": "retrain", "corruption": "none", "images": 12, "accuracy": 0.25}
    write_rows(transferred, [row, row | {"protocol": "linear", "accuracy": 0.75}])
    splits = {"train": DATA, "validation": DATA, "test": DATA}
    target = tmp_path / "results/made-up/data/birds/dataset.json"
    write_splits(target, splits, {}, DataSet(name="hfds/someone/birds"))
    card = dilt.export_ticket(ticket, tmp_path / "exported", licence="CC-BY-4.0")

    told = ModelCard.load(tmp_path / "exported/README.md")
    assert told.data.license == "cc-by-4.0"
    assert told.data.library_name == ("timm" if settings in (RESNET, VIT) else "dilt")
    assert told.data.model_name == f"{settings.name}, core round 1"
    assert metadata_load(tmp_path / "exported/README.md")["model-index"] == told.data.to_dict()["model-index"]
    trained = float(card.scores[0]["accuracy"])
    found = [
        (one.dataset_type, one.dataset_config, one.metric_type, one.metric_name, one.metric_value)
        for one in told.data.eval_results or []
    ]
    assert found == [
        ("digits", "source, all", "accuracy", "accuracy (trained)", trained),
        ("someone/birds", "birds", "accuracy", "accuracy (retrain)", 0.25),
        ("someone/birds", "birds", "accuracy", "accuracy (linear)", 0.75),
    ]
    assert told.text.lstrip().startswith(f"# {settings.name}: ticket 'core round 1'")

    dilt.export_ticket(ticket, tmp_path / "start", start=True)
    start = ModelCard.load(tmp_path / "start/README.md")
    assert start.data.eval_results is None, "theta0 has other accuracies than what it becomes"
    assert start.data.license is None
    assert "| source, all | trained | 36 |" in start.text


@OF_ALL
def test_a_ticket_at_its_start_is_theta0_under_the_mask_with_the_head_of_the_seed(
    settings: Model, tmp_path: Path
) -> None:
    ticket, to = experiment(tmp_path, settings), tmp_path / "exported"
    dilt.export_ticket(ticket, to, start=True)
    theta0, _ = read_tensors(ticket.parents[2] / "theta0.safetensors")
    model = building.build(settings, DATA.image_shape, DATA.classes, 0, theta0)
    states.apply_mask(model, read_mask(ticket / "mask.safetensors"))
    expected, found = states.state(model), states.state(dilt.load_exported(to))
    assert all(np.array_equal(found[name], array) for name, array in expected.items())


@pytest.mark.parametrize(("name", "draw"), [("reinit@core", 1), ("reinit~2@core", 2)])
def test_a_ticket_of_another_initialisation_starts_there(tmp_path: Path, name: str, draw: int) -> None:
    core = experiment(tmp_path, MLP)
    anew = states.backbone(building.build(MLP, DATA.image_shape, DATA.classes, 1))
    write_tensors(core.parents[2] / f"reinitialised-{draw}.safetensors", anew)
    ticket = core.rename(core.with_name(name))
    dilt.export_ticket(ticket, tmp_path / "exported", start=True)
    mask, found = read_mask(ticket / "mask.safetensors"), states.state(dilt.load_exported(tmp_path / "exported"))
    for name in mask.names:
        assert np.array_equal(found[name], np.where(mask[name], anew[name], 0))


@pytest.mark.parametrize("settings", [MLP, SMALL_STEM], ids=["mlp", "stem"])
def test_timm_refuses_what_it_would_build_otherwise(settings: Model, tmp_path: Path) -> None:
    ticket = experiment(tmp_path, settings)
    ran = command(ticket, "--to", tmp_path / "exported")
    assert ran.stdout.endswith(f": dilt.load_exported('{tmp_path}/exported') loads it, a network that timm has not\n")
    with pytest.raises(RuntimeError, match=r"Unknown model .*dilt\.load_exported"):
        timm.create_model(f"local-dir:{tmp_path}/exported", pretrained=True)


def test_weights_that_were_trained_on_elsewhere_come_back_if_the_mask_was_kept(tmp_path: Path) -> None:
    ticket, to = experiment(tmp_path, RESNET), tmp_path / "exported"
    dilt.export_ticket(ticket, to)
    mask, (weights, _) = read_mask(ticket / "mask.safetensors"), read_tensors(ticket / "weights.safetensors")
    halved = {name: array / 2 if array.dtype == np.float32 else array for name, array in weights.items()}
    save_file(halved, to / "model.safetensors")
    assert command("--from", to, "--to", tmp_path / "back").returncode == 0
    back, _ = read_tensors(tmp_path / "back/weights.safetensors")
    assert all(np.array_equal(back[name], array) for name, array in halved.items())

    first = mask.names[0]
    pruned = int((~mask[first]).sum())
    save_file(halved | {first: np.ones_like(halved[first])}, to / "model.safetensors")
    ran = command("--from", to, "--to", tmp_path / "back")
    assert ran.returncode == 1
    assert (
        f"error: '{first}' has {pruned} weight(s) that mask 'core round 1' prunes and that are not zero" in ran.stderr
    )


def test_files_can_be_named_one_by_one(tmp_path: Path) -> None:
    ticket, to = experiment(tmp_path, VIT), tmp_path / "exported"
    files = {
        "mask": ticket / "mask.safetensors",
        "weights": ticket / "weights.safetensors",
        "dataset": ticket.parents[3] / "data/source/dataset.json",
        "model": VIT.model_dump_json(),
    }
    ran = command("--to", to, *(word for name, value in files.items() for word in (f"--{name}", value)))
    assert ran.returncode == 0, ran.stderr
    assert f"timm.create_model('local-dir:{to}', pretrained=True) loads it" in ran.stdout
    assert (to / "model.safetensors").read_bytes() == (ticket / "weights.safetensors").read_bytes()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["elsewhere"], "elsewhere: not the folder of a ticket, trajectory or assembly; give one such as results/"),
        (["results/made-up/seed-0/tickets/round-1/cor"], "cor/mask.safetensors: no such file; train the ticket first"),
        (["results/other/seed-0/tickets/round-1/core"], "results/other/experiments: no settings of an experiment"),
        (["--from", "results"], "results/mask.safetensors: no such file"),
        ([], "give the folder of a ticket, or --from, or all of --mask, --weights, --dataset and --model"),
    ],
)
def test_what_is_no_ticket_is_explained_in_a_line(words: list[str], line: str, tmp_path: Path) -> None:
    experiment(tmp_path, MLP)
    ran = command(*words, "--to", "exported", folder=tmp_path)
    assert ran.returncode != 0
    assert line in ran.stderr.splitlines()[-1]
    assert not (tmp_path / "exported").exists()


def test_files_of_several_networks_are_refused(tmp_path: Path) -> None:
    ticket = experiment(tmp_path, MLP)
    wider = MLP.model_copy(update={"arguments": {"width": 9, "depth": 3}})
    write_mask(ticket / "mask.safetensors", mask_of(building.build(wider, DATA.image_shape, DATA.classes, 0)))
    with pytest.raises(ValueError, match=r"mask '' does not fit the weights: 'blocks\.0\.linear\.weight' differs"):
        dilt.export_ticket(ticket, tmp_path / "exported")
    record = ticket.parents[3] / "experiments/made-up.json"
    write_json(record, read_json(record) | {"model.arguments": wider.arguments})
    with pytest.raises(ValueError, match=r"weights do not fit mlp with 3 classes: 'blocks\.0\.linear\.bias' differs"):
        dilt.export_ticket(ticket, tmp_path / "exported")


def command(*words: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dilt.export", *map(str, words)], cwd=folder, capture_output=True, text=True
    )
