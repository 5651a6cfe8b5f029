"""Corruptions by name and family, and a batch under one of them: images and targets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import torch
from torch import Tensor

from saccade.augmentation.corrupt.optics import (
    SEVERITIES,
    defocus_blur,
    gaussian_blur,
    gaussian_noise,
    glass_blur,
    impulse_noise,
    motion_blur,
    shot_noise,
    speckle_noise,
    zoom_blur,
)
from saccade.augmentation.corrupt.scene import (
    brightness,
    contrast,
    elastic,
    fog,
    frost,
    jpeg,
    pixelate,
    saturate,
    scale,
    snow,
    translate,
    turn,
)
from saccade.augmentation.warp import Warp, warped
from saccade.data.batch import Batch
from saccade.errors import UsageError, unknown

Photometric = Callable[[Tensor, int, torch.Generator], Tensor]
"""[N,C,H,W] float of 0 to 255, severity 1 to 5 -> the same shape and range; nothing moves"""
Geometric = Callable[[Tensor, int, torch.Generator], Warp]
"""[N,C,H,W] float of 0 to 255, severity 1 to 5 -> where their points go"""
Corruption = Callable[[Batch, int, torch.Generator], Batch]


def photometric(function: Photometric) -> Corruption:
    """The corruption of what pixels show; targets stay."""

    @wraps(function)
    def corruption(batch: Batch, severity: int, generator: torch.Generator) -> Batch:
        return replace(batch, images=function(batch.images, severity, generator))

    return corruption


def geometric(function: Geometric) -> Corruption:
    """The corruption of where things are; targets move with their images."""

    @wraps(function)
    def corruption(batch: Batch, severity: int, generator: torch.Generator) -> Batch:
        return warped(batch, function(batch.images, severity, generator))

    return corruption


def _named(wrap: Callable[[Any], Corruption], *functions: Any) -> dict[str, Corruption]:
    return {function.__name__: wrap(function) for function in functions}


FAMILIES: dict[str, dict[str, Corruption]] = {
    "noise": _named(photometric, gaussian_noise, shot_noise, impulse_noise, speckle_noise),
    "blur": _named(photometric, defocus_blur, gaussian_blur, motion_blur, zoom_blur, glass_blur),
    "weather": _named(photometric, fog, frost, snow, brightness),
    "digital": {
        **_named(photometric, contrast, pixelate, jpeg),
        **_named(geometric, elastic),
        **_named(photometric, saturate),
    },
    "shift": _named(geometric, translate, turn, scale),
}
CORRUPTIONS = {name: f for family in FAMILIES.values() for name, f in family.items()}
COLOURED = {"saturate"}  # of no effect on grey images


def names(channels: int, selection: str = "all") -> tuple[str, ...]:
    """The corruptions of `selection`: all, families or names, with spaces between them.

    Those without effect on images of so many channels are left out, unless named.
    """
    chosen: dict[str, None] = {}
    for word in selection.split() or ["all"]:
        if word in CORRUPTIONS:
            chosen[word] = None
            continue
        if word != "all" and word not in FAMILIES:
            raise unknown("corruption", word, [*CORRUPTIONS, *FAMILIES, "all"])
        families = FAMILIES.values() if word == "all" else [FAMILIES[word]]
        members = [name for family in families for name in family]
        chosen |= dict.fromkeys(name for name in members if channels == 3 or name not in COLOURED)
    return tuple(chosen)


def meaning(name: str) -> str:
    """What the corruption `name` does: the first line of its docstring."""
    first = (CORRUPTIONS[name].__doc__ or "").partition("\n")[0]
    return first.partition("  [")[0]  # the shapes are for those who call it


def corrupt(batch: Batch, name: str, severity: int, generator: torch.Generator) -> Batch:
    """The batch under the corruption `name`, with other random numbers for each image.

    [N,C,H,W] uint8 or floating point, 0 to 255 -> the same shape, floating point, 0 to 255
    """
    if name not in CORRUPTIONS:
        raise unknown("corruption", name, CORRUPTIONS)
    if severity not in SEVERITIES:
        raise UsageError(f"severity cannot be {severity}", "it is a whole number from 1 to 5")
    floating = replace(batch, images=batch.images.float())
    return CORRUPTIONS[name](floating, severity, generator)


@dataclass(frozen=True)
class CorruptedImages:
    """A loader's batches under a corruption, the same whenever they are taken; bytes, as in files.

    The random numbers of a batch are a function of the seed, the corruption and the batch's first
    image: a streak has the same direction in all five severities.
    """

    name: str
    severity: int
    seed: int = 0

    def __call__(self, batch: Batch) -> Batch:
        key = f"{self.seed} {self.name} {int(batch.index[0])}".encode()
        digest = hashlib.blake2b(key, digest_size=8).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)
        corrupted = corrupt(batch, self.name, self.severity, generator)
        return replace(corrupted, images=corrupted.images.round().clamp(0, 255).byte())
