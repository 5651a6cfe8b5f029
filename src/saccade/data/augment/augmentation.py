"""Augmentation: a random change of a whole batch; compose: several as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from saccade.batch import Batch
from saccade.errors import RecipeError


class Augmentation(Protocol):
    """One kind of change, a frozen dataclass; every picture of the batch draws its own.

    Images [N,C,H,W], uint8 or floating point, 0 to 255, become floating point, 0 to 255, of the
    same shape unless the class says otherwise.  The batch that comes in is never written to.  All
    chance comes from `generator`: the same state gives the same pixels.
    """

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The batch as training will see it."""
        ...

    def join(self, later: Augmentation) -> Augmentation | None:
        """This and the one that follows it as a single one, or None where that saves no work."""
        return None


@dataclass(frozen=True)
class Chain(Augmentation):
    """One augmentation after the other; none at all only makes pixels floating point."""

    parts: tuple[Augmentation, ...]

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        for part in self.parts:
            batch = part(batch, generator)
        return replace(batch, images=as_float(batch.images))


def compose(augmentations: Sequence[Augmentation]) -> Augmentation:
    """All of them in order, neighbours joined where they can share one pass over the pixels."""
    parts: list[Augmentation] = []
    for augmentation in augmentations:
        joined = parts[-1].join(augmentation) if parts else None
        if joined is None:
            parts.append(augmentation)
        else:
            parts[-1] = joined
    return Chain(tuple(parts))


def as_float(images: Tensor) -> Tensor:
    """The same pixel values in floating point; a tensor that is floating point already is kept."""
    return images if images.is_floating_point() else images.float()


def limit(augmentation: Augmentation, name: str, low: float, high: float) -> None:
    """Refuses a parameter outside `low` to `high`."""
    value = getattr(augmentation, name)
    if not low <= value <= high:
        kind = type(augmentation).__name__
        raise RecipeError(
            f"{name} of augmentation {kind} is {value:g}",
            f"it must lie between {low:g} and {high:g}",
        )


def uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Numbers between `low` and `high`, one a picture, on the generator's device.  -> [N]"""
    draws = torch.rand(count, generator=generator, device=generator.device)
    return low + (high - low) * draws
