"""Facts about rules whose work one job does: it reads and writes what their jobs would, by the same commands."""

from types import SimpleNamespace
from typing import Any

from snakemake.iocontainers import Namedlist

from dilt.configuration.rules_in_turn import InTurns

FOLDERS = {"<results>": "results/here"}


def rule(name: str, shell: str, **parts: dict[str, Any]) -> SimpleNamespace:
    """A rule as Snakemake's ``rules`` has it."""
    lists = {kind: Namedlist(fromdict=parts.get(kind, {})) for kind in ("input", "output", "params")}
    log = Namedlist([f"results/here/logs/{name}/seed-{{seed}}.log"])
    return SimpleNamespace(rule=SimpleNamespace(name=f"dilt_{name}", shellcmd=shell), log=log, **lists)


MAKE = rule(
    "make",
    "python -m dilt.combine --seed {wildcards.seed} --round {wildcards.round} --data {input.data} --masks"
    " {output.masks} --names {params.names} --code {params.code} --options {params.options:q} --log {log} > {log} 2>&1",
    input={"data": "results/here/data.json", "unnamed": ["results/here/images.npy"]},
    output={"masks": [r"results/here/seed-{seed,\d+}/{round}/a", r"results/here/seed-{seed,\d+}/{round}/b"]},
    params={"dilt.combine": "dilt.combine:1", "names": ["a", "b"], "code": "12", "options": lambda wildcards: "{}"},
)
TRAIN = rule(
    "train",
    "python -m dilt.train_ticket --masks {input.masks} --weights {output.weights} --code {params.code}"
    " --threads {threads} --checkpoints {params.checkpoints} --log {log} > {log} 2>&1",
    input={
        "masks": lambda wildcards: [f"<results>/seed-{wildcards.seed}/{wildcards.round}/{name}" for name in "ab"],
        "data": "results/here/data.json",
    },
    output={"weights": "results/here/seed-{seed}/weights"},
    params={
        "dilt.combine": "dilt.combine:1",
        "code": "34",
        "checkpoints": "results/here/checkpoints/seed-{seed}/{round}",
        "runs": lambda wildcards: [f"{wildcards.seed} {wildcards.round}"],
    },
)
DIGESTS = "results/here/seed-{seed}/digests/both.json"
BOTH = InTurns(FOLDERS).job(DIGESTS, ("make", MAKE, {"round": 3}), ("train", TRAIN, {"round": 3}))


def test_what_one_makes_for_another_is_an_output_and_no_input() -> None:
    assert BOTH.names == ["make", "train"]
    assert BOTH.input == ["results/here/data.json", "results/here/images.npy"]
    assert BOTH.output == [*(f"results/here/seed-{{seed}}/{name}" for name in ("3/a", "3/b", "weights")), DIGESTS]
    assert BOTH.log == [f"results/here/logs/{name}/seed-{{seed}}.log" for name in ("make", "train")]


def test_the_command_is_theirs_one_after_the_other() -> None:
    masks = "results/here/seed-{wildcards.seed}/3/a results/here/seed-{wildcards.seed}/3/b"
    assert BOTH.shell == (
        "python -m dilt.in_turn --digests results/here/seed-{wildcards.seed}/digests/both.json"
        " combine:masks --seed {wildcards.seed} --round 3 --data results/here/data.json"
        f" --masks {masks} --names {{params.make_names}} --code {{params.make_code}}"
        " --options {params.make_options:q} --log results/here/logs/make/seed-{wildcards.seed}.log"
        f" --then train_ticket:weights --masks {masks} --weights results/here/seed-{{wildcards.seed}}/weights"
        " --code {params.train_code} --threads {threads} --checkpoints {params.train_checkpoints}"
        " --log results/here/logs/train/seed-{wildcards.seed}.log"
    )


def test_it_depends_on_all_that_they_depend_on() -> None:
    seed = SimpleNamespace(seed=7)
    found = {name: value(seed) if callable(value) else value for name, value in BOTH.params.items()}
    assert found == {
        **{"dilt.combine": "dilt.combine:1", "make_code": "12", "train_code": "34"},
        **{"make_names": ["a", "b"], "make_options": "{}", "runs": ["7 3"]},
        "train_checkpoints": "results/here/checkpoints/seed-{seed}/3",
    }


def test_a_rule_can_take_its_turn_for_one_value_after_another() -> None:
    twice = InTurns(FOLDERS).job(DIGESTS, ("make", MAKE, {"round": 1}), ("make", MAKE, {"round": 2}))
    assert twice.names == ["make"]
    assert [file.split("/")[-2:] for file in twice.output[:-1]] == [["1", "a"], ["1", "b"], ["2", "a"], ["2", "b"]]
    assert "--round 1 " in twice.shell.split(" --then ")[0]
    assert "--round 2 " in twice.shell.split(" --then ")[1]


def test_for_later_jobs_the_digests_stand_for_all_that_a_job_made() -> None:
    jobs = InTurns(FOLDERS)
    jobs.job(DIGESTS, ("make", MAKE, {"round": 3}))
    after = jobs.job("results/here/seed-{seed}/digests/after.json", ("train", TRAIN, {"round": 3}))
    assert after.input == [DIGESTS, "results/here/data.json"]
    assert "--masks results/here/seed-{wildcards.seed}/3/a " in after.shell
