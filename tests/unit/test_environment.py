"""environment.yml and pyproject.toml ask for the same packages and versions."""

import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
CONDA_NAMES = {
    "huggingface_hub": "huggingface-hub",
    "matplotlib-base": "matplotlib",
    "pytorch": "torch",
    "snakemake-minimal": "snakemake",
}


def test_conda_and_pip_install_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pip = {wish.name: wish.specifier for wish in map(Requirement, project["dependencies"])}
    conda = {wish.name: wish.specifier for wish in map(Requirement, conda_requirements())}
    assert conda.pop("python") == Requirement(f"python{project['requires-python']}").specifier
    assert {CONDA_NAMES.get(name, name): versions for name, versions in conda.items()} == pip


def conda_requirements() -> list[str]:
    return list(yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"])
