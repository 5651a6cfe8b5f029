"""L-BFGS: its secant equation, Rosenbrock, and scipy's beside it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np
import pytest
import scipy.optimize
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from minimise.lbfgs import lbfgs, line_search, times_inverse
from minimise.objective import Objective, network_loss, weights_of


def test_without_memory_the_direction_is_the_gradient():
    g = torch.randn(5)
    assert torch.equal(times_inverse(g, []), g)


def test_the_last_change_of_the_gradient_is_sent_to_the_last_step():
    """The secant equation H y = s, Nocedal and Wright, Equation 6.6."""
    torch.manual_seed(0)
    pairs = []
    for _ in range(4):
        s = torch.randn(6, dtype=torch.float64)
        pairs.append((s, s + 0.3 * torch.randn(6, dtype=torch.float64)))
    s, y = pairs[-1]
    torch.testing.assert_close(times_inverse(y, pairs), s)


def test_with_as_many_pairs_as_dimensions_it_is_the_inverse_of_a_quadratics_curvature():
    """Conjugate steps: BFGS then has the inverse, Nocedal and Wright, Theorem 6.4."""
    torch.manual_seed(0)
    a = torch.randn(5, 5, dtype=torch.float64)
    curvature = a @ a.T + torch.eye(5, dtype=torch.float64)
    vectors = torch.linalg.eigh(curvature).eigenvectors.T
    pairs = [(s, curvature @ s) for s in vectors]
    g = torch.randn(5, dtype=torch.float64)
    torch.testing.assert_close(times_inverse(g, pairs), torch.linalg.solve(curvature, g))


def test_a_step_falls_enough_and_is_flat_enough(rosenbrock: Objective, start: Tensor):
    loss, gradient = rosenbrock.gradient(start)
    for length in (1e-6, 1.0, 1e3):
        found = line_search(rosenbrock, start, -gradient, (loss, gradient), length)
        assert found is not None
        step, new, end = found
        assert new <= loss + 1e-4 * gradient.dot(step)
        assert end.dot(step) >= 0.9 * gradient.dot(step)


def test_rosenbrocks_valley_is_walked_to_its_end(rosenbrock: Objective, start: Tensor):
    *_, last = islice(lbfgs(rosenbrock, start), 60)
    torch.testing.assert_close(last, torch.ones(2, dtype=torch.float64), atol=1e-6, rtol=0)


def test_a_quadratic_is_solved(least_squares: Callable[[int], tuple]):
    objective, _, minimum = least_squares(8)
    *_, last = islice(lbfgs(objective, torch.zeros(8, dtype=torch.float64)), 40)
    torch.testing.assert_close(last, minimum, atol=1e-7, rtol=0)


def test_softmax_regression_costs_what_scipys_costs():
    """The same minimum, at no more than one and a half times its gradients."""
    x, targets = (torch.from_numpy(a) for a in load_digits(return_X_y=True))
    network = nn.Linear(64, 10).double()
    objective = network_loss(network, x[:300] / 16, targets[:300], decay=0.01)
    asked = 0

    def of_numpy(w: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal asked
        asked += 1
        loss, gradient = objective.gradient(torch.from_numpy(w))
        return loss, gradient.numpy()

    zero = torch.zeros_like(weights_of(network))
    theirs = scipy.optimize.minimize(
        of_numpy, zero.numpy(), jac=True, method="L-BFGS-B", options={"ftol": 1e-12, "maxcor": 10}
    )
    ours = network_loss(network, x[:300] / 16, targets[:300], decay=0.01)
    as_good = theirs.fun * (1 + 1e-8)
    next(w for w in lbfgs(ours, zero) if objective.loss(w) <= as_good)
    assert ours.cost / 3 <= 1.5 * asked


def test_it_ends_where_nothing_is_better(rosenbrock: Objective):
    assert list(lbfgs(rosenbrock, torch.ones(2, dtype=torch.float64))) == []


@pytest.mark.parametrize("memory", [1, 10])
def test_the_loss_falls_with_every_step(rosenbrock: Objective, start: Tensor, memory: int):
    losses = [rosenbrock.loss(w) for w in islice(lbfgs(rosenbrock, start, memory=memory), 20)]
    assert losses == sorted(losses, reverse=True)
