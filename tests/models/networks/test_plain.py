"""Plain networks: ResNet with nothing on its shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torchvision
from torch import Tensor, nn

from saccade.models.catalogue import NETWORKS


class Nothing(nn.Module):
    """Zeros that broadcast over whatever a shortcut would be added to."""

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros(1, 1, 1, 1)


def without_shortcuts(make: Callable[[], nn.Module]) -> nn.Module:
    """torchvision's network, zeros on every shortcut."""
    network = make()
    kinds = torchvision.models.resnet.BasicBlock, torchvision.models.resnet.Bottleneck
    for block in network.modules():
        if isinstance(block, kinds):
            block.downsample = Nothing()
    return network


@pytest.mark.parametrize("depth", [18, 50])
def test_it_is_torchvision_s_resnet_without_its_shortcuts_to_the_last_bit(
    depth: int, parity: Callable[..., None]
):
    theirs = partial(without_shortcuts, getattr(torchvision.models, f"resnet{depth}"))
    parity(NETWORKS[f"plain{depth}"].make, theirs)


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_it_has_all_weights_of_the_resnet_but_the_projections(depth: int):
    with torch.device("meta"):
        plain, residual = (NETWORKS[f"{kind}{depth}"].make() for kind in ("plain", "resnet"))
    shapes = {k: v.shape for k, v in residual.state_dict().items() if "downsample" not in k}
    assert {k: v.shape for k, v in plain.state_dict().items()} == shapes
