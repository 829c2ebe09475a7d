"""Facts about linear heads: they separate what is separable, and their penalty is chosen on validation images."""

import numpy as np
import pytest
import torch
from small_networks import CPU

from dilt.networks import linear_heads
from dilt.networks.linear_heads import TOLERANCE, LinearHead
from dilt.networks.logistic_regression import Solution


def blobs(seed: int, apart: float, num_features: int = 10, count: int = 90) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    features = draws.normal(size=(count, num_features))
    features[np.arange(count), labels] += apart
    return features, labels


def fit(
    train: tuple[np.ndarray, np.ndarray], validation: tuple[np.ndarray, np.ndarray], *penalties: float
) -> LinearHead:
    return linear_heads.fit_linear_head(*train, *validation, penalties, CPU)


def errors(head: LinearHead, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    outputs = features @ head.weight.T + head.bias
    chances = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True) - np.eye(len(head.bias))[labels]


def test_separable_classes_are_told_apart_without_error() -> None:
    head = fit(blobs(0, 20), blobs(1, 20), 0.01, 1.0)
    assert head.accuracy(*blobs(2, 20)) == 1
    assert head.penalty == 0.01  # of equally good ones the strongest regularisation


def test_features_without_information_give_chance() -> None:
    head = fit(blobs(0, 0), blobs(1, 0), 0.01)
    assert head.accuracy(*blobs(2, 0, count=3000)) == pytest.approx(1 / 3, abs=0.05)


def test_validation_data_choose_the_penalty() -> None:
    train, penalties = blobs(0, 1.5, num_features=60), [1e-4, 1e-2, 1.0, 100.0]
    validation = blobs(1, 1.5, num_features=60, count=600)
    alone = {penalty: fit(train, validation, penalty).accuracy(*validation) for penalty in penalties}
    assert len(set(alone.values())) > 1
    chosen = fit(train, validation, *reversed(penalties))
    assert chosen.penalty == max(sorted(alone), key=alone.__getitem__)
    assert fit(train, (validation[0], 2 - validation[1]), *penalties).penalty != chosen.penalty


def test_penalties_that_do_not_converge_are_not_chosen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def solve(features: torch.Tensor, *_: object) -> list[Solution]:
        zeros = features.new_zeros(3, 10), features.new_zeros(3)
        return [Solution(0.1, *zeros, slope, 7) for slope in slopes]

    monkeypatch.setattr(linear_heads, "solve", solve)
    slopes = [1.0, TOLERANCE]
    assert fit(blobs(0, 1), blobs(1, 1), 0.1).penalty == 0.1
    assert "penalty 0.1 has not converged; not used" in capsys.readouterr().out
    slopes = [1.0]
    with pytest.raises(ValueError, match=r"no linear head of \[0.1\] converged"):
        fit(blobs(0, 1), blobs(1, 1), 0.1)


def test_the_scale_of_a_feature_does_not_matter() -> None:
    (features, labels), held_out = blobs(0, 1.5), blobs(1, 1.5)
    scale = 10.0 ** np.arange(-5, 5)
    first, second = fit((features, labels), held_out, 1.0), fit((features * scale, labels), held_out, 1.0)
    assert np.allclose(first.weight, second.weight * scale, rtol=1e-6)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_a_feature_that_is_constant_but_for_rounding_is_ignored(precision: type[np.floating]) -> None:
    features, labels = blobs(0, 1.5)
    features[:, 4] = 1e4 / 3 * (1 + np.finfo(precision).eps * np.sign(features[:, 0]))
    train = features.astype(precision), labels
    head = fit(train, train, 1.0)
    assert np.abs(head.weight[:, 4]).max() < 0.03 < np.abs(head.weight[:, 5]).max()


@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
def test_as_a_layer_on_features_as_they_are_it_solves_the_problem_on_standardised_ones(
    num_classes: int, penalty: float
) -> None:
    features, labels = blobs(0, 1.5)
    train = 5 + features[labels < num_classes] * 10.0 ** np.arange(-3, 7), labels[labels < num_classes]
    head = fit(train, train, penalty)
    assert (head.weight.shape, head.bias.shape) == ((num_classes, 10), (num_classes,))
    mean, scale, wrong = train[0].mean(axis=0), train[0].std(axis=0), errors(head, *train)
    gradient = wrong.T @ ((train[0] - mean) / scale) / len(wrong) + head.weight * scale / (penalty * len(wrong))
    own = slice(None) if num_classes > 2 else slice(1, None)  # of two classes, one has the weights
    assert np.abs(gradient[own]).max() <= TOLERANCE
    assert np.abs(wrong.mean(axis=0)).max() <= TOLERANCE


def test_features_that_are_given_are_left_as_they_are() -> None:
    train = blobs(0, 1.5)
    before = train[0].copy()
    fit(train, train, 1.0)
    assert np.array_equal(train[0], before)
