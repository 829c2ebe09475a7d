"""Facts about assemblies of two and three partitions: which weights live in each, and where their values come from."""

import numpy as np
import pytest
from builders import material, random_weights

from dilt.answers.comparisons import comparisons
from dilt.answers.paper_claims import paper_claims
from dilt.answers.scores import ASSEMBLY, assembly_measure
from dilt.assemblies.joining import Assembly, Run, Weights, assemblies, retrained_mask
from dilt.assemblies.names import (
    HEAD,
    LINEAR,
    MEAN,
    RETRAINED,
    THETA0,
    assembly_name,
    retrained_names,
    row_key,
    subsets,
)
from dilt.settings.tickets import ClaimRounds
from dilt.tickets.masks import Mask, intersection, specialise, union
from dilt.tickets.pruning import keep_largest, magnitudes

NAMES = {2: ["low", "high"], 3: ["low", "high", "wild"]}
Made = dict[tuple[str, str], Assembly]


class Trained:
    """Made-up trajectories of two or three partitions, siblings and theta0."""

    def __init__(self, number: int) -> None:
        found = material(NAMES[number])
        self.masks = {name: run.mask(found.round) for name, run in found.partitions.items()}
        shapes = next(iter(self.masks.values())).shapes
        self.runs = {
            name: Run(mask, random_weights(20 + i, shapes)) for i, (name, mask) in enumerate(self.masks.items())
        }
        self.siblings = {
            name: Run(run.mask(found.round), random_weights(40 + i, shapes))
            for i, (name, run) in enumerate(found.siblings.items())
        }
        self.theta0 = random_weights(7, shapes)
        self.core = intersection(self.masks.values())
        self.specialists = {name: specialise(name, self.masks) for name in self.masks}

    def made(self, seed: int = 0) -> Made:
        listed = list(assemblies(self.runs, self.siblings, self.theta0, seed))
        found = {(each.core_from, each.name): each for each in listed}
        assert len(found) == len(listed), "no two share their row"
        return found


@pytest.fixture(scope="module", params=[2, 3], ids=["two", "three"])
def trained(request: pytest.FixtureRequest) -> Trained:
    return Trained(request.param)


def assert_equal(found: Weights, expected: Weights, on: Mask) -> None:
    for name in on.names:
        assert np.array_equal(found[name][on[name]], expected[name][on[name]]), name


def test_pruned_weights_are_zero_in_every_assembly(trained: Trained) -> None:
    for key, found in trained.made().items():
        assert all(not found.weights[name][~found.mask[name]].any() for name in found.mask.names), key
        assert all(found.weights[name].dtype == np.float32 for name in found.mask.names), key


@pytest.mark.parametrize("partition", ["low", "high"])
def test_every_partition_s_own_network_is_read_out_by_all_but_by_its_own_head_at_home_only(
    trained: Trained, partition: str
) -> None:
    found = trained.made()
    for name, run in trained.runs.items():
        intact = found[name, "intact"]
        assert (intact.network, intact.mask) == (name, run.mask)
        assert_equal(intact.weights, run.state, run.mask)
        assert intact.readouts[partition] == ((HEAD, LINEAR) if name == partition else (LINEAR,))
    put_into_own = [each for each in found.values() if not each.name.startswith("intact")]
    assert {each.network for each in put_into_own} == {None}
    assert all(HEAD in each.readouts[partition] for each in put_into_own)


def test_specialists_keep_their_own_weights_in_any_subset(trained: Trained) -> None:
    found = trained.made()
    for chosen in subsets(list(trained.runs)):
        joined = found[MEAN, assembly_name(chosen)]
        assert joined.mask == union([trained.core, *(trained.specialists[name] for name in chosen)])
        assert_equal(joined.weights, found[MEAN, "core"].weights, trained.core)
        for name in chosen:
            assert_equal(joined.weights, trained.runs[name].state, trained.specialists[name])


def test_every_subset_of_few_specialists_is_assembled_and_of_many_each_and_all() -> None:
    assert len(subsets("ab")) == 3
    assert len(subsets("abc")) == 7
    assert subsets("abcde") == [*((name,) for name in "abcde"), tuple("abcde")]


def test_core_and_specialist_of_two_partitions_are_exactly_the_partition_s_mask() -> None:
    two, three = Trained(2), Trained(3)
    for name, mask in two.masks.items():
        assert two.made()[MEAN, assembly_name([name])].mask == mask
    assert three.made()[MEAN, "core+specialist-low"].mask <= three.masks["low"]
    assert three.made()[MEAN, "core+specialist-low"].mask != three.masks["low"]


def test_the_core_s_weights_are_the_mean_of_the_networks_or_one_s(trained: Trained) -> None:
    found = trained.made()
    core = found[MEAN, "core"]
    assert core.mask == trained.core
    expected = {name: np.mean([run.state[name] for run in trained.runs.values()], axis=0) for name in core.mask.names}
    assert_equal(core.weights, expected, trained.core)
    for name, run in trained.runs.items():
        for assembly in ("core", "core+specialist-low"):
            assert_equal(found[name, assembly].weights, run.state, trained.core)
            assert found[name, assembly].mask == found[MEAN, assembly].mask
        assert_equal(found[name, "core+specialist-low"].weights, trained.runs["low"].state, trained.specialists["low"])


def test_random_weights_are_as_many_as_the_specialist_s_and_lie_outside_the_core(trained: Trained) -> None:
    found = trained.made()
    for name, specialist in trained.specialists.items():
        joined = found[MEAN, f"core+random@core+specialist-{name}"]
        drawn = joined.mask - trained.core
        assert trained.core <= joined.mask
        assert drawn.counts == specialist.counts
        assert drawn != specialist
        assert_equal(joined.weights, trained.theta0, drawn)
        assert_equal(joined.weights, found[MEAN, "core"].weights, trained.core)


