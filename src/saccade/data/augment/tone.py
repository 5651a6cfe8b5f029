"""Posterize, Solarize, AutoContrast, Equalize: values by a curve, as in Pillow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from saccade.batch import Batch
from saccade.data.augment.augmentation import Augmentation, as_float, limit, uniform


@dataclass(frozen=True)
class Posterize(Augmentation):
    """Only the first bits of every value."""

    bits: int = 4  # at the least; each picture draws from these to 8

    def __post_init__(self) -> None:
        limit(self, "bits", 1, 8)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        images = as_float(batch.images)
        shape, device = (len(images),), generator.device
        bits = torch.randint(self.bits, 9, shape, generator=generator, device=device)
        return replace(batch, images=posterize(images, bits.to(images)))


@dataclass(frozen=True)
class Solarize(Augmentation):
    """Bright values turned over, as in an overexposed film."""

    threshold: float = 128.0  # of 255, at the least; each picture draws from it to 256

    def __post_init__(self) -> None:
        limit(self, "threshold", 0, 256)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        images = as_float(batch.images)
        threshold = uniform(len(images), self.threshold, 256, generator).to(images)
        turned = torch.where(images >= threshold[:, None, None, None], 255 - images, images)
        return replace(batch, images=turned)


@dataclass(frozen=True)
class AutoContrast(Augmentation):
    """Every channel stretched to 0 to 255."""

    probability: float = 0.5  # of each picture

    def __post_init__(self) -> None:
        limit(self, "probability", 0, 1)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return _some(batch, autocontrast, self.probability, generator)


@dataclass(frozen=True)
class Equalize(Augmentation):
    """Every channel's values spread so that all are about as frequent."""

    probability: float = 0.5  # of each picture

    def __post_init__(self) -> None:
        limit(self, "probability", 0, 1)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return _some(batch, equalize, self.probability, generator)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """[N,C,H,W], [N] -> [N,C,H,W]"""
    step = torch.exp2(8 - bits)[:, None, None, None]
    return torch.floor(images / step) * step


def autocontrast(images: Tensor) -> Tensor:
    """A channel of one value is kept.  [N,C,H,W] -> [N,C,H,W]"""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    stretch = torch.where(high > low, 255 / (high - low).clamp(min=1e-6), 1)
    return (images - low.where(high > low, 0)).mul_(stretch)


def equalize(images: Tensor) -> Tensor:
    """Through the cumulative histogram of whole values.  [N,C,H,W] -> [N,C,H,W]

    As Pillow: the curve leaves out the most bright value's share, and a channel whose step would
    be none is kept.
    """
    values = images.round().clamp_(0, 255).long().flatten(2)
    counts = torch.zeros((*values.shape[:2], 256), dtype=torch.long, device=images.device)
    counts.scatter_add_(2, values, torch.ones_like(values))
    brightest = values.amax(2, keepdim=True)
    step = (values.shape[2] - counts.gather(2, brightest)) // 255
    before = counts.cumsum(2) - counts
    curve = ((before + step // 2) // step.clamp(min=1)).clamp_(0, 255)
    changed = curve.gather(2, values).to(images.dtype).view_as(images)
    return torch.where(step[..., None] > 0, changed, images)


def _some(
    batch: Batch, change: Callable[[Tensor], Tensor], probability: float, generator: torch.Generator
) -> Batch:
    """The change made to some pictures."""
    images = as_float(batch.images)
    chosen = uniform(len(images), 0, 1, generator).to(images.device) < probability
    changed = torch.where(chosen[:, None, None, None], change(images), images)
    return replace(batch, images=changed)
