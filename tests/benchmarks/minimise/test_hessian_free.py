"""Conjugate gradients and Gauss-Newton: exact where theory says so."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest
import torch
from torch import Tensor

from minimise.hessian_free import conjugate_gradients, hessian_free
from minimise.objective import Objective


@pytest.mark.parametrize("n", [2, 5, 9])
def test_conjugate_gradients_solve_n_equations_in_n_steps(n: int, least_squares: Callable):
    _, matrix, _ = least_squares(n)
    asked = 0

    def product(v: Tensor) -> Tensor:
        nonlocal asked
        asked += 1
        return matrix @ v

    b = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x = conjugate_gradients(product, b, torch.zeros(n, dtype=torch.float64), n)
    torch.testing.assert_close(x, torch.linalg.solve(matrix, b))
    assert asked <= n + 1  # one for where it begins


def test_two_eigenvalues_take_two_steps():
    values = torch.tensor([1.0, 1, 1, 7, 7], dtype=torch.float64)
    b = torch.arange(1.0, 6).double()
    x = conjugate_gradients(lambda v: values * v, b, torch.zeros_like(b), 2)
    torch.testing.assert_close(x, b / values)


def test_they_stop_where_little_is_won():
    """Eigenvalues over six powers of ten: 200 steps are allowed, and far fewer are taken."""
    values = torch.logspace(-3, 3, 500, dtype=torch.float64)
    asked = 0

    def product(v: Tensor) -> Tensor:
        nonlocal asked
        asked += 1
        return values * v

    b = torch.ones(500, dtype=torch.float64)
    x = conjugate_gradients(product, values * b, torch.zeros_like(b), 400)
    assert 10 < asked < 200
    assert x.dot(values * x) / 2 - x.dot(values * b) < -0.99 * (values.sum() / 2)


def test_one_step_without_damping_solves_least_squares(least_squares: Callable):
    objective, _, minimum = least_squares(6)
    first = next(hessian_free(objective, torch.zeros(6, dtype=torch.float64), damping=0.0))
    torch.testing.assert_close(first, minimum)


def test_with_much_damping_a_step_is_a_short_one_down_the_gradient(least_squares: Callable):
    objective, _, _ = least_squares(6)
    start = torch.zeros(6, dtype=torch.float64)
    _, gradient = objective.gradient(start)
    first = next(hessian_free(objective, start, damping=1e8))
    torch.testing.assert_close(first * 1e8, -gradient, rtol=1e-4, atol=1e-4)


def test_rosenbrocks_valley_is_walked_to_its_end(rosenbrock: Objective, start: Tensor):
    *_, last = islice(hessian_free(rosenbrock, start), 60)
    torch.testing.assert_close(last, torch.ones(2, dtype=torch.float64), atol=1e-6, rtol=0)


@pytest.mark.parametrize("solves", [1, 2])
def test_few_solves_a_step_get_there_too(solves: int, least_squares: Callable):
    objective, _, minimum = least_squares(6)
    start = torch.zeros(6, dtype=torch.float64)
    *_, last = islice(hessian_free(objective, start, solves=solves), 200)
    torch.testing.assert_close(last, minimum, atol=1e-6, rtol=0)


def test_the_loss_falls_with_every_step(rosenbrock: Objective, start: Tensor):
    losses = [rosenbrock.loss(w) for w in islice(hessian_free(rosenbrock, start), 15)]
    assert losses == sorted(losses, reverse=True)


def test_it_ends_where_nothing_is_better(rosenbrock: Objective):
    assert list(hessian_free(rosenbrock, torch.ones(2, dtype=torch.float64))) == []
