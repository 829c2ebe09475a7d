"""Facts about experiments that share a folder of networks: they agree on what is shared, and on nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
from configurations import changed

from dilt.configuration.reading import parse_config
from dilt.configuration.sharing import check, hold, register, release
from dilt.configuration.yaml_files import ConfigError
from dilt.foundations.storage import read_json, write_json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    register(parse_config(changed({})), tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": [7]},
        {"tickets/claim_rounds": {"C1": 2, "C2": 3, "C3": 4}},
        {"distances/cost": "cosine"},
        {"clustering/subsamples": 3},
        {"claims/margin": 2.0},
        {"instability": {"rewind_epochs": [1], "points": 5}},
        {"targets": {"other": {"name": "digits", "classes": ["6", "7"]}}},
    ],
    ids=str,
)
def test_what_follows_from_networks_may_differ(folder: Path, changes: dict[str, object]) -> None:
    check(parse_config(changed({"experiment": "other", **changes})), folder)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"training/epochs": 3}, "training.epochs"),
        ({"pruning/rate": 0.3}, "pruning.rate"),
        ({"model/arguments": {"width": 8}}, "model.arguments"),
        ({"source/split_seed": 3}, "source.split_seed"),
        ({"evaluation/severity": 4}, "evaluation.severity"),
        ({"representations/probes": 24}, "representations.probes"),
        ({"targets/held-out/test_share": 0.5}, "targets.held-out.test_share"),
        ({"jobs/group": "apart"}, "jobs.group"),
    ],
    ids=str,
)
def test_what_networks_follow_from_may_not(folder: Path, changes: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check(parse_config(changed({"experiment": "other", **changes})), folder)
    (line,) = refused.value.lines
    assert line.startswith(f"{key}: ")
    assert "experiment 'digits' shares" in line


def test_an_experiment_may_change_its_own_settings(folder: Path) -> None:
    check(parse_config(changed({"training/epochs": 3})), folder)


def test_settings_that_an_older_version_did_not_know_are_no_difference(folder: Path) -> None:
    record = folder / "experiments/digits.json"
    write_json(record, {key: value for key, value in read_json(record).items() if key != "training.precision"})
    check(parse_config(changed({"experiment": "other"})), folder)


def test_a_section_that_an_older_version_did_not_know_has_its_defaults(folder: Path) -> None:
    record = folder / "experiments/digits.json"
    kept = {key: value for key, value in read_json(record).items() if not key.startswith("evaluation.")}
    write_json(record, kept)
    check(parse_config(changed({"experiment": "other"})), folder)
    with pytest.raises(ConfigError, match=r"evaluation\.severity: 4, but .* and has 3"):
        check(parse_config(changed({"experiment": "other", "evaluation/severity": 4})), folder)


def test_settings_that_an_older_version_did_not_know_have_their_defaults(folder: Path) -> None:
    record = folder / "experiments/digits.json"
    write_json(record, {key: value for key, value in read_json(record).items() if key != "pruning.scope"})
    with pytest.raises(ConfigError, match=r"pruning\.scope: 'layerwise', but .* and has 'global'"):
        check(parse_config(changed({"experiment": "other", "pruning/scope": "layerwise"})), folder)


def test_a_run_from_before_there_were_patterns_is_one_without(folder: Path) -> None:
    record = folder / "experiments/digits.json"
    write_json(record, {key: value for key, value in read_json(record).items() if key != "pruning.pattern"})
    check(parse_config(changed({"experiment": "other"})), folder)
    with pytest.raises(ConfigError, match=r"pruning\.pattern: '2:4', but .* and has None"):
        check(parse_config(changed({"experiment": "other", "pruning/pattern": "2:4"})), folder)


def test_a_setting_by_its_old_name_is_the_same_setting(folder: Path) -> None:
    record = folder / "experiments/digits.json"
    values = read_json(record)
    values["jobs.siblings"] = values.pop("jobs.group")
    write_json(record, values)
    check(parse_config(changed({"experiment": "other"})), folder)
    with pytest.raises(ConfigError, match=r"jobs\.group: 'apart', but .* and has 'together'"):
        check(parse_config(changed({"experiment": "other", "jobs/group": "apart"})), folder)


@pytest.mark.parametrize("grouped", ["digits", "other"])
def test_a_part_that_one_of_them_lacks_is_a_difference(tmp_path: Path, grouped: str) -> None:
    groups = {"source/groups": {"by": "folder"}}
    one, other = ({"experiment": name, **(groups if name == grouped else {})} for name in ("digits", "other"))
    register(parse_config(changed(one), across=False), tmp_path)
    with pytest.raises(ConfigError, match=r"source\.groups\.by: "):
        check(parse_config(changed(other), across=False), tmp_path)


def test_results_that_snakemake_has_no_record_of_are_compared_with_the_experiment_s_own_past(folder: Path) -> None:
    check(parse_config(changed({})), folder, recorded=False)
    with pytest.raises(ConfigError, match=r"training\.epochs: 3, but experiment 'digits'"):
        check(parse_config(changed({"training/epochs": 3})), folder, recorded=False)


def test_one_run_at_a_time_has_a_folder_and_a_killed_one_leaves_it(tmp_path: Path) -> None:
    """Also where its results are a link in two people's projects."""
    (tmp_path / "link").symlink_to(tmp_path / "results")
    code = (
        "import sys, time; from dilt.configuration.sharing import *; hold(Path(sys.argv[1])); print(); time.sleep(99)"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path / "results"], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"\n"
        with pytest.raises(ValueError, match=rf"link/snakemake: process {other.pid} on .* still works on this"):
            hold(tmp_path / "link")
        other.kill()
    hold(tmp_path / "link")
    release()
    assert not list((tmp_path / "results").iterdir())


@pytest.mark.parametrize(("mine", "theirs"), [("masks", "all"), ("all", "masks"), ("masks", "masks")])
def test_none_may_remove_the_networks_of_another(tmp_path: Path, mine: str, theirs: str) -> None:
    register(parse_config(changed({"jobs/keep": theirs})), tmp_path)
    with pytest.raises(ConfigError) as refused:
        check(parse_config(changed({"experiment": "other", "jobs/keep": mine})), tmp_path)
    (line,) = refused.value.lines
    assert line.startswith(f"jobs.keep: '{mine}', but experiment 'digits' shares {tmp_path} and has '{theirs}'")
    assert "set both to all" in line


@pytest.mark.parametrize("recorded", [True, False])
def test_an_experiment_may_remove_its_own_networks_or_keep_them_from_now_on(folder: Path, recorded: bool) -> None:
    check(parse_config(changed({"jobs/keep": "masks"})), folder, recorded)
    register(parse_config(changed({"jobs/keep": "masks"})), folder)
    check(parse_config(changed({})), folder, recorded)
