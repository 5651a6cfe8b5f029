"""Facts 1 to 5: from neurons to networks."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.models.layers.activations import HardThreshold, SoftReLU
from saccade.models.networks.small import linear, mlp, perceptron

ONE_PIXEL = (1, 1, 1)


def bits(count: int) -> Tensor:
    """All patterns of so many bits.  [2^count,count]"""
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=count)))


def test_f1_a_layer_is_phi_of_wx_plus_b():
    x = torch.randn(5, 3)
    images = x.view(5, 3, 1, 1)
    for network, phi in (
        (linear(2, input_shape=(3, 1, 1)), lambda z: z),  # linear regression
        (perceptron(2, input_shape=(3, 1, 1)), lambda z: (z > 0).float()),
        (mlp(2, (2,), activation=nn.Sigmoid, input_shape=(3, 1, 1))[:3], torch.sigmoid),
    ):
        w, b = network.parameters()
        torch.testing.assert_close(network(images), phi(x @ w.T + b))


def test_f1_a_stack_of_linear_layers_is_one_linear_layer():
    network = mlp(4, (6, 5), activation=nn.Identity, input_shape=(3, 2, 2)).double()
    w1, b1, w2, b2, w3, b3 = network.parameters()
    one = linear(4, input_shape=(3, 2, 2)).double()
    one.load_state_dict({"fc.weight": w3 @ w2 @ w1, "fc.bias": w3 @ (w2 @ b1 + b2) + b3})
    x = torch.randn(8, 3, 2, 2).double()
    torch.testing.assert_close(one(x), network(x))


def test_f2_tanh_is_a_sigmoid_moved_and_scaled():
    x = torch.linspace(-5, 5, 101).double()
    torch.testing.assert_close(nn.Tanh()(x), 2 * nn.Sigmoid()(2 * x) - 1)


def test_f2_soft_relu_is_log_of_1_plus_e_to_the_z():
    x = torch.linspace(-20, 20, 81).double()
    torch.testing.assert_close(SoftReLU()(x), torch.log(1 + torch.exp(x)))


def test_f2_leaky_relus_derivative_below_nought_is_plus_a():
    """[H] prints -a."""
    x = torch.tensor([-3.0, 3.0], requires_grad=True)
    nn.LeakyReLU(0.02)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == pytest.approx([0.02, 1.0])


def test_f2_prelu_learns_its_slope():
    phi = nn.PReLU(init=0.25)
    phi(torch.tensor([-3.0, 5.0])).sum().backward()
    assert phi.weight.grad is not None
    assert phi.weight.grad.item() == -3.0


def test_f3_xor_by_hard_thresholds():
    network = mlp(1, (2,), activation=HardThreshold, input_shape=(2, 1, 1))
    network.append(HardThreshold())
    network.load_state_dict(
        {
            "fc1.weight": torch.tensor([[1.0, 1.0], [1.0, 1.0]]),
            "fc1.bias": torch.tensor([-0.5, -1.5]),
            "output.weight": torch.tensor([[1.0, -1.0]]),  # h1 + (1 - h2) - 1.5
            "output.bias": torch.tensor([-0.5]),
        }
    )
    assert network(bits(2).view(4, 2, 1, 1)).flatten().tolist() == [0, 1, 1, 0]


def test_f4_as_many_hard_thresholds_as_patterns_give_any_function_of_bits():
    """Unit p fires for pattern p alone: weights +-1 and a threshold that only p passes."""
    patterns = bits(3)
    network = mlp(256, (8,), activation=HardThreshold, input_shape=(3, 1, 1))
    functions = bits(8)  # all 256 functions of 3 bits, a row a function
    network.load_state_dict(
        {
            "fc1.weight": 2 * patterns - 1,
            "fc1.bias": 0.5 - patterns.sum(1),
            "output.weight": functions,
            "output.bias": torch.zeros(256),
        }
    )
    assert torch.equal(network(patterns.view(8, 3, 1, 1)), functions.T)


def box(phi: nn.Module, weights: Tensor, biases: Tensor, heights: Tensor, x: Tensor) -> Tensor:
    network = mlp(1, (len(biases),), activation=lambda: phi, input_shape=ONE_PIXEL).double()
    network.load_state_dict(
        {
            "fc1.weight": weights.view(-1, 1),
            "fc1.bias": biases,
            "output.weight": heights.view(1, -1),
            "output.bias": torch.zeros(1),
        }
    )
    return network(x.view(-1, 1, 1, 1)).detach().flatten()


def test_f4_a_box_out_of_two_thresholds():
    x = torch.tensor([0.0, 0.9, 1.1, 1.9, 2.1, 3.0]).double()
    ones, ends = torch.ones(2), torch.tensor([1.0, 2.0])
    y = box(HardThreshold(), ones, -ends, torch.tensor([1.0, -1.0]), x)
    assert y.tolist() == [0, 0, 1, 1, 0, 0]


def test_f4_nearly_a_box_out_of_four_relus():
    """Ramps of width 0.01 in place of the steps."""
    x = torch.tensor([0.0, 0.99, 1.02, 1.5, 1.99, 2.02, 5.0]).double()
    corners = torch.tensor([1.0, 1.01, 2.0, 2.01])
    heights = torch.tensor([100.0, -100.0, -100.0, 100.0])
    y = box(nn.ReLU(), torch.ones(4), -corners, heights, x)
    assert y.tolist() == pytest.approx([0, 0, 1, 1, 1, 0, 0], abs=1e-3)


def test_f5_softmax_and_cross_entropy():
    z = [1.0, 2.0, 0.5]
    total = sum(math.exp(value) for value in z)
    y = [math.exp(value) / total for value in z]
    logits, t = torch.tensor([z]), [0.2, 0.7, 0.1]
    assert logits.softmax(1)[0].tolist() == pytest.approx(y)
    loss = F.cross_entropy(logits, torch.tensor([t])).item()
    assert loss == pytest.approx(-sum(a * math.log(b) for a, b in zip(t, y)))


def test_f5_squared_error():
    y, t = torch.tensor([[1.0, 4.0]]), torch.tensor([[3.0, 1.0]])
    assert (0.5 * F.mse_loss(y, t, reduction="sum")).item() == 6.5  # (4 + 9) / 2
