"""Backpropagation told node by node: names, values before they are overwritten, what is refused."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from saccade.errors import UsageError
from saccade.explain.backprop import backpropagation
from saccade.models.create import create_model
from saccade.models.layers.blocks import chain


def test_gradients_are_those_of_autograd_and_nothing_is_left_behind() -> None:
    torch.manual_seed(0)
    network, images, targets = (
        create_model("cifar_resnet20").eval(),
        torch.rand(4, 3, 32, 32),
        torch.arange(4),
    )
    trace = backpropagation(
        lambda images: F.cross_entropy(network(images), targets), network, images=images
    )
    assert all(p.grad is None for p in network.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network.modules())
    F.cross_entropy(network(images), targets).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(trace[name].error, parameter.grad)


def test_a_value_that_is_overwritten_is_told_as_it_was() -> None:
    network = chain(fc=nn.Linear(1, 2, bias=False), relu=nn.ReLU(inplace=True))
    network.load_state_dict({"fc.weight": torch.tensor([[1.0], [-1.0]])})
    trace = backpropagation(lambda x: network(x).sum(), network, x=torch.ones(1, 1))
    assert trace["fc"].value.tolist() == [[1, -1]]
    assert trace["fc"].error.tolist() == [[1, 0]]
    assert trace["relu"].value.tolist() == [[1, 0]]
    assert trace["relu"].error.tolist() == [[1, 1]]


def test_a_weight_that_is_used_twice_is_one_node() -> None:
    """Tied weights: f11."""
    trace = backpropagation(lambda w, x, y: w * x + w * y, w=3.0, x=2.0, y=5.0)
    assert trace["w"].error.item() == 7
    assert [node.name for node in trace.nodes if "w" in node.reads] == ["mul_1", "mul"]


def test_operations_within_a_block_are_called_after_it() -> None:
    network = create_model("resnet18", 10).eval()
    image = torch.rand(1, 3, 32, 32)
    names = [n.name for n in backpropagation(lambda x: network(x).sum(), network, x=image).nodes]
    assert {"conv1", "layer2.0.downsample.0", "layer4.1.add", "fc.bias"} <= set(names)


def test_a_function_of_ones_own_is_called_after_its_module() -> None:
    network = create_model("perceptron")
    trace = backpropagation(
        lambda x: network(x).square().sum(), network, x=torch.rand(2, 1, 28, 28)
    )
    assert trace["threshold"].operation == "PerceptronThreshold"
    assert trace["threshold"].reads == ("fc",)


def test_what_the_loss_does_not_depend_on_has_no_error_signal() -> None:
    trace = backpropagation(lambda x, y: (x + 0 * y.detach()) * 2, x=1.0, y=2.0)
    assert [node.name for node in trace.nodes] == ["mul", "add", "x"]
    with pytest.raises(UsageError, match="no node is called 'y'"):
        trace["y"]


@pytest.mark.parametrize("function", [lambda x: x, lambda x: 3.0, lambda x: x.repeat(2) * 1])
def test_what_is_no_single_computed_number_is_refused(function) -> None:
    with pytest.raises(UsageError, match="only one number"):
        backpropagation(function, x=torch.ones(()))


def test_as_text_and_as_data() -> None:
    trace = backpropagation(lambda x, y, z: (x + y) * z, x=-2.0, y=5.0, z=-4.0)
    first, second = str(trace).splitlines()[1:3]
    assert first.split() == ["mul", "mul(add,", "z)", "1", "-12", "1"]
    assert second.split() == ["z", "input", "1", "-4", "3"]
    assert trace.to_csv().splitlines()[:2] == [
        "node,operation,reads,shape,value,error_signal",
        "mul,mul,add z,,-12.0,1.0",
    ]
    assert trace.to_dict()["nodes"][2] == {
        "node": "add",
        "operation": "add",
        "reads": ["x", "y"],
        "shape": [],
        "value": 3.0,
        "error_signal": -4.0,
    }
    several = backpropagation(lambda x: x.sum(), x=torch.tensor([3.0, 4.0]))
    assert several["x"].cells() == ("x", "input", "2", "3.536", "1")  # sqrt((9 + 16) / 2)
