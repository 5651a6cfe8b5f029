"""Out-of-distribution detection: the distance of an image, in feature space, to training images.

The novelty score is the distance on the unit sphere to the nearest training image (Sun 2022,
Out-of-distribution detection with deep nearest neighbors), read on a scale of held-out images.

It tells that an image is unlike the training images in the features of the network; the share of
false alarms on images like the held-out ones is bounded.
It does not tell that an image is of none of the classes.  An unknown object that shares the
features of a class is close; a known one in a new light may be far.  The share of unknown objects
detected is known only for the kinds that it was measured on (benchmarks/novelty.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_BANK_BYTES = 8_000_000  # of remembered features at most


LEVELS = (0.99, 0.9, 0.5)  # of novelty, to report who exceeds one


@dataclass(frozen=True)
class Novelty:
    """A bank of training features, and the sorted distances of held-out images to it."""

    bank: Tensor  # [M,D] float16, of length 1: training images
    known: Tensor  # [V] float64, sorted: the distances of held-out images

    @classmethod
    def fit(cls, train: Tensor, held_out: Tensor) -> Novelty:
        """Novelty fitted to features of training and of held-out images.

        A bank of over 8 MB is thinned out evenly.  train [N,D], held_out [V,D] float
        """
        size = max(1, min(len(train), MAX_BANK_BYTES // (2 * train.shape[1])))
        indices = torch.linspace(0, len(train) - 1, size, dtype=torch.float64).round().long()
        bank = F.normalize(train[indices].float()).half()
        return cls(bank, _nearest_distances(held_out, _extended(bank)).sort().values)

    @cached_property
    def _bank(self) -> Tensor:
        """The bank [M,D+2] as `_nearest_distances` takes it; made once, as it takes longest."""
        return _extended(self.bank)

    @property
    def bytes(self) -> int:
        """Size of the bank and of the held-out distances in memory."""
        return self.bank.nbytes + self.known.nbytes

    @property
    def highest(self) -> float:
        """The novelty of what is farther than all held-out images."""
        return len(self.known) / (len(self.known) + 1)

    @property
    def level(self) -> float:
        """The first of `LEVELS` that an image can exceed; 0 where it can exceed none."""
        return next((level for level in LEVELS if level < self.highest), 0.0)

    def score(self, features: Tensor) -> Tensor:
        """The share of held-out images that are nearer, of them and the image itself.

        Of images like the held-out ones a share of 1 - x at most lies above x, whatever the
        network (split conformal: Vovk 2005, Algorithmic Learning in a Random World).
        features [N,D] -> [N] float64, 0 to 1
        """
        scores = _nearest_distances(features.cpu(), self._bank)
        return torch.searchsorted(self.known, scores) / (len(self.known) + 1.0)

    def mean_score(self, features: Sequence[Tensor]) -> Tensor:
        """The mean over test-time augmentations of the same images.  [[N,D], ...] -> [N] float64"""
        return torch.stack([self.score(f) for f in features]).mean(dim=0)


def _extended(bank: Tensor) -> Tensor:
    """The bank beside ones and its squared lengths.  [M,D] -> [M,D+2] float64

    In single precision a product loses small distances.
    """
    bank = bank.double()
    return torch.cat([bank, torch.ones_like(bank[:, :1]), bank.pow(2).sum(1, keepdim=True)], 1)


def _nearest_distances(features: Tensor, extended: Tensor) -> Tensor:
    """The distance to the nearest of the bank, 0 to 2.  [N,D], [M,D+2] -> [N] float64

    |a - b|^2 = |a|^2 - 2ab + |b|^2 as one product, the bits of `torch.cdist` for over 25 rows.
    """
    distances = []
    for chunk in F.normalize(features.double()).split(64):
        length = chunk.pow(2).sum(1, keepdim=True)
        rows = torch.cat([chunk.mul(-2), length, torch.ones_like(length)], 1)
        distances.append((rows @ extended.mT).clamp_min_(0).sqrt_().amin(1))
    return torch.cat(distances)
