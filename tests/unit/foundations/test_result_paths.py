"""Facts about where results lie: no two in one place, and each path tells which result it is."""

import re

from dilt.foundations import result_paths
from dilt.foundations.result_paths import Answers, Networks


def test_patterns_lie_below_their_folders():
    at = result_paths.below(networks="<results>", answers="<answers>")
    assert at.THETA0 == "<results>/seed-{seed}/theta0.safetensors"
    assert at.DISTANCES == "<answers>/seed-{seed}/geometry/round-{round}/distances.csv"
    assert at.LOG["prune"] == "<results>/logs/prune/seed-{seed}/independent/{trajectory}/round-{round}.log"
    assert at.LOG["report"] == "<answers>/logs/report.log"


def test_no_two_results_have_one_name_or_one_path():
    everything = [*Networks, *Answers]
    assert len({place.name for place in everything}) == len({str(place) for place in everything}) == len(everything)


def test_a_pattern_is_found_again_in_a_path():
    path = Networks.TICKET.format(seed=3, round=12, ticket="specialist-low")
    found = re.fullmatch(result_paths.expression(Networks.TICKET, seed=r"\d+", round=r"\d+"), path)
    assert found is not None
    assert found.groupdict() == {"seed": "3", "round": "12", "ticket": "specialist-low"}


def test_a_pattern_is_not_found_in_other_paths():
    expression = result_paths.expression(Networks.TICKET_MASK, seed=r"\d+")
    assert not re.fullmatch(expression, "seed-x/tickets/round-1/core/mask.safetensors")
    assert not re.fullmatch(expression, "seed-1/tickets/round-1/core/maskXsafetensors")
    assert not re.fullmatch(expression, "seed-1/tickets/round-1/core/below/mask.safetensors")


def test_networks_are_told_from_what_stays():
    assert {place for place in Networks if result_paths.is_trained(f"<results>/{place}")} == set(result_paths.TRAINED)
    stays = [Networks.THETA0, Networks.REWOUND_THETA0, Networks.TICKET_MASK, Networks.ASSEMBLIES_FITTED]
    assert not any(map(result_paths.is_trained, [*stays, Networks.TRANSFER_CORRECT, Networks.TRANSFER_LOGITS]))
    path = Networks.TRANSFERRED.format(seed=1, round=2, target="held-out", ticket="lth@core", protocol="linear")
    assert result_paths.is_trained(f"results/digits/{path}")
