"""The presets of the standard data sets: each plans where its data lie, and the small ones run, on real images."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from dilt.configuration.reading import load
from dilt.configuration.yaml_files import ConfigError
from tests import archives
from tests.conftest import ROOT
from tests.workflow.project import Project

PRESETS = ("cifar10-resnet", "tiny-imagenet-resnet18", "tiny-imagenet-vit", "imagenet-resnet50", "imagenet-vit-small")
TABLES = ("tiny-imagenet-classes.csv", "imagenet-classes.csv")
IMAGES = ROOT.parent / "shared" / "data"
ROUNDS = 10


@pytest.fixture
def project(clean: Project, tmp_path: Path) -> Project:
    return clean.copy(tmp_path / "project")


def put_small_data(folder: Path) -> None:
    """What docs/data-sets.md says belongs into data/, of a few classes and images, and their class tables."""
    archives.tiny_imagenet(folder / "data/tiny-imagenet", per_class=20)
    archives.stanford_cars(folder / "data/stanford-cars", per_class=20)
    archives.imagenet_folders(folder / "data/imagenet", per_class=20)
    for name in ("cifar10", "cifar100"):
        (folder / "data" / name).mkdir()
    rows = [f"{wnid},{group}" for wnid, group in zip(archives.WNIDS, ("animals", "objects") * 2, strict=True)]
    for table in TABLES:
        (folder / "workflow/presets" / table).write_text("\n".join(["wnid,group", *rows, ""]))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_plans_where_its_data_lie(project: Project, preset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)
    project.configuration = [f"workflow/presets/{preset}.yaml"]
    values = yaml.safe_load(Path(project.configuration[0]).read_text())
    with pytest.raises(ConfigError) as told:
        load(Path(project.configuration[0]))
    missing = [values["source"]["root"], *(target["root"] for target in values["targets"].values())]
    assert re.findall(r"'(data/[^']+)'", str(told.value)) == missing
    put_small_data(project.folder)
    planned = project.planned("--config", 'representations={"probes": 8}', "seeds=[0]")
    targets = len(values["targets"])
    apart = values["jobs"]["group"] == "apart"
    assert values["pruning"]["rounds"] == ROUNDS
    assert planned["prepare"] == 1 + targets
    assert values["tickets"] == {"rounds": [3, 6, 8], "claim_rounds": {"C1": 6, "C2": 8, "C3": 8}}
    assert planned["train"] == ROUNDS * (9 if apart else 1)
    assert planned["train_to_core"] == 6 - 1
    # Baselines of three rounds, and the dense one; nine controls of C1, twelve tickets of C2, seven of C3.
    assert planned["train_ticket"] == (3 * 5 + 1 + 9 + 12 + 7 if apart else 1)
    assert planned["transfer_ticket"] == targets * (1 + 9 + 2 + 7 if apart else 1)


@pytest.mark.parametrize("table", TABLES)
def test_class_tables_have_every_class_once(table: str) -> None:
    lines = (ROOT / "workflow/presets" / table).read_text().splitlines()
    wnids, groups = zip(*(line.split(",") for line in lines[1:]), strict=True)
    assert lines[0] == "wnid,group"
    assert len(set(wnids)) == len(wnids) == {"imagenet": 1000, "tiny-imagenet": 200}[table.removesuffix("-classes.csv")]
    assert list(wnids) == sorted(wnids)
    assert list(groups) == sorted(groups)  # in WordNet's order the animals come first
    assert groups.count("animals") == {1000: 398, 200: 59}[len(groups)]


# What makes a preset small enough for two cores and a minute.
SMALL: dict[str, Any] = {
    "seeds": [0],
    "pruning": {"rounds": 2, "rate": 0.2, "rewind_epoch": 1},
    "tickets": {"rounds": [1], "claim_rounds": {"C1": 1, "C2": 1, "C3": 1}},
    "representations": {"probes": 8},
    "jobs": {"threads": 1, "workers": 1},
}
FEW = {"epochs": 2, "batch_size": 16, "warmup_epochs": 0, "precision": "float32"}
# Not fewer channels: at 64 pixels torch 2.15 crashes on a CPU in the backward pass of 8, laid out channels last.
RESNET = {"name": "resnet18", "stem": "cifar", "arguments": {"channels": [16, 16, 16, 16]}}
VIT = {"name": "vit_tiny_patch16_224", "arguments": {"img_size": 64, "patch_size": 8, "depth": 2, "num_heads": 12}}


@pytest.mark.parametrize(("preset", "model"), list(zip(PRESETS[:3], (RESNET, RESNET, VIT), strict=True)))
def test_a_small_form_runs_on_real_images(project: Project, preset: str, model: dict[str, Any]) -> None:
    """Data, trajectories and tickets' masks of the first round; streamed, as for the large data sets."""
    values = yaml.safe_load((project.folder / f"workflow/presets/{preset}.yaml").read_text())
    if preset.startswith("cifar10"):
        classes = ["cat", "dog", "ship", "truck"]
        unpack("cifar10_jpeg_train.tar", project.folder / "data/images", classes, 20)
        unpack("cifar10_jpeg_test.tar", project.folder / "data/images", classes, 10)
        parts = {"animals": classes[:2], "vehicles": classes[2:]}
        partitions: dict[str, Any] = {"partitions": {"by": "classes", "classes": parts}}
    else:
        classes = ["n01443537", "n02123045", "n03100240", "n02769748"]
        unpack("tiny_imagenet_subset_train.tar", project.folder / "data/images", classes, 20)
        unpack("tiny_imagenet_subset_val.tar", project.folder / "data/images", classes, 10)
        rows = [row for row in (ROOT / "workflow/presets" / TABLES[0]).read_text().splitlines() if row[:9] in classes]
        (project.folder / "classes.csv").write_text("\n".join(["wnid,group", *rows, ""]))
        partitions = {"partitions": values["source"]["partitions"] | {"table": "classes.csv"}}
    few = {"name": "folder", "root": "data/images", "validation_share": 0.2, "storage": "streamed"}
    if "cifar10" in preset:
        few["test_split"] = "test"
    values["source"] |= few | partitions
    archives.stanford_cars(project.folder / "data/stanford-cars")
    target = {"name": "stanford-cars", "root": "data/stanford-cars", "image_size": values["source"]["image_size"]}
    values |= SMALL | {"model": model, "targets": {"stanford-cars": target}}
    milestones = {"milestones": [1]} if values["training"]["schedule"] == "step" else {}
    values["training"] |= FEW | milestones
    (project.folder / "small.yaml").write_text(json.dumps(values))  # JSON is YAML
    project.configuration = ["small.yaml"]
    run = f"results/{preset}/seed-0/"
    masks = [f"{run}{mask}/round-1/mask.safetensors" for mask in ("independent/full", "cyclic/consensus")]
    project.snakemake("--cores", "2", *masks)
    metrics = (project.folder / run / "independent/full/round-1/metrics.csv").read_text().splitlines()
    assert len(metrics) == 1 + FEW["epochs"] - SMALL["pruning"]["rewind_epoch"]  # the schedule goes on from there
    record = json.loads((project.folder / f"results/{preset}/data/source/dataset.json").read_text())
    assert record["streams"]
    assert record["images"] == {"train": 64, "validation": 16, "test": 40}


def unpack(archive: str, folder: Path, classes: list[str], per_class: int) -> None:
    """The first images of some classes of an archive of real images."""
    if not (IMAGES / archive).exists():
        pytest.skip(f"no {archive} beside the repository (../shared/data), which has the real images")
    found = dict.fromkeys(classes, 0)
    with tarfile.open(IMAGES / archive) as tar:
        for member in tar:
            name = Path(member.name).parent.name
            if found.get(name, per_class) < per_class:
                found[name] += 1
                tar.extract(member, folder, filter="data")
