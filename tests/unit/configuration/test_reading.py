"""Facts about the configuration: what is valid, and what stages read of it. Mistakes are test_bad_*.py's."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from configurations import DEFAULT, ROOT, changed
from snakemake.utils import update_config

from dilt.configuration.derived_names import asked_tickets, partition_names
from dilt.configuration.reading import load, parse_config, schema
from dilt.configuration.rule_options import data_files, data_section, section
from dilt.configuration.yaml_files import ConfigError, gather
from dilt.settings.experiment import Config


def test_the_default_and_what_is_laid_over_it_are_valid() -> None:
    assert load(ROOT / "config.yaml").experiment == "digits"
    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    update_config(values, yaml.safe_load((ROOT / "workflow/presets/smallest.yaml").read_text()))
    parse_config(values, "smallest.yaml")


def test_classes_of_which_the_data_have_none_are_told() -> None:
    with pytest.raises(
        ConfigError, match=r"'four' is not a class of digits; .* \(and 1 more like it: 'five'\)"
    ) as told:
        parse_config(changed({"source/classes": ["four", "five"], "source/partitions": {"by": "random"}}))
    assert sum("is not a class of digits" in line for line in told.value.lines) == 1


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


def test_named_tickets_are_trained_at_the_rounds_of_baselines_and_transferred_where_claims_transfer() -> None:
    claims = {"claims/asked": ["C1"], "tickets/claim_rounds": {"C1": 3, "C2": 1, "C3": 4}}
    with_, without = (
        asked_tickets(parse_config(changed({**claims, "tickets/names": names}))) for names in (["colt@core"], [])
    )
    assert set(with_.trained) - set(without.trained) == {(2, "colt@core"), (4, "colt@core"), (3, "colt@core")}
    assert set(with_.transferred) - set(without.transferred) == {(3, "colt@core")}
    assert with_.rounds == [1, 2, 3, 4]


def test_defined_tickets_are_tickets_of_the_experiment_with_controls_that_can_be_named() -> None:
    own = {"shared": "low & full - core", "rest": "union[3] - shared | lth@core"}
    asked = asked_tickets(parse_config(changed({"tickets/define": own, "tickets/names": ["lth@shared", "rest"]})))
    for round_ in (2, 4):
        of_round = [ticket for r, ticket in asked.trained if r == round_]
        assert [ticket for ticket in of_round if ticket in ("shared", "rest", "lth@shared")] == [
            *("shared", "rest", "lth@shared")
        ]


@pytest.mark.parametrize(
    ("text", "splits", "saliencies"),
    [
        ("low & high", False, False),
        ("low & split-core@core", True, False),
        ("union - (core[2] | split-union@union[3])", True, False),
        ("snip@core | synflow@union", False, True),
    ],
)
def test_what_a_definition_is_made_of_is_made_though_no_such_ticket_is_trained(
    text: str, splits: bool, saliencies: bool
) -> None:
    asked = asked_tickets(parse_config(changed({"tickets/define": {"shared": text}, "claims/asked": ["C2"]})))
    assert (asked.needs_splits, asked.needs_saliencies) == (splits, saliencies)
    assert not {"split-core@core", "split-union@union", "snip@core", "synflow@union"} & {*asked.tickets}


def test_entries_of_the_command_line_are_read_as_yaml_and_laid_over_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("training: {epochs: 3, rate: 1}\nlist: [no, 7]\n")
    (tmp_path / "b.yaml").write_text("training: {rate: 1e-5}\n")
    entries = ['list=["1", 1, x, null]', "name=mlp", 'word="0x10"', "sum=2+2=4", "number=1e3", "open=[1", "none="]
    found = gather([tmp_path / "a.yaml", tmp_path / "b.yaml"], [*entries, "training={batch: 2}"]).values
    assert found == {
        "training": {"epochs": 3, "rate": 1e-5, "batch": 2},
        **{"list": ["1", 1, "x", None], "name": "mlp", "word": "0x10", "sum": "2+2=4", "number": 1000.0, "open": "[1"},
        "none": None,
    }
    again = {}
    for file in ("a.yaml", "b.yaml"):
        update_config(again, gather([tmp_path / file]).values)
    assert again == gather([tmp_path / "a.yaml", tmp_path / "b.yaml"]).values, "as Snakemake lays sections"


FILLED = {
    "targets": {"held-out": {"name": "digits", "classes": ["6"]}},
    "source/partitions": {"by": "contiguous", "count": 2},
    "source/groups": {"by": "folder", "folder": "above"},
    "model/arguments": {"depth": 3},
    "tickets/define": {"shared": "core & union"},
    "claims/own": {"mine": {"statement": "Yes.", "round": 1, "comparisons": ["core - lth@core on source"]}},
}


@pytest.mark.parametrize("place", FILLED)
def test_a_map_that_the_user_fills_replaces_the_one_below_it_and_what_stands_there(tmp_path: Path, place: str) -> None:
    """Without the replaced one's members, though they lie below; the rest of the section stays."""
    section, _, key = place.rpartition("/")
    for name, filled in (("a", {"one": {"other": 12}}), ("b", FILLED[place])):
        within = {key: filled} | ({"beside": 1} if name == "a" else {})
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({section: within} if section else within))
    found = gather([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    values = found.values[section] if section else found.values
    assert values == {key: FILLED[place], "beside": 1}
    assert not any("one" in written for written in found.written)


SHORTEST = {
    "experiment": "short",
    "source": {"name": "digits", "classes": ["0", "1", "2", "3", "4", "5"]},
    "targets": {"held-out": {"name": "digits", "classes": ["6", "7", "8", "9"]}},
    "model": {"name": "mlp"},
}


def short(**sections: Any) -> Config:
    return parse_config({**SHORTEST, **sections})


def test_all_but_a_name_and_the_data_has_defaults() -> None:
    assert [key for key, field in Config.model_fields.items() if field.is_required()] == [
        *("experiment", "source", "targets")
    ]
    config = short()
    assert config == Config(**{key: getattr(config, key) for key in SHORTEST}), "the same as the typed settings have"
    assert len(partition_names(config.source)) == 3


@pytest.mark.parametrize(
    ("pruning", "tickets", "rounds", "claims"),
    [
        ({}, {}, [3, 6, 8], (6, 8, 8)),
        ({"rounds": 6}, {}, [2, 4], (4, 4, 4)),
        ({"rounds": 5}, {}, [2, 3], (3, 3, 3)),
        ({"rounds": 2}, {}, [1], (1, 1, 1)),
        ({"rounds": 6}, {"rounds": [5, 1, 2]}, [5, 1, 2], (2, 5, 5)),
        ({}, {"claim_rounds": {"C2": 4}}, [3, 6, 8], (6, 4, 8)),
        ({}, {"rounds": [2], "claim_rounds": {"C1": 3, "C2": 4, "C3": 5}}, [2], (3, 4, 5)),
        ({"rounds": 4}, {"draws": 2}, [1, 2], (2, 2, 2)),
    ],
)
def test_rounds_of_tickets_and_claims_follow_from_those_of_pruning(
    pruning: dict[str, Any], tickets: dict[str, Any], rounds: list[int], claims: tuple[int, int, int]
) -> None:
    config = short(pruning=pruning, tickets=tickets)
    assert config.tickets.rounds == rounds
    assert tuple(round_ for _, round_ in config.tickets.claim_rounds) == claims


def test_learning_rates_follow_from_the_optimizer() -> None:
    sgd, adamw = short(training={"optimizer": "sgd"}), short(training={"learning_rate": 0.003})
    assert (sgd.training.learning_rate, sgd.training.weight_decay) == (0.1, 0.0005)
    assert (adamw.training.learning_rate, adamw.training.weight_decay) == (0.003, 0.01)
    assert [config.transfer.finetune_learning_rate for config in (sgd, adamw)] == [0.01, 0.0003]
    assert short(training={"optimizer": "sgd"}, transfer={"protocols": ["linear"]}).transfer.training == sgd.training


def test_transfer_has_the_source_s_training_where_it_gives_none() -> None:
    source = {"optimizer": "adamw", "augmentation": "crop", "precision": "bfloat16", "weight_decay_exclude": ["*.bias"]}
    values = changed({f"training/{key}": value for key, value in source.items()})
    values["transfer"]["training"] = {"epochs": 3, "precision": "float32"}
    config = parse_config(values)
    assert config.transfer.training == config.training.model_copy(update={"epochs": 3, "precision": "float32"})
    read = json.loads(section(config, "model", "transfer"))["transfer"]["training"]
    assert read == config.transfer.training.model_dump(mode="json"), "what the stage reads is the whole"
    del values["transfer"]["training"]
    assert parse_config(values).transfer.training == config.training


@pytest.mark.parametrize("preset", sorted(path.stem for path in (ROOT / "workflow/presets").glob("*.yaml")))
def test_presets_train_on_targets_by_the_recipe_of_the_source_and_say_what_decays(preset: str) -> None:
    files = [ROOT / "config.yaml"] if preset == "smallest" else []
    config = parse_config(gather([*files, ROOT / f"workflow/presets/{preset}.yaml"]).values, across=False)
    assert config.transfer.training == config.training
    decays_all = preset in ("cifar10-resnet", "tiny-imagenet-resnet18", "tiny-imagenet-vit")
    assert config.training.weight_decay_exclude is not decays_all


def test_transfer_has_the_source_s_milestones_only_if_it_goes_in_steps() -> None:
    steps = {"training/schedule": "step", "training/milestones": [5, 10], "training/decay": 0.2}
    assert parse_config(changed(steps)).transfer.training.milestones == [5, 10]
    cosine = parse_config(changed(steps | {"transfer/training/schedule": "cosine"})).transfer.training
    assert (cosine.schedule, cosine.milestones, cosine.decay) == ("cosine", [], 0.2)


def test_an_edited_class_table_and_added_images_are_noticed(tmp_path: Path) -> None:
    table, images = tmp_path / "classes.csv", tmp_path / "images"
    groups = {"ant": "small", "bee": "small", "cow": "large", "dog": "large"}
    for name in groups:
        (images / "train" / name).mkdir(parents=True)
        for number in range(40):
            (images / "train" / name / f"{number}.png").touch()

    def files() -> str:
        rows = "".join(f"{name},{group}\n" for name, group in groups.items())
        table.write_text(f"class,group\n{rows}")
        source = {"name": "folder", "root": str(images), "partitions": {"by": "table", "table": str(table)}}
        targets = {"held-out": {"name": "folder", "root": str(tmp_path / "target")}}
        (tmp_path / "target").mkdir(exist_ok=True)
        values = changed({"source": source, "targets": targets, "representations/probes": 8})
        return data_files(parse_config(values, across=False), "source")

    before = files()
    assert files() == before
    groups |= {"bee": "large", "cow": "small"}
    swapped = files()
    assert swapped != before
    (images / "train/ant/40.png").touch()
    assert files() != swapped


def test_an_edited_table_of_groups_is_noticed(tmp_path: Path) -> None:
    groups = {"by": "table", "table": str(tmp_path / "groups.csv")}
    target = {"name": "folder", "root": str(tmp_path), "groups": groups}
    config = parse_config(changed({"targets": {"birds": target}}), across=False)
    found = []
    for group in ("a", "b"):
        (tmp_path / "groups.csv").write_text(f"image,group\n1.png,{group}\n")
        found.append(data_files(config, "birds"))
    assert found[0] != found[1]


def keys(schema: Any) -> set[str]:
    """Every key that a JSON schema has, at any depth."""
    if isinstance(schema, list):
        return {key for part in schema for key in keys(part)}
    if not isinstance(schema, dict):
        return set()
    return {*schema.get("properties", {}), *(key for part in schema.values() for key in keys(part))}


def test_the_default_explains_every_key() -> None:
    words = set(re.findall(r"\w+", (ROOT / "config.yaml").read_text()))
    assert keys(json.loads(schema())) - words == set()


def test_event_files_need_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = changed({"jobs/tensorboard": True})
    assert parse_config(asked).jobs.tensorboard
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    assert not parse_config(changed({})).jobs.tensorboard
    with pytest.raises(ConfigError) as raised:
        parse_config(asked, "mine.yaml")
    (line,) = raised.value.lines
    assert line == (
        "mine.yaml: jobs.tensorboard: true, but tensorboard is not installed; pip install 'dilt[tensorboard]', or set "
        "it to false"
    )
