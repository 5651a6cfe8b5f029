"""The networks as torchvision has them, LeNet-5 by hand, airbench as saccade has it; 10 classes."""

from __future__ import annotations

import torchvision
from torch import nn

from saccade.models.create import create_model

CLASSES = 10


def network(name: str) -> nn.Module:
    if name == "lenet5":
        return lenet5()
    if name == "airbench_narrow":
        return create_model(name, CLASSES)
    if name == "resnet18_small":
        return small(torchvision.models.resnet18(num_classes=CLASSES))
    return torchvision.models.get_model(name, num_classes=CLASSES)


def small(resnet: nn.Module) -> nn.Module:
    """For images of 32 pixels: a first convolution of 3x3 that does not stride, no pooling."""
    resnet.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    resnet.maxpool = nn.Identity()
    return resnet


def lenet5() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, CLASSES),
    )  # fmt: skip
