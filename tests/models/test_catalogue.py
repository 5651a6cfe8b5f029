"""Networks of CIFAR's size for experiments: published counts, and counts done by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from saccade.errors import UsageError
from saccade.models.catalogue import NETWORKS
from saccade.models.networks.resnet_cifar import cifar_bottlenecks

CARDINALITIES = ["1x16d", "2x10d", "4x6d", "32x1d"]


@pytest.mark.parametrize(
    "name, millions",
    [
        ("cifar_resnext29_8x64d", 34.4),  # Xie 2016, Table 7
        ("cifar_resnext29_16x64d", 68.1),
        ("cifar_resnet164", 1.7),  # He 2016 as in Huang 2016 (DenseNet), Table 2
    ],
)
def test_parameters_are_the_published_ones(
    name: str, millions: float, parameters: Callable[[str], int]
):
    assert parameters(name) // 100_000 / 10 == millions  # printed digits, the rest cut off


@pytest.mark.parametrize("name, depth", [("29", 29), ("164", 164)])
def test_depth_counts_the_weight_layers_without_the_projections(name: str, depth: int):
    with torch.device("meta"):
        state = NETWORKS[f"cifar_resnet{name}"].make().state_dict()
    layers = [k for k, v in state.items() if v.dim() > 1 and "downsample" not in k]
    assert len(layers) == depth


def test_a_depth_that_is_not_9n_plus_2_is_refused():
    with pytest.raises(UsageError, match="the nearest is 29"):
        cifar_bottlenecks(30)


@pytest.mark.parametrize("name", CARDINALITIES)
def test_every_cardinality_costs_the_same(
    name: str, parameters: Callable[[str], int], gigamacs: Callable[[str], float]
):
    """A block by hand: C * d * (64 + 9 * d + 64) is 4352, 4360, 4368 and 4384.

    The whole is within 4 %, as the first block of a stage takes in fewer channels.
    """
    groups, base = map(int, name.removesuffix("d").split("x"))
    assert 4352 <= groups * base * (64 + 9 * base + 64) <= 4384
    ours, one = (f"cifar_resnext29_{kind}" for kind in (name, "1x16d"))
    assert parameters(ours) == pytest.approx(parameters(one), rel=0.03)
    assert gigamacs(ours) == pytest.approx(gigamacs(one), rel=0.04)


@pytest.mark.parametrize("name, width", [("1x16d", 16), ("2x10d", 20), ("4x6d", 24), ("32x1d", 32)])
def test_paths_of_the_first_stage_are_as_wide_as_named_and_double(name: str, width: int):
    with torch.device("meta"):
        network = NETWORKS[f"cifar_resnext29_{name}"].make()
    groups, base = map(int, name.removesuffix("d").split("x"))
    for stage in (1, 2, 3):
        weight = network.get_parameter(f"layer{stage}.1.conv2.weight")
        assert weight.shape[:2] == (width << stage - 1, base << stage - 1)
        assert weight.shape[0] == groups * weight.shape[1]


def test_one_path_is_the_resnet_of_bottlenecks():
    with torch.device("meta"):
        one, other = (NETWORKS[n].make() for n in ("cifar_resnext29_1x16d", "cifar_resnet29"))
    shapes = [{k: v.shape for k, v in network.state_dict().items()} for network in (one, other)]
    assert shapes[0] == shapes[1]


def test_a_plain_network_has_all_weights_but_the_projections():
    with torch.device("meta"):
        plain, residual = (NETWORKS[f"cifar_{kind}29"].make() for kind in ("plain", "resnet"))
    shapes = {k: v.shape for k, v in residual.state_dict().items() if "downsample" not in k}
    assert {k: v.shape for k, v in plain.state_dict().items()} == shapes


def test_gates_add_what_hu_counts(parameters: Callable[[str], int]):
    """Section 4: 2/r * C^2 weights a block, here with C/r + C biases; r is 16."""
    added = 3 * sum(2 * c * c // 16 + c // 16 + c for c in (64, 128, 256))
    assert parameters("cifar_seresnet29") - parameters("cifar_resnet29") == added


def test_vgg8_by_hand(parameters: Callable[[str], int]):
    widths = (3, 32, 32, 64, 64, 128, 128)
    convolutions = sum(9 * a * b + b for a, b in pairwise(widths))
    heads = 128 * 4 * 4 * 256 + 256 + 256 * 10 + 10
    assert parameters("cifar_vgg8") == convolutions + heads
    assert parameters("cifar_vgg8_bn") == convolutions + heads + 2 * sum(widths[1:])


def macs(cin: int, out1: int, reduce3: int, out3: int, reduce5: int, out5: int, pool: int) -> int:
    """Multiply-adds a place of Figure 2b."""
    first = cin * (out1 + reduce3 + reduce5 + pool)
    return first + 9 * reduce3 * out3 + 25 * reduce5 * out5


def test_reducing_first_costs_what_figure_2b_costs(gigamacs: Callable[[str], float]):
    """Figure 2a on as many 1x1, 3x3 and 5x5 costs more than five times as much."""
    stem, head = 32 * 32 * 27 * 48, 128 * 10
    upper = macs(48, 16, 24, 32, 4, 8, 8) + macs(64, 32, 32, 48, 8, 24, 16)
    lower = macs(120, 48, 24, 52, 4, 12, 16) + macs(128, 40, 28, 56, 6, 16, 16)
    reduced = stem + head + 16 * 16 * upper + 8 * 8 * lower
    assert gigamacs("cifar_inception") * 1e9 == pytest.approx(reduced, rel=1e-6)
    naive = stem + 432 * 10
    for positions, cin, out1, out3, out5 in (
        (256, 48, 16, 32, 8),
        (256, 104, 32, 48, 24),
        (64, 208, 48, 52, 12),
        (64, 320, 40, 56, 16),
    ):
        naive += positions * cin * (out1 + 9 * out3 + 25 * out5)
    assert gigamacs("cifar_inception_naive") * 1e9 == pytest.approx(naive, rel=1e-6)
    assert naive - stem > 5 * (reduced - stem)
