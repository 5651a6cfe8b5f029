"""Inception-ResNet-v2 against timm and the published counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import timm
import torch

from saccade.models.networks.inception_resnet import inception_resnet_v2
from saccade.models.networks.senet import se_inception_resnet_v2


def test_it_is_timm_s_to_the_last_bit(parity: Callable[..., None]):
    theirs = partial(timm.create_model, "inception_resnet_v2", num_classes=5)
    parity(partial(inception_resnet_v2, 5), theirs, 107)


def test_the_counts_are_the_published_ones(
    parameters: Callable[[str], int], gigamacs: Callable[[str], float]
):
    assert parameters("inception_resnet_v2") == 55_843_464
    assert round(gigamacs("inception_resnet_v2"), 2) == 13.16


def test_every_module_has_a_gate():
    with torch.device("meta"):
        plain, gated = inception_resnet_v2(), se_inception_resnet_v2()
    added = sum(p.numel() for p in gated.parameters()) - sum(p.numel() for p in plain.parameters())
    # A gate of C channels has C//16 * (C + 1) + C * (C//16 + 1) weights.
    widths = [320] * 11 + [1088] * 21 + [2080] * 11
    assert added == sum(c // 16 * (c + 1) + c * (c // 16 + 1) for c in widths)
    names = [name for name in gated.state_dict() if ".se." not in name]
    assert names == list(plain.state_dict())
