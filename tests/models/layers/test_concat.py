"""Concat against writing the channels one by one."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saccade.models.layers.blocks import Concat


def test_the_channels_of_the_branches_follow_one_another_in_the_order_written():
    generator = torch.Generator().manual_seed(0)
    branches = {
        "wide": nn.Conv2d(3, 4, 3, padding=1),
        "thin": nn.Conv2d(3, 2, 1),
        "as_is": nn.ReLU(),
    }
    x = torch.randn(2, 3, 5, 6, generator=generator)
    slow = torch.empty(2, 9, 5, 6)
    first = 0
    for branch in branches.values():
        for channel in branch(x).unbind(dim=1):
            slow[:, first] = channel
            first += 1
    assert torch.equal(Concat(**branches)(x), slow)


def test_weights_are_named_after_their_branch():
    names = list(Concat(branch1=nn.Conv2d(3, 4, 1), branch2=nn.Conv2d(3, 2, 1)).state_dict())
    assert names == ["branch1.weight", "branch1.bias", "branch2.weight", "branch2.bias"]


def test_the_gradient_is_the_sum_of_the_gradients_of_the_branches():
    x = torch.arange(8.0).view(1, 2, 2, 2).requires_grad_()
    Concat(a=nn.Identity(), b=nn.Identity(), c=nn.ReLU())(x).sum().backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [2.0] + [3.0] * 7


def test_branches_of_different_sizes_do_not_fit():
    with pytest.raises(RuntimeError, match="Sizes of tensors must match"):
        Concat(a=nn.MaxPool2d(2), b=nn.Identity())(torch.zeros(1, 1, 4, 4))
