"""Functions whose minimum is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from minimise.objective import Objective, Rows


def half_square(residuals: Tensor, rows: Rows) -> Tensor:
    return residuals.square().sum() / 2


def rosenbrock_residuals(w: Tensor, rows: Rows) -> Tensor:
    """100 (y - x^2)^2 + (1 - x)^2 is half the sum of their squares; its minimum is 0 at (1, 1)."""
    x, y = w.unbind()
    return 2**0.5 * torch.stack((10 * (y - x * x), 1 - x))


@pytest.fixture
def rosenbrock() -> Objective:
    """Rosenbrock 1960."""
    return Objective(rosenbrock_residuals, half_square)


@pytest.fixture
def least_squares() -> Callable[[int], tuple[Objective, Tensor, Tensor]]:
    """`least_squares(n)`: |A w - b|^2 / 2 in n dimensions, A' A, and the minimum by a solver."""

    def made(n: int) -> tuple[Objective, Tensor, Tensor]:
        generator = torch.Generator().manual_seed(n)
        a = torch.randn(2 * n, n, dtype=torch.float64, generator=generator)
        b = torch.randn(2 * n, dtype=torch.float64, generator=generator)
        minimum = torch.linalg.lstsq(a, b).solution
        return Objective(lambda w, rows: a @ w - b, half_square), a.T @ a, minimum

    return made


@pytest.fixture
def start() -> Tensor:
    """Where Rosenbrock begins."""
    return torch.tensor([-1.2, 1.0], dtype=torch.float64)
