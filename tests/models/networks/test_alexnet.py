"""AlexNet: the public one against torchvision to the last bit, the paper's by its own numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import nn

from saccade.models.catalogue import NETWORKS
from saccade.models.create import create_model


def test_alexnet_is_torchvision_s_to_the_last_bit(parity: Callable[..., None]):
    parity(NETWORKS["alexnet"].make, torchvision.models.alexnet, 96)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alexnet", 61_100_840),
        ("alexnet_2012", 60_965_224),  # Krizhevsky 2012, abstract: "60 million parameters"
        ("alexnet_2012_one_tower", 62_378_344),
    ],
)
def test_parameters(name: str, expected: int, parameters: Callable[[str], int]):
    assert parameters(name) == expected


def test_the_towers_meet_in_conv3_alone():
    """Krizhevsky 2012, Figure 2: the upper tower reaches the lower in conv3 alone."""
    with torch.device("meta"):
        network = create_model("alexnet_2012")
    layers = {name: row for name, row in network.named_children() if isinstance(row, nn.Conv2d)}
    reach = {}
    for name, conv in layers.items():
        small = nn.Conv2d(conv.in_channels, conv.out_channels, 1, groups=conv.groups, bias=False)
        x = torch.zeros(1, conv.in_channels, 1, 1)
        x[:, : conv.in_channels // 2] = 1
        reach[name] = bool(small(x)[:, conv.out_channels // 2 :].any())
    del reach["conv1"]  # both towers see the whole image
    assert reach == {"conv2": False, "conv3": True, "conv4": False, "conv5": False}


def test_the_paper_starts_from_narrow_weights_and_some_biases_of_one():
    """Krizhevsky 2012, section 5: deviation 0.01; 1 in conv2, conv4, conv5, fc6, fc7; else 0."""
    network = create_model("alexnet_2012", num_classes=10)
    weights = {name: p for name, p in network.named_parameters() if name.endswith("weight")}
    assert all(abs(p.std().item() - 0.01) < 2e-4 for p in weights.values())
    ones = {name for name, p in network.named_parameters() if p.eq(1).all()}
    assert ones == {f"{name}.bias" for name in ("conv2", "conv4", "conv5", "fc6", "fc7")}
