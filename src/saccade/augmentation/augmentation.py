"""Augmentations: random changes of a whole batch; their composition and random choice.

Nobody writes images by hand.  What changes colours is a `Photometric` and never sees targets; what
moves things is a `Geometry` and draws a warp, which moves images and targets (warp.py); what mixes
images of a batch is in mix.py; Compose, RandomChoice and policies.py only choose among these.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

import torch
from torch import Tensor

from saccade.data.batch import Batch
from saccade.data.targets import joined
from saccade.errors import RecipeError


class Augmentation(Protocol):
    """One kind of change, a frozen dataclass; every image of the batch draws its own.

    Images [N,C,H,W], uint8 or floating point, 0 to 255, become floating point, 0 to 255, of the
    same shape unless the class says otherwise.  The batch that comes in is never written to.  All
    random numbers come from `generator`: the same state gives the same pixels.
    """

    @property
    def mixes(self) -> bool:
        """Whether it mixes images of a batch, and their targets with them."""
        return False

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The augmented batch.  Images [N,C,H,W] -> [N,C,H,W] floating point"""
        ...

    def join(self, later: Augmentation) -> Augmentation | None:
        """This and the one that follows it as a single one, or None where that saves no work."""
        return None


class Photometric(Augmentation, Protocol):
    """An augmentation of what pixels show, never of where: targets stay as they are."""

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The changed images.  [N,C,H,W] floating point -> [N,C,H,W]"""
        ...

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return replace(batch, images=self.change(as_float(batch.images), generator))


CHUNK_VALUES = 6 << 20  # 41 images of 3 x 224 x 224, 2048 of 3 x 32 x 32; 25 MB as float32


@dataclass(frozen=True)
class Compose(Augmentation):
    """One augmentation after the other; none at all only makes pixels floating point.

    Except where it is mixed, a batch goes through in chunks whose memory the allocator reuses:
    blocks above 32 MB go back to the system, which clears every page of the next one, and that can
    take as long as the work.
    """

    augmentations: tuple[Augmentation, ...]

    @property
    def mixes(self) -> bool:
        return any(a.mixes for a in self.augmentations)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        for mixes, augmentations in groupby(self.augmentations, key=lambda a: a.mixes):
            if mixes:
                batch = _apply(batch, tuple(augmentations), generator)
            else:
                batch = _in_chunks(batch, tuple(augmentations), generator)
        return replace(batch, images=as_float(batch.images))


def _in_chunks(
    batch: Batch, augmentations: tuple[Augmentation, ...], generator: torch.Generator
) -> Batch:
    size = max(1, CHUNK_VALUES // max(1, batch.images.shape[1:].numel()))
    if len(batch) <= size:
        return _apply(batch, augmentations, generator)
    images, targets = torch.empty(0), []
    for start in range(0, len(batch), size):
        rows = slice(start, start + size)
        chunk = _apply(batch[rows], augmentations, generator)
        if not start:
            images = chunk.images.new_empty((len(batch), *chunk.images.shape[1:]))
        images[rows] = chunk.images
        targets.append(chunk.targets)
    return replace(batch, images=images, targets=joined(targets))


def _apply(
    batch: Batch, augmentations: tuple[Augmentation, ...], generator: torch.Generator
) -> Batch:
    for augmentation in augmentations:
        batch = augmentation(batch, generator)
    return batch


@dataclass(frozen=True)
class RandomChoice(Augmentation):
    """One of the augmentations, drawn anew for each batch, all equally often.

    torchvision's recipe of 2021 draws so between mixup and CutMix; `OneOf` draws for each image.
    """

    augmentations: tuple[Augmentation, ...]

    @property
    def mixes(self) -> bool:
        return True  # the images of a batch have one draw in common

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        draw = torch.randint(
            len(self.augmentations), (1,), generator=generator, device=generator.device
        )
        return self.augmentations[int(draw)](batch, generator)


def compose(augmentations: Sequence[Augmentation]) -> Augmentation:
    """All of them in order, neighbours fused where they can share one pass over the pixels."""
    composed: list[Augmentation] = []
    for augmentation in augmentations:
        fused = composed[-1].join(augmentation) if composed else None
        if fused is None:
            composed.append(augmentation)
        else:
            composed[-1] = fused
    return Compose(tuple(composed))


def as_float(images: Tensor) -> Tensor:
    """Values in floating point, as they are where they are so.  [...] -> [...]"""
    return images if images.is_floating_point() else images.float()


def check_range(augmentation: Augmentation, name: str, low: float, high: float) -> None:
    """Refuses a parameter outside `low` to `high`."""
    value = getattr(augmentation, name)
    if not low <= value <= high:
        kind = type(augmentation).__name__
        raise RecipeError(
            f"{name} of augmentation {kind} is {value:g}",
            f"it must lie between {low:g} and {high:g}",
        )


def check_choice(augmentation: Augmentation, name: str, values: Iterable[str]) -> None:
    """Refuses a parameter that is none of `values`."""
    value = getattr(augmentation, name)
    if value not in values:
        kind = type(augmentation).__name__
        raise RecipeError(
            f"{name} of augmentation {kind} is '{value}'", f"it is one of {', '.join(values)}"
        )


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Uniform numbers, one per image, on the generator's device.  -> [N] of `low` to `high`"""
    draws = torch.rand(count, generator=generator, device=generator.device)
    return low + (high - low) * draws
