"""Initialisations: their variances, torchvision's beside ours, and what each does to a signal."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from saccade.models.catalogue import NETWORKS
from saccade.models.layers.initialise import INITIALISATIONS, he


def stack(activation: type[nn.Module]) -> nn.Sequential:
    """Ten layers of 256 units."""
    return nn.Sequential(*(m for _ in range(10) for m in (nn.Linear(256, 256), activation())))


def gain(network: nn.Sequential, x: Tensor) -> float:
    """How many times larger than the input the output is."""
    with torch.inference_mode():
        return (network(x).square().mean() / x.square().mean()).sqrt().item()


@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d"])
def test_a_network_starts_with_torchvision_s_statistics(name: str):
    torch.manual_seed(0)
    ours, theirs = NETWORKS[name].make(), getattr(torchvision.models, name)()
    for (key, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters()):
        if a.dim() > 1:
            assert a.std().item() == pytest.approx(b.std().item(), rel=0.06), key
            assert abs(a.mean().item()) < 6 * a.std().item() / a.numel() ** 0.5, key
        elif key != "fc.bias":  # ours is zero
            assert torch.equal(a, b), key


@pytest.mark.parametrize(
    "name, low, high",
    [("zero", 0, 0), ("small", 0, 1e-9), ("large", 1e8, 1e12), ("he", 0.3, 3)],
)
def test_through_ten_relu_layers_a_signal(name: str, low: float, high: float):
    """0.1^10, 10^10 and 1^10; the last of `he` ends in a ReLU here, so nothing is a head."""
    generator = torch.Generator().manual_seed(0)
    network = stack(nn.ReLU)
    network.append(nn.Conv2d(1, 1, 1))  # an end that is no linear layer
    INITIALISATIONS[name](network, generator)
    del network[-1]
    assert low <= gain(network, torch.randn(64, 256, generator=generator)) <= high


def test_xavier_keeps_the_variance_of_a_linear_stack_and_halves_it_at_each_relu():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 256, generator=generator)
    network = stack(nn.Identity)
    INITIALISATIONS["xavier"](network, generator)
    assert gain(network, x) == pytest.approx(1, rel=0.3)
    network = stack(nn.ReLU)
    INITIALISATIONS["xavier"](network, generator)
    assert gain(network, x) == pytest.approx(0.5**5, rel=0.4)


def test_zero_lets_no_gradient_reach_the_inner_layers():
    network = stack(nn.ReLU)
    INITIALISATIONS["zero"](network)
    network(torch.randn(4, 256)).sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in network.parameters())


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_the_same_generator_gives_the_same_weights_and_biases_are_zero(name: str):
    one, two = (
        INITIALISATIONS[name](NETWORKS["lenet5"].make(), torch.Generator().manual_seed(3))
        for _ in range(2)
    )
    for (key, a), b in zip(one.named_parameters(), two.parameters()):
        assert torch.equal(a, b)
        if key.endswith("bias"):
            assert not a.any()


def test_the_head_keeps_a_third_of_lecun_s_variance():
    head = nn.Linear(400, 1000)
    network = nn.Sequential(nn.Linear(300, 400), nn.ReLU(), head)
    he(network, torch.Generator().manual_seed(0))
    assert head.weight.std().item() == pytest.approx((1 / 1200) ** 0.5, rel=0.02)
