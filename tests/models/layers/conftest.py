"""What the layers' tests share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


@pytest.fixture
def agree() -> Callable[..., None]:
    """`agree(fast, slow, x, *weights)`: both give the same values and the same gradients."""

    def agree(fast: Function, slow: Function, x: Tensor, *weights: Tensor) -> None:
        x = x.double().requires_grad_()
        values, expected = fast(x), slow(x)
        assert values.shape == expected.shape
        torch.testing.assert_close(values, expected, rtol=1e-9, atol=1e-9)
        error = torch.randn(values.shape, generator=torch.Generator().manual_seed(1)).double()
        gradients = torch.autograd.grad(values, (x, *weights), error)
        for found, wanted in zip(gradients, torch.autograd.grad(expected, (x, *weights), error)):
            torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)

    return agree
