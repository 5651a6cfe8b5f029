"""Precision, recall and F1 of each class, and their macro and weighted means.

van Rijsbergen 1979, Information Retrieval, chapter 7.  A class that has no such number has NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.metrics.class_counts import ClassCounts, CountScore


def precision(counts: ClassCounts) -> Tensor:
    """Of the pictures taken for a class, the share that is of it.  [...,K]"""
    return counts.right / counts.named


def recall(counts: ClassCounts) -> Tensor:
    """Of the pictures of a class, the share taken for it.  [...,K]"""
    return counts.right / counts.true


def f1(counts: ClassCounts) -> Tensor:
    """The harmonic mean of both, as 2 right / (true + named).  [...,K]"""
    return 2 * counts.right / (counts.true + counts.named)


class Macro:
    """The mean over the classes that appear, as true or as named; an undefined number counts 0.

    So says scikit-learn with `zero_division=0`: a class never named lowers macro precision.
    """

    def __init__(self, score: CountScore):
        self.score = score

    def __call__(self, counts: ClassCounts) -> Tensor:
        appears = (counts.true + counts.named) > 0
        total = torch.where(appears, self.score(counts), 0.0).nan_to_num(0.0).sum(dim=-1)
        return total / appears.sum(dim=-1)


class Weighted:
    """The mean over classes by their number of pictures; an undefined number counts 0."""

    def __init__(self, score: CountScore):
        self.score = score

    def __call__(self, counts: ClassCounts) -> Tensor:
        return (self.score(counts).nan_to_num(0.0) * counts.true).sum(dim=-1) / counts.n
