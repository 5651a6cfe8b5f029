"""Novelty: how far a picture lies, in a network's features, from all that it was trained on.

Two scores, both higher for stranger pictures: Mahalanobis' distance (Lee 2018, A simple unified
framework for detecting out-of-distribution samples, Equation 2) and the distance to the k-th
nearest training picture (Sun 2022, Out-of-distribution detection with deep nearest neighbors).
`Novelty`, which bundles keep, is the second, read on a scale of held-out pictures.

What they can say: this picture is unlike the training pictures in what the network looks at; of
pictures like the held-out ones no more than a known share is said to be.
What they cannot: know that a picture is none of the classes.  A strange object that shares the
features of a class is close; a known one under a new light may be far.  How many strangers are
caught is known only for the kinds of strangers it was measured on (benchmarks/novelty.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.errors import DataError

BYTES = 8_000_000  # of remembered features at most


@dataclass(frozen=True)
class Mahalanobis:
    """The distance to the nearest class mean, in spreads that all classes share."""

    means: Tensor  # [K,D] float64
    whitening: Tensor  # [D,D] float64; features times this have the spread 1 in all directions

    @classmethod
    def fit(cls, features: Tensor, targets: Tensor) -> Mahalanobis:
        """From training features.  [N,D], [N] int64 of every class at least one

        The covariance is shrunk as Ledoit & Wolf 2004 say, so that fewer pictures than features do.
        """
        from sklearn.covariance import ledoit_wolf  # a second to load, and predict fits nothing

        features = features.double()
        classes, place, times = targets.unique(return_inverse=True, return_counts=True)
        sums = features.new_zeros(len(classes), features.shape[1]).index_add_(0, place, features)
        means = sums / times[:, None]
        covariance, _ = ledoit_wolf((features - means[place]).numpy(), assume_centered=True)
        values, directions = torch.linalg.eigh(torch.from_numpy(covariance))
        if float(values.max()) <= 0:
            raise DataError("the features of every class are all alike: no distance is defined")
        return cls(means, directions / values.clamp_min(1e-12 * values.max()).sqrt())

    def score(self, features: Tensor) -> Tensor:
        """[N,D] -> [N] float64"""
        here = features.double() @ self.whitening
        return torch.cdist(here, self.means @ self.whitening).amin(dim=1)


@dataclass(frozen=True)
class Neighbours:
    """The distance to the k-th nearest training picture, on the unit sphere: 0 to 2."""

    bank: Tensor  # [N,D] float32, of length 1
    k: int

    @classmethod
    def fit(cls, features: Tensor, k: int = 10) -> Neighbours:
        """From training features.  [N,D]"""
        return cls(F.normalize(features.float()), min(k, len(features)))

    def score(self, features: Tensor) -> Tensor:
        """[N,D] -> [N] float64"""
        bank = self.bank.double()  # of single precision a product loses small distances
        portions = F.normalize(features.double()).split(1024)
        return torch.cat([torch.cdist(p, bank).kthvalue(self.k).values for p in portions])


@dataclass(frozen=True)
class Novelty:
    """Distances to the nearest training picture, as a share of held-out pictures nearer to one."""

    bank: Tensor  # [M,D] float16, of length 1: training pictures
    known: Tensor  # [V] float64, rising: the distances of held-out pictures

    @classmethod
    def fit(cls, train: Tensor, held_out: Tensor) -> Novelty:
        """From features.  [N,D], [V,D]; of the first evenly spread ones are kept, 8 MB at most"""
        kept = max(1, min(len(train), BYTES // (2 * train.shape[1])))
        places = torch.linspace(0, len(train) - 1, kept, dtype=torch.float64).round().long()
        bank = F.normalize(train[places].float()).half()
        return cls(bank, _nearest(held_out, bank).sort().values)

    @property
    def bytes(self) -> int:
        return self.bank.nbytes + self.known.nbytes

    @property
    def highest(self) -> float:
        """The novelty of what is farther than all held-out pictures."""
        return len(self.known) / (len(self.known) + 1)

    def share(self, features: Tensor) -> Tensor:
        """[N,D] -> [N] float64: held-out pictures that are nearer, of them and the picture itself.

        Of pictures like the held-out ones a share of 1 - x at most lies above x, whatever the
        network (split conformal: Vovk 2005, Algorithmic Learning in a Random World).
        """
        scores = _nearest(features.cpu(), self.bank)
        return torch.searchsorted(self.known, scores) / (len(self.known) + 1.0)

    def mean_share(self, views: Sequence[Tensor]) -> Tensor:
        """The mean over views of the same pictures.  [[N,D], ...] -> [N] float64"""
        return torch.stack([self.share(features) for features in views]).mean(dim=0)


def _nearest(features: Tensor, bank: Tensor) -> Tensor:
    """`Neighbours` of k = 1, faster.  [N,D], [M,D] -> [N] float64"""
    bank = bank.double()
    return torch.cat(
        [torch.cdist(p, bank).amin(1) for p in F.normalize(features.double()).split(64)]
    )
