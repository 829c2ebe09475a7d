"""Facts about logistic regression: its optimum is scikit-learn's, each penalty begins where the one before ended."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from dilt.networks import logistic_regression
from dilt.networks.logistic_regression import solve

PENALTIES = [0.01, 1.0, 100.0]
Problem = tuple[np.ndarray, np.ndarray]


def problem(kind: str) -> Problem:
    """Standardised features (num_images, num_features), and labels."""
    draws = np.random.default_rng(0)
    labels = np.arange(90) % (2 if kind == "two classes" else 3)
    features = draws.normal(size=(90, 10))
    features[np.arange(90), labels] += 20 if kind == "separable" else 1.5
    if kind == "a rare class":
        labels = np.where(np.arange(90) < 88, labels % 2, 2)
    if kind == "more features than images":
        features = features @ draws.normal(size=(10, 120)) + draws.normal(size=(90, 120))
    if kind == "features that nearly agree":
        features = features[:, :1] + 1e-3 * features
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    if kind == "a constant feature":
        features[:, 3] = 0
    return features, labels


KINDS = ["three classes", "two classes", "separable", "a rare class", "a constant feature"]
KINDS += ["more features than images", "features that nearly agree"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_optimum_is_scikit_learn_s(kind: str) -> None:
    features, labels = problem(kind)
    found = list(solve(*map(torch.from_numpy, (features, labels)), int(labels.max()) + 1, PENALTIES, 1e-9))
    assert [each.penalty for each in found] == PENALTIES
    for each in found:
        expected = LogisticRegression(C=each.penalty, solver="newton-cholesky", tol=1e-11).fit(features, labels)
        intercept = expected.intercept_ - (expected.intercept_.mean() if len(expected.intercept_) > 1 else 0)
        assert np.allclose(each.weight, expected.coef_, rtol=1e-5, atol=1e-5), each.penalty
        assert np.allclose(each.intercept, intercept, rtol=1e-5, atol=1e-5), each.penalty
        assert each.slope <= 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_in_float32_too_searches_end_at_the_tolerance_after_few_evaluations(kind: str) -> None:
    features, labels = problem(kind)
    given = torch.from_numpy(features).float(), torch.from_numpy(labels)
    for each in solve(*given, int(labels.max()) + 1, PENALTIES, 1e-4):
        assert each.slope <= 1e-4
        assert each.evaluations <= 60, each.penalty


def test_a_search_that_begins_at_the_optimum_takes_one_evaluation() -> None:
    features, labels = map(torch.from_numpy, problem("three classes"))
    first, again, other = solve(features, labels, 3, [1.0, 1.0, 0.1], 1e-6)
    assert torch.allclose(again.weight, first.weight)
    assert again.evaluations == 1 < first.evaluations
    alone = next(solve(features, labels, 3, [0.1], 1e-6))
    assert torch.allclose(alone.weight, other.weight, atol=1e-4)


def test_images_computed_in_parts_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = map(torch.from_numpy, problem("three classes"))
    whole = next(solve(features, labels, 3, [1.0], 1e-9))
    monkeypatch.setattr(logistic_regression, "CHUNK", 3 * 40)  # 40, 40 and 10 images
    assert torch.allclose(next(solve(features, labels, 3, [1.0], 1e-9)).weight, whole.weight)


def test_a_search_that_is_cut_short_tells_by_its_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_regression, "MOST_STEPS", 2)
    features, labels = map(torch.from_numpy, problem("three classes"))
    assert next(solve(features, labels, 3, [1.0], 1e-6)).slope > 1e-6
