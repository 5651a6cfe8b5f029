"""Flip, VerticalFlip: pictures mirrored."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from saccade.batch import Batch
from saccade.data.augment.augmentation import Augmentation, as_float, limit, uniform


@dataclass(frozen=True)
class Flip(Augmentation):
    """Left and right exchanged."""

    probability: float = 0.5  # of each picture

    def __post_init__(self) -> None:
        limit(self, "probability", 0, 1)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        images = as_float(batch.images)
        chosen = uniform(len(images), 0, 1, generator) < self.probability
        chosen = chosen.to(images.device)[:, None, None, None]
        return replace(batch, images=torch.where(chosen, images.flip(3), images))
