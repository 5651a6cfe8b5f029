"""The metric of a study, read from finished runs and formatted for people."""

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
    """A kind of metric: how it is read from a run, and its description."""

    description: str  # with {} for the level
    measure: Measure
    column: str  # of log.jsonl: what is drawn over the epochs
    share: bool = False  # between 0 and 1, higher is better; all others are at least 0, lower is
    level: bool = False  # whether it needs one

    @property
    def max_value(self) -> float:
        """1 for shares, else infinite."""
        return 1.0 if self.share else inf


@dataclass(frozen=True)
class StudyMetric:
    """A kind of metric, at a level where it needs one."""

    name: str
    level: float = 0.0

    @property
    def kind(self) -> MetricKind:
        """The kind of this name."""
        return KINDS[self.name]

    @property
    def description(self) -> str:
        """The kind's description with the level."""
        return self.kind.description.format(f"{self.level:g}")

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.kind.share else -1

    def of(self, run: Run) -> float | None:
        """The metric of a finished run; None where the level was never reached."""
        return self.kind.measure(run, self.level)

    def validation_value(self, run: Run) -> float | None:
        """The value by which a tuned setting is chosen, never that of the test images."""
        return run.val.accuracy if self.name == "test_accuracy" else self.of(run)

    def formatted(self, value: float) -> str:
        """The value as text, shares in per cent."""
        return percent(value) if self.kind.share else self.bare(value)

    def clipped(self, interval: Interval | None) -> Interval | None:
        """An interval of means, clipped to the range of the metric."""
        if interval is None:
            return None
        return Interval(max(0.0, interval.low), min(self.kind.max_value, interval.high))

    def bare(self, value: float) -> str:
        """The value as text without its unit."""
        if self.kind.share:
            return f"{100 * value:.1f}"
        return f"{value:.1f}" if self.kind.level else f"{value:.3g}"

    def difference(self, value: float) -> str:
        """A difference as text with its sign, shares in percentage points."""
        if self.kind.share:
            return f"{100 * value:+z.1f}"
        return f"{value:+z.1f}" if self.kind.level else f"{value:+z.3g}"

    def __str__(self) -> str:
        return f"{self.name}:{self.level:g}" if self.kind.level else self.name


def metric_of(text: str) -> StudyMetric:
    """The metric of its name in a study's file: `test_accuracy`, `epochs_to_loss:0.1`."""
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
