"""ResNet and ResNeXt beside torchvision's and timm's, and their papers' numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from saccade.models.catalogue import NETWORKS

PUBLIC = torchvision.models
LARGE = {"resnet101", "resnet152", "resnext101_32x8d", "resnext101_64x4d"}  # at 32 px


def strided_first(make: Callable[[], nn.Module]) -> nn.Module:
    """torchvision's network with its bottlenecks' strides moved to the first 1x1."""
    network = make()
    for block in network.modules():
        if isinstance(block, PUBLIC.resnet.Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return network


@cache
def gigamacs(name: str) -> float:
    """Multiply-adds of convolutions and matrix products at 224, in thousands of millions."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        NETWORKS[name](num_classes=1000)(torch.empty(1, 3, 224, 224))
    return counter.get_total_flops() / 2e9


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnext50_32x4d",
        "resnext101_32x8d",
        "resnext101_64x4d",
    ],
)
def test_it_is_torchvision_s_to_the_last_bit(name: str, parity: Callable[..., None]):
    parity(NETWORKS[name], getattr(PUBLIC, name), 32 if name in LARGE else 64)


def test_resnext101_32x4d_is_timm_s_to_the_last_bit(parity: Callable[..., None]):
    parity(NETWORKS["resnext101_32x4d"], partial(timm.create_model, "resnext101_32x4d"), 32)


def test_v1_is_torchvision_s_with_the_strides_moved(parity: Callable[..., None]):
    parity(NETWORKS["resnet50_v1"], partial(strided_first, PUBLIC.resnet50))


@pytest.mark.parametrize("groups, base", [(2, 40), (8, 14)])
def test_a_resnext_of_another_cardinality_is_torchvision_s(
    groups: int, base: int, parity: Callable[..., None]
):
    block = PUBLIC.resnet.Bottleneck
    theirs = partial(PUBLIC.ResNet, block, [3, 4, 6, 3], groups=groups, width_per_group=base)
    parity(NETWORKS[f"resnext50_{groups}x{base}d"], theirs, 32)


@pytest.mark.parametrize(
    "name, parameters, published",  # multiply-adds as published, in thousands of millions
    [
        ("resnet18", 11_689_512, 1.8),  # He 2015, Table 1
        ("resnet34", 21_797_672, 3.6),
        ("resnet50_v1", 25_557_032, 3.86),  # Hu 2017, Table 2
        ("resnet101_v1", 44_549_160, 7.58),
        ("resnet152_v1", 60_192_808, 11.30),
        ("resnext50_32x4d", 25_028_904, 4.24),
    ],
)
def test_parameters_and_multiply_adds_are_the_published_ones(
    name: str, parameters: int, published: float
):
    with torch.device("meta"):
        network = NETWORKS[name](num_classes=1000)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert gigamacs(name) == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    "name, giga",  # the golden table of the public networks
    [
        ("resnet18", 1.814),
        ("resnet34", 3.664),
        ("resnet50", 4.089),
        ("resnet50_v1", 3.858),
        ("resnet101", 7.801),
        ("resnext50_32x4d", 4.230),
    ],
)
def test_multiply_adds_to_the_last_published_digit(name: str, giga: float):
    assert gigamacs(name) == pytest.approx(giga, abs=5e-4)


@pytest.mark.parametrize("kind", ["1x64d", "2x40d", "4x24d", "8x14d", "32x4d"])
def test_every_cardinality_costs_about_the_same(kind: str):
    """Xie 2016, Table 3 upper half: 4.1e9 multiply-adds and about 25 million parameters each."""
    assert gigamacs(f"resnext50_{kind}") == pytest.approx(4.1, rel=0.06)
    with torch.device("meta"):
        for name, millions in ((f"resnext50_{kind}", 25.0), (f"resnext101_{kind}", 44.0)):
            parameters = sum(p.numel() for p in NETWORKS[name]().parameters())
            assert parameters / 1e6 == pytest.approx(millions, rel=0.03), name


def test_a_resnext_of_one_path_is_a_resnet():
    with torch.device("meta"):
        one, two = NETWORKS["resnext50_1x64d"](), NETWORKS["resnet50"]()
    shapes = [{k: v.shape for k, v in n.state_dict().items()} for n in (one, two)]
    assert shapes[0] == shapes[1]
