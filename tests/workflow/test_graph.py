"""What a person sees of the graph before anything runs."""

import json
import re
import shutil
import subprocess

import pytest
from PIL import Image

from tests.conftest import ROOT

STAGES = {
    "prepare": 2,
    "initialise": 1,
    "train": 2,
    "measure_instability": 1,
    "prune": 2,
    "prune_to_consensus": 2,
    "prune_to_core": 1,
    "combine": 1,
    "train_ticket": 1,
    "represent": 1,
    "represent_references": 1,
    "compare": 1,
    "cluster": 1,
    "assemble": 1,
    "retrain_assembly": 1,
    "evaluate_assemblies": 1,
    "transfer_ticket": 1,
    "evaluate_tickets": 1,
    "evaluate_transfer": 1,
    "summarise": 1,
    "report": 1,
}


def test_a_dry_run_of_a_clean_clone_shows_every_stage(clean):
    assert clean.planned() == STAGES


def test_without_a_profile_the_local_one_is_used(clean):
    done = clean.snakemake("--dry-run")
    assert "Using workflow specific profile profiles/default" in done.stdout + done.stderr
    local = clean.folder / "workflow/profiles/local/config.yaml"
    assert (clean.folder / "profiles/default/config.yaml").read_text() == local.read_text()


def test_siblings_apart_get_a_job_each_and_none_trains_what_nothing_reads(clean):
    done = clean.snakemake("--dry-run", "--config", 'jobs={"group": "apart"}')
    planned = clean.jobs(done.stdout + done.stderr)
    assert planned["train"] == 9 * 2
    assert planned["train_ticket"] == planned["evaluate_tickets"] == 34
    assert planned["transfer_ticket"] == planned["evaluate_transfer"] == 19, "those of C1 and C3"
    assert planned["represent"] == 8
    assert planned["retrain_assembly"] == 2 * 5
    told = re.findall(
        r"^(?:local)?rule (\w+):\n(?:.*\n)*?    input: (.*)\n    output: (.*)$", done.stdout, re.MULTILINE
    )
    made = {file for _, _, files in told for file in files.split(", ") if file.endswith("weights.safetensors")}
    read = {file for rule, files, _ in told for file in files.split(", ") if rule != "all"}
    assert len(made) == sum(planned[rule] for rule in ("train", "train_ticket", "retrain_assembly"))
    assert made <= read


def test_what_only_some_tickets_are_made_of_is_made_where_one_is_asked_for(clean):
    assert clean.planned("--config", 'tickets={"names": ["snip@core"]}') == STAGES | {"score": 1}
    planned = clean.planned("--config", 'claims={"asked": ["C2"]}', 'jobs={"group": "apart"}')
    assert planned["train"] == 7 * 2, "none on parts of the images"
    assert planned["train_ticket"] == planned["evaluate_tickets"] == 6 + 12
    assert not {"score", "prune_to_core", "transfer_ticket", "evaluate_transfer"} & planned.keys()


@pytest.mark.parametrize(("group", "jobs"), [("together", 2), ("apart", 2 * 4)])
def test_other_rewinding_epochs_are_trained_and_that_of_the_trajectories_is_not(clean, group, jobs):
    settings = ["training={epochs: 4, batch_size: 64, learning_rate: 0.1}", "instability={rewind_epochs: [0, 1, 3]}"]
    planned = clean.planned("instability", "--config", *settings, f"jobs={{group: {group}}}")
    assert planned["initialise_rewound"] == 2
    assert planned["train_rewound"] == jobs
    assert planned["measure_instability"] == 1


def test_a_matrix_is_cut_into_as_many_jobs_as_are_wanted(clean):
    planned = clean.planned("--config", 'jobs={"compare_jobs": 3}')
    assert planned == STAGES | {"compare_part": 3}


