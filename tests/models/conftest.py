"""What the networks' tests share: a public twin of each, and counts of one that has no memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from saccade.models.create import create_model, input_shape


def randomise(network: nn.Module) -> dict[str, Tensor]:
    """Weights and statistics that no initialisation would give, the same on every call."""
    generator = torch.Generator().manual_seed(0)
    state = network.state_dict()
    for name, value in state.items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        elif value.dim() > 1:
            value.uniform_(-1, 1, generator=generator).mul_((3 / value[0].numel()) ** 0.5)
        elif value.is_floating_point():
            value.uniform_(-0.5, 0.5, generator=generator)
        else:
            value.fill_(7)  # num_batches_tracked
    return state


def run(network: nn.Module, images: Tensor) -> list[Tensor]:
    """Logits of every classifier, gradients of one step, and the statistics it leaves."""
    torch.manual_seed(1)  # dropout
    network.zero_grad()
    images = images.clone().requires_grad_()
    answer = network(images)
    logits = [answer] if isinstance(answer, Tensor) else list(answer)
    torch.stack([each.square().mean() for each in logits]).sum().backward()
    gradients = [value.grad for value in (images, *network.parameters())]
    assert all(gradient is not None for gradient in gradients)
    return [*(each.detach() for each in logits), *gradients, *network.buffers()]  # pyright: ignore[reportReturnType]


def assert_parity(
    ours: Callable[[], nn.Module],
    theirs: Callable[[], nn.Module],
    size: int = 64,
    training: tuple[bool, ...] = (True, False),
) -> None:
    """The same keys in the same order, and the same bits out, in training and in evaluation."""
    with torch.device("meta"):  # memory, but not the time that their own initialisation takes
        one, two = ours(), theirs().to_empty(device="cpu")
    assert list(one.state_dict()) == list(two.state_dict())
    buffers = {name for name, _ in two.named_buffers()}
    state = {k: v.clone() if k in buffers else v for k, v in randomise(two).items()}
    one.load_state_dict(state, strict=True, assign=True)
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    for mode in training:
        a = run(one.train(mode), images)
        b = run(two.train(mode), images)
        assert a[0].isfinite().all()
        assert a[0].std() > 0
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    two.load_state_dict(one.state_dict(), strict=True)


@pytest.fixture(scope="session")
def parity() -> Callable[..., None]:
    """`parity(ours, theirs, size)`: two constructors, compared to the last bit."""
    return assert_parity


@cache
def outline(name: str) -> nn.Module:
    """The network of that name without memory."""
    with torch.device("meta"):
        return create_model(name)


@pytest.fixture(scope="session")
def keys() -> Callable[[nn.Module], list[tuple[str, torch.Size]]]:
    """`keys(network)`: names and shapes of its weights and statistics, in their order."""
    return lambda network: [(name, value.shape) for name, value in network.state_dict().items()]


@pytest.fixture(scope="session")
def parameters() -> Callable[[str], int]:
    """`parameters(name)`: how many numbers the network of that name learns."""
    return lambda name: sum(p.numel() for p in outline(name).parameters())


@cache
def counted(name: str) -> float:
    image = torch.empty(1, *input_shape(name), device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        outline(name).eval()(image)
    return counter.get_total_flops() / 2e9


@pytest.fixture(scope="session")
def gigamacs() -> Callable[[str], float]:
    """`gigamacs(name)`: multiply-adds of convolutions and matrix products, at the network's own
    size, in thousands of millions, as PyTorch counts them."""
    return counted
