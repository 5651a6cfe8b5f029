"""Balanced accuracy: the mean recall, every class alike however many pictures it has.

Brodersen 2010, The balanced accuracy and its posterior distribution.
"""

from __future__ import annotations

from torch import Tensor

from saccade.metrics.class_counts import ClassCounts
from saccade.metrics.interval import Interval, linear, wilson
from saccade.metrics.precision_recall import recall

UNEQUAL = 1.5  # times the pictures of the smallest class; above, accuracy and this part visibly


def balanced_accuracy(counts: ClassCounts) -> Tensor:
    """The mean recall of the classes that have pictures; guessing gives 1/K.  [...,K] -> [...]"""
    return recall(counts).nanmean(dim=-1)


def balanced_accuracy_interval(counts: ClassCounts, confidence: float = 0.95) -> Interval:
    """From the Wilson intervals of the recalls: never without width, even when all is right."""
    there = counts.true > 0
    shares = recall(counts)[there].tolist()
    pairs = zip(counts.right[there].tolist(), counts.true[there].tolist(), strict=True)
    intervals = [wilson(right, int(n), confidence) for right, n in pairs]
    return linear(shares, intervals, [1 / len(shares)] * len(shares))


def unequal(counts: ClassCounts) -> bool:
    """Whether the classes differ so much in size that balanced accuracy is to be named first."""
    there = counts.true[counts.true > 0]
    return bool(len(there) and there.max() > UNEQUAL * there.min())
