"""Defaults that follow from another section: of ``transfer`` from ``training``, of ``tickets`` from ``pruning``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dilt.settings.tickets import CLAIMS
from dilt.settings.training import Pruning, Training

SECTIONS = ("tickets", "transfer")


def filled(key: str, given: Any, sections: Mapping[str, Any]) -> Any:
    """A section as given, with defaults that follow from sections already read; as it is where it is no mapping.

    Args:
        sections: those that were read; a wrong one is not among them, and valid values take its place.
    """
    if key == "transfer":
        return _transfer(given, sections.get("training", Training()))
    if key == "tickets":
        return _tickets(given, sections.get("pruning", Pruning()))
    return given


def _transfer(section: Any, source: Training) -> Any:
    """In which ``training`` has the source's values wherever it gives none.

    Milestones belong to a step schedule: another schedule does without them.
    """
    given = section.get("training", {}) if isinstance(section, Mapping) else None
    if not isinstance(given, Mapping):
        return section
    inherited = source.model_dump()
    if given.get("schedule", "step") != "step":
        del inherited["milestones"]
    return {**section, "training": {**inherited, **given}}


def _tickets(section: Any, pruning: Pruning) -> Any:
    """In which claims are read at the middle and the last of ``rounds``, if these are given.

    Otherwise they are read two rounds before the last of pruning, so that LTH can be pruned to the core's density; C1,
    whose core has to transfer by itself, where more weights are left.
    """
    if not isinstance(section, Mapping):
        return section
    last = max(1, pruning.rounds - 2)
    middle = min(last, max(1, round(0.6 * pruning.rounds)))
    rounds = section.get("rounds", [])
    if isinstance(rounds, list) and rounds and all(type(round_) is int for round_ in rounds):
        middle, last = sorted(rounds)[len(rounds) // 2], max(rounds)
    claims = section.get("claim_rounds", {})
    if isinstance(claims, Mapping):
        claims = {**dict.fromkeys(CLAIMS, last), "C1": middle, **claims}
    first = max(1, round(0.3 * pruning.rounds))
    return {"rounds": sorted({first, middle, last}), **section, "claim_rounds": claims}
