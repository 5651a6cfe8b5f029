"""A person's own augmentation: a function of images, as torchvision and Kornia have them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.augmentation.augmentation import Augmentation, Photometric
from saccade.errors import UsageError
from saccade.own import Own, checked

SETTING = "data.augment"
LARGEST = 255  # of a pixel


@dataclass(frozen=True)
class OwnAugmentation(Photometric):
    """A function of images [N,C,H,W] from 0 to 1 to images [N,C,H,W] of 0 to 1; no target moves.

    It draws from PyTorch's global generator, which a training seeds before every step.
    """

    own: Own

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        result = self.own.need(SETTING)(images / LARGEST)
        changed = checked(SETTING, self.own, result, Tensor, "give a tensor of images [N,C,H,W]")
        if changed.shape[:2] != images.shape[:2] or changed.ndim != images.ndim:
            given, made = ("x".join(map(str, x.shape)) for x in (images, changed))
            raise UsageError(f"{SETTING}={self.own} makes {made} of {given}", "keep N and C")
        return changed * LARGEST


def own_augmentation(own: Own) -> Augmentation:
    """The augmentation itself where it is one of this project's kind, else a function's."""
    part = own.need(SETTING)
    return part if Augmentation in type(part).__mro__ else OwnAugmentation(own)
