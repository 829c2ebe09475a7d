"""Facts about the configuration: what is valid, and what stages read of it. Mistakes are test_bad_*.py's."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from configurations import DEFAULT, ROOT, changed
from snakemake.utils import update_config

from dilt.catalog import partition_names
from dilt.config import ConfigError, completion, data_files, data_section, load, parse_config, schema, section, typed
from dilt.tickets import needed, ticket_names

C3_NEEDS = (
    "tickets.names: completed with what the claims asked need: lth@union, colt@union, random@union, core+random@union, "
    "null-union-low@union, null-union-high@union (for C3)"
)


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


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, None),
        ({"claims/asked": ["C3"]}, None),
        ({"tickets/names": ["colt@core"], "claims/asked": ["C3"]}, C3_NEEDS),
        ({"tickets/names": ["colt@core", *needed("C3", ["low", "high"])], "claims/asked": ["C3"]}, None),
    ],
    ids=str,
)
def test_named_tickets_are_completed_with_what_claims_need_and_a_line_says_so(
    changes: dict[str, Any], line: str | None
) -> None:
    config = parse_config(changed(changes))
    assert completion(config) == line
    assert config.ticket_names == ticket_names(["low", "high"], config.tickets.names, config.claims.asked)
    for claim in config.claims.asked:
        assert set(needed(claim, ["low", "high"])) <= set(config.ticket_names)


def test_checking_a_configuration_says_what_was_completed(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(changed({"tickets/names": ["colt@core"], "claims/asked": ["C3"]}), sort_keys=False))
    ran = subprocess.run([sys.executable, "-m", "dilt.config", file], capture_output=True, text=True, check=True)
    assert ran.stdout == f"{file}: {C3_NEEDS}\n{file}: valid\n"


def test_text_of_the_command_line_is_read_as_yaml() -> None:
    told = {"rate": "0.5", "rounds": "3", "list": ["1", "true", "null", "x", "[1", "2024-01-01"], "name": "mlp", "n": 2}
    typical = {"rate": 0.5, "rounds": 3, "list": [1, True, None, "x", "[1", "2024-01-01"], "name": "mlp", "n": 2}
    assert typed(told) == typical


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
