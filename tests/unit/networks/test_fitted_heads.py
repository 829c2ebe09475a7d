"""Facts about linear heads: they separate what is separable, and their penalty is chosen on validation images."""

import numpy as np
import pytest

from dilt.networks.linear_heads import TOLERANCE, fit_linear_head


def blobs(seed: int, apart: float, num_features: int = 10, count: int = 90) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    features = draws.normal(size=(count, num_features))
    features[np.arange(count), labels] += apart
    return features, labels


def test_separable_classes_are_told_apart_without_error() -> None:
    probe = fit_linear_head(*blobs(0, 20), *blobs(1, 20), [0.01, 1.0])
    assert probe.accuracy(*blobs(2, 20)) == 1
    assert probe.penalty == 0.01  # of equally good ones the strongest regularisation


def test_features_without_information_give_chance() -> None:
    probe = fit_linear_head(*blobs(0, 0), *blobs(1, 0), [0.01])
    assert probe.accuracy(*blobs(2, 0, count=3000)) == pytest.approx(1 / 3, abs=0.05)


def test_validation_data_choose_the_penalty() -> None:
    train, penalties = blobs(0, 1.5, num_features=60), [1e-4, 1e-2, 1.0, 100.0]
    validation = blobs(1, 1.5, num_features=60, count=600)
    alone = {penalty: fit_linear_head(*train, *validation, [penalty]).accuracy(*validation) for penalty in penalties}
    assert len(set(alone.values())) > 1
    chosen = fit_linear_head(*train, *validation, penalties)
    assert chosen.penalty == max(sorted(alone), key=alone.__getitem__)
    upside_down = fit_linear_head(*train, validation[0], 2 - validation[1], penalties)
    assert upside_down.penalty != chosen.penalty


def test_the_scale_of_a_feature_does_not_matter() -> None:
    (features, labels), held_out = blobs(0, 1.5), blobs(1, 1.5)
    scale = 10.0 ** np.arange(-5, 5)
    first = fit_linear_head(features, labels, *held_out, [1.0])
    second = fit_linear_head(features * scale, labels, held_out[0] * scale, held_out[1], [1.0])
    assert first.accuracy(*held_out) == second.accuracy(held_out[0] * scale, held_out[1])


@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_probe_is_one_linear_layer_on_features_as_they_are(num_classes: int) -> None:
    (features, labels), held_out = blobs(0, 1.5), blobs(1, 1.5)
    features = 5 + features * 10.0 ** np.arange(-3, 7)
    chosen = labels < num_classes
    probe = fit_linear_head(features[chosen], labels[chosen], *held_out, [1.0])
    weight, bias = probe.layer()
    assert weight.shape == (num_classes, 10)
    outputs = features @ weight.T + bias
    chances = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    assert np.allclose(chances, probe.pipeline.predict_proba(features), atol=1e-9)
    assert 0.5 < (outputs.argmax(axis=1) == labels)[chosen].mean() == probe.accuracy(features[chosen], labels[chosen])


@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
def test_the_problem_is_solved_to_the_tolerance(penalty: float) -> None:
    features, labels = blobs(0, 1.5, num_features=30)
    probe = fit_linear_head(features, labels, *blobs(1, 1.5, num_features=30), [penalty])
    scaler, regression = probe.pipeline[0], probe.pipeline[-1]
    standardised = scaler.transform(features)
    errors = regression.predict_proba(standardised) - np.eye(3)[labels]
    gradient = errors.T @ standardised / len(labels) + regression.coef_ / (penalty * len(labels))
    assert np.abs(gradient).max() <= TOLERANCE
    assert np.abs(errors.mean(axis=0)).max() <= TOLERANCE


@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_probe_is_a_linear_layer_on_features_as_they_are(num_classes: int) -> None:
    (features, labels), held_out = blobs(0, 1.5), blobs(1, 1.5)
    features = features * np.linspace(0.1, 30, features.shape[1]) + 5
    few = labels < num_classes
    probe = fit_linear_head(features[few], labels[few], *held_out, [1.0])
    weight, bias = probe.layer()
    assert (weight.shape, bias.shape) == ((num_classes, features.shape[1]), (num_classes,))
    assert np.array_equal((features @ weight.T + bias).argmax(axis=1), probe.pipeline.predict(features))
