"""Augmentation policies: RandAugment and TrivialAugment, which draw operations for each image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from saccade.augmentation.augmentation import (
    Augmentation,
    Compose,
    as_float,
    check_choice,
    check_range,
)
from saccade.augmentation.colour import (
    AutoContrast,
    Brightness,
    Contrast,
    Equalize,
    Posterize,
    Saturation,
    Solarize,
)
from saccade.augmentation.filters import Sharpen
from saccade.augmentation.geometry import Rotate, Shear, Translate
from saccade.augmentation.resample import BORDERS
from saccade.data.batch import Batch
from saccade.data.targets import joined


@dataclass(frozen=True)
class OneOf(Augmentation):
    """One of the augmentations for each image, all equally often."""

    augmentations: tuple[Augmentation, ...]

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        batch = replace(batch, images=as_float(batch.images))
        shape, device = (len(batch),), generator.device
        choices = torch.randint(len(self.augmentations), shape, generator=generator, device=device)
        choices = choices.to(batch.images.device)
        images = torch.empty_like(batch.images)
        targets, indices = [batch.targets[:0]], [choices[:0]]
        for i, augmentation in enumerate(self.augmentations):
            rows = (choices == i).nonzero()[:, 0]
            if len(rows):
                chunk = augmentation(batch[rows], generator)
                images.index_copy_(0, rows, chunk.images)
                targets.append(chunk.targets)
                indices.append(rows)
        return replace(batch, images=images, targets=joined(targets)[torch.cat(indices).argsort()])


@dataclass(frozen=True)
class RandAugment(Augmentation):
    """Several operations in sequence, each drawn from twelve.  Cubuk 2019, table 6.

    Departures: every operation draws its size up to `strength`, which is the size of all in the
    paper; the two shears are one operation here, and so are the two translations.
    """

    strength: float = 9.0  # of 30; 9 for ImageNet in the paper
    count: int = 2  # operations per image
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_range(self, "strength", 0, 30)
        check_range(self, "count", 1, 12)
        check_choice(self, "border", BORDERS)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        share, size = self.strength / 30, min(batch.images.shape[2:])
        operation = OneOf(
            (
                Shear(17 * share, self.border),
                Translate(150 / 331 * share * size, self.border),
                Rotate(30 * share, self.border),
                *_photometric_operations(
                    0.9 * share, bits=8 - round(4 * share), threshold=256 * (1 - share)
                ),
            )
        )
        return Compose((operation,) * self.count)(batch, generator)


@dataclass(frozen=True)
class TrivialAugment(Augmentation):
    """One operation, of any size.  Müller 2021, the wide space of table 1.

    Departures: shears go to 40 degrees, not 45, where both together leave a line; translations to
    half of a side where 32 pixels are more.
    """

    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_choice(self, "border", BORDERS)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        operation = OneOf(
            (
                Shear(40, self.border),
                Translate(min(32, min(batch.images.shape[2:]) / 2), self.border),
                Rotate(135, self.border),
                *_photometric_operations(0.99, bits=2, threshold=0),
            )
        )
        return operation(batch, generator)


def _photometric_operations(share: float, bits: int, threshold: float) -> tuple[Augmentation, ...]:
    """The photometric operations of both policies, identity included."""
    return (
        Compose(()),
        Brightness(share),
        Contrast(share),
        Saturation(share),
        Sharpen(share),
        Posterize(bits),
        Solarize(threshold),
        AutoContrast(1),
        Equalize(1),
    )
