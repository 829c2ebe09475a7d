"""Facts about reading out networks that were put together: with what norms and which head."""

import numpy as np
import pytest
import torch
from builders import images
from small_networks import RESNET

from dilt.assemblies.joining import Assembly, Run
from dilt.assemblies.names import HEAD, LINEAR
from dilt.assemblies.reading import Inputs
from dilt.assemblies.readouts import BIAS, WEIGHT, at_a_time, fit, network, outputs
from dilt.networks import building, states
from dilt.networks.features import features
from dilt.networks.outputs import logits
from dilt.networks.readings import recalibrate
from dilt.networks.shells import Shells
from dilt.tickets.masks import Mask

CPU = torch.device("cpu")
DATA, HELD_OUT = images(side=32), images(side=32, seed=1)
THETA0 = states.backbone(building.build(RESNET, DATA.image_shape, DATA.classes, seed=0))


def state(seed: int) -> dict[str, np.ndarray]:
    return states.state(building.build(RESNET, DATA.image_shape, DATA.classes, seed))


RUNS = {
    name: Run(Mask.full({"conv1.weight": THETA0["conv1.weight"].shape}), state(i + 1)) for i, name in enumerate("ab")
}
JOINED = {"conv1.weight": 2 * THETA0["conv1.weight"]}


def assembled(of: str) -> torch.nn.Module:
    assembly = Assembly("core", "mean", of, JOINED, RUNS[of].mask, {})
    return network(assembly, Shells(RESNET, DATA.image_shape), DATA.classes, "a", RUNS, seed=0)


@pytest.mark.parametrize("of", ["a", "b"])
def test_a_network_has_the_assembly_s_weights_the_norms_of_its_own_and_the_head_only_at_home(of: str) -> None:
    found = states.state(assembled(of))
    assert np.array_equal(found["conv1.weight"], JOINED["conv1.weight"])
    for name, array in RUNS[of].state.items():
        if not name.startswith(("conv1.", "fc.")):
            assert np.array_equal(found[name], array), name
    assert np.array_equal(found["fc.weight"], RUNS[of].state["fc.weight"]) == (of == "a")


def test_norms_are_measured_anew_and_outputs_follow_from_what_was_fitted() -> None:
    (fitted,) = fit([(assembled("a"), [HEAD, LINEAR])], DATA, HELD_OUT, [0.1, 1.0], CPU, "float32")
    assert list(fitted) == [HEAD, LINEAR]
    assert set(fitted[LINEAR].tensors) - set(fitted[HEAD].tensors) == {WEIGHT, BIAS}
    assert (fitted[HEAD].penalty, fitted[LINEAR].penalty in (0.1, 1.0)) == (None, True)

    expected = assembled("a")
    recalibrate([expected], DATA, CPU)
    tensors = {readout: each.tensors for readout, each in fitted.items()}
    (found,) = outputs([(assembled("a"), tensors)], HELD_OUT, CPU, "float32")
    assert np.array_equal(found[HEAD], logits(expected, HELD_OUT, CPU, "float32"))
    assert not np.array_equal(found[HEAD], logits(assembled("a"), HELD_OUT, CPU, "float32"))
    linear = features(expected, HELD_OUT, CPU, "float32") @ tensors[LINEAR][WEIGHT].T + tensors[LINEAR][BIAS]
    assert np.array_equal(found[LINEAR], linear)


def test_networks_side_by_side_are_fitted_and_answer_as_each_does_alone() -> None:
    asked = [(assembled("a"), [HEAD, LINEAR]), (assembled("b"), [LINEAR]), (assembled("a"), [HEAD])]
    given = DATA, HELD_OUT, [0.1, 1.0], CPU, "float32"
    together = list(fit(asked, *given))
    assert [list(each) for each in together] == [[HEAD, LINEAR], [LINEAR], [HEAD]]
    for (model, readouts), found in zip(asked, together, strict=True):
        (alone,) = fit([(assembled("b" if readouts == [LINEAR] else "a"), readouts)], *given)
        tensors = {readout: each.tensors for readout, each in found.items()}
        for readout in readouts:
            assert found[readout].penalty == alone[readout].penalty
            for name, array in alone[readout].tensors.items():
                assert np.array_equal(tensors[readout][name], array), name
        (answers,) = outputs([(model, tensors)], HELD_OUT, CPU, "float32")
        assert list(answers) == readouts


def test_a_linear_head_is_fitted_on_frozen_features() -> None:
    model = assembled("b")
    before = states.state(model)
    ((linear,),) = (each.values() for each in fit([(model, [LINEAR])], DATA, DATA, [10.0], CPU, "float32"))
    after = states.state(model)
    assert all(np.array_equal(before[name], after[name]) for name in before if name.endswith(("weight", "bias")))
    ((found,),) = (
        each.values() for each in outputs([(assembled("b"), {LINEAR: linear.tensors})], DATA, CPU, "float32")
    )
    assert found.shape == (len(DATA), 3)
    accuracy = (found.argmax(axis=1) == DATA.labels).mean()
    assert accuracy > (logits(model, DATA, CPU, "float32").argmax(axis=1) == DATA.labels).mean()


def test_networks_stand_side_by_side_where_reading_images_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = Inputs(THETA0, RUNS, RUNS)
    assert at_a_time(inputs, DATA, CPU) == 1
    gpu = torch.device("cuda")
    network, widest = sum(array.nbytes for array in THETA0.values()), 4  # the head reads as many features
    monkeypatch.setattr("dilt.networks.shells.MEMORY", 3 * (4 * network + 4 * widest * len(DATA)))
    assert at_a_time(inputs, DATA, gpu) == 3
