"""SE networks beside timm's, and the numbers of their paper's Table 2."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import timm
import torch
from torch import nn

from saccade.models.catalogue import NETWORKS
from saccade.models.layers.blocks import SqueezeExcite


@pytest.mark.parametrize(
    "name, size",
    [
        ("seresnet50", 64),
        ("seresnet101", 32),
        ("seresnet152", 32),
        ("seresnext50_32x4d", 32),
        ("seresnext101_32x4d", 32),
    ],
)
def test_it_is_timm_s_to_the_last_bit(name: str, size: int, parity: Callable[..., None]):
    parity(NETWORKS[name].make, partial(timm.create_model, name), size)


def test_v1_differs_from_the_public_caffe_network_in_its_pool_alone():
    """That one's pool is not padded, and rounds up; with it in place the bits agree."""
    ours = NETWORKS["seresnet50_v1"].make().eval()
    theirs = timm.create_model("legacy_seresnet50").eval()
    state = {}
    for key, value in ours.state_dict().items():
        renamed = f"layer0.{key}" if key.startswith(("conv1.", "bn1.")) else key
        renamed = renamed.replace(".se.", ".se_module.").replace("fc.", "last_linear.")
        state[renamed] = value
    assert list(state) == list(theirs.state_dict())
    theirs.load_state_dict(state, strict=True)
    ours.maxpool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(ours(images), theirs(images))


@pytest.mark.parametrize(
    "name, published",
    [
        ("seresnet50_v1", 3.87),
        ("seresnet101_v1", 7.60),
        ("seresnet152_v1", 11.32),
        ("seresnext50_32x4d", 4.25),
        ("seresnext101_32x4d", 8.00),
        ("sevgg16", 15.48),
    ],
)
def test_multiply_adds_are_those_of_the_paper(
    name: str, published: float, gigamacs: Callable[[str], float]
):
    assert gigamacs(name) == pytest.approx(published, rel=0.02)


def test_se_resnet_50_costs_what_the_golden_table_says(gigamacs: Callable[[str], float]):
    assert gigamacs("seresnet50_v1") == pytest.approx(3.860, abs=5e-4)


@pytest.mark.parametrize("name", ["seresnet50", "seresnet50_v1"])
def test_se_resnet_50_has_the_published_number_of_parameters(
    name: str, parameters: Callable[[str], int]
):
    assert parameters(name) == 28_088_024


def test_se_vgg_16_is_vgg_16_with_a_gate_after_each_of_its_thirteen_relus():
    with torch.device("meta"):
        gated, bare = NETWORKS["sevgg16"].make(), NETWORKS["vgg16_bn"].make()
    kinds, plain = (
        [type(row) for row in network.get_submodule("features").children()]
        for network in (gated, bare)
    )
    assert [kind for kind in kinds if kind is not SqueezeExcite] == plain
    after = [kinds[i - 1] for i, kind in enumerate(kinds) if kind is SqueezeExcite]
    assert after == [nn.ReLU] * 13