def test_a_matrix_that_was_cut_up_is_the_same(project):
    results = project.folder / "results/digits"
    geometry = results / "seed-0/geometry/round-1"
    before = {file.name: file.read_bytes() for file in geometry.glob("distances.*")}
    shutil.rmtree(results / "checkpoints/compare")
    project.snakemake("modules", "--cores", "2", "--config", 'jobs={"compare_jobs": 2, "compare_threads": 2}')
    parts = [json.loads(file.read_text())["pairs"] for file in sorted(geometry.glob("parts/*-of-2.json"))]
    assert len(parts) == 2
    assert "finished before" in (results / "logs/compare/seed-0/round-1.log").read_text()
    assert {file.name: file.read_bytes() for file in geometry.glob("distances.*")} == before


@pytest.fixture
def imagenet(clean, tmp_path):
    """A clean clone with the experiment of ImageNet size that benchmarks/planning.py times."""
    project = clean.copy(tmp_path / "project")
    shutil.copy(ROOT / "benchmarks" / "imagenet.yaml", project.folder / "config.yaml")
    (project.folder / "tiny.yaml").write_text("experiment: imagenet\n")
    return project


def test_an_experiment_of_imagenet_size_can_be_planned(imagenet):
    seeds, rounds, claim_round, trajectories, partitions, targets = 5, 20, 10, 7, 2, 3
    baselines, compared, transferred = 5, 8, 19
    tickets = (rounds - 2) * baselines + 34  # those of the claims, and the dense one, in one round alone
    assert imagenet.planned() == {
        "prepare": 1 + targets,
        "initialise": seeds,
        "train": seeds * rounds * (trajectories + partitions),
        "measure_instability": seeds,
        "prune": seeds * rounds * trajectories,
        "prune_to_consensus": seeds * rounds,
        "prune_to_core": seeds * claim_round,
        "train_to_core": seeds * (claim_round - 1),
        "combine": seeds,
        "train_ticket": seeds * tickets,
        "represent": seeds * compared,
        "represent_references": seeds,
        "compare": seeds,
        "cluster": seeds,
        "assemble": seeds,
        "retrain_assembly": seeds * partitions * (partitions + 3),
        "evaluate_assemblies": seeds,
        "transfer_ticket": seeds * targets * transferred,
        "evaluate_tickets": seeds * tickets,
        "evaluate_transfer": seeds * targets * transferred,
        "summarise": 1,
        "report": 1,
    }


def test_planning_does_not_load_torch(imagenet, monkeypatch):
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    imported = re.findall(r"^import time: .*\| +(\w+)$", imagenet.snakemake("--list-rules").stderr, re.MULTILINE)
    assert "pydantic" in imported
    assert not {"torch", "timm", "sklearn", "matplotlib"} & set(imported)


@pytest.mark.parametrize(
    ("target", "last"),
    [
        ("instability", "measure_instability"),
        ("tickets", "train_ticket"),
        ("representations", "represent"),
        ("modules", "cluster"),
        ("assemblies", "evaluate_assemblies"),
        ("transfer", "transfer_ticket"),
        ("evaluation", "evaluate_transfer"),
        ("claims", "summarise"),
        ("report", "report"),
    ],
)
def test_every_stage_family_has_a_target(clean, target, last):
    planned = clean.planned(target)
    assert last in planned
    assert planned.pop(target) == 1
    assert planned.keys() <= STAGES.keys()


@pytest.mark.parametrize("graph", ["--rulegraph", "--dag"])
def test_graphs_render(clean, graph):
    assert clean.snakemake(graph).stdout.startswith("digraph")


def test_every_rule_is_documented_logged_and_fingerprinted(clean):
    done = clean.snakemake("--dry-run", "--printshellcmds")
    text = done.stdout + done.stderr
    commands = [line for line in text.splitlines() if "python -m dilt." in line]
    assert len(commands) == sum(STAGES.values())
    assert all("> results/digits/logs/" in command for command in commands)
    listed = clean.snakemake("--list-rules").stdout
    for rule in STAGES:
        assert f"{rule} (" in listed, f"rule {rule} has no docstring"


def test_gpu_stages_reserve_a_gpu_and_others_none(clean):
    done = clean.snakemake("--dry-run")
    jobs = re.split(r"^(?:local)?rule (\w+):$", done.stdout + done.stderr, flags=re.MULTILINE)[1:]
    reserved = {rule for rule, job in zip(jobs[::2], jobs[1::2], strict=True) if "gpu=1" in job}
    assert reserved == {
        *("initialise", "train", "train_ticket", "represent", "represent_references", "transfer_ticket"),
        *("assemble", "retrain_assembly", "evaluate_tickets", "evaluate_transfer", "evaluate_assemblies"),
        "measure_instability",
    }


