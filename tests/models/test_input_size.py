"""Sizes that do not pass through a network, against torchvision's least sizes and by hand."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

from saccade.errors import UsageError
from saccade.models.create import check_size, find_obstacle
from saccade.models.layers.blocks import chain


@pytest.mark.parametrize("name", ["googlenet", "alexnet", "vgg11"])
def test_the_smallest_size_is_the_one_torchvision_states(name: str):
    least = torchvision.models.get_model_weights(name)["IMAGENET1K_V1"].meta["min_size"]
    check_size(name, *least)
    with pytest.raises(UsageError, match=f"the smallest square it takes is {least[0]}x{least[0]}"):
        check_size(name, least[0] - 1)


def test_the_row_at_which_an_image_ends_is_named():
    # 24 -> (24 + 4 - 11) // 4 + 1 = 5 -> pool 2 -> conv 2 -> pool (2 - 3) // 2 + 1 = 0
    with pytest.raises(UsageError) as caught:
        check_size("alexnet", 24)
    message = "input 24x24 is too small for alexnet: features.5 would be 0x0"
    assert caught.value.what == message


def test_a_side_that_is_too_short_is_enough():
    # 10 -> conv1 5 -> maxpool1 2 -> maxpool2 1 -> maxpool3 0
    with pytest.raises(UsageError, match="input 200x10 is too small for googlenet: maxpool3"):
        check_size("googlenet", 200, 10)
    check_size("googlenet", 200, 20)


def test_a_row_of_another_length_says_what_it_wants():
    # 28 -> 24 -> 12 -> 8 -> 4: 16 maps of 4x4
    with pytest.raises(UsageError) as caught:
        check_size("lenet5", 28)
    assert caught.value.what == "input 28x28 does not fit lenet5: f5 takes 400 numbers and gets 256"
    assert caught.value.hint == "lenet5 is made for 32x32"


def test_a_network_with_weights_keeps_them_and_its_statistics():
    network = chain(conv=nn.Conv2d(1, 2, 3), bn=nn.BatchNorm2d(2), pool=nn.MaxPool2d(4))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert find_obstacle(network, (1, 6, 6)) is None
    obstacle = find_obstacle(network, (1, 5, 5))
    assert obstacle is not None
    assert obstacle.message == "pool would be 0x0"
    after = network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_network_of_timm_is_one_row():
    with pytest.raises(UsageError, match="input 40x40 is too small for timm:inception_v3"):
        check_size("timm:inception_v3", 40)
