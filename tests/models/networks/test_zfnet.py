"""ZFNet by its own numbers."""

from __future__ import annotations

from collections.abc import Callable

import torch

from saccade.models.create import create_model


def test_the_maps_are_those_of_figure_3():
    """Zeiler 2013, Figure 3: 110, 55, 26, 13, 13, 13, 13, 6 places along each side."""
    with torch.device("meta"):
        network, x = create_model("zfnet"), torch.empty(1, 3, 224, 224)
    sizes = {}
    for name, row in network.named_children():
        x = row(x)
        if name.startswith(("conv", "pool")):
            sizes[name] = tuple(x.shape[1:])
    assert sizes == {
        "conv1": (96, 110, 110),
        "pool1": (96, 55, 55),
        "conv2": (256, 26, 26),
        "pool2": (256, 13, 13),
        "conv3": (384, 13, 13),
        "conv4": (384, 13, 13),
        "conv5": (256, 13, 13),
        "pool5": (256, 6, 6),
    }


def test_it_has_fewer_first_layer_weights_than_alexnet_and_whole_ones_after(
    parameters: Callable[[str], int],
):
    """By hand: 96 filters of 7 x 7 x 3, then AlexNet in one tower."""
    alexnet = parameters("alexnet_2012_one_tower")
    assert parameters("zfnet") == alexnet - 96 * 3 * (11 * 11 - 7 * 7)
