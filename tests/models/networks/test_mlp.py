"""The multilayer perceptron of any width, and each activation by its formula."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from saccade.models.create import create_model
from saccade.models.networks.small import mlp

FORMULAS = {
    "mlp": lambda z: max(z, 0.0),
    "mlp_identity": lambda z: z,
    "mlp_hard_threshold": lambda z: float(z > 0),
    "mlp_sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "mlp_tanh": math.tanh,
    "mlp_scaled_tanh": lambda z: 1.7159 * math.tanh(2 * z / 3),
    "mlp_soft_relu": lambda z: math.log(1 + math.exp(z)),
    "mlp_leaky_relu": lambda z: z if z > 0 else 0.02 * z,
    "mlp_prelu": lambda z: z if z > 0 else 0.25 * z,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_each_activation_is_its_formula(name):
    phi = create_model(name, num_classes=10).get_submodule("phi1")
    points = [-2.0, -0.5, 0.25, 3.0]
    assert phi(torch.tensor(points)).tolist() == pytest.approx([FORMULAS[name](z) for z in points])


@pytest.mark.parametrize("widths", [(), (5,), (7, 5, 3)])
def test_parameters_follow_from_the_widths(widths):
    network = mlp(4, widths, input_shape=(2, 3, 3))
    sizes = (18, *widths, 4)
    expected = sum((cin + 1) * cout for cin, cout in pairwise(sizes))
    assert sum(p.numel() for p in network.parameters()) == expected
    assert network(torch.zeros(2, 2, 3, 3)).shape == (2, 4)


def test_its_output_is_the_layers_by_hand():
    network = mlp(2, (3,), input_shape=(1, 1, 2)).double()
    x = torch.tensor([[[[0.3, -0.7]]]]).double()
    w, b, v, c = (p.detach().tolist() for p in network.parameters())
    h = [max(0.0, row[0] * 0.3 - row[1] * 0.7 + bias) for row, bias in zip(w, b)]
    y = [sum(a * k for a, k in zip(h, row)) + bias for row, bias in zip(v, c)]
    assert network(x)[0].tolist() == pytest.approx(y, rel=1e-6)
