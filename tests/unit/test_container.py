"""Facts about the Dockerfile: what it copies is there and goes along, and whoever runs it is not root."""

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import yaml

from tests.conftest import ROOT

# Instructions with their arguments, comments left out and lines that go on joined.
TEXT = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
STEPS = [(name, rest) for name, rest in re.findall(r"^([A-Z]+) (.+)$", TEXT, re.MULTILINE)]


def all_of(name: str) -> list[str]:
    return [rest for step, rest in STEPS if step == name]


def goes_along(path: str) -> bool:
    """Whether Docker hands a file of the repository to the build: the last line of .dockerignore that fits decides."""
    taken = True
    for line in (ROOT / ".dockerignore").read_text().split():
        pattern = line.removeprefix("!").removeprefix("**/")
        if any(
            fnmatch(part, pattern) for part in ([path, Path(path).parts[0]] if "**" not in line else Path(path).parts)
        ):
            taken = line.startswith("!")
    return taken


def test_what_is_copied_is_there_and_is_what_the_wheel_is_built_of() -> None:
    copied = [path for rest in all_of("COPY") for path in shlex.split(rest)[:-1]]
    assert all((ROOT / path).exists() and goes_along(path) for path in copied)
    wheel = (
        (ROOT / "pyproject.toml")
        .read_text()
        .partition("[tool.hatch.build.targets.wheel]")[2]
        .partition("[tool.hatch.build.targets.sdist")[0]
    )
    parts = re.findall(r'^"([^"]+)" = ', wheel, re.MULTILINE) + re.findall(r'"([^"]+)"', wheel.partition("\n\n")[0])
    assert {*parts, "pyproject.toml", "README.md", "LICENSE", "requirements.lock"} == set(copied)


def test_nothing_else_goes_along() -> None:
    assert [path.name for path in ROOT.iterdir() if goes_along(path.name)] == [
        path.name for path in ROOT.iterdir() if any(path.name in shlex.split(rest) for rest in all_of("COPY"))
    ]
    assert not goes_along("dilt/__pycache__/init.pyc")
    assert goes_along("dilt/init.py")


def test_it_runs_as_somebody_who_may_write_the_caches_and_nothing_else() -> None:
    assert all_of("USER") == ["1000"], "a number, which Kubernetes can tell from root"
    assert [name for name, _ in STEPS][-5:] == ["USER", "WORKDIR", "STOPSIGNAL", "ENTRYPOINT", "CMD"]
    made = re.findall(r"mkdir -m 1777 (\S+)", TEXT)
    (variables,) = all_of("ENV")
    places = [value for _, _, value in (word.partition("=") for word in shlex.split(variables)) if "/" in value]
    assert all(any(Path(place).is_relative_to(folder) for folder in made) for place in places)
    assert all_of("WORKDIR")[-1] in made


def test_libraries_are_those_of_the_lock() -> None:
    installs = [rest for rest in all_of("RUN") if "uv pip install" in rest]
    assert len(installs) == 2
    assert all("constraint requirements.lock" in rest for rest in installs)


def test_the_pin_is_where_snakemake_looks_and_is_not_committed() -> None:
    text = (ROOT / "Makefile").read_text()
    (pin,) = re.findall(r"--prefix \.pin > (\S+)$", text, re.MULTILINE)
    (environment,) = re.findall(
        r'^ENVIRONMENT = "../../(\S+)"$', (ROOT / "workflow/rules/common.smk").read_text(), re.MULTILINE
    )
    assert pin == f"{Path(environment).stem}.linux-64.pin.txt"
    assert f"/{pin}" in (ROOT / ".gitignore").read_text().split()
    assert yaml.safe_load((ROOT / environment).read_text())["name"] == "dilt"