def test_printed_commands_work_when_pasted(project):
    mask = project.folder / "results/digits/seed-0/independent/full/round-2/mask.safetensors"
    before = mask.read_bytes()
    mask.unlink()
    done = project.snakemake(str(mask.relative_to(project.folder)), "--dry-run", "--printshellcmds")
    command = next(line for line in (done.stdout + done.stderr).splitlines() if "python -m dilt.prune" in line)
    subprocess.run(command.removeprefix("Shell command: "), shell=True, check=True, cwd=project.folder)
    assert mask.read_bytes() == before


def test_bad_configuration_is_told_in_one_line_per_error_before_any_job(clean):
    wrong = json.dumps({"rounds": 1, "rate": 1.5})
    done = clean.snakemake("--dry-run", "--config", f"pruning={wrong}", "modle=1", check=False)
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in text
    file = "config.yaml + tiny.yaml"
    assert f"{file}: modle: unknown key; did you mean 'model'?\n{file}: pruning.rate: 1.5: should be less" in text


def test_results_that_cannot_be_written_are_told_in_one_line_before_any_job(clean, tmp_path):
    project = clean.copy(tmp_path / "project")
    (project.folder / "results/digits").mkdir(parents=True)
    (project.folder / "results/digits/experiments").write_text("a file, where a folder should be")
    done = project.snakemake("--cores", "1", check=False)
    assert done.returncode != 0
    assert "results/digits/experiments: File exists; results belong there" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert project.snakemake("--dry-run", check=False).returncode == 0, "no lock is left"


def test_braces_in_the_configuration_are_no_wildcards(clean, tmp_path):
    classes = ["{seed}", "a {} b", "<results>", "{{x}}", "%s", "'q' $HOME"]
    for split, names in {"{data}": classes, "{target}": ["{round}", "y"]}.items():
        for name in names:
            (tmp_path / split / "train" / name).mkdir(parents=True)
            for number in range(24):
                picture = Image.new("RGB", (8, 8), (number, 40, 90))
                picture.save(tmp_path / split / "train" / name / f"{number}.png")
    source = {"name": "folder", "root": str(tmp_path / "{data}"), "image_size": 8}
    partitions = {"by": "classes", "classes": {"low": classes[:3], "high": classes[3:]}}
    values = {
        "source": source | {"classes": classes, "partitions": partitions},
        "targets": {"held-out": source | {"root": str(tmp_path / "{target}"), "classes": None}},
        "pruning": {"exclude": ["blocks.0*[!{seed}]"]},
    }
    project = clean.copy(tmp_path / "project")
    (project.folder / "braces.yaml").write_text(json.dumps(values))
    project.configuration.append("braces.yaml")
    assert project.planned() == STAGES
    project.snakemake("--cores", "1", "results/digits/seed-0/theta0.safetensors")
    found = json.loads((project.folder / "results/digits/data/source/dataset.json").read_text())
    assert set(found["classes"]) == set(classes)


def test_what_yaml_takes_for_a_number_is_told_by_snakemake_as_it_is_written(clean, tmp_path):
    project = clean.copy(tmp_path / "project")
    wrong = "source: {classes: ['0', 010, 0x2]}\ntransfer: {training: {epochs: '3'}}\n"
    (project.folder / "misread.yaml").write_text(wrong)
    project.configuration.append("misread.yaml")
    failed = project.snakemake("--dry-run", "--config", "experiment=1e3", check=False)
    said = [line.partition(".yaml: ")[2] for line in (failed.stdout + failed.stderr).splitlines() if ".yaml: " in line]
    assert failed.returncode == 1
    assert [line.partition(";")[0] for line in said] == [
        "source.classes.1: 010: YAML reads it as the number 8",
        "experiment: 1e3: YAML reads it as the number 1000.0",
        "transfer.training.epochs: '3': should be a valid integer",
    ]
    assert said[0].endswith("(and 1 more like it: '0x2')")
