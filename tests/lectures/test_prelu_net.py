"""Fact 31: the networks of He 2015, "Delving deep into rectifiers", Tables 3 and 4."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saccade.explain.anatomy import anatomy
from saccade.models.create import create_model


@pytest.mark.parametrize(
    ("name", "layers", "operations"),
    [("prelu_net_a", 19, 1.90e10), ("prelu_net_b", 22, 2.32e10), ("prelu_net_c", 22, 5.30e10)],
)
def test_f31_prelu_nets_have_the_papers_depth_and_cost(
    name: str, layers: int, operations: float
) -> None:
    with torch.device("meta"):
        network = create_model(name)
    weighted = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    slopes = [m for m in network.modules() if isinstance(m, nn.PReLU)]
    assert len(weighted) == layers
    assert len(slopes) == layers - 1  # behind every layer with weights but the last
    assert anatomy(network).total.multiply_adds == pytest.approx(operations, rel=0.01)


def test_f31_the_slope_of_each_channel_is_learned() -> None:
    prelu = nn.PReLU(2, init=0.25)
    prelu(torch.tensor([[-2.0, 3.0]])).sum().backward()
    assert prelu.weight.grad is not None
    assert prelu.weight.grad.tolist() == [-2.0, 0.0]  # Equation 5: y where y <= 0, else 0
