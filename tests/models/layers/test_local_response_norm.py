"""LocalResponseNorm against a loop over channels, and against PyTorch's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from saccade.models.layers.historic import LocalResponseNorm


def slow(x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
    """Krizhevsky 2012, section 3.3, term by term."""
    channels = x.shape[1]
    rows = []
    for i in range(channels):
        total = torch.zeros_like(x[:, 0])
        for j in range(max(0, i - size // 2), min(channels - 1, i + (size - 1) // 2) + 1):
            total = total + x[:, j] ** 2
        rows.append(x[:, i] / (k + alpha * total) ** beta)
    return torch.stack(rows, 1)


@pytest.mark.parametrize(("channels", "size"), [(7, 5), (7, 1), (7, 4), (3, 5), (2, 9)])
def test_values_and_gradients_are_those_of_the_papers_formula(agree, channels, size):
    layer = LocalResponseNorm(size, alpha=0.3, beta=0.75, k=2.0)
    x = torch.randn(2, channels, 3, 4)
    agree(layer, lambda x: slow(x, size, 0.3, 0.75, 2.0), x)


def test_it_is_pytorchs_with_alpha_divided_by_size(agree):
    torchs = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
    agree(LocalResponseNorm(), torchs, 30 * torch.randn(2, 12, 5, 5))


def test_a_lone_channel_of_ones_is_divided_by_its_own_energy():
    x = torch.ones(1, 1, 1, 1)
    assert LocalResponseNorm(alpha=2.0, beta=0.5, k=2.0)(x).item() == 0.5  # 1 / sqrt(2 + 2)


def test_it_takes_vectors_too(agree):
    agree(LocalResponseNorm(alpha=1.0), lambda x: slow(x, 5, 1.0, 0.75, 2.0), torch.randn(3, 6))
