"""Facts about the command `dilt`: it knows its commands, calls them by their names, and says what it does not know."""

import os
import signal
import subprocess
import sys
import tomllib

import pytest
from configurations import ROOT

from dilt import console


def dilt(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dilt.console", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_console_script_is_this_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"dilt": "dilt.console:script"}
    assert dilt("--version").stdout == f"dilt {project['version']}\n"


@pytest.mark.parametrize("name", console.COMMANDS)
def test_every_command_tells_its_arguments_under_its_own_name(name: str) -> None:
    told = dilt(name, "--help")
    assert told.returncode == 0
    assert told.stdout.startswith(f"usage: dilt {name} ")
    assert f"  {name:10}{console.COMMANDS[name]}\n" in dilt().stdout


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("chekc", "dilt: error: no command 'chekc'; did you mean check?"),
        ("xyz", "dilt: error: no command 'xyz'; dilt --help lists them"),
    ],
)
def test_an_unknown_command_is_told(word: str, line: str) -> None:
    told = dilt(word)
    assert (told.returncode, told.stderr.splitlines()[-1]) == (2, line)


def test_an_error_of_a_command_ends_it_in_a_line() -> None:
    told = dilt("check", "none.yaml")
    assert (told.returncode, told.stderr) == (
        *(1, "none.yaml: no such file; give the path of a configuration such as config.yaml\n"),
    )
    assert dilt("check", "config.yaml", "workflow/presets/smallest.yaml").stdout == (
        "config.yaml + workflow/presets/smallest.yaml: valid\n"
    )


@pytest.mark.parametrize("command", [["-m", "dilt.console", "models", "mlp"], ["-m", "dilt.models", "mlp"]])
def test_a_command_whose_reader_is_gone_ends_without_a_word(command: list[str]) -> None:
    """As behind ``| head``: the end that is read from is closed before anything is written."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        ran = subprocess.run(
            [sys.executable, *command], cwd=ROOT, stdout=out, stderr=subprocess.PIPE, timeout=120, check=False
        )
    assert (ran.returncode, ran.stderr) == (-signal.SIGPIPE, b"")
