"""A training with stochastic depth, on images that grow, goes on exactly after a stop."""

from __future__ import annotations

import copy

import torch
from torch import nn

from saccade.augmentation.augmentation import compose
from saccade.augmentation.crop import ProgressiveResizing
from saccade.data.cache import CachedImages
from saccade.data.loader import Loader, shuffled
from saccade.engine.loop import Position, Step, train
from saccade.engine.optim import OPTIMIZERS, parameter_groups
from saccade.engine.schedule import constant
from saccade.engine.state import supervised
from saccade.engine.step import Stepper
from saccade.models.layers.blocks import chain
from saccade.models.networks.resnet import BasicBlock, stage
from saccade.models.variants import with_stochastic_depth
from saccade.tasks.classification import Classification


class Training:
    def __init__(self, rate: float = 0.5):
        torch.manual_seed(0)
        network = chain(
            stages=stage(BasicBlock, 3, 4, 3, stride=1),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(4, 2),
        )
        self.model = with_stochastic_depth(network, rate)
        images = torch.randint(0, 256, (24, 3, 8, 8), dtype=torch.uint8)
        targets = torch.arange(24) % 2
        self.loader = Loader(CachedImages(images), targets, 8, shuffled(24, seed=1))
        optimizer = OPTIMIZERS["sgd"](parameter_groups(network, 0), 0.01, 0.9)
        self.stepper = Stepper(optimizer, constant(), 6)

    def run(self, start: Position, steps: int) -> None:
        task = Classification(("dark", "bright"))
        augment = compose(
            [ProgressiveResizing(0.5, lambda: self.stepper.done)]
        )  # 4, 4, 8, 8 pixels
        state = supervised(self.model, task, self.stepper)
        events = train(state, self.loader, augment, epochs=2, seed=5, start=start)
        for event in events:
            steps -= isinstance(event, Step)
            if not steps:
                return


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_going_on_is_exact_and_the_depth_did_change_it():
    whole, stopped, plain = Training(), Training(), Training(rate=1e-9)
    for each in (whole, plain):
        each.run(Position(), 6)
    stopped.run(Position(), 4)
    weights, moved = copy.deepcopy((stopped.model.state_dict(), stopped.stepper.state_dict()))
    later = Training()
    torch.rand(17)  # chance used elsewhere in between
    later.model.load_state_dict(weights)
    later.stepper.load_state_dict(moved)
    later.run(Position(1, 1), 2)
    assert same(whole.model, later.model)
    assert not same(whole.model, plain.model)


def test_images_are_small_in_the_first_half_and_whole_in_the_second():
    training, sides = Training(), []
    first = training.model.get_submodule("stages")
    first.register_forward_pre_hook(lambda _, images: sides.append(images[0].shape[2]))
    training.run(Position(), 6)
    assert sides == [4, 4, 4, 8, 8, 8]  # steps at 0, 1/6, 2/6 and 3/6, 4/6, 5/6 of the training
