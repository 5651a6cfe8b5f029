"""Fit diagnosis: whether a network underfits or overfits, from metrics with intervals.

Two values decide, both of the finished network in eval mode: its primary metric on training images
without augmentation, and the same on as many validation images.  What is missing to 1 on the
training images shows underfitting; the generalization gap to the validation images shows
overfitting.  The training curves give a reason.  Where the intervals leave it open, so does the
diagnosis.

Wrong labels keep both values as far below 1 as underfitting does, however good the network.  But
they make mistakes among the predictions that it is surest of as well, which is looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from torch import Tensor

from saccade.metrics.intervals import Interval, difference
from saccade.metrics.metric import MetricValue
from saccade.metrics.selective import surest
from saccade.words import number

TOLERANCE = 0.05  # of a metric that is 1 at best: a gap below it counts as none
RISE = 1.2  # of the validation loss over its lowest, from which it has risen again
FALL = 0.95  # of the training loss over the last quarter, below which it still falls

LEVEL = 0.05  # of the test whether mistakes are rarer among sure predictions

FitKind = Literal["underfitted", "overfitted", "both", "good fit", "inconclusive"]


@dataclass(frozen=True)
class FitDiagnosis:
    """The kind of fit, and the reasons as a message."""

    kind: FitKind
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Mistakes:
    """Mistakes among held-out predictions: in the surer half of those of each class, and beyond."""

    sure: int
    unsure: int

    @classmethod
    def of(cls, confidences: Tensor, answers: Tensor, correct: Tensor) -> Mistakes:
        """confidences [N], answers [N] int64 predicted classes, correct [N] bool"""
        sure = surest(confidences, answers, 0.5)
        return cls(int((sure & ~correct).sum()), int((~sure & ~correct).sum()))

    @property
    def among_unsure(self) -> bool:
        """Whether the surer half has surely less than half as many of them: a binomial test."""
        from scipy.special import bdtr

        return float(bdtr(self.sure, self.sure + self.unsure, 1 / 3)) < LEVEL

    def __str__(self) -> str:
        halves = f"{self.sure} among the surer half of the held-out predictions, {self.unsure} else"
        return f"mistakes are {halves}"


def fit_diagnosis(
    history: Sequence[Mapping[str, Any]],
    train: MetricValue,
    val: MetricValue,
    images: int = 0,
    mistakes: Mistakes | None = None,
) -> FitDiagnosis:
    """The fit diagnosis of a finished network.

    `history` has a dict per epoch with `loss` and `val_loss`; `train` and `val` are the same
    metric, 1 at best, on training images without augmentation and on validation images.  `images`
    is how many training images there are, where not all of them were measured; `mistakes` those of
    single-label classification.
    """
    measured = f"{train.name} on training images {train}, held out {val}"
    if images > train.n:
        measured += f" (as many of the {images:,} training images as are held out)"
    if train.interval is None or val.interval is None:
        return FitDiagnosis("inconclusive", f"inconclusive: {measured}; without both intervals")
    gap = difference(train.value, train.interval, val.value, val.interval)
    missing = Interval(1 - train.interval.high, 1 - train.interval.low)
    gap_text = _gap_text(gap, train.unit)
    under, over = missing.low > TOLERANCE, gap.low > TOLERANCE
    if under and over:
        text = f"underfitted and overfitted at once: {measured}; {gap_text}"
        return FitDiagnosis("both", f"{text}. More images come first")
    if over:
        return FitDiagnosis("overfitted", f"overfitted: {measured}; {gap_text}{_turned(history)}")
    if under and gap.high < missing.low:
        return _underfitted_or_wrong_labels(measured, history, mistakes)
    if missing.high < TOLERANCE and gap.high < TOLERANCE:
        return FitDiagnosis("good fit", f"good fit: {measured}; {gap_text}")
    leaves = "which leaves it open: more held-out images would narrow it"
    return FitDiagnosis("inconclusive", f"inconclusive: {measured}; {gap_text}, {leaves}")


def _underfitted_or_wrong_labels(
    measured: str, history: Sequence[Mapping[str, Any]], mistakes: Mistakes | None
) -> FitDiagnosis:
    """Which of the two keeps both values below 1, as far as it can be told."""
    if mistakes.among_unsure if mistakes else _still_falls(history):
        return FitDiagnosis("underfitted", f"underfitted: {measured}{_falling(history)}")
    labels = "the network is too small, or labels are wrong or not to be seen in the images"
    if mistakes:
        labels = f"{mistakes}: {labels}. saccade label-issues lists the labels to look at"
    return FitDiagnosis("inconclusive", f"inconclusive: {measured}; {labels}")


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
    before, last = _last_quarter(history)
    course = f"from {before['loss']:.3g} in epoch {before['epoch']} to {last['loss']:.3g}"
    if _still_falls(history):
        return f". The training loss still falls, {course}: train longer"
    advice = "a larger network, or a higher learning rate for longer"
    return f". The training loss hardly falls, {course}: {advice}"


def _last_quarter(
    history: Sequence[Mapping[str, Any]],
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The epochs before and at the end of the last quarter."""
    return history[-1 - max(1, len(history) // 4)], history[-1]


def _still_falls(history: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the training loss fell in the last quarter of four epochs or more."""
    if len(history) < 4:
        return False
    before, last = _last_quarter(history)
    return last["loss"] < FALL * before["loss"]


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
