"""Faults of a folder that several computers, or people, share: files that are seen late, and files of another user.

A job is killed on one computer, or as one user, and goes on at once on the other.
"""

import itertools
import os
import random
import shutil
from collections.abc import Generator
from pathlib import Path
from unittest import mock

import pipeline

from tests.faults.attempts import Attempt, Moment, attempt
from tests.faults.ledger import Fault
from tests.faults.stage_faults import JOBS, contents, small_chunks
from tests.faults.views import Views

USERS = (2001, 2002)
GROUP = 2000
TYPICAL = Attempt(seconds=1.5, calls=300)  # how long a stage takes, about


def late(views: Views, finished: Path) -> Generator[Fault]:
    """Jobs that are killed on one computer and go on on another, which does not yet see all of it."""
    shutil.copytree(finished, views.first / "seed-0", ignore=shutil.ignore_patterns("checkpoints"))
    views.catch_up()
    expected = contents(views.first / "seed-0")
    for name in itertools.cycle(_shuffled()):
        stage, job = JOBS[name]
        moment = Moment.anywhere(TYPICAL)
        os.environ["DILT_CHECKPOINT_MINUTES"] = random.choice(["0", "0.001"])
        here, there = (view / "seed-0" for view in random.sample([views.first, views.second], 2))
        for path in [*there.rglob("*"), *here.rglob("*")]:  # both have looked at all that is there
            path.exists()
        shutil.rmtree(here / "checkpoints", ignore_errors=True)
        with small_chunks():
            died = attempt(stage, job(here), moment)
            again = attempt(stage, job(there))
        lost = [
            f"{piece} was done again" for piece in died.finished if not again.code and piece not in again.given_again
        ]
        told = again.said.strip().splitlines()[-1:] if again.code else []
        lost += [f"a traceback: {again.said[-300:]}"] if "Traceback" in again.said else []
        views.catch_up()
        with small_chunks():
            last = attempt(stage, job(there)) if again.code else again
        lost += [f"the same command failed: {last.said[-300:]}"] if last.code else []
        views.catch_up()
        wrong = _differing(contents(here), expected)
        outcome = "; ".join(lost + wrong + ([f"refused at first: {told[0]}"] if told else [])).replace("\n", " ")
        yield Fault(
            "late visibility",
            stage,
            "a job, on two computers",
            str(moment),
            len(lost),
            len(wrong),
            died.unsaved,
            outcome or "as undisturbed",
        )


def two_users(folder: Path, finished: Path) -> Generator[Fault]:
    """Jobs that one user begins and another goes on with, in a folder of their group."""
    folder.mkdir(parents=True)
    results = folder / "seed-0"
    shutil.copytree(finished, results, ignore=shutil.ignore_patterns("checkpoints"))
    for path in (folder, *folder.rglob("*")):
        os.chown(path, USERS[0], GROUP)
        path.chmod(0o2775 if path.is_dir() else 0o664)
    expected = contents(results)
    for name in itertools.cycle(_shuffled()):
        stage, job = JOBS[name]
        moment = Moment.anywhere(TYPICAL)
        os.environ["DILT_CHECKPOINT_MINUTES"] = random.choice(["0", "0.001"])
        shutil.rmtree(results / "checkpoints", ignore_errors=True)
        first, second = random.sample(USERS, 2)
        with small_chunks():
            died = _as_user(first, stage, job(results), moment)
            again = _as_user(second, stage, job(results))
        lost = [f"{piece} was done again" for piece in died.finished if piece not in again.given_again]
        lost += [f"the same command failed: {again.said[-400:]}"] if again.code else []
        wrong = _differing(contents(results), expected)
        outcome = "; ".join(lost + wrong).replace("\n", " ") or "as undisturbed"
        yield Fault("two users", stage, "a job", str(moment), len(lost), len(wrong), died.unsaved, outcome)


def _shuffled() -> list[str]:
    names = list(JOBS)
    random.shuffle(names)
    return names


def _differing(found: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    return [f"{path} differs" for path in {**found, **expected} if found.get(path) != expected.get(path)]


def _as_user(user: int, stage: str, arguments: pipeline.Arguments, moment: Moment | None = None) -> Attempt:
    """An attempt of a user of the group, whose files its other members may write."""

    def become() -> None:
        os.setgroups([GROUP])
        os.setgid(GROUP)
        os.setuid(user)
        os.umask(0o002)

    with mock.patch("tests.faults.attempts.prepare_process", become):
        return attempt(stage, arguments, moment)
