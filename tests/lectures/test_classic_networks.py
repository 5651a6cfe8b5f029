"""Facts 23 to 26: sizes and weights of LeNet, AlexNet and VGG."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from saccade.models.catalogue import NETWORKS
from saccade.models.create import input_shape
from saccade.models.layers.surgery import remove_layers, rows


def empty(name: str) -> nn.Sequential:
    with torch.device("meta"):
        return NETWORKS[name].make()


def sizes(name: str) -> dict[str, tuple[int, ...]]:
    network, x = empty(name), torch.empty(1, *input_shape(name), device="meta")
    found = {}
    for path, row in rows(network):
        x = row(x)
        found[path] = tuple(x.shape[1:])
    return found


def parameters(row: nn.Module) -> int:
    return sum(p.numel() for p in row.parameters())


def weights(row: nn.Module) -> int:
    return sum(p.numel() for name, p in row.named_parameters() if not name.endswith("bias"))


def test_f23_lenet_units_and_weights():
    """Units and weights of each layer; the biases are not counted."""
    network, units = empty("lenet5"), sizes("lenet5")
    found = {
        name: (math.prod(units[name]), weights(network.get_submodule(name)))
        for name in ("c1", "s2", "c3", "s4", "f5", "f6", "output")
    }
    assert found == {
        "c1": (4704, 150),
        "s2": (1176, 0),
        "c3": (1600, 2400),
        "s4": (400, 0),
        "f5": (120, 48_000),
        "f6": (84, 10_080),
        "output": (10, 840),
    }


def test_f24_lenet5_of_1998_parameters_and_sizes():
    network, size = empty("lenet5_1998"), sizes("lenet5_1998")
    names = ("c1", "s2", "c3", "s4", "c5", "f6", "output")
    counts = [parameters(network.get_submodule(name)) for name in names]
    assert counts == [156, 12, 1516, 32, 48_120, 10_164, 0]
    assert sum(counts) == parameters(network) == 60_000
    assert [size[name] for name in names] == [
        (6, 28, 28),
        (6, 14, 14),
        (16, 10, 10),
        (16, 5, 5),
        (120, 1, 1),
        (84,),
        (10,),
    ]


def test_f25_alexnet_sizes():
    size = sizes("alexnet_2012")
    names = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5")
    assert [size[name] for name in names] == [
        (96, 55, 55),
        (96, 27, 27),
        (256, 27, 27),
        (256, 13, 13),
        (384, 13, 13),
        (384, 13, 13),
        (256, 13, 13),
        (256, 6, 6),
    ]
    assert [size[name] for name in ("fc6", "fc7", "fc8")] == [(4096,), (4096,), (1000,)]


def test_f25_alexnet_units():
    """Krizhevsky 2012, abstract: 650,000 neurons."""
    size = sizes("alexnet_2012")
    layers = [name for name in size if name.startswith(("conv", "fc"))]
    assert sum(math.prod(size[name]) for name in layers) == 659_272


@pytest.mark.parametrize(
    ("name", "expected"),
    [("alexnet_2012", 60_965_224), ("alexnet_2012_one_tower", 62_378_344)],
)
def test_f25_alexnet_parameters(name, expected):
    assert parameters(empty(name)) == expected


# By hand, from the layers' shapes.  Without fc6 and fc7, fc8 has 9,216 inputs for 4,096; without
# conv3 and conv4, each half of conv5 has 128 for 192.  The lectures' "about 1M" for the two
# convolutions is 1.7M.
FC6, FC7 = (9216 + 1) * 4096, (4096 + 1) * 4096
CONV3, CONV4 = (256 * 9 + 1) * 384, (192 * 9 + 1) * 384
SAVED = {
    ("fc7",): FC7,
    ("fc6", "fc7"): FC6 + FC7 - (9216 - 4096) * 1000,
    ("conv3", "conv4"): CONV3 + CONV4 + (192 - 128) * 9 * 256,
}


@pytest.mark.parametrize(
    ("layers", "about"),
    [(("fc7",), 16.8e6), (("fc6", "fc7"), 49.4e6), (("conv3", "conv4"), 1.7e6)],
)
def test_f25_what_leaving_layers_out_saves(layers, about):
    network = empty("alexnet_2012")
    left = remove_layers(network, layers, input_shape=(3, 227, 227))
    saved = parameters(network) - parameters(left)
    assert saved == SAVED[layers]
    assert saved == pytest.approx(about, rel=0.01)
    named = empty("alexnet_2012_no_" + "_".join(layers))
    assert parameters(named) == parameters(left)


@pytest.mark.parametrize(
    ("name", "layers", "expected"),
    [
        ("vgg11", 11, 132_863_336),
        ("vgg13", 13, 133_047_848),
        ("vgg16", 16, 138_357_544),
        ("vgg19", 19, 143_667_240),
    ],
)
def test_f26_vgg_is_3x3_only(name, layers, expected):
    network = empty(name)
    convolutions = [row for row in network.modules() if isinstance(row, nn.Conv2d)]
    linear = [row for row in network.modules() if isinstance(row, nn.Linear)]
    assert len(convolutions) + len(linear) == layers
    assert {conv.kernel_size for conv in convolutions} == {(3, 3)}
    assert parameters(network) == expected
