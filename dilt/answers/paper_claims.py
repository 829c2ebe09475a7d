"""The three claims on tickets (arXiv 2508.16915) in the form in which own claims are written.

C1 and C3 compare a ticket with controls of exactly its number of weights; C2 compares accuracies that networks end at,
at equal numbers of weights, not gains, since a gain rewards a poor start.
"""

from __future__ import annotations

from collections.abc import Sequence

from dilt.answers.scores import SOURCE, TRANSFER
from dilt.settings.answers import OwnClaim
from dilt.settings.tickets import CLAIMS, Claim, ClaimRounds
from dilt.tickets.names import TicketName
from dilt.tickets.selection import CORE_CONTROLS, UNION_CONTROLS

STATEMENTS: dict[Claim, str] = {
    "C1": "The core transfers better than other tickets of exactly its density.",
    "C2": "Specialists serve their own partition's classes, by themselves and joined to the core.",
    "C3": "The union performs better than COLT's consensus and than other tickets of exactly its density.",
}
# The control that matters most for each: the same number of rounds; what a specialist is without anything to
# specialise in; what the union is to improve on.
DECISIVE: dict[Claim, str] = {
    "C1": "lth-same-rounds@core",
    "C2": "null-specialist-OWN@specialist-OWN",
    "C3": "colt@union",
}
_MINE, _NULL = "specialist-OWN", "null-specialist-OWN@specialist-OWN"
_ON_OWN, _OWN_NOT_OTHER = f"{SOURCE}, OWN", f"{SOURCE}, OWN minus {SOURCE}, OTHER"
_MEAN_HEAD, _OWN_HEAD = "assembly, OWN, mean, head", "assembly, OWN, OWN, head"
_READOUTS = ("assembly, OWN, mean, linear", "assembly, OWN, theta0, retrained")
SPECIALISTS = (
    f"{_MINE} - {_NULL} on {_ON_OWN}",
    f"{_MINE} - specialist-OTHER on {_ON_OWN}",
    f"{_MINE} - random@specialist-OWN on {_ON_OWN}",
    f"core+{_MINE} - core+null-specialist-OWN@core+specialist-OWN on {_ON_OWN}",
    f"core+{_MINE} - core+specialist-OTHER on {_ON_OWN}",
    f"core+{_MINE} - core+random@core+specialist-OWN on {_ON_OWN}",
    f"core+{_MINE} - core+specialist-OTHER on {_MEAN_HEAD}",
    f"core+{_MINE} - core+random@core+specialist-OWN on {_MEAN_HEAD}",
    f"core+part-specialist-OWN - null-core-OWN+part-null-specialist-OWN on {_MEAN_HEAD}",
    f"intact-random - intact-specialist on {_OWN_HEAD}",
)
BESIDE_SPECIALISTS = (
    f"{_MINE} - {_NULL} on {_OWN_NOT_OTHER}",
    f"{_MINE} - specialist-OTHER on {_OWN_NOT_OTHER}",
    *(f"core+{_MINE} - core+specialist-OTHER on {measure}" for measure in (*_READOUTS, _OWN_HEAD)),
    *(f"core+{_MINE} - core+random@core+specialist-OWN on {measure}" for measure in _READOUTS),
    f"intact-smallest - intact-specialist on {_OWN_HEAD}",
    f"intact-part-null-specialist - intact-part-specialist on {_OWN_HEAD}",
    *(f"intact-{left} - intact-specialist on assembly, OWN, OWN, linear" for left in ("random", "smallest")),
    "intact-part-null-specialist - intact-part-specialist on assembly, OWN, OWN, linear",
    "intact - intact-specialist on assembly, OWN, OWN, linear minus assembly, OTHER, OWN, linear",
)


def paper_claims(
    rounds: ClaimRounds,
    asked: Sequence[Claim] = CLAIMS,
    targets: Sequence[str] = (),
    protocols: Sequence[str] = (),
    named: Sequence[str] = (),
) -> dict[str, OwnClaim]:
    """The claims asked, by name.

    Args:
        rounds: the round of each.
        named: tickets that the user names; those of the core's or union's number of weights are compared besides.
    """
    each = [f"{TRANSFER} to {target}, {protocol}" for target in targets for protocol in protocols]
    core = [*CORE_CONTROLS, "null-core-OWN@core"]
    union = ["colt", *UNION_CONTROLS, "null-union-OWN@union"]
    decided = {
        "C1": _differences("core", core, [TRANSFER]),
        "C2": list(SPECIALISTS),
        "C3": _differences("union", union, [SOURCE, TRANSFER]),
    }
    besides = {
        "C1": [*_differences("core", core, [*each, SOURCE]), *_named("core", named, core, [TRANSFER, SOURCE])],
        "C2": list(BESIDE_SPECIALISTS),
        "C3": [*_differences("union", union, each), *_named("union", named, union, [SOURCE, TRANSFER])],
    }
    return {
        claim: OwnClaim(
            statement=STATEMENTS[claim],
            round=getattr(rounds, claim),
            comparisons=decided[claim],
            decisive=DECISIVE[claim],
            besides=besides[claim],
        )
        for claim in CLAIMS
        if claim in asked
    }


def _differences(ticket: str, controls: Sequence[str], measures: Sequence[str]) -> list[str]:
    return [f"{ticket} - {control} on {measure}" for control in controls for measure in measures]


def _named(ticket: str, named: Sequence[str], known: Sequence[str], measures: Sequence[str]) -> list[str]:
    """Comparisons with the controls of a ticket that the user names beyond those known, draws as one."""
    controls = dict.fromkeys(str(TicketName.parse(name).first) for name in named if name.endswith(f"@{ticket}"))
    more = [name for name in controls if name not in known and "null-" not in name]
    return _differences(ticket, more, measures)
