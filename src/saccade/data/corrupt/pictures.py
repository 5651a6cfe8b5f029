"""Corrupted: decoded pictures under a corruption, the same pixels whenever they are taken."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.data.cache import Pictures
from saccade.data.corrupt.catalogue import corrupt


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
