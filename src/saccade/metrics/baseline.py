"""Baselines: what a network gets that does not look at the picture."""

from __future__ import annotations

from typing import NamedTuple

from saccade.metrics.class_counts import ClassCounts


class Baseline(NamedTuple):
    """Scores that stand beside those of a network."""

    majority: float  # accuracy of always naming the largest class
    chance: float  # accuracy of drawing each of the K classes alike, 1 / K
    balanced: float  # balanced accuracy of either, 1 / (classes that have pictures)
    log_loss: float  # nats, of giving each class its share: the entropy of the class sizes


def baseline(counts: ClassCounts) -> Baseline:
    """The baselines on the pictures that were counted."""
    there = counts.true[counts.true > 0]
    shares = there / counts.n
    return Baseline(
        majority=float(shares.max()),
        chance=1 / len(counts.true),
        balanced=1 / len(there),
        log_loss=float(-(shares * shares.log()).sum()),
    )
