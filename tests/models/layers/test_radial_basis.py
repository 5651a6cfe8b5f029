"""RadialBasis against the paper's sum, and its loss against the paper's criterion."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.models.layers.historic import RadialBasis


def test_the_score_is_minus_the_papers_distance(agree):
    codes = torch.randn(4, 6).double()

    def slow(x: Tensor) -> Tensor:
        rows = [
            [-sum((x[n, j] - code[j]) ** 2 for j in range(6)) for code in codes] for n in (0, 1)
        ]
        return torch.stack([torch.stack([torch.as_tensor(v) for v in row]) for row in rows])

    agree(RadialBasis(codes), slow, torch.randn(2, 6))


def test_the_gradient_at_a_code_is_zero():
    codes = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    x = codes[:1].clone().requires_grad_()
    score = RadialBasis(codes)(x)
    score[0, 0].backward()
    assert score.tolist() == [[0.0, -8.0]]
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, 0.0]]


def test_cross_entropy_is_the_papers_criterion_without_its_constant():
    """LeCun 1998, equation 9: y_D + log(e^-j + sum of e^-y_i), j the constant."""
    distances = [3.0, 1.0, 4.0]
    loss = F.cross_entropy(-torch.tensor([distances]), torch.tensor([1]))
    assert math.isclose(
        loss.item(), 1.0 + math.log(sum(math.exp(-y) for y in distances)), rel_tol=1e-6
    )


def test_the_codes_are_no_parameters():
    assert not list(RadialBasis(torch.ones(2, 3)).parameters())
