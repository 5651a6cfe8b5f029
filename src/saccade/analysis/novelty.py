"""Novelty: how far a picture lies, in a network's features, from all that it was trained on.

Two scores, both higher for stranger pictures: Mahalanobis' distance (Lee 2018, A simple unified
framework for detecting out-of-distribution samples, Equation 2) and the distance to the k-th
nearest training picture (Sun 2022, Out-of-distribution detection with deep nearest neighbors).

What they can say: this picture is unlike the training pictures in what the network looks at; a
`limit` keeps the false alarms on pictures like the held-out ones near the wished share.
What they cannot: know that a picture is none of the classes.  A strange object that shares the
features of a class is close; a known one under a new light may be far.  How many strangers are
caught is known only for the kinds of strangers it was measured on (`roc_area` of both).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.covariance import ledoit_wolf
from torch import Tensor

from saccade.errors import DataError


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
        portions = F.normalize(features.float()).split(1024)
        exact = "donot_use_mm_for_euclid_dist"  # a product loses digits where distances are small
        near = [torch.cdist(p, self.bank, compute_mode=exact).kthvalue(self.k) for p in portions]
        return torch.cat([found.values for found in near]).double()


def limit(known: Tensor, false_alarms: float = 0.05) -> float:
    """The score above which a picture is called strange.

    known [N]: scores of held-out pictures, none of which the distance was fitted on.  A new
    picture like them lies above with a probability of at most `false_alarms` (split conformal:
    Vovk 2005, Algorithmic Learning in a Random World); infinite if they are too few for that.
    """
    n = len(known)
    rank = -int(-(1 - false_alarms) * (n + 1) // 1)  # rounded up
    return float(known.double().sort().values[rank - 1]) if rank <= n else float("inf")
