"""ResNet and ResNeXt beside torchvision's and timm's, and their papers' numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import timm
import torch
import torchvision
from torch import nn

from saccade.models.catalogue import NETWORKS
from saccade.models.networks.resnext import resnext

PUBLIC = torchvision.models
WIDE = {"resnext101_32x8d", "resnext101_64x4d"}  # their bits are compared a block a stage
NAMES = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
]


def strided_first(make: Callable[[], nn.Module]) -> nn.Module:
    """torchvision's network with its bottlenecks' strides moved to the first 1x1."""
    network = make()
    for block in network.modules():
        if isinstance(block, PUBLIC.resnet.Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return network


@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_of_its_weights_are_torchvision_s(name: str, keys: Callable[..., list]):
    with torch.device("meta"):
        assert keys(NETWORKS[name].make()) == keys(PUBLIC.get_model(name))


def without_its_first_reductions() -> nn.Module:
    """torchvision's ResNet-18 as it is commonly changed for CIFAR."""
    network = PUBLIC.resnet18(num_classes=10)
    network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    network.add_module("maxpool", nn.Identity())
    return network


def test_the_small_one_is_torchvision_s_without_the_first_reductions(parity: Callable[..., None]):
    parity(NETWORKS["resnet18_small"].make, without_its_first_reductions, 32)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WIDE])
def test_it_is_torchvision_s_to_the_last_bit(name: str, parity: Callable[..., None]):
    parity(NETWORKS[name].make, getattr(PUBLIC, name), 32 if "resnet1" in name[:-1] else 64)


def test_resnext101_32x4d_is_timm_s_to_the_last_bit(parity: Callable[..., None]):
    parity(NETWORKS["resnext101_32x4d"].make, partial(timm.create_model, "resnext101_32x4d"), 32)


def test_v1_is_torchvision_s_with_the_strides_moved(parity: Callable[..., None]):
    parity(NETWORKS["resnet50_v1"].make, partial(strided_first, PUBLIC.resnet50))


@pytest.mark.parametrize("groups, base", [(2, 40), (8, 14), (32, 8), (64, 4)])
def test_a_resnext_of_another_cardinality_is_torchvision_s(
    groups: int, base: int, parity: Callable[..., None]
):
    block = PUBLIC.resnet.Bottleneck
    theirs = partial(PUBLIC.ResNet, block, [2, 1, 1, 1], groups=groups, width_per_group=base)
    parity(partial(resnext, (2, 1, 1, 1), groups=groups, base=base), theirs, 32)


@pytest.mark.parametrize(
    "name, learned, published",  # multiply-adds as published, in thousands of millions
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
    name: str,
    learned: int,
    published: float,
    parameters: Callable[[str], int],
    gigamacs: Callable[[str], float],
):
    assert parameters(name) == learned
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
def test_multiply_adds_to_the_last_published_digit(
    name: str, giga: float, gigamacs: Callable[[str], float]
):
    assert gigamacs(name) == pytest.approx(giga, abs=5e-4)


@pytest.mark.parametrize("kind", ["1x64d", "2x40d", "4x24d", "8x14d", "32x4d"])
def test_every_cardinality_costs_about_the_same(
    kind: str, parameters: Callable[[str], int], gigamacs: Callable[[str], float]
):
    """Xie 2016, Table 3 upper half: 4.1e9 multiply-adds and about 25 million parameters each."""
    assert gigamacs(f"resnext50_{kind}") == pytest.approx(4.1, rel=0.06)
    for name, millions in ((f"resnext50_{kind}", 25.0), (f"resnext101_{kind}", 44.0)):
        assert parameters(name) / 1e6 == pytest.approx(millions, rel=0.03), name


def test_a_resnext_of_one_path_is_a_resnet(keys: Callable[..., list]):
    with torch.device("meta"):
        assert keys(NETWORKS["resnext50_1x64d"].make()) == keys(NETWORKS["resnet50"].make())
