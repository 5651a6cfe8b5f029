"""Noise: every value a little off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from saccade.batch import Batch
from saccade.data.augment.augmentation import Augmentation, as_float, limit, uniform


@dataclass(frozen=True)
class Noise(Augmentation):
    """Gaussian noise of each pixel and channel by itself; each picture draws how much."""

    deviation: float = 10.0  # of 255, at the most

    def __post_init__(self) -> None:
        limit(self, "deviation", 0, 255)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        images = as_float(batch.images)
        deviation = uniform(len(images), 0, self.deviation, generator).to(images)
        grain = torch.randn(images.shape, generator=generator, device=generator.device).to(images)
        noisy = torch.addcmul(images, grain, deviation[:, None, None, None])
        return replace(batch, images=noisy.clamp_(0, 255))
