"""Anatomies of whole networks, against other implementations and the literature."""

from __future__ import annotations

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from saccade.errors import UsageError
from saccade.explain.anatomy import Anatomy, anatomy
from saccade.models.catalogue import NETWORKS


def of(name: str, pixels: int = 224, **settings: bool) -> Anatomy:
    with torch.device("meta"):
        return anatomy(NETWORKS[name].make(), (3, pixels, pixels), name=name, **settings)


# Parameters; multiply-adds in thousand millions; both as published.
# fmt: off
GOLDEN = {
    "alexnet":             ( 61_100_840,   .714),
    "vgg16":               (138_357_544, 15.47),
    "vgg19":               (143_667_240, 19.63),
    "googlenet_2014":      (  6_998_552,  1.583),
    "inception_resnet_v2": ( 55_843_464, 13.16),
    "resnet18":            ( 11_689_512,  1.814),
    "resnet34":            ( 21_797_672,  3.664),
    "resnet50":            ( 25_557_032,  4.089),
    "resnet50_v1":         ( 25_557_032,  3.858),
    "resnet101":           ( 44_549_160,  7.801),
    "resnet152":           ( 60_192_808, 11.514),
    "densenet121":         (  7_978_856,  2.834),
    "resnext50_32x4d":     ( 25_028_904,  4.230),
    "seresnet50_v1":       ( 28_088_024,  3.860),
}
# fmt: on


@pytest.mark.parametrize("name", GOLDEN)
def test_the_totals_are_the_published_ones(name: str) -> None:
    weights, multiply_adds = GOLDEN[name]
    table = of(name, 299 if name == "inception_resnet_v2" else 224)
    assert table.total.weights == weights
    assert table.total.multiply_adds / 1e9 == pytest.approx(multiply_adds, abs=0.006)
    assert table.unused == 0


FOREIGN = {
    "mobilenet_v3_small": torchvision.models.mobilenet_v3_small,
    "shufflenet_v2_x0_5": torchvision.models.shufflenet_v2_x0_5,
    "swin_t": torchvision.models.swin_t,
    "vit_b_32": torchvision.models.vit_b_32,
    "convnext_atto": lambda: timm.create_model("convnext_atto"),
    "regnetz_b16": lambda: timm.create_model("regnetz_b16"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_network_counts_as_the_flop_counter_does(name: str) -> None:
    with torch.device("meta"):
        module = FOREIGN[name]()
        image = torch.empty(1, 3, 224, 224)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module.eval()(image)
    table = anatomy(module, (3, 224, 224))
    assert 2 * table.total.multiply_adds == counter.get_total_flops()
    parameters = sum(parameter.numel() for parameter in module.parameters())
    assert table.total.weights + table.unused == parameters


def test_unfolded_rows_have_the_same_totals() -> None:
    folded, unfolded = of("resnet18"), of("resnet18", expand=True)
    assert len(unfolded.rows) > len(folded.rows)
    assert unfolded.total == folded.total
    assert unfolded.tree == folded.tree


def test_a_block_is_a_row_and_a_group_gives_way_to_its_rows() -> None:
    names = [row.name for row in of("resnet18").rows]
    assert names[:6] == ["conv1", "bn1", "relu", "maxpool", "layer1.0", "layer1.1"]


def test_a_group_around_one_layer_is_a_row() -> None:
    table = of("googlenet_2014")
    assert [row.name for row in table.rows][:4] == ["conv1", "maxpool1", "norm1", "conv2"]
    assert table.rows[0].kind == "Conv2d 7x7/2"


def test_a_reused_layer_costs_each_time_and_weighs_once() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.same = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return self.same(self.same(x))

    table = anatomy(Twice(), (3, 8, 8))
    assert table.total.weights == 3 * 3 * 9 + 3
    assert table.total.multiply_adds == 2 * 3 * 27 * 64


def test_weights_that_no_row_uses_are_told() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1))
    network.register_parameter("forgotten", nn.Parameter(torch.zeros(7)))
    assert anatomy(network, (3, 4, 4)).unused == 7


def test_an_unknown_row_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no layer is called 'layer5\.0'") as unknown:
        of("resnet18").row("layer5.0")
    assert "layer4.0" in unknown.value.hint or "layer1.0" in unknown.value.hint
    assert of("resnet18").row("layer1.0.conv1").output == (64, 56, 56)


def test_the_plain_table_ends_in_the_totals_and_the_convention() -> None:
    text = str(of("alexnet"))
    assert "61,100,840" in text.splitlines()[-2]
    assert "convolutions and matrix products" in text.splitlines()[-1]
    assert "61,100,840" in of("alexnet")._repr_html_()
