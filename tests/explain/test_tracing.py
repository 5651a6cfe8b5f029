"""One forward on the meta device, seen whole: functional, reused and in-place operations."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.errors import UsageError
from saccade.explain.receptive_field import receptive_fields
from saccade.explain.tracing import trace


def names(module: nn.Module, size: tuple[int, ...] = (3, 16, 16)) -> list[str]:
    return [operation.name for operation in trace(module, size).root.operations()]


class Functional(nn.Module):
    """A forward that never calls another module's."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(8, 3, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return F.max_pool2d(F.relu(F.conv2d(x, self.kernel)), 2).mean((2, 3))


class Reused(nn.Module):
    """One convolution, run three times."""

    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.same(self.same(self.same(x)))


class Written(nn.Module):
    """Half of the channels are overwritten in place, through a view."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(2, 2, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        kept = torch.zeros_like(x)
        kept[:, :2] = self.wide(x[:, :2])
        return kept + x


def test_functional_operations_are_seen_with_the_weights_they_use() -> None:
    forward = trace(Functional(), (3, 16, 16))
    assert [o.name for o in forward.root.operations()] == [
        "convolution",
        "relu",
        "max_pool2d_with_indices",
        "mean",
    ]
    assert next(forward.root.operations()).weights == {"kernel"}


def test_a_module_that_is_called_again_is_a_call_each_time() -> None:
    forward = trace(Reused(), (3, 16, 16))
    assert [getattr(child, "path", "") for child in forward.root.children] == ["same"] * 3
    assert receptive_fields(forward)[forward.root.output].size == (7, 7)  # pyright: ignore


def test_what_is_written_through_a_view_is_seen_in_the_whole() -> None:
    forward = trace(Written(), (3, 16, 16))
    assert receptive_fields(forward)[forward.root.output].size == (5, 5)  # pyright: ignore


def test_an_activation_in_place_follows_what_it_overwrites() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 3))
    assert names(network) == ["convolution", "relu_", "convolution"]


def test_a_module_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout())
    network[1].eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trace(network, (3, 16, 16))
    assert [part.training for part in network] == [True, False, True]
    assert all(torch.equal(before[name], t) for name, t in network.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in network)


def test_constants_made_on_the_processor_may_be_read() -> None:
    class Tables(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            steps = torch.arange(4).tolist()  # needs values, which meta tensors lack
            return x * torch.tensor(steps[-1]) + torch.ones(1, 3, 1, 1)

    assert names(Tables()) == ["mul", "add"]


def test_the_layer_at_which_an_image_ends_is_named() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4), nn.MaxPool2d(3), nn.Conv2d(4, 4, 3))
    with pytest.raises(UsageError, match="input 16x16 is too small for net: 2 would be 0x0"):
        trace(network, (3, 16, 16), "net")


def test_a_forward_that_looks_at_values_is_refused_with_its_place() -> None:
    class Choosing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(UsageError, match="Choosing cannot take 3x8x8") as refused:
        trace(nn.Sequential(Choosing()), (3, 8, 8), "Choosing")
    assert "cannot be traced" in refused.value.hint


def test_a_wrong_number_of_channels_names_the_layer() -> None:
    with pytest.raises(UsageError, match="net cannot take 1x8x8: 0 stopped"):
        trace(nn.Sequential(nn.Conv2d(3, 4, 3)), (1, 8, 8), "net")
