"""EfficientNet-Lite0 beside timm's, and the numbers of its repository's table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import timm
import torch

from saccade.models.catalogue import NETWORKS
from saccade.models.create import create_model
from saccade.models.networks.efficientnet_lite import SamePadding


@pytest.mark.parametrize("size", [64, 75])  # even and odd maps: "SAME" pads them differently
def test_it_is_timm_s_to_the_last_bit(size: int, parity: Callable[..., None]) -> None:
    theirs = partial(timm.create_model, "tf_efficientnet_lite0", drop_rate=0.2)
    parity(NETWORKS["efficientnet_lite0"].make, theirs, size)


def test_it_has_the_parameters_of_the_published_network() -> None:
    with torch.device("meta"):
        network = create_model("efficientnet_lite0")
    assert sum(p.numel() for p in network.parameters()) == 4_652_008


@pytest.mark.parametrize(
    ("size", "kernel_size", "stride", "before", "after"),
    [(224, 3, 2, 0, 1), (7, 3, 2, 1, 1), (56, 5, 2, 1, 2), (9, 5, 1, 2, 2)],
)
def test_padding_is_tensorflow_s_same(
    size: int, kernel_size: int, stride: int, before: int, after: int
) -> None:
    """max((ceil(size / stride) - 1) stride + kernel - size, 0), the odd one last."""
    padded = SamePadding(kernel_size, stride)(torch.ones(1, 1, size, size))[0, 0]
    assert padded.shape == (before + size + after,) * 2
    assert padded[:before].sum() == 0 and padded[before + size :].sum() == 0
    assert padded.sum() == size * size
