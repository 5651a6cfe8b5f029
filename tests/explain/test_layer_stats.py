"""Layer statistics against hand calculations on networks made to be wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from saccade.explain.layer_stats import (
    LayerMonitor,
    LayerStatistics,
    activation_statistics,
    as_text_table,
    problems,
)
from saccade.models.layers.activations import ScaledTanh
from saccade.models.layers.blocks import chain

SOUND = LayerStatistics("fc", 10.0, 0.1, 0.001, 0.0, 1.0, 0, None, None)


class Twice(nn.Module):
    """One ReLU for two calls, as in a residual block.  [N,2] -> [N,2]"""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(-self.relu(x) - 1)


def test_a_relu_that_fires_for_no_image_is_dead():
    fc = nn.Linear(1, 4)
    with torch.no_grad():
        fc.weight.copy_(torch.tensor([[1.0], [-1.0], [0.0], [0.0]]))
        fc.bias.copy_(torch.tensor([0.0, 0.0, 1.0, -1.0]))
    network = chain(fc=fc, relu=nn.ReLU())
    statistics = activation_statistics(network, torch.tensor([[-1.0], [2.0]]))
    assert statistics["relu"].summary()[2:4] == (4, 0.25)  # only the last of the four


def test_a_unit_may_fire_for_any_of_many_images():
    images = torch.full((200, 1), -1.0)
    images[150] = 1.0  # in the third piece
    assert activation_statistics(chain(relu=nn.ReLU()), images)["relu"].summary()[3] == 0


def test_a_channel_fires_if_it_does_anywhere():
    images = torch.full((2, 3, 4, 4), -1.0)
    images[1, 0, 2, 3] = 1.0
    dead = activation_statistics(chain(relu=nn.ReLU(inplace=True)), images)["relu"].summary()[3]
    assert dead == pytest.approx(2 / 3)


def test_two_calls_of_one_relu_are_counted_apart():
    numbers = activation_statistics(chain(block=Twice()), torch.ones(3, 2))["block"].summary()
    assert numbers[2:4] == (4, 0.5)  # all of the first call fire, none of the second


@pytest.mark.parametrize(
    ("part", "edge"),
    [
        (nn.Sigmoid(), 4.36),  # 4 y (1 - y) = 0.05 at y = 0.98734
        (nn.Tanh(), 2.18),  # 1 - y^2 = 0.05 at y = 0.97468
        (ScaledTanh(), 3.27),  # the same, 2/3 x
    ],
)
def test_saturated_is_where_the_slope_is_a_twentieth_of_the_steepest(part: nn.Module, edge: float):
    images = torch.tensor([[-edge - 0.02], [-edge + 0.02], [0.0], [edge - 0.02], [edge + 0.02]])
    assert activation_statistics(chain(squash=part), images)["squash"].summary()[
        4
    ] == pytest.approx(2 / 5)


def test_mean_and_deviation_are_those_of_all_values():
    images = torch.rand(150, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    mean, deviation, *_ = activation_statistics(chain(same=nn.Identity()), images)["same"].summary()
    assert mean == pytest.approx(images.mean().item(), rel=1e-5)
    assert deviation == pytest.approx(images.std(correction=0).item(), rel=1e-5)


def test_norms_and_the_step_are_those_of_the_row():
    fc = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        fc.weight.copy_(torch.tensor([[3.0, 4.0]]))
    network = chain(fc=fc, relu=nn.ReLU())
    watch = LayerMonitor(network, torch.ones(1, 2))
    watch.copy_weights()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    network(torch.tensor([[6.0, 8.0]])).sum().backward()  # the gradient is the image
    optimizer.step()  # by 0.6 and 0.8: a length of 1
    fc_row, relu_row = watch.measure()
    assert fc_row.gradient == pytest.approx(10)
    assert fc_row.update == pytest.approx(1 / 5)
    assert fc_row.weight == pytest.approx(math.hypot(3 - 0.6, 4 - 0.8))
    assert relu_row.weight is relu_row.gradient is relu_row.update is None


def test_without_a_copy_the_step_is_not_known():
    assert LayerMonitor(chain(fc=nn.Linear(2, 2)), torch.ones(1, 2)).measure()[0].update is None


def test_looking_changes_nothing_of_the_network():
    network = chain(conv=nn.Conv2d(1, 4, 3), bn=nn.BatchNorm2d(4), drop=nn.Dropout())
    network[2].eval()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    images, state = torch.rand(5, 1, 8, 8), torch.get_rng_state()
    LayerMonitor(network, images).measure()
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert [part.training for part in network] == [True, True, False]
    assert all(not part._forward_hooks for part in network.modules())


def test_a_sound_row_is_no_trouble():
    assert problems([SOUND, replace(SOUND, name="relu", units=64, dead=0.1)]) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"units": 4096, "dead": 0.43}, "fc: 43 % of its 4,096 units never fire"),
        ({"saturated": 0.8}, "fc: 80 % of its values are saturated"),
        ({"gradient": 0.0}, "fc learns nothing: its gradient is 0"),
        ({"update": 0.3}, "fc moves by 30 % of its weights in a step"),
        ({"deviation": math.nan}, "fc gives numbers that are not finite"),
    ],
)
def test_trouble_is_said_in_words(change: dict, words: str):
    assert problems([replace(SOUND, **change)]) == [words]


def test_a_vanishing_gradient_is_said():
    rows = [replace(SOUND, name="first", gradient=1e-8), SOUND]
    assert problems(rows) == ["first hardly learns: its gradient is 1e-07 of the strongest"]


def test_columns_are_empty_where_a_row_has_nothing():
    head, line = as_text_table([replace(SOUND, weight=None, gradient=None, update=None)])
    assert len(head) == len(line)
    assert line == ("fc", "", "", "", "0", "1", "", "")
