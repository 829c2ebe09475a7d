"""Facts about fixed positions: they are sines and cosines of rows and columns, and stay as they are."""

import numpy as np
import pytest
import torch
from builders import images
from small_networks import ADAMW, VIT, network, train_in

from dilt.networks import building
from dilt.networks.positions import fix_positions
from dilt.settings.networks import Model

FIXED = VIT.model_copy(update={"positions": "sincos2d"})


def vit(settings: Model = FIXED) -> torch.nn.Module:
    return building.build(settings, (3, 32, 32), ["a", "b", "c"], 0)


def test_they_are_sines_and_cosines_of_row_and_column() -> None:
    """By MoCo v3's definition, for a grid of 4 x 4 patches of 12 features, after the class token's."""
    found = vit().get_parameter("pos_embed")[0].detach().numpy()
    assert not found[0].any()
    rates = 1 / 10000 ** (np.arange(3) / 3)
    rows, columns = np.divmod(np.arange(16), 4)
    waves = [wave(np.outer(place, rates)) for wave in (np.sin, np.cos) for place in (rows, columns)]
    assert np.allclose(found[1:], np.concatenate(waves, axis=1), atol=1e-6)


def test_they_are_not_trained(tmp_path) -> None:
    data = images(per_class=6, side=32, channels=3)
    before = vit().get_parameter("pos_embed").detach().numpy()
    weights, _ = train_in(tmp_path / "fixed", vit(), None, ADAMW, data=data, validation=data)
    assert np.array_equal(weights["pos_embed"], before)
    learnt, _ = train_in(tmp_path / "learnt", vit(VIT), None, ADAMW, data=data, validation=data)
    assert not np.array_equal(learnt["pos_embed"], vit(VIT).get_parameter("pos_embed").detach().numpy())


def test_networks_without_learnt_positions_are_told() -> None:
    with pytest.raises(ValueError, match=r"^model\.positions: mine has no learnt positions of patches; set it to"):
        fix_positions(network(), "mine")