def test_ablations_lose_the_specialist_or_as_many_weights_in_every_layer(trained: Trained) -> None:
    for name, run in trained.runs.items():
        left = {each: trained.made()[name, f"intact-{each}"] for each in ("specialist", "random", "smallest")}
        assert left["specialist"].mask == run.mask - trained.specialists[name]
        for each in left.values():
            assert each.mask <= run.mask
            assert (run.mask - each.mask).counts == trained.specialists[name].counts
            assert_equal(each.weights, run.state, each.mask)
        lost = run.mask - left["smallest"].mask
        for layer in lost.names:
            sizes = np.abs(run.state[layer])
            kept = sizes[left["smallest"].mask[layer]]
            assert sizes[lost[layer]].max(initial=0) <= kept.min(initial=np.inf)


def test_parts_of_specialist_and_null_specialist_are_equally_many_in_every_layer(trained: Trained) -> None:
    for name, run in trained.runs.items():
        found, null = trained.made(), run.mask - trained.siblings[name].mask
        part = run.mask - found[name, "intact-part-specialist"].mask
        null_part = run.mask - found[name, "intact-part-null-specialist"].mask
        assert part <= trained.specialists[name]
        assert null_part <= null
        expected = {layer: min(trained.specialists[name].counts[layer], null.counts[layer]) for layer in null.names}
        assert part.counts == null_part.counts == expected
        assert part.count > 0
        added = found[MEAN, f"core+part-specialist-{name}"].mask - found[MEAN, "core"].mask
        added_to_null = (
            found[MEAN, f"null-core-{name}+part-null-specialist-{name}"].mask - found[MEAN, f"null-core-{name}"].mask
        )
        assert (added, added_to_null) == (part, null_part)


def test_the_null_core_has_the_largest_weights_that_a_partition_and_its_sibling_agree_on_as_many_as_the_core(
    trained: Trained,
) -> None:
    for name, run in trained.runs.items():
        sibling, null = trained.siblings[name], trained.made()[MEAN, f"null-core-{name}"]
        agreed = run.mask & sibling.mask
        assert null.mask <= agreed
        assert null.mask.count == trained.core.count < agreed.count
        expected = {layer: (run.state[layer] + sibling.state[layer]) / 2 for layer in run.mask.names}
        assert_equal(null.weights, expected, null.mask)
        left_out = agreed - null.mask
        largest = max(np.abs(expected[layer][left_out[layer]]).max(initial=0) for layer in agreed.names)
        assert largest <= min(np.abs(expected[layer][null.mask[layer]]).min(initial=np.inf) for layer in agreed.names)


def test_a_null_core_smaller_than_the_core_is_all_that_both_agree_on() -> None:
    two = Trained(2)
    fewer = keep_largest(magnitudes(two.theta0, two.core), two.core, two.core.count // 2)
    two.siblings["low"] = Run(fewer, two.siblings["low"].state)
    assert two.made()[MEAN, "null-core-low"].mask == two.runs["low"].mask & fewer == fewer


def test_a_sibling_in_the_other_partition_s_place_makes_specialist_and_null_alike() -> None:
    """Why the comparison with the null is fair: with nothing to specialise in, both are drawn from the same."""
    two = Trained(2)
    two.runs["high"] = two.siblings["low"]
    found = two.made()
    assert found[MEAN, "core"].mask == found[MEAN, "null-core-low"].mask
    assert_equal(found[MEAN, "core"].weights, found[MEAN, "null-core-low"].weights, found[MEAN, "core"].mask)
    whole = [found[MEAN, "core+part-specialist-low"], found[MEAN, "null-core-low+part-null-specialist-low"]]
    assert whole[0].mask == whole[1].mask
    assert_equal(whole[0].weights, whole[1].weights, whole[0].mask)


def test_only_what_is_drawn_follows_from_the_seed(trained: Trained) -> None:
    first, other = trained.made(), trained.made(seed=1)
    changed = {name for (source, name) in first if first[source, name].mask != other[source, name].mask}
    assert {"intact-random", "core+random@core+specialist-low"} <= changed
    assert all("random" in name or "part-" in name for name in changed)


def test_retrained_masks_are_those_of_the_assemblies(trained: Trained) -> None:
    names = retrained_names(list(trained.masks))
    number = len(trained.masks)
    assert len(names) == number * (number + 3)
    for partition, assembly in names:
        found = retrained_mask(partition, assembly, trained.masks, seed=0)
        if assembly == "union":
            assert found == union(trained.masks.values())
        else:
            assert found == trained.made()[MEAN, assembly].mask
    with pytest.raises(ValueError, match="no assembly 'lth' is retrained"):
        retrained_mask("low", "lth", trained.masks, seed=0)


def test_a_row_is_told_by_partition_assembly_core_and_readout() -> None:
    row = {"partition": "low", "core_from": "mean", "assembly": "core", "readout": "head", "live": 3}
    assert row_key(row) == "low/core/mean/head"


def test_every_score_of_an_assembly_that_is_compared_is_made(trained: Trained) -> None:
    names = list(trained.masks)
    made = {
        (each.name, assembly_measure(partition, each.core_from, readout))
        for partition in names
        for each in trained.made().values()
        for readout in each.readouts[partition]
    }
    made |= {(assembly, assembly_measure(p, THETA0, RETRAINED)) for p, assembly in retrained_names(names)}
    terms = [
        term
        for comparison in comparisons(paper_claims(ClaimRounds(C1=2, C2=2, C3=2)), names)
        for term in comparison.terms
    ]
    wanted = {(term.ticket, term.measure) for term in terms if term.measure.startswith(ASSEMBLY)}
    assert wanted <= made
