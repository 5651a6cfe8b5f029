"""Prediction sets: the classes of an image that hold the true one with a stated probability.

Split conformal prediction (Vovk 2005, Algorithmic learning in a random world; Sadinle 2019, Least
ambiguous set-valued classifiers with bounded error levels): a set has the classes as probable as
the true class was in all but the least probable of the validation images.  Whatever the network,
it holds the true class of a fresh image like them in at least that share of the cases, on average
over the draws of both.  Images of groups count by groups (Dunn 2023, Distribution-free prediction
sets for two-layer hierarchical models).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from torch import Tensor

ROUNDING = 1e-12


@dataclass(frozen=True)
class PredictionSets:
    """From which probability on a class is in the set of an image."""

    level: float  # of holding the true class
    limits: tuple[float, ...]  # of each class; 0 where too few images tell
    by_class: bool = False  # whether it holds for the images of each class

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> PredictionSets:
        """From the fields of `dataclasses.asdict`, also after JSON."""
        return cls(float(fields["level"]), tuple(fields["limits"]), bool(fields["by_class"]))

    def members(self, probabilities: Tensor) -> Tensor:
        """The classes in the set of each image; the most probable one always.  [N,K] -> bool"""
        limits = probabilities.new_tensor(self.limits, dtype=torch.float64)
        best = torch.nn.functional.one_hot(probabilities.argmax(dim=1), len(self.limits)).bool()
        return (probabilities.double() >= limits) | best


def prediction_sets(
    probabilities: Tensor,
    targets: Tensor,
    level: float,
    *,
    by_class: bool = False,
    groups: Tensor | None = None,
) -> PredictionSets:
    """The sets of this level from validation images; one limit for all classes, or one for each.

    probabilities [N,K], targets [N] int64, groups [N] int64
    """
    true = probabilities[torch.arange(len(targets)), targets].double()
    k = probabilities.shape[1]
    if not by_class:
        return PredictionSets(level, (_limit(true, level, groups),) * k)
    members = [targets == label for label in range(k)]
    limits = (_limit(true[m], level, None if groups is None else groups[m]) for m in members)
    return PredictionSets(level, tuple(limits), by_class=True)


def least_images(level: float) -> int:
    """How many images, or groups, it takes for sets of this level that leave a class out."""
    return ceil(level / (1 - level) - ROUNDING)


def _limit(true: Tensor, level: float, groups: Tensor | None) -> float:
    """The probability that the true class has in `level` of the images and a fresh one.  [N]

    The fresh one counts as a group of its own, of which nothing is known.
    """
    if not len(true):
        return 0.0
    units = torch.arange(len(true)) if groups is None else groups.unique(return_inverse=True)[1]
    sizes = units.bincount()
    falling = true.argsort(descending=True)
    shares = 1 / sizes[units[falling]].double() / (len(sizes) + 1)
    reached = (shares.cumsum(dim=0) >= level - ROUNDING).nonzero()
    return float(true[falling[reached[0, 0]]]) if len(reached) else 0.0
