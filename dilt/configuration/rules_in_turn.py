"""Rules whose work one job does: their files and commands put together, for `python -m dilt.in_turn`.

The job reads and writes what jobs of theirs would, by the same commands. What one makes for another is no input of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

PYTHON, LOGGED = "python -m dilt.", " > {log} 2>&1"  # how the commands of rules begin and end
WILDCARD = re.compile(r"\{(\w+)(?:,[^{}]*)?\}")  # in a path, with its constraint
NAMED = re.compile(r"\{(input|output|params|wildcards|log)(?:\.(\w+))?((?::q)?)\}")  # in a command


class InTurn:
    """Rules that a job does in turn, for one seed.

    Attributes:
        names: of the rules.
        input, output, log: patterns of files, in which the seed is the only wildcard.
        params: digests of modules by their names, and what the commands name, as RULE_NAME.
        shell: the command.

    Args:
        folders: what stands for what in paths that input functions give, such as ``<results>`` for a folder.
        parts: rules, as Snakemake's ``rules`` has them, each with values for its wildcards besides the seed.
    """

    def __init__(self, folders: Mapping[str, str], *parts: tuple[Any, Mapping[str, object]]) -> None:
        bound = [_Part(rule, wildcards, folders) for rule, wildcards in parts]
        self.names = list(dict.fromkeys(part.name for part in bound))
        self.output = [file for part in bound for file in part.files("output")]
        read = dict.fromkeys(file for part in bound for file in part.files("input"))
        made = set(self.output)
        self.input = [file for file in read if file not in made]
        self.log = [file for part in bound for file in part.files("log")]
        self.params = {name: value for part in bound for name, value in part.params()}
        self.shell = f"{PYTHON}in_turn {' --then '.join(part.command() for part in bound)}"


class _Part:
    """A rule with values for its wildcards."""

    def __init__(self, rule: Any, wildcards: Mapping[str, object], folders: Mapping[str, str]) -> None:
        self.name: str = rule.rule.name
        self._folders = folders
        self._rule, self._shell = rule, rule.rule.shellcmd
        self._wildcards = {"seed": "{seed}", **wildcards}

    def files(self, kind: str, name: str | None = None) -> list[str]:
        """Its input, output or log, or what has a name there."""
        files = getattr(self._rule, kind)
        return list(self._filled(files if name is None else getattr(files, name)))

    def params(self) -> Iterator[tuple[str, Any]]:
        """Its params with their names in the job."""
        in_command = {name for kind, name, _ in NAMED.findall(self._shell) if kind == "params"}
        for name, value in self._rule.params.items():
            yield f"{self.name}_{name}" if name in in_command else name, self._param(value)

    def command(self) -> str:
        """The stage with its options; what they name are paths in it, and params."""
        options = self._shell.removeprefix(PYTHON).removesuffix(LOGGED)
        return NAMED.sub(lambda found: self._told(*found.groups()), options)

    def _told(self, kind: str, name: str, quoted: str) -> str:
        if kind == "params":
            return f"{{params.{self.name}_{name}{quoted}}}"
        told = [str(self._wildcards[name])] if kind == "wildcards" else self.files(kind, name)
        return " ".join(told).replace("{seed}", "{wildcards.seed}")

    def _param(self, value: Any) -> Any:
        if callable(value):
            return lambda wildcards: value(SimpleNamespace(**self._wildcards | {"seed": wildcards.seed}))
        if isinstance(value, str):
            return self._fill(value)
        return [self._param(one) for one in value] if isinstance(value, list) else value

    def _filled(self, files: str | Callable[..., Any] | Iterable[Any]) -> Iterator[str]:
        """Paths with the values of wildcards, of functions too."""
        if isinstance(files, str):
            yield self._fill(files)
        elif callable(files):
            yield from self._filled(files(SimpleNamespace(**self._wildcards)))
        else:
            for one in files:
                yield from self._filled(one)

    def _fill(self, text: str) -> str:
        for name, folder in self._folders.items():
            text = text.replace(name, folder)
        return WILDCARD.sub(lambda found: str(self._wildcards[found[1]]), text)
