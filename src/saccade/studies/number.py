"""Number: what a study compares, read from finished runs and written for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from saccade.errors import RecipeError, unknown
from saccade.metrics.intervals import Interval
from saccade.words import percent

if TYPE_CHECKING:
    from saccade.runs.run import Run

Measure = Callable[["Run", float], float | None]


@dataclass(frozen=True)
class MetricKind:
    """A kind of number: how it is read, and what it is called."""

    words: str  # with {} for the level
    measure: Measure
    column: str  # of log.jsonl: what is drawn over the epochs
    share: bool = False  # between 0 and 1, higher is better; all others are from 0 on, to be low
    level: bool = False  # whether it needs one

    @property
    def highest(self) -> float:
        return 1.0 if self.share else inf


@dataclass(frozen=True)
class StudyMetric:
    """A kind of number, at a level where it needs one."""

    name: str
    level: float = 0.0

    @property
    def kind(self) -> MetricKind:
        return KINDS[self.name]

    @property
    def words(self) -> str:
        return self.kind.words.format(f"{self.level:g}")

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.kind.share else -1

    def of(self, run: Run) -> float | None:
        """The number of a finished run; None where it was never reached."""
        return self.kind.measure(run, self.level)

    def validation_value(self, run: Run) -> float | None:
        """What a tuned setting is chosen by: validation, never the test images."""
        return run.val.accuracy if self.name == "test_accuracy" else self.of(run)

    def written(self, value: float) -> str:
        return percent(value) if self.kind.share else self.bare(value)

    def bounded(self, interval: Interval | None) -> Interval | None:
        """An interval of means, cut where no number of the kind can be."""
        if interval is None:
            return None
        return Interval(max(0.0, interval.low), min(self.kind.highest, interval.high))

    def bare(self, value: float) -> str:
        """Without its unit."""
        if self.kind.share:
            return f"{100 * value:.1f}"
        return f"{value:.1f}" if self.kind.level else f"{value:.3g}"

    def difference(self, value: float) -> str:
        """With its sign; shares in points."""
        if self.kind.share:
            return f"{100 * value:+.1f}"
        return f"{value:+.1f}" if self.kind.level else f"{value:+.3g}"

    def __str__(self) -> str:
        return f"{self.name}:{self.level:g}" if self.kind.level else self.name


def metric_of(text: str) -> StudyMetric:
    """The number as a study writes it: `test_accuracy`, `epochs_to_loss:0.1`."""
    name, colon, level = str(text).partition(":")
    if name not in KINDS:
        raise unknown("metric", name, KINDS, RecipeError)
    if bool(colon) != KINDS[name].level:
        example = f"{name}:0.1" if KINDS[name].level else name
        raise RecipeError(f"the metric cannot be '{text}'", f"write {example}")
    try:
        return StudyMetric(name, float(level or 0))
    except ValueError as error:
        raise RecipeError(f"the metric cannot be '{text}'", f"write {name}:0.1") from error


def _test_accuracy(run: Run, _: float) -> float:
    return run.test.accuracy


def _final_loss(run: Run, _: float) -> float:
    return run.history[-1]["loss"]


def _epochs_to_loss(run: Run, level: float) -> float | None:
    return next((float(row["epoch"]) for row in run.history if row["loss"] <= level), None)


KINDS: dict[str, MetricKind] = {
    "test_accuracy": MetricKind("test accuracy", _test_accuracy, "val_accuracy", share=True),
    "final_loss": MetricKind("training loss of the last epoch", _final_loss, "loss"),
    "epochs_to_loss": MetricKind(
        "epochs to a training loss of {}", _epochs_to_loss, "loss", level=True
    ),
}
