"""A person's own augmentation: a function of images, as torchvision and Kornia have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from saccade.augmentation.augmentation import Augmentation, Photometric
from saccade.errors import UsageError
from saccade.own import Own, checked

SETTING = "data.augment"
LARGEST = 255  # of a pixel
MARGIN = 0.5  # beyond 0 to 1 that noise or contrast may reach, and which is cut off


@dataclass(frozen=True)
class OwnAugmentation(Photometric):
    """A function of images [N,C,H,W] from 0 to 1 to images [N,C,H,W] of 0 to 1; no target moves.

    It draws from PyTorch's global generator, which a training seeds before every step.
    """

    own: Own

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        try:
            result = self.own.function(SETTING)(images / LARGEST)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            size = "x".join(map(str, images.shape))
            what = f"{SETTING}={self.own} fails on images {size}: {type(error).__name__}: {error}"
            raise UsageError(what, "it takes images [N,C,H,W] of 0 to 1 and gives such") from error
        changed = checked(SETTING, self.own, result, Tensor, "give a tensor of images [N,C,H,W]")
        given, made = ("x".join(map(str, x.shape)) for x in (images, changed))
        if made != given:
            raise UsageError(f"{SETTING}={self.own} makes {made} of {given}", "keep the shape")
        if not changed.is_floating_point():
            what = f"{SETTING}={self.own} gives numbers of the type {changed.dtype}"
            raise UsageError(what, "give floating point numbers from 0 to 1")
        low, high = float(changed.min()), float(changed.max())
        if low < -MARGIN or high > 1 + MARGIN or high != high:
            what = f"{SETTING}={self.own} gives numbers from {low:.3g} to {high:.3g}"
            raise UsageError(what, "give them from 0 to 1: clamp(0, 1), and leave normalising out")
        return changed.clamp(0, 1) * LARGEST


def own_augmentation(own: Own) -> Augmentation:
    """The augmentation itself where it is one of this project's kind, else a function's."""
    part: Any = own.function(SETTING)
    return part if Augmentation in type(part).__mro__ else OwnAugmentation(own)
