"""Facts about null specialists of a specialist's size: what they have, and that they never have the specialist."""

from dataclasses import replace

import pytest
from builders import material

from dilt.tickets.making import Material, make_tickets
from dilt.tickets.masks import Mask

ALL = pytest.mark.parametrize(
    "made_from",
    [
        material(names, seed, scope)
        for names in (["low", "high"], ["a", "b", "c"])
        for seed in (0, 1)
        for scope in ("global", "layerwise")
    ],
    ids=lambda m: f"{len(m.partitions)} partitions, {m.scope}, seed {m.seed}",
)


def made(material: Material, name: str) -> Mask:
    return make_tickets(material, [name])[name]


@ALL
def test_the_null_of_a_specialist_s_size_is_of_what_only_the_partition_kept_as_far_as_there_is_any(
    made_from: Material,
) -> None:
    for name, own in made_from.partitions.items():
        sibling = made_from.siblings[name].mask(made_from.round)
        alone = own.mask(made_from.round) - sibling
        null = made(made_from, f"null-specialist-{name}@specialist-{name}")
        assert null.count == made(made_from, f"specialist-{name}").count
        assert made_from.scope == "layerwise" or null <= alone or alone <= null
        assert (null & sibling).count == 0


@ALL
def test_joined_to_the_core_it_has_only_the_core_of_what_the_partition_kept(made_from: Material) -> None:
    core = made(made_from, "core")
    for name, own in made_from.partitions.items():
        null = made(made_from, f"core+null-specialist-{name}@core+specialist-{name}")
        assert null.count == made(made_from, f"core+specialist-{name}").count
        assert null & own.mask(made_from.round) == core


@ALL
def test_where_siblings_agree_on_all_the_null_has_the_specialist_s_size_and_nothing_of_it(made_from: Material) -> None:
    agreed = replace(made_from, siblings=made_from.partitions)
    for name in agreed.partitions:
        specialist = made(agreed, f"specialist-{name}")
        null = made(agreed, f"null-specialist-{name}@specialist-{name}")
        assert null.count == specialist.count > 0
        assert (null & specialist).count == 0
        joined = made(agreed, f"core+null-specialist-{name}@core+specialist-{name}")
        assert (joined & specialist).count == 0
