"""RandAugment, TrivialAugment: for each image, what to do is drawn too."""

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
    """For each image one of the parts, all equally often; a part gets its own together."""

    augmentations: tuple[Augmentation, ...]

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        batch = replace(batch, images=as_float(batch.images))
        shape, device = (len(batch),), generator.device
        choice = torch.randint(len(self.augmentations), shape, generator=generator, device=device)
        choice = choice.to(batch.images.device)
        images = torch.empty_like(batch.images)
        targets, places = [batch.targets[:0]], [choice[:0]]
        for position, part in enumerate(self.augmentations):
            rows = (choice == position).nonzero()[:, 0]
            if len(rows):
                some = part(batch[rows], generator)
                images.index_copy_(0, rows, some.images)
                targets.append(some.targets)
                places.append(rows)
        return replace(batch, images=images, targets=joined(targets)[torch.cat(places).argsort()])


@dataclass(frozen=True)
class RandAugment(Augmentation):
    """Several changes one after the other, each drawn from twelve.  Cubuk 2019, table 6.

    Departures: every change draws its size up to `strength`, which stands for all of them in the
    paper; the two shears are one change here, and so are the two translations.
    """

    strength: float = 9.0  # of 30; 9 for ImageNet in the paper
    count: int = 2  # changes an image
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_range(self, "strength", 0, 30)
        check_range(self, "count", 1, 12)
        check_choice(self, "border", BORDERS)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        share, side = self.strength / 30, min(batch.images.shape[2:])
        change = OneOf(
            (
                Shear(17 * share, self.border),
                Translate(150 / 331 * share * side, self.border),
                Rotate(30 * share, self.border),
                *_tones(0.9 * share, bits=8 - round(4 * share), threshold=256 * (1 - share)),
            )
        )
        return Compose((change,) * self.count)(batch, generator)


@dataclass(frozen=True)
class TrivialAugment(Augmentation):
    """One change, of any size.  Müller 2021, the wide space of table 1.

    Departures: shears go to 40 degrees, not 45, where both together leave a line; translations to
    half of a side where 32 pixels are more.
    """

    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_choice(self, "border", BORDERS)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        change = OneOf(
            (
                Shear(40, self.border),
                Translate(min(32, min(batch.images.shape[2:]) / 2), self.border),
                Rotate(135, self.border),
                *_tones(0.99, bits=2, threshold=0),
            )
        )
        return change(batch, generator)


def _tones(share: float, bits: int, threshold: float) -> tuple[Augmentation, ...]:
    """What both policies do besides moving pixels, nothing at all included."""
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
