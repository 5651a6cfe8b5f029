"""Flip, VerticalFlip: pictures mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.data.augment.augmentation import limit, uniform
from saccade.data.augment.geometry import Geometry, centred
from saccade.data.augment.warp import Kind, Warp


@dataclass(frozen=True)
class Flip(Geometry):
    """Left and right exchanged."""

    probability: float = 0.5  # of each picture
    border = ""

    def __post_init__(self) -> None:
        limit(self, "probability", 0, 1)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        mirror = centred(_signs(count, self.probability, generator), 0, 0, 1, source)
        return Warp(mirror, source, source, self.border, Kind.MIRROR)


@dataclass(frozen=True)
class VerticalFlip(Geometry):
    """Top and bottom exchanged: for pictures without an up, as from above or under a microscope."""

    probability: float = 0.5  # of each picture
    border = ""

    def __post_init__(self) -> None:
        limit(self, "probability", 0, 1)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        mirror = centred(1, 0, 0, _signs(count, self.probability, generator), source)
        return Warp(mirror, source, source, self.border, Kind.MIRROR)


def _signs(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """-1 where a picture is mirrored, else 1.  -> [N]"""
    return 1 - 2 * (uniform(count, 0, 1, generator) < probability).float()
