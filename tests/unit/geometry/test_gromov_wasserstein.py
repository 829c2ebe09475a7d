"""Facts about Gromov-Wasserstein: it forgets rotation, shift and padding, and its values lie between their bounds."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilt.geometry import gromov_wasserstein as transport
from dilt.geometry.cka import centred_products
from dilt.geometry.gromov_wasserstein import Distance, Geometry, gromov_wasserstein, projection_bound
from dilt.geometry.matching import Assignments, Matching, import_ot
from dilt.geometry.multiscale import MANY, extended, principal_axes, search_from_few

COSTS = pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cosine"])
SOLVERS = pytest.mark.parametrize("solver", ["standard", "thorough"])
SCALINGS = pytest.mark.parametrize("scaling", ["mean", "max", "none"])


def cloud(seed: int, num_probes: int = 20, num_features: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(num_probes, num_features))


def rotation(seed: int, size: int) -> np.ndarray:
    return np.linalg.qr(cloud(seed, size, size))[0]


def ground_cost(layer: np.ndarray, cost: str = "euclidean", scaling: str = "mean") -> np.ndarray:
    return transport.ground_cost(centred_products([layer]), cost, scaling)


def found(first: np.ndarray, second: np.ndarray, solver: str = "standard") -> Distance:
    """The distance of two ground costs."""
    return gromov_wasserstein(Geometry.of(first), Geometry.of(second), solver)


def loss(first: np.ndarray, second: np.ndarray, cost: str = "euclidean", scaling: str = "mean") -> float:
    return found(ground_cost(first, cost, scaling), ground_cost(second, cost, scaling)).loss


def permutations(number: int) -> list[np.ndarray]:
    return [np.array(order) for order in itertools.permutations(range(number))]


@given(st.integers(2, 6), st.integers(0, 10**6), st.sampled_from(["euclidean", "sqeuclidean", "cosine"]))
def test_no_coupling_beats_the_best_permutation(num_probes: int, seed: int, cost: str) -> None:
    # For costs that are conditionally negative the loss is concave, so that its minimum is at a permutation.
    first, second = (ground_cost(cloud(seed + shift, num_probes, 3), cost) for shift in (0, 1))
    orders = permutations(num_probes)
    best = min(((first - second[np.ix_(order, order)]) ** 2).mean() for order in orders)
    for solver in ("standard", "thorough"):
        one = found(first, second, solver)
        assert one.lower_bound - 1e-12 <= best <= one.loss + 1e-12
        assert one.loss <= one.identity_loss
    draws = np.random.default_rng(seed)
    shares = draws.dirichlet(np.ones(4))
    plan = sum(share * np.eye(num_probes)[draws.permutation(num_probes)] for share in shares) / num_probes
    squares = (first**2).mean() + (second**2).mean()
    assert squares - 2 * np.trace(plan.T @ first @ plan @ second) >= best - 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_searches_from_everywhere_find_the_global_minimum(seed: int) -> None:
    first, second = (ground_cost(cloud(seed + shift, 6, 3)) for shift in (0, 100))
    matching, draws = Matching(first, second), np.random.default_rng(seed)
    best = min(matching.loss(order) for order in permutations(6))
    assert min(matching.search(draws.permutation(6), "random").loss for _ in range(20)) == pytest.approx(best)


def test_two_points_are_as_far_as_their_costs_differ() -> None:
    first, second = (side * (1 - np.eye(2)) for side in (3.0, 1.0))
    assert found(first, second).loss == pytest.approx((3 - 1) ** 2 / 2)


@SOLVERS
@pytest.mark.parametrize("number", [3, 10, 50])
def test_simplices_differ_by_their_edges(number: int, solver: str) -> None:
    one = found(1 - np.eye(number), 2 - 2 * np.eye(number), solver)
    assert one.loss == one.identity_loss == pytest.approx((number - 1) / number)
    assert one.lower_bound == pytest.approx(one.loss), "the bound is tight for scaled copies"


@pytest.mark.parametrize("num_probes", [40, 300])
@pytest.mark.parametrize("start", ["identity", "by_eccentricity"])
def test_a_search_goes_where_the_conditional_gradient_of_pot_goes_and_not_less_far(num_probes: int, start: str) -> None:
    # Above 256 probes the first assignment is POT's, below it SciPy's.
    first, second = (ground_cost(cloud(seed, num_probes)) for seed in (0, 1))
    ot, weights = import_ot(), np.full(num_probes, 1 / num_probes)
    plan = np.diag(weights) if start == "identity" else None  # POT's default is the product
    value = float(
        ot.gromov.gromov_wasserstein2(first, second, weights, weights, symmetric=True, G0=plan, tol_rel=1e-12)
    )
    matching = Matching(first, second)
    order = getattr(matching, start)()
    descended = matching.search(order, start, exchange=False)
    assert descended.loss == pytest.approx(value, rel=1e-9)
    searched = matching.search(order, start)
    assert searched.loss <= descended.loss
    assert searched.converged
    assert gromov_wasserstein(Geometry.of(first), Geometry.of(second), "thorough").loss <= value * (1 + 1e-12)


@SOLVERS
@given(st.integers(0, 99))
def test_the_loss_is_that_of_the_permutation_which_no_exchange_lowers(solver: str, seed: int) -> None:
    first, second = (ground_cost(cloud(seed + shift)) for shift in (0, 100))
    one = found(first, second, solver)
    assert sorted(one.order) == list(range(20))
    assert one.loss == pytest.approx(((first - second[one.order][:, one.order]) ** 2).mean(), rel=1e-12)
    matching = Matching(first, second)
    for i, j in itertools.combinations(range(20), 2):
        order = one.order.copy()
        order[[i, j]] = order[[j, i]]
        assert matching.loss(order) >= one.loss - 1e-9


@given(st.integers(0, 99))
def test_thorough_is_never_above_standard_nor_its_bounds_below(seed: int) -> None:
    first, second = (ground_cost(cloud(seed + shift)) for shift in (0, 100))
    standard, thorough = (found(first, second, solver) for solver in ("standard", "thorough"))
    assert standard.lower_bound <= thorough.lower_bound <= thorough.loss <= standard.loss + 1e-12
    assert thorough.loss <= standard.identity_loss


def test_a_shuffled_copy_is_recognised_from_the_third_lower_bound() -> None:
    layer = cloud(0, 60)
    order = np.random.default_rng(0).permutation(60)
    thorough = found(ground_cost(layer), ground_cost(layer[order]), "thorough")
    assert thorough.loss < 1e-12
    assert np.array_equal(thorough.order[order], np.arange(60))


@pytest.mark.parametrize("number", [MANY, MANY + 3])
def test_two_shuffled_copies_of_clouds_of_many_probes_are_recognised_from_few(number: int) -> None:
    # Unlike lengths of the axes, and no symmetry: one way of laying them over each other is best. The probes of a part
    # are not those of its match, which only the search with all of them can find.
    layer = np.random.default_rng(0).exponential(size=(number, 2)) * (4, 1)
    order = np.random.default_rng(1).permutation(number)
    first, second = ground_cost(layer), ground_cost(layer[order])
    one = search_from_few(Matching(first, second))
    assert np.array_equal(order[one.order], np.arange(number))
    assert one.loss < 1e-12
    assert one.converged
    assert found(first, second).loss == pytest.approx(one.loss, abs=1e-12)


def test_a_search_from_few_ends_where_no_assignment_lowers_it_and_never_above_the_identity() -> None:
    for noise in (1e-3, 3.0):
        layer = cloud(0, MANY)
        first, second = ground_cost(layer), ground_cost(layer + noise * cloud(1, MANY))
        one = search_from_few(Matching(first, second))
        assert one.converged
        assert Matching(first, second).search(one.order, "").loss == pytest.approx(one.loss, rel=1e-9)
        geometries = Geometry.of(first), Geometry.of(second)
        standard, thorough = (gromov_wasserstein(*geometries, solver) for solver in ("standard", "thorough"))
        assert standard.lower_bound <= thorough.loss <= standard.loss <= standard.identity_loss
        assert standard.loss <= one.loss


def test_a_match_of_every_second_probe_is_kept_and_extended_to_the_right_ones() -> None:
    layer = cloud(0, 60)
    order = np.random.default_rng(0).permutation(30)
    shuffled = layer.copy()
    shuffled[2 * order], shuffled[2 * order[::-1] + 1] = layer[::2], layer[1::2]
    matched = extended(Matching(ground_cost(layer), ground_cost(shuffled)), order)
    assert np.array_equal(matched[::2], 2 * order)
    assert np.array_equal(matched[1::2], 2 * order[::-1] + 1)


def test_two_principal_axes_of_a_plane_give_its_distances() -> None:
    costs = ground_cost(cloud(0, 30, 2))
    axes = principal_axes(costs)
    assert np.linalg.norm(axes[:, None] - axes, axis=2) == pytest.approx(costs, abs=1e-9)


def test_near_identical_layers_are_not_lost_as_from_the_default_start_of_pot() -> None:
    # Two blocks, the second almost the identity: POT's product start ends many times too far.
    layer = np.random.default_rng(0).normal(size=(100, 30)) * np.linspace(1, 1.01, 30)
    first, second = ground_cost(layer), ground_cost(layer + 1e-3 * cloud(1, 100, 30))
    one = found(first, second)
    assert one.loss <= one.identity_loss
    assert float(import_ot().gromov.gromov_wasserstein2(first, second)) > 100 * one.loss


def test_adjacent_blocks_of_a_trained_network_are_no_further_than_the_identity_coupling() -> None:
    # Residual blocks that were zero before a short training on digits change little; POT's product start loses some.
    costs = [ground_cost(layer) for layer in layers_of_a_trained_network()]
    ratios = []
    for first, second in itertools.pairwise(costs):
        one = found(first, second)
        assert 0 < one.loss < 1.01 * one.identity_loss
        ratios.append(float(import_ot().gromov.gromov_wasserstein2(first, second)) / one.loss)
    assert min(ratios) > 1 - 1e-9
    assert max(ratios) > 3


def layers_of_a_trained_network() -> list[np.ndarray]:
    """What 200 digits are after the first layer and each of four blocks, (200, 32) each."""
    import torch
    from sklearn.datasets import load_digits

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        images, labels = (torch.as_tensor(part) for part in load_digits(return_X_y=True))
        images = images.float() / 16
        stem, head = torch.nn.Linear(64, 32), torch.nn.Linear(32, 10)
        blocks = [
            torch.nn.Sequential(torch.nn.Linear(32, 32), torch.nn.ReLU(), torch.nn.Linear(32, 32)) for _ in range(4)
        ]
        for block in blocks:
            torch.nn.init.zeros_(block[2].weight)
        network = torch.nn.ModuleList([stem, *blocks, head])

        def layers(batch: torch.Tensor) -> list[torch.Tensor]:
            found = [stem(batch).relu()]
            for block in blocks:
                found.append(found[-1] + block(found[-1]))
            return found

        optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
        for _ in range(60):
            chosen = torch.randint(0, 1500, (64,))
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(head(layers(images[chosen])[-1]), labels[chosen]).backward()
            optimizer.step()
        with torch.no_grad():
            return [layer.numpy() for layer in layers(images[1500:1700])]


def test_the_entropic_solver_of_pot_ends_near_by_and_on_average_no_lower() -> None:
    # A peer that knows neither permutations nor our starts; its plans are rounded to permutations and polished.
    ratios = []
    for seed in range(4):
        first, second = (ground_cost(cloud(seed + shift, 30)) for shift in (0, 100))
        plan = import_ot().gromov.entropic_gromov_wasserstein(first, second, epsilon=0.01, max_iter=50)
        polished = Matching(first, second).search(Assignments().solve(plan.max() - plan), "entropic")
        ratios.append(found(first, second, "thorough").loss / polished.loss)
    assert np.mean(ratios) < 1
    assert max(ratios) < 1.2


@given(st.integers(2, 12), st.integers(0, 999))
def test_assignments_are_exact_whatever_was_solved_before(number: int, seed: int) -> None:
    from scipy.optimize import linear_sum_assignment

    draws, assignments = np.random.default_rng(seed), Assignments()
    costs = draws.random((number, number))
    for _ in range(4):
        costs = np.abs(costs + 0.3 * draws.normal(size=costs.shape))
        order = assignments.solve(costs)
        rows, columns = linear_sum_assignment(costs)
        assert costs[rows, order].sum() == pytest.approx(costs[rows, columns].sum())


def test_an_assignment_that_pot_does_not_solve_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    # What POT does with large negative costs: a plan of zeros, and no more than a warning.
    ot = import_ot()
    monkeypatch.setattr(ot, "emd", lambda a, b, costs, **_: (0 * costs, {"result_code": 0, "warning": "infeasible"}))
    with pytest.raises(ArithmeticError, match="assignment of 300 probes did not end: infeasible"):
        Assignments().solve(np.ones((300, 300)))


@COSTS
def test_ground_costs_are_conditionally_negative(cost: str) -> None:
    layer = np.vstack([cloud(0), cloud(0)[:3], np.zeros((2, 5))])  # duplicates too
    assert Geometry.of(ground_cost(layer, cost)).conditionally_negative


def test_other_costs_and_weighted_probes_are_left_to_the_conditional_gradient_of_pot() -> None:
    first, second = (ground_cost(cloud(seed)) for seed in (0, 1))
    similar = Geometry.of(first.max() - first)
    assert not similar.conditionally_negative
    one = gromov_wasserstein(similar, Geometry.of(second))
    assert one.order is None
    assert one.lower_bound <= one.loss <= one.identity_loss

    weights = np.linspace(1, 3, 20) / np.linspace(1, 3, 20).sum()
    weighted = gromov_wasserstein(Geometry.of(first), Geometry.of(second), weights=weights)
    joint = weights[:, None] * weights
    assert weighted.identity_loss == pytest.approx(((first - second) ** 2 * joint).sum())
    assert weighted.lower_bound <= weighted.loss <= weighted.identity_loss
    assert weighted.converged
    alike = gromov_wasserstein(Geometry.of(first), Geometry.of(second), weights=np.full(20, 1 / 20))
    assert alike.loss == pytest.approx(Matching(first, second).search(np.arange(20), "", exchange=False).loss)


def test_the_projection_bound_is_a_bound_and_rotated_copies_attain_it() -> None:
    layer = cloud(0)
    geometry = Geometry.of(ground_cost(layer))
    assert projection_bound(geometry, Geometry.of(ground_cost(layer @ rotation(0, 5)))) == pytest.approx(0, abs=1e-12)
    for seed in range(20):
        other = Geometry.of(ground_cost(cloud(seed + 1)))
        assert 0 < projection_bound(geometry, other) <= gromov_wasserstein(geometry, other, "thorough").loss


def test_duplicate_probes_change_nothing_but_their_weight() -> None:
    layer = np.repeat(cloud(0, 10), 2, axis=0)
    copy = layer @ rotation(1, 5)
    one = found(ground_cost(layer), ground_cost(copy), "thorough")
    assert one.loss < 1e-12
    assert found(ground_cost(layer), ground_cost(np.repeat(cloud(3, 10), 2, axis=0))).converged


@COSTS
@SCALINGS
def test_equal_layers_have_no_distance(cost: str, scaling: str) -> None:
    assert loss(cloud(0), cloud(0), cost, scaling) == 0


@COSTS
@SCALINGS
@given(seed=st.integers(0, 99))
def test_a_rotated_shifted_padded_copy_has_no_distance(cost: str, scaling: str, seed: int) -> None:
    layer = cloud(seed)
    copy = np.hstack([layer @ rotation(seed, 5) + cloud(seed, 1), np.zeros((20, 3))])
    assert loss(layer, copy, cost, scaling) < 1e-12


@given(st.integers(0, 99), st.floats(0.1, 5))
def test_without_scaling_a_scaled_copy_is_as_far_as_its_scale(seed: int, factor: float) -> None:
    # By Cauchy-Schwarz no coupling does better than the identity, whose loss is (1 - factor)^2 mean(C^2).
    layer = cloud(seed)
    expected = (1 - factor) ** 2 * (ground_cost(layer, "euclidean", "none") ** 2).mean()
    assert loss(layer, factor * layer, scaling="none") == pytest.approx(expected, rel=1e-9, abs=1e-12)


@COSTS
@given(seed=st.integers(0, 99), factor=st.sampled_from([1e-4, 0.1, 7.0, 1000.0]))
def test_with_scaling_the_scale_of_a_layer_does_not_matter(cost: str, seed: int, factor: float) -> None:
    for scaling in ("mean", "max"):
        scaled = ground_cost(factor * cloud(seed), cost, scaling)
        assert scaled == pytest.approx(ground_cost(cloud(seed), cost, scaling), rel=1e-9, abs=1e-12)


def test_scaled_costs_have_mean_or_maximum_one() -> None:
    between = ~np.eye(20, dtype=bool)
    assert ground_cost(cloud(0), "euclidean", "mean")[between].mean() == pytest.approx(1)
    assert ground_cost(cloud(0), "euclidean", "max").max() == 1


def test_costs_are_the_distances_between_probes() -> None:
    layer = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert ground_cost(layer, "euclidean", "none")[0, 1] == pytest.approx(5)
    assert ground_cost(layer, "sqeuclidean", "none")[0, 1] == pytest.approx(25)
    assert ground_cost(layer, "cosine", "none")[0, 1] == pytest.approx(2)  # opposite, seen from their mean


@given(st.integers(0, 99), st.floats(1e-6, 1))
def test_near_identical_layers_are_never_further_than_the_identity_coupling(seed: int, noise: float) -> None:
    first = ground_cost(cloud(seed), "euclidean", "mean")
    second = ground_cost(cloud(seed) + noise * cloud(seed + 1), "euclidean", "mean")
    one = found(first, second)
    assert 0 <= one.loss <= one.identity_loss == ((first - second) ** 2).mean()
    assert one.distance == np.sqrt(one.loss) / 2 <= one.rdm_distance == np.sqrt(one.identity_loss) / 2


def test_unrelated_layers_are_found_to_be_closer_than_the_identity_coupling_says() -> None:
    pairs = [[ground_cost(cloud(seed + shift), "euclidean", "mean") for shift in (0, 100)] for seed in range(10)]
    assert sum(one.loss < 0.99 * one.identity_loss for one in itertools.starmap(found, pairs)) >= 8


@COSTS
@SCALINGS
def test_a_constant_layer_is_a_point(cost: str, scaling: str) -> None:
    constant = np.full((20, 4), 0.1, dtype=np.float32)
    assert not ground_cost(constant, cost, scaling).any()
    assert loss(constant, 3 * constant, cost, scaling) == 0
    expected = (ground_cost(cloud(0), cost, scaling) ** 2).mean()
    assert loss(constant, cloud(0), cost, scaling) == pytest.approx(expected)


def test_distance_does_not_depend_on_the_side() -> None:
    assert loss(cloud(0), cloud(1)) == pytest.approx(loss(cloud(1), cloud(0)), rel=1e-6)


def test_layers_seen_on_other_probes_are_refused() -> None:
    with pytest.raises(ValueError, match="seen on 20 and 19 probes cannot be compared"):
        loss(cloud(0), cloud(0)[1:])


def test_a_layer_of_weighted_probes_has_no_distance_to_itself() -> None:
    layer = Geometry.of(ground_cost(cloud(3)))
    weights = np.linspace(1, 2, len(layer.costs))
    distance = gromov_wasserstein(layer, layer, weights=weights / weights.sum())
    assert (distance.loss, distance.lower_bound, distance.start, distance.converged) == (0, 0, "identity", True)
