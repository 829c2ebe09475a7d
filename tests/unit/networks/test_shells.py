"""Facts about networks that are filled anew: each is as if it had been built for its tensors."""

import numpy as np
import pytest
from small_networks import RESNET

from dilt.foundations.storage import Tensors
from dilt.networks import building, shells, states
from dilt.networks.shells import Shells, side_by_side

SHAPE, CLASSES = (3, 32, 32), ("a", "b", "c")
BUILD = building.build
TRAINED = [states.state(building.build(RESNET, SHAPE, CLASSES, seed)) for seed in range(3)]


def assert_equal(found: Tensors, expected: Tensors) -> None:
    assert list(found) == list(expected)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_a_network_filled_anew_has_the_tensors_given_and_else_a_head_as_it_is_drawn_for_its_classes() -> None:
    found = Shells(RESNET, SHAPE)
    for tensors, seed in zip(TRAINED, (0, 0, 7), strict=True):
        assert_equal(states.state(found.with_state(tensors, CLASSES)), tensors)
        built = building.build(RESNET, SHAPE, CLASSES, seed, tensors)
        assert_equal(states.state(found.with_backbone(tensors, CLASSES, seed)), states.state(built))
    others = found.with_backbone(TRAINED[0], ("a", "d"), 0)
    assert_equal(states.state(others), states.state(building.build(RESNET, SHAPE, ("a", "d"), 0, TRAINED[0])))


def test_networks_are_built_once_and_those_in_several_places_do_not_disturb_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = []
    monkeypatch.setattr(shells.building, "build", lambda *given: built.append(given) or BUILD(*given))
    found = Shells(RESNET, SHAPE)
    for _ in range(2):
        several = [found.with_state(tensors, CLASSES, place) for place, tensors in enumerate(TRAINED)]
        for model, tensors in zip(several, TRAINED, strict=True):
            assert_equal(states.state(model), tensors)
    assert len(built) == 1


def test_as_many_networks_stand_side_by_side_as_there_is_memory_for_but_not_more_than_a_few() -> None:
    assert [side_by_side(size) for size in (0, 1, shells.MEMORY // 3, shells.MEMORY, 10 * shells.MEMORY)] == [
        *(shells.SIDE_BY_SIDE, shells.SIDE_BY_SIDE),
        *(3, 1, 1),
    ]


def test_tensors_of_another_network_are_told() -> None:
    wider = RESNET.model_copy(update={"arguments": {"channels": [4, 4, 4, 8]}})
    with pytest.raises(ValueError, match=r"weights do not fit the model: .* differs in name or shape"):
        Shells(wider, SHAPE).with_state(TRAINED[0], CLASSES)
