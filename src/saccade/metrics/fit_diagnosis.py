"""Fit diagnosis: under- or overfitted, or neither, in words and from numbers with intervals.

Two numbers decide, both of the finished network in eval mode: its leading number on training images
as they are, without augmentation, and the same on as many held-out ones.  What is missing on the
training images is what the network did not learn; what is missing beyond that on the held-out ones
is what it memorised.  The curves give the reason.  Where the intervals leave it open, so
does the diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from saccade.metrics.intervals import Interval, difference
from saccade.metrics.metric import MetricValue

TOLERABLE = 0.05  # of a number that is 1 at best: missing or lost, too little to speak of
RISE = 1.2  # of the held-out loss over its lowest, from which it is said to have turned
FALL = 0.95  # of the training loss over the last quarter, up to which it is said to fall still


FitKind = Literal["underfitted", "overfitted", "both", "good fit", "inconclusive"]


@dataclass(frozen=True)
class FitDiagnosis:
    """What the curves say, and why."""

    kind: FitKind
    message: str

    def __str__(self) -> str:
        return self.message


def fit_diagnosis(
    history: Sequence[Mapping[str, Any]], train: MetricValue, val: MetricValue
) -> FitDiagnosis:
    """How a finished network fits.

    `history` has a dict an epoch with `loss` and `val_loss`; `train` and `val` are the same number,
    1 at best, on training images without augmentation and on held-out ones.
    """
    train_ends, val_ends = _ends(train), _ends(val)
    gap = difference(train.value, train_ends, val.value, val_ends)
    missing = Interval(1 - train_ends.high, 1 - train_ends.low)
    measured = f"{train.name}: training {train}, held out {val}"
    lost = _apart(gap, train.unit)
    under, over = missing.low > TOLERABLE, gap.low > TOLERABLE
    if under and over:
        words = f"underfitted and overfitted at once: {measured}; {lost}"
        return FitDiagnosis("both", f"{words}. More images come first")
    if over:
        return FitDiagnosis("overfitted", f"overfitted: {measured}; {lost}{_turned(history)}")
    if under and gap.high < missing.low:
        return FitDiagnosis("underfitted", f"underfitted: {measured}{_falling(history)}")
    if missing.high < TOLERABLE and gap.high < TOLERABLE:
        return FitDiagnosis("good fit", f"good fit: {measured}; {lost}")
    leaves = "which leaves it open: more held-out images would narrow it"
    return FitDiagnosis("inconclusive", f"inconclusive: {measured}; {lost}, {leaves}")


def _ends(number: MetricValue) -> Interval:
    """Its interval; of no width where none of its replicates differs, as when all is right."""
    return number.interval or Interval(number.value, number.value)


def _turned(history: Sequence[Mapping[str, Any]]) -> str:
    """When the held-out loss rose from its lowest while that of training went on to fall."""
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
    """Whether the training loss still fell in the last quarter of the epochs, and what to do."""
    if len(history) < 4:
        return ""
    before, last = history[-1 - max(1, len(history) // 4)], history[-1]
    course = f"from {before['loss']:.3g} in epoch {before['epoch']} to {last['loss']:.3g}"
    if last["loss"] < FALL * before["loss"]:
        return f". The training loss still falls, {course}: train longer"
    advice = "a larger network, or a higher learning rate for longer"
    return f". The training loss hardly falls, {course}: {advice}"


def _apart(gap: Interval, unit: str) -> str:
    """How much lower the held-out number is than that of training, for people."""

    def amounts(*ends: float) -> str:
        if unit != "%":
            return " to ".join(f"{end:.3f}" for end in ends)
        return " to ".join(f"{100 * end:.1f}" for end in ends) + " percentage points"

    if gap.low > 0:
        return f"held out it is {amounts(gap.low, gap.high)} lower"
    if gap.high < 0:
        return f"held out it is {amounts(-gap.high, -gap.low)} higher"
    lower, higher = amounts(gap.high), amounts(-gap.low)
    return f"held out it may be up to {lower} lower, or up to {higher} higher"
