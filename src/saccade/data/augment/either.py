"""Either: one of several augmentations for the whole batch, such as mixup or CutMix."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from saccade.batch import Batch
from saccade.data.augment.augmentation import Augmentation


@dataclass(frozen=True)
class Either(Augmentation):
    """One of the parts, drawn anew for each batch, all equally often.

    torchvision's recipe of 2021 draws so between mixup and CutMix; `OneOf` draws for each picture.
    """

    parts: tuple[Augmentation, ...]

    @property
    def mixes(self) -> bool:
        return True  # the pictures of a batch have one draw in common

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        draw = torch.randint(len(self.parts), (1,), generator=generator, device=generator.device)
        return self.parts[int(draw)](batch, generator)
