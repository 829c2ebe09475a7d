"""Test images are opened by evaluation alone, when nothing is left to be chosen."""

import re
from pathlib import Path

from tests.workflow.project import Project

OF_TEST = re.compile(r"\.?test-(images|labels)\.npy")


def test_no_stage_but_evaluation_opens_test_images_or_labels(finished: Project) -> None:
    opened = finished.opened()
    stages = {stage for stage, path in opened if OF_TEST.match(Path(path).name)}
    assert stages == {"prepare", "evaluate", "evaluate_assemblies"}  # the first of which makes them
    scored = {path for stage, path in opened if stage == "evaluate" and OF_TEST.match(Path(path).name)}
    assert scored == {
        f"results/digits/data/{dataset}/test-{kind}.npy"
        for dataset in ("source", "held-out")
        for kind in ("images", "labels")
    }
    trained_on = {stage for stage, path in opened if Path(path).name == "train-images.npy"}
    assert {"train", "train_ticket", "transfer"} <= trained_on, "openings are noted"


def test_no_rule_but_evaluations_has_test_images_or_labels_among_its_inputs(clean: Project) -> None:
    done = clean.snakemake("--dry-run")
    jobs = re.findall(r"^(?:local)?rule (\w+):\n(?:.*\n)*?    input: (.*)$", done.stdout + done.stderr, re.MULTILINE)
    rules = {rule for rule, files in jobs if any(OF_TEST.match(Path(file).name) for file in files.split(", "))}
    assert rules - {"all"} == {"evaluate_tickets", "evaluate_transfer", "evaluate_assemblies"}
