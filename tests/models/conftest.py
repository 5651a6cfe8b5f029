"""Parity: a network of ours beside the public one that shares its weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn


def randomise(network: nn.Module) -> None:
    """Weights and statistics that no initialisation would give, the same on every call."""
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        elif value.dim() > 1:
            value.uniform_(-1, 1, generator=generator).mul_((3 / value[0].numel()) ** 0.5)
        elif value.is_floating_point():
            value.uniform_(-0.5, 0.5, generator=generator)
        else:
            value.fill_(7)  # num_batches_tracked


def empty(make: Callable[[], nn.Module]) -> nn.Module:
    """The network with memory, but without the time that its own initialisation takes."""
    with torch.device("meta"):
        return make().to_empty(device="cpu")


def run(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Logits and gradients of one step, and the statistics it leaves."""
    network.zero_grad()
    logits = network(images)
    logits.square().mean().backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return [logits.detach(), *gradients, *network.buffers()]


def assert_parity(
    ours: Callable[[], nn.Module], theirs: Callable[[], nn.Module], size: int = 64
) -> None:
    """The same keys in the same order, and the same bits out, in training and in evaluation."""
    one, two = empty(ours), empty(theirs)
    assert list(one.state_dict()) == list(two.state_dict())
    randomise(two)
    one.load_state_dict(two.state_dict(), strict=True)
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    for training in (True, False):
        a = run(one.train(training), images)
        b = run(two.train(training), images)
        assert len(a) == len(b) > 2
        assert a[0].isfinite().all()
        assert a[0].std() > 0
        assert all(torch.equal(x, y) for x, y in zip(a, b))
    two.load_state_dict(one.state_dict(), strict=True)


@pytest.fixture(scope="session")
def parity() -> Callable[..., None]:
    """`parity(ours, theirs, size)`: two constructors, compared to the last bit."""
    return assert_parity
