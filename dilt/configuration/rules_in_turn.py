"""Rules whose work one job does: their files and commands put together, for `python -m dilt.in_turn`.

The job reads and writes what jobs of theirs would, by the same commands. What one makes for another is no input of it.
Snakemake (9.27) takes the digests of all inputs of a job anew for each of its outputs: with hundreds of both that lasts
longer than small trainings. So each job also writes the digests of what it made to one file, which for the jobs after
it stands for all of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

# The jobs, in the order in which they are done, each with its rules in turn.
IN_TURN: dict[str, tuple[str, ...]] = {
    "train_trajectories": ("initialise", "train_rounds"),
    "measure_trajectories": ("measure_instability", "represent_references", "assemble", "retrain_assembly"),
    "make_tickets": ("train_rounds_to_core", "combine", "train_ticket"),
    "use_tickets": ("represent", "transfer_ticket"),
    "evaluate": ("evaluate_tickets", "evaluate_transfer", "evaluate_assemblies"),
}
FOLLOWING = {rule for rules in IN_TURN.values() for rule in rules[1:]}  # rules that find their process started
LONGEST = 110_000  # characters of a command; its params come on top, and Linux takes 131,071
PYTHON, LOGGED = "python -m dilt.", " > {log} 2>&1"  # how the commands of rules begin and end
WILDCARD = re.compile(r"\{(\w+)(?:,[^{}]*)?\}")  # in a path, with its constraint
OUTPUTS = re.compile(r"--([\w-]+) \{output\.")  # options of a command that name what it makes
NAMED = re.compile(r"\{(input|output|params|wildcards|log)(?:\.(\w+))?((?::q)?)\}")  # in a command


@dataclass(frozen=True)
class InTurn:
    """A job that does several rules' work for a seed.

    Attributes:
        names: of the rules.
        input, output, log: patterns of files, in which the seed is the only wildcard.
        params: digests of modules by their names, and what the commands name, as RULE_NAME.
        shell: the command.
    """

    names: list[str]
    input: list[str]
    output: list[str]
    log: list[str]
    params: dict[str, Any]
    shell: str


class InTurns:
    """Jobs that do several rules' work for a seed.

    Args:
        folders: what stands for what in paths that input functions give, such as ``<results>`` for a folder.
    """

    def __init__(self, folders: Mapping[str, str]) -> None:
        self._folders = folders
        self._made_in: dict[str, str] = {}

    def job(self, digests: str, *parts: tuple[str, Any, Mapping[str, object]]) -> InTurn:
        """A job, after those whose results it reads.

        Args:
            digests: its file of digests.
            parts: the name of a rule, the rule as Snakemake's ``rules`` has it, and values for its wildcards besides
                the seed. In another workflow's module its own name is another one.

        Raises:
            ValueError: the command is too long.
        """
        bound = [_Part(*part, self._folders) for part in parts]
        made = dict.fromkeys(file for part in bound for file in part.files("output"))
        read = [file for part in bound for file in part.files("input") if file not in made]
        commands = " --then ".join(part.command() for part in bound)
        job = InTurn(
            names=list(dict.fromkeys(part.name for part in bound)),
            input=self.standing_for(read),
            output=[*made, digests],
            log=[file for part in bound for file in part.files("log")],
            params={name: value for part in bound for name, value in part.params()},
            shell=f"{PYTHON}in_turn --digests {digests} {commands}".replace("{seed}", "{wildcards.seed}"),
        )
        if len(job.shell) > LONGEST:
            raise ValueError(
                f"jobs.group: rounds gives a command of {len(job.shell):,} characters, more than Linux takes: "
                f"{', '.join(job.names)}; set jobs.group to together"
            )
        self._made_in |= dict.fromkeys(made, digests)
        return job

    def standing_for(self, files: Iterable[str]) -> list[str]:
        """The files of digests that stand for what the jobs made, and all other files."""
        return list(dict.fromkeys(self._made_in.get(_replaced(file, self._folders), file) for file in files))


class _Part:
    """A rule with values for its wildcards."""

    def __init__(self, name: str, rule: Any, wildcards: Mapping[str, object], folders: Mapping[str, str]) -> None:
        self.name, self._folders = name, folders
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
        """The stage, the names of the options that it writes, and its options, with paths in place of names."""
        stage, options = self._shell.removeprefix(PYTHON).removesuffix(LOGGED).split(" ", 1)
        told = NAMED.sub(lambda found: self._told(*found.groups()), options)
        return f"{stage}:{','.join(OUTPUTS.findall(options))} {told}"

    def _told(self, kind: str, name: str, quoted: str) -> str:
        if kind == "params":
            return f"{{params.{self.name}_{name}{quoted}}}"
        told = [str(self._wildcards[name])] if kind == "wildcards" else self.files(kind, name)
        return " ".join(told)

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
        return WILDCARD.sub(lambda found: str(self._wildcards[found[1]]), _replaced(text, self._folders))


def _replaced(text: str, folders: Mapping[str, str]) -> str:
    for name, folder in folders.items():
        text = text.replace(name, folder)
    return text
