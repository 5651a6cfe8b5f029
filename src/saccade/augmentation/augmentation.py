"""Augmentation: a random change of a whole batch; compose: several as one.

Nobody writes images by hand.  What changes colours is a `Photometric` and never sees targets; what
moves things is a `Geometry` and draws a warp, which moves images and targets (warp.py); what mixes
images of a batch is in mix.py; the others (Chain, Either, policies.py) only choose among these.
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
    chance comes from `generator`: the same state gives the same pixels.
    """

    @property
    def mixes(self) -> bool:
        """Whether images of a batch meet, and their targets with them."""
        return False

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The batch as training will see it."""
        ...

    def join(self, later: Augmentation) -> Augmentation | None:
        """This and the one that follows it as a single one, or None where that saves no work."""
        return None


class Photometric(Augmentation, Protocol):
    """An augmentation of what pixels show, never of where: targets stay as they are."""

    def change(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The images as they are to look.  [N,C,H,W] floating point -> [N,C,H,W]"""
        ...

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return replace(batch, images=self.change(as_float(batch.images), generator))


VALUES = 6 << 20  # in a piece: 41 images of 3 x 224 x 224, 2048 of 3 x 32 x 32; 25 MB as float32


@dataclass(frozen=True)
class Compose(Augmentation):
    """One augmentation after the other; none at all only makes pixels floating point.

    Between mixtures a batch goes through in pieces whose memory the allocator keeps and gives
    again: blocks above 32 MB go back to the system, which clears every page of the next one, and
    that can take as long as the work.
    """

    augmentations: tuple[Augmentation, ...]

    @property
    def mixes(self) -> bool:
        return any(part.mixes for part in self.augmentations)

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        for mixes, parts in groupby(self.augmentations, key=lambda part: part.mixes):
            if mixes:
                batch = _in_turn(batch, tuple(parts), generator)
            else:
                batch = _in_pieces(batch, tuple(parts), generator)
        return replace(batch, images=as_float(batch.images))


def _in_pieces(batch: Batch, parts: tuple[Augmentation, ...], generator: torch.Generator) -> Batch:
    length = max(1, VALUES // max(1, batch.images.shape[1:].numel()))
    if len(batch) <= length:
        return _in_turn(batch, parts, generator)
    images, targets = torch.empty(0), []
    for start in range(0, len(batch), length):
        rows = slice(start, start + length)
        piece = _in_turn(batch[rows], parts, generator)
        if not start:
            images = piece.images.new_empty((len(batch), *piece.images.shape[1:]))
        images[rows] = piece.images
        targets.append(piece.targets)
    return replace(batch, images=images, targets=joined(targets))


def _in_turn(batch: Batch, parts: tuple[Augmentation, ...], generator: torch.Generator) -> Batch:
    for part in parts:
        batch = part(batch, generator)
    return batch


@dataclass(frozen=True)
class RandomChoice(Augmentation):
    """One of the parts, drawn anew for each batch, all equally often.

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
    """All of them in order, neighbours joined where they can share one pass over the pixels."""
    parts: list[Augmentation] = []
    for augmentation in augmentations:
        joined = parts[-1].join(augmentation) if parts else None
        if joined is None:
            parts.append(augmentation)
        else:
            parts[-1] = joined
    return Compose(tuple(parts))


def as_float(images: Tensor) -> Tensor:
    """The same values in floating point, as they are where they are so.  [...] -> [...]"""
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
    """Numbers between `low` and `high`, one an image, on the generator's device.  -> [N]"""
    draws = torch.rand(count, generator=generator, device=generator.device)
    return low + (high - low) * draws
