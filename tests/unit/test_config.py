"""Facts about the configuration: every mistake is told in one line that names file, key, value and cure."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from dilt.catalog import partition_names
from dilt.config import ConfigError, data_section, load, parse_config, schema, section

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
GONE = object()
# Values that the tests below refer to, whatever the default is tuned to.
DEFAULT["training"] |= {"epochs": 20, "warmup_epochs": 0}
DEFAULT["pruning"] |= {"rounds": 6, "rate": 0.45, "rewind_epoch": 0}
DEFAULT["tickets"] = {"rounds": [2, 4], "claim_round": 4}


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    values = copy.deepcopy(DEFAULT)
    for dotted, value in changes.items():
        *parents, key = dotted.split("/")
        place = values
        for parent in parents:
            place = place[parent]
        if value is GONE:
            del place[key]
        else:
            place[key] = value
    return values


def lines(changes: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse_config(changed(changes), "mine.yaml")
    assert str(raised.value) == "\n".join(raised.value.lines)
    return raised.value.lines


def test_the_default_and_the_presets_are_valid() -> None:
    assert load(ROOT / "config.yaml").experiment == "digits"
    for file in sorted((ROOT / "workflow" / "presets").glob("*.yaml")):
        values = yaml.safe_load((ROOT / "config.yaml").read_text())
        update_config(values, yaml.safe_load(file.read_text()))
        parse_config(values, file.name)


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"experiment": "my digits"}, "experiment", "pattern"),
    ({"experiment": "../digits"}, "experiment", "pattern"),
    ({"experiment": GONE}, "experiment", "missing"),
    ({"seeds": []}, "seeds", "at least 1 item"),
    ({"seeds": [0, 0]}, "seeds", "twice"),
    ({"seeds": [-1]}, "seeds.0", "greater than or equal to 0"),
    ({"seeds": 4}, "seeds", "should be a valid list"),
    ({"source/name": "cifar10"}, "source.name", "choose digits, folder, or one of torch/NAME"),
    ({"source/name": "folder"}, "source.root", "needs the folder of its images"),
    ({"source/name": "folder", "source/root": "/nowhere"}, "source.root", "'/nowhere' does not exist"),
    ({"source/classes": ["0", "1", "2", "3", "4", "five"]}, "source.classes", "'five' is not a class of digits"),
    ({"source/classes": ["0", "0", "1", "2", "3", "4", "5"]}, "source.classes", "'0' is given twice"),
    ({"source/test_share": 1.0}, "source.test_share", "less than 1"),
    ({"source/validation_share": 0}, "source.validation_share", "greater than 0"),
    ({"source/partitions/by": "size"}, "source.partitions", "'classes', 'contiguous', 'random', 'table'"),
    ({"source/partitions/classes/high": ["2", "3", "4", "5"]}, "source.partitions.classes", "'2' is in 'low' and in"),
    ({"source/partitions/classes/high": ["3", "4"]}, "source.partitions.classes", "'5' is in no partition"),
    ({"source/partitions/classes/high": GONE}, "source.partitions.classes", "two or more are needed"),
    ({"source/partitions/count": 2}, "source.partitions.count", "unknown key"),
    ({"source/partitions": {"by": "random", "count": 4}}, "source.partitions.count", "at most 3"),
    ({"source/partitions": {"by": "table", "table": "none.csv"}}, "source.partitions.table", "'none.csv' does not"),
    ({"targets": {}}, "targets", "at least 1"),
    ({"targets/held-out/classes": ["5", "6"]}, "targets.held-out.classes", "['5'] are source classes too"),
    ({"targets/held-out/classes": ["0", "1", "2", "3", "4", "5"]}, "targets.held-out", "equal to the source"),
    ({"targets/held out": {"name": "digits", "classes": ["6", "7"]}}, "targets.held out.[key]", "pattern"),
    ({"model/name": "resnet81"}, "model.name", "neither mlp nor a timm model; did you mean 'resnet18'?"),
    ({"model/arguments": {"wdith": 96}}, "model.arguments.wdith", "did you mean 'width'?"),
    ({"model/arguments": {"width": 0}}, "model.arguments.width", "whole number of 1 or more"),
    ({"training/epochs": 0}, "training.epochs", "greater than or equal to 1"),
    ({"training/learning_rate": -0.1}, "training.learning_rate", "greater than 0"),
    ({"training/optimizer": "adam"}, "training.optimizer", "'sgd' or 'adamw'"),
    ({"training/learningrate": 0.1}, "training.learningrate", "unknown key; did you mean 'learning_rate'?"),
    ({"training/warmup_epochs": 20}, "training.warmup_epochs", "not below the 20 epochs"),
    ({"training/batch_size": 3.5}, "training.batch_size", "integer"),
    ({"pruning/rate": 1.5}, "pruning.rate", "less than 1"),
    ({"pruning/scope": "local"}, "pruning.scope", "'global' or 'layerwise'"),
    ({"pruning/rounds": 200}, "pruning.rounds", "cannot be reached"),
    ({"pruning/rewind_epoch": 21}, "pruning.rewind_epoch", "after the last of 20 epochs"),
    ({"pruning/exclude": ["conv1.weight"]}, "pruning.exclude", "'conv1.weight' matches no weight of mlp"),
    ({"pruning/exclude": ["*"]}, "pruning.exclude", "leaves no weight"),
    ({"tickets/rounds": [2, 4, 6]}, "tickets.rounds", "6 is not below pruning.rounds (6)"),
    ({"tickets/rounds": [4, 4]}, "tickets.rounds", "names a round twice"),
    ({"tickets/claim_round": 3}, "tickets.claim_round", "3 is not in tickets.rounds [2, 4]"),
    ({"transfer/protocols": ["linear", "linear"]}, "transfer.protocols", "twice"),
    ({"transfer/protocols": ["probe"]}, "transfer.protocols.0", "'retrain', 'finetune' or 'linear'"),
    ({"transfer/penalties": [0.1, 0]}, "transfer.penalties.1", "greater than 0"),
    ({"transfer/training/epochs": GONE}, "transfer.training.epochs", "missing"),
    ({"representations/probes": 4}, "representations.probes", "greater than or equal to 8"),
    ({"representations/layers": ["block.0"]}, "representations.layers", "did you mean 'blocks.0'?"),
    ({"distances/cost": "manhattan"}, "distances.cost", "'euclidean', 'sqeuclidean' or 'cosine'"),
    ({"clustering/shuffles": 5}, "clustering.shuffles", "greater than or equal to 19"),
    ({"claims/confidence": 95}, "claims.confidence", "less than 1"),
    ({"claims/margin": -1}, "claims.margin", "greater than or equal to 0"),
    ({"jobs/siblings": "both"}, "jobs.siblings", "'together' or 'apart'"),
    ({"trainning": {}}, "trainning", "unknown key; did you mean 'training'?"),
    ({"zzz": 1}, "zzz", "unknown key; remove it"),
]


@pytest.mark.parametrize(("changes", "key", "words"), BAD, ids=[f"{next(iter(c))}-{w[:25]}" for c, _, w in BAD])
def test_a_mistake_is_told_in_one_line(changes: dict[str, Any], key: str, words: str) -> None:
    found = lines(changes)
    assert all(line.startswith("mine.yaml: ") and "\n" not in line for line in found)
    assert any(line.startswith(f"mine.yaml: {key}: ") and words in line for line in found), found


@pytest.mark.parametrize("name", ["full", "all", "consensus", "low-sibling"])
def test_a_partition_cannot_take_a_name_that_means_something_else(name: str) -> None:
    found = lines({"source/partitions/classes": {"low": ["0", "1", "2"], name: ["3", "4", "5"]}})
    assert found[0].startswith("mine.yaml: source.partitions.classes")
    assert f"'{name}'" in found[0]


def test_a_target_cannot_be_named_source() -> None:
    found = lines({"targets": {"source": DEFAULT["targets"]["held-out"]}})
    assert found[0].startswith("mine.yaml: targets.source: ")


def test_the_perceptron_has_no_weight_tags() -> None:
    found = lines({"model/name": "mlp.small"})
    assert found[0].startswith("mine.yaml: model.name: 'mlp.small'")


@pytest.mark.parametrize("key", ["training/learning_rate", "training/weight_decay", "transfer/finetune_learning_rate"])
@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_rate_is_a_finite_number(key: str, value: float) -> None:
    assert lines({key: value})


def test_all_mistakes_are_told_at_once() -> None:
    found = lines({"trainning": {}, "pruning/rate": 2, "seeds": [1, 1], "source/root": 7, "model/nmae": "mlp"})
    for key in ("trainning", "pruning.rate", "seeds", "source.root", "model.nmae"):
        assert any(line.startswith(f"mine.yaml: {key}: ") for line in found), key
    assert len(found) == 5


def test_a_file_that_is_no_configuration_is_named(tmp_path: Path) -> None:
    for name, text in {"broken.yaml": "a: [1", "list.yaml": "- 1"}.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(ConfigError, match=rf"{name}: not"):
            load(tmp_path / name)
    with pytest.raises(ConfigError, match=r"gone\.yaml: no such file"):
        load(tmp_path / "gone.yaml")


def test_a_configuration_can_be_checked_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(changed({"pruning/rate": 2, "seeds": [0, 0]})))
    command = [sys.executable, "-m", "dilt.config", str(tmp_path / "bad.yaml")]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode == 1
    assert [line.split(": ")[1] for line in ran.stderr.splitlines()] == ["pruning.rate", "seeds"]


def test_the_schema_in_the_repository_is_the_code_s() -> None:
    assert (ROOT / "workflow" / "schemas" / "config.schema.json").read_text() == schema()
    assert set(json.loads(schema())["properties"]) == set(DEFAULT)


def test_partitions_are_named_before_any_data_are_loaded() -> None:
    assert partition_names(parse_config(DEFAULT).source) == ["low", "high"]
    split = changed({"source/partitions": {"by": "random", "count": 3}})
    assert partition_names(parse_config(split).source) == ["part-1", "part-2", "part-3"]


def test_a_section_is_what_a_stage_reads_and_nothing_else() -> None:
    config = parse_config(DEFAULT)
    assert json.loads(section(config, "pruning.rate", "model")) == {"rate": 0.45, "model": DEFAULT["model"]}
    other = parse_config(changed({"clustering/seed": 7, "jobs/threads": 2}))
    for keys in (("model", "training"), ("pruning.rate",), ("transfer",)):
        assert section(config, *keys) == section(other, *keys)
    assert section(config, "clustering") != section(other, "clustering")
    assert set(json.loads(data_section(config, "source"))) == {"data", "partitions"}
    assert set(json.loads(data_section(config, "held-out"))) == {"data"}


def test_numbers_can_be_class_names() -> None:
    numbers = {"source/classes": [0, 1, 2, 3], "source/partitions/classes": {"low": [0, 1], "high": [2, 3]}}
    assert parse_config(changed(numbers)).source.classes == ["0", "1", "2", "3"]


def test_layers_and_weights_of_a_timm_model_are_known_before_any_job() -> None:
    found = lines(
        {
            "model": {"name": "resnet18", "arguments": {}},
            "representations/layers": ["layer1.0", "layer1.9"],
            "pruning/exclude": ["conv1.weight", "stem*"],
        }
    )
    assert [line.partition(";")[0] for line in found] == [
        "mine.yaml: representations.layers: 'layer1.9' is not a block of resnet18",
        "mine.yaml: pruning.exclude: 'stem*' matches no weight of resnet18",
    ]
