"""Fit diagnosis: whether a network underfits or overfits, from metrics with intervals.

Two values decide, both of the finished network in eval mode: its primary metric on training images
without augmentation, and the same on as many validation images.  What is missing to 1 on the
training images shows underfitting; the generalization gap to the validation images shows
overfitting.  The training curves give a reason.  Where the intervals leave it open, so does the
diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from saccade.metrics.intervals import Interval, difference, wilson
from saccade.metrics.metric import MetricValue
from saccade.words import number

TOLERANCE = 0.05  # of a metric that is 1 at best: a gap below it counts as none
RISE = 1.2  # of the validation loss over its lowest, from which it has risen again
FALL = 0.95  # of the training loss over the last quarter, below which it still falls

FitKind = Literal["underfitted", "overfitted", "both", "good fit", "inconclusive"]


@dataclass(frozen=True)
class FitDiagnosis:
    """The kind of fit, and the reasons as a message."""

    kind: FitKind
    message: str

    def __str__(self) -> str:
        return self.message


def fit_diagnosis(
    history: Sequence[Mapping[str, Any]], train: MetricValue, val: MetricValue, images: int = 0
) -> FitDiagnosis:
    """The fit diagnosis of a finished network.

    `history` has a dict per epoch with `loss` and `val_loss`; `train` and `val` are the same
    metric, 1 at best, on training images without augmentation and on validation images.  `images`
    is how many training images there are, where not all of them were measured.
    """
    train_ends, val_ends = _ends(train), _ends(val)
    gap = difference(train.value, train_ends, val.value, val_ends)
    missing = Interval(1 - train_ends.high, 1 - train_ends.low)
    measured = f"{train.name} on training images {train}, held out {val}"
    if images > train.n:
        measured += f" (as many of the {images:,} training images as are held out)"
    gap_text = _gap_text(gap, train.unit)
    under, over = missing.low > TOLERANCE, gap.low > TOLERANCE
    if under and over:
        text = f"underfitted and overfitted at once: {measured}; {gap_text}"
        return FitDiagnosis("both", f"{text}. More images come first")
    if over:
        return FitDiagnosis("overfitted", f"overfitted: {measured}; {gap_text}{_turned(history)}")
    if under and gap.high < missing.low:
        return FitDiagnosis("underfitted", f"underfitted: {measured}{_falling(history)}")
    if missing.high < TOLERANCE and gap.high < TOLERANCE:
        return FitDiagnosis("good fit", f"good fit: {measured}; {gap_text}")
    leaves = "which leaves it open: more held-out images would narrow it"
    return FitDiagnosis("inconclusive", f"inconclusive: {measured}; {gap_text}, {leaves}")


def _ends(metric: MetricValue) -> Interval:
    """The interval of a metric; Wilson's of a share that has none, as when all is right."""
    if metric.interval is None and metric.unit == "%" and 0 <= metric.value <= 1:
        return wilson(metric.value * metric.n, metric.n)
    return metric.interval or Interval(metric.value, metric.value)


def _turned(history: Sequence[Mapping[str, Any]]) -> str:
    """A sentence where the validation loss rose again while the training loss still fell."""
    if len(history) < 3:
        return ""
    best = min(history, key=lambda row: row["val_loss"])
    last = history[-1]
    rose = best["val_loss"] > 0 and last["val_loss"] > RISE * best["val_loss"]
    if not (rose and last["loss"] < best["loss"]):
        return ""
    return (
        f". After epoch {best['epoch']} the held-out loss rose from {best['val_loss']:.3g} to "
        f"{last['val_loss']:.3g}, that of training fell from {best['loss']:.3g} to "
        f"{last['loss']:.3g}"
    )


def _falling(history: Sequence[Mapping[str, Any]]) -> str:
    """A sentence on whether the training loss still fell in the last quarter of the epochs."""
    if len(history) < 4:
        return ""
    before, last = history[-1 - max(1, len(history) // 4)], history[-1]
    course = f"from {before['loss']:.3g} in epoch {before['epoch']} to {last['loss']:.3g}"
    if last["loss"] < FALL * before["loss"]:
        return f". The training loss still falls, {course}: train longer"
    advice = "a larger network, or a higher learning rate for longer"
    return f". The training loss hardly falls, {course}: {advice}"


def _gap_text(gap: Interval, unit: str) -> str:
    """The generalization gap as text."""

    def amounts(*ends: float) -> str:
        if unit != "%":
            return " to ".join(map(number, ends))
        return " to ".join(f"{100 * end:z.1f}" for end in ends) + " percentage points"

    if not (isfinite(gap.low) and isfinite(gap.high)):
        return "how far the two lie apart is undefined"
    if gap.low > 0:
        return f"held out it is {amounts(gap.low, gap.high)} lower"
    if gap.high < 0:
        return f"held out it is {amounts(-gap.high, -gap.low)} higher"
    lower, higher = amounts(gap.high), amounts(-gap.low)
    return f"held out it may be up to {lower} lower, or up to {higher} higher"
