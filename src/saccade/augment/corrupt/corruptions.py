"""Corruptions by name and family, and the picture of a batch under one of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.augment.corrupt.optics import (
    SEVERITIES,
    Corrupt,
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
from saccade.augment.corrupt.scene import (
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
from saccade.data.cache import Pictures
from saccade.errors import UsageError, unknown

FAMILIES: dict[str, tuple[Corrupt, ...]] = {
    "noise": (gaussian_noise, shot_noise, impulse_noise, speckle_noise),
    "blur": (defocus_blur, gaussian_blur, motion_blur, zoom_blur, glass_blur),
    "weather": (fog, frost, snow, brightness),
    "digital": (contrast, pixelate, jpeg, elastic, saturate),
    "shift": (translate, turn, scale),
}
CORRUPTIONS: dict[str, Corrupt] = {
    one.__name__: one for family in FAMILIES.values() for one in family
}
COLOURED = {"saturate"}  # of no effect on grey pictures


def names(channels: int, wanted: str = "all") -> tuple[str, ...]:
    """The corruptions that `wanted` means: all, families or names, with spaces between them.

    Those that leave pictures of so many channels as they are are left out, unless named.
    """
    found: dict[str, None] = {}
    for word in wanted.split() or ["all"]:
        if word in CORRUPTIONS:
            found[word] = None
            continue
        if word != "all" and word not in FAMILIES:
            raise unknown("corruption", word, [*CORRUPTIONS, *FAMILIES, "all"])
        families = FAMILIES.values() if word == "all" else [FAMILIES[word]]
        several = [one.__name__ for family in families for one in family]
        found |= dict.fromkeys(name for name in several if channels == 3 or name not in COLOURED)
    return tuple(found)


def meaning(name: str) -> str:
    """What the corruption `name` does, by the first line of its own description."""
    first = (CORRUPTIONS[name].__doc__ or "").partition("\n")[0]
    return first.partition("  [")[0]  # the shapes are for those who call it


def corrupt(images: Tensor, name: str, severity: int, generator: torch.Generator) -> Tensor:
    """Pictures under the corruption `name`, a chance of its own for each.

    [N,C,H,W] uint8 or floating point, 0 to 255 -> the same shape, floating point, 0 to 255
    """
    if name not in CORRUPTIONS:
        raise unknown("corruption", name, CORRUPTIONS)
    if severity not in SEVERITIES:
        raise UsageError(f"severity cannot be {severity}", "it is a whole number from 1 to 5")
    return CORRUPTIONS[name](images.float(), severity, generator)


# Corrupted: decoded pictures under a corruption, the same pixels whenever they are taken.


@dataclass(frozen=True)
class Corrupted(Pictures):
    """Bytes again, as a file would hold them.

    The chance in a batch is a function of the seed, the corruption and the batch's first picture:
    a streak has the same direction in all five severities.
    """

    pictures: Pictures
    name: str
    severity: int
    seed: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.pictures.shape

    @property
    def ahead(self) -> int:
        return self.pictures.ahead

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, index: Tensor) -> Tensor:
        key = f"{self.seed} {self.name} {int(index[0])}".encode()
        digest = hashlib.blake2b(key, digest_size=8).digest()
        chance = torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)
        changed = corrupt(self.pictures.take(index), self.name, self.severity, chance)
        return changed.round().clamp(0, 255).byte()
