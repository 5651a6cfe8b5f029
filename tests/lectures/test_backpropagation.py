"""Facts 6 to 10: backpropagation."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from saccade.explain.anatomy import anatomy
from saccade.explain.backprop import backpropagation
from saccade.models.catalogue import NETWORKS
from saccade.models.create import create_model


def test_f6_a_product_sends_each_factor_the_error_signal_times_the_other() -> None:
    trace = backpropagation(lambda x, y: x * y, x=4.0, y=-3.0)
    assert trace.loss == -12
    assert (trace["x"].error.item(), trace["y"].error.item()) == (-3, 4)


def test_f6_a_sum_within_a_product() -> None:
    trace = backpropagation(lambda x, y, z: (x + y) * z, x=-2.0, y=5.0, z=-4.0)
    values = {node.name: (node.value.item(), node.error.item()) for node in trace.nodes}
    assert values == {"mul": (-12, 1), "add": (3, -4), "x": (-2, -4), "y": (5, -4), "z": (-4, 3)}


def test_f7_one_sigmoid_unit_with_squared_error() -> None:
    w, x, b, t = 0.5, 2.0, -0.25, 1.0
    trace = backpropagation(
        lambda w, b: (torch.sigmoid(w * x + b) - t).square() / 2, w=w, b=b
    )  # of x and t no error signal is asked for
    y = 1 / (1 + math.exp(-(w * x + b)))
    y_bar = y - t
    z_bar = y_bar * y * (1 - y)
    expected = {"sigmoid": (y, y_bar), "add": (0.75, z_bar), "w": (w, z_bar * x), "b": (b, z_bar)}
    for name, (value, error) in expected.items():
        assert trace[name].value.item() == pytest.approx(value, rel=1e-12)
        assert trace[name].error.item() == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("depth", [1, 5, 10])
def test_f7_an_error_signal_shrinks_by_the_slope_of_every_sigmoid(depth: int) -> None:
    """At z = 0 the slope is 1/4, as steep as it gets: 10 layers leave less than a millionth."""

    def stack(z: torch.Tensor) -> torch.Tensor:
        for _ in range(depth):
            z = torch.sigmoid(z) - 0.5
        return z

    assert backpropagation(stack, z=0.0)["z"].error.item() == 0.25**depth


def test_f8_a_node_that_is_read_twice_gets_the_sum_of_both_error_signals() -> None:
    t = 0.7

    def f(t: torch.Tensor) -> torch.Tensor:
        y = t.square()
        return y + torch.exp(torch.cos(t) * y)

    trace = backpropagation(f, t=t)
    x, y = math.cos(t), t * t
    assert trace["square"].error.item() == pytest.approx(1 + x * math.exp(x * y), rel=1e-12)
    assert trace["cos"].error.item() == pytest.approx(y * math.exp(x * y), rel=1e-12)
    derivative = y * math.exp(x * y) * -math.sin(t) + (1 + x * math.exp(x * y)) * 2 * t
    assert trace["t"].error.item() == pytest.approx(derivative, rel=1e-12)


@pytest.mark.parametrize("name", ["mlp_sigmoid", "lenet5_1998", "cifar_resnet20", "googlenet"])
def test_f9_every_node_comes_before_all_that_it_reads(name: str) -> None:
    channels, height, width = NETWORKS[name].input
    size = (channels, min(64, height), min(64, width))
    torch.manual_seed(0)
    network, images, targets = create_model(name, 10), torch.rand(2, *size), torch.tensor([3, 7])
    trace = backpropagation(
        lambda images: F.cross_entropy(network(images), targets), network, images=images
    )
    place = {node.name: n for n, node in enumerate(trace.nodes)}
    assert len(place) == len(trace.nodes)
    for node in trace.nodes:
        assert node.error.shape == node.value.shape
        assert all(place[source] > place[node.name] for source in node.reads)
    assert {name for name, _ in network.named_parameters()} | {"images"} < place.keys()
    assert {trace[name].operation for name, _ in network.named_parameters()} == {"parameter"}


@pytest.mark.parametrize(
    "name", ["mlp", "lenet5", "net3", "cifar_resnet20", "resnet18", "googlenet"]
)
def test_f10_the_backward_pass_costs_two_multiply_adds_for_each_one_forward(name: str) -> None:
    """One for the gradient of the weight, one for the error signal of what it read.

    The image counts as read: without its error signal the first layer costs one less.  PyTorch
    counts the backward pass of a convolution in groups as if it had none, so none is here.
    """
    channels, height, width = NETWORKS[name].input
    size = (channels, min(64, height), min(64, width))
    with torch.device("meta"):
        network = create_model(name, 10).eval()
    image = torch.empty(1, *size, device="meta", requires_grad=True)
    with FlopCounterMode(display=False) as forward:
        outputs = network(image)
    with FlopCounterMode(display=False) as backward:
        outputs.sum().backward()
    ours = anatomy(network, size).total.multiply_adds
    assert forward.get_total_flops() == 2 * ours  # a multiplication and an addition
    assert backward.get_total_flops() == 2 * forward.get_total_flops()


def test_f10_a_fully_connected_layer_has_one_multiply_add_per_connection() -> None:
    total = anatomy(create_model("linear_regression"), (1, 28, 28)).total
    assert total.multiply_adds == total.connections == 28 * 28 * 10
