"""Viewed: decoded pictures under one of the maps of `views`."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from saccade.data.augment.views import Map, seen
from saccade.data.cache import Pictures


@dataclass(frozen=True)
class Viewed(Pictures):
    """The same pictures, mirrored, cut or moved, as floating point of 0 to 255."""

    pictures: Pictures
    map: Map

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.pictures.shape

    @property
    def ahead(self) -> int:
        return self.pictures.ahead

    def __len__(self) -> int:
        return len(self.pictures)

    def take(self, index: Tensor) -> Tensor:
        return next(seen(self.pictures.take(index), [self.map]))
