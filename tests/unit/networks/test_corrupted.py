"""Facts about networks on corrupted images: clean answers are the usual ones, and images are read once."""

from dataclasses import replace

import numpy as np
from builders import images
from small_networks import CPU, network

from dilt.networks.corrupted import corrupted_logits
from dilt.networks.outputs import logits

KINDS = ["noise", "contrast"]


def test_on_images_as_they_are_the_answers_are_the_usual_ones_and_under_corruptions_others() -> None:
    data = images(side=8)
    found = corrupted_logits(network(), data, KINDS, 5, CPU, "float32")
    assert list(found) == ["none", *KINDS]
    assert np.array_equal(found["none"], logits(network(), data, CPU, "float32"))
    for kind in KINDS:
        assert found[kind].shape == found["none"].shape
        assert not np.allclose(found[kind], found["none"])


def test_every_network_sees_the_same_corrupted_images() -> None:
    first, second = (corrupted_logits(network(), images(side=8), KINDS, 3, CPU, "float32") for _ in range(2))
    for kind in KINDS:
        assert np.array_equal(first[kind], second[kind])


def test_images_are_read_once_however_many_corruptions() -> None:
    class Counting:
        def __init__(self, pixels: np.ndarray) -> None:
            self.pixels, self.shape, self.read = pixels, pixels.shape, 0

        def __len__(self) -> int:
            return len(self.pixels)

        def __getitem__(self, indices: np.ndarray) -> np.ndarray:
            self.read += len(indices)
            return self.pixels[indices]

    data = images(side=8)
    counted = Counting(np.array(data.pixels))
    corrupted_logits(network(), replace(data, pixels=counted), KINDS, 3, CPU, "float32")
    assert counted.read == len(data)
