"""The result of a learning curve: what was measured, and what more images would give."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from saccade.frame import data_frame
from saccade.metrics.metric import MetricValue
from saccade.studies.power_law import FEWEST, SIGNIFICANT, Measured, PowerLaw
from saccade.words import LineFeeds, aligned, defined, html_table, number, percent, pluralize

if TYPE_CHECKING:
    from pandas import DataFrame

TIMES = (2, 4)  # as many images; beyond four times nothing is said
STEEP = 1.0  # exponent; errors of n images fall by 1/n at best for models of a fixed size
STEPS = 400  # at which the interval of a number of images is looked for
NORMAL = 1.959964  # half of a 95 % interval in deviations
COLUMNS = ("kind", "images", "share", "seed", "score", "low", "high", "n", "run")


@dataclass(frozen=True)
class CurvePoint:
    """A training on a share of the training images."""

    share: float
    seed: int
    train: int  # images trained on
    metric: MetricValue  # the primary one, on the test images
    run: Path

    @property
    def error(self) -> float:
        """What the score lacks to 1, of n test images as (n error + 0.5) / (n + 1): never 0."""
        n = self.metric.n
        return (max(0.0, 1 - self.metric.value) * n + 0.5) / (n + 1)

    @property
    def test_variance(self) -> float:
        """The variance of the log error that comes from the test images being so many."""
        low, high = self.metric.interval or (0.0, 0.0)
        return ((high - low) / (2 * NORMAL) / self.error) ** 2


@dataclass(frozen=True)
class Forecast:
    """The mean score that a number of training images is expected to give, with its interval."""

    times: float  # as many images as there are
    images: int
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Needed:
    """How many training images a score would need; None: more than four times those there are."""

    score: float
    images: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True, repr=False)
class LearningCurve:
    """Scores over the number of training images, and a power law of the errors."""

    path: Path
    task: str  # its kind
    points: tuple[CurvePoint, ...]
    shared_test: bool  # whether all seeds were measured on the same images
    target: float | None = None  # a score to reach

    @property
    def name(self) -> str:
        """The name of the primary metric."""
        return self.points[0].metric.name

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares of the training images, the smallest first."""
        return tuple(sorted({point.share for point in self.points}))

    @property
    def images(self) -> int:
        """How many images there are to train on, about the same for every seed."""
        return round(self._images(self.shares[-1]))

    def at(self, share: float) -> tuple[CurvePoint, ...]:
        """The trainings at one share, a seed each."""
        return tuple(point for point in self.points if point.share == share)

    def _images(self, share: float) -> float:
        """The geometric mean of the number of training images."""
        return math.exp(fmean(math.log(point.train) for point in self.at(share)))

    @cached_property
    def law(self) -> PowerLaw | None:
        """The fitted power law; None where there is nothing to fit it to."""
        undefined = any(math.isnan(point.metric.value) for point in self.points)
        if undefined or len(self.shares) < 2 or len(self.at(self.shares[0])) < 2:
            return None
        if len({round(self._images(share)) for share in self.shares}) < len(self.shares):
            return None
        last = self.at(self.shares[-1])
        overlap = 0.0 if self.shared_test else fmean(p.metric.n / p.train for p in last)
        measured = tuple(
            Measured(
                self._images(share),
                tuple(point.error for point in self.at(share)),
                fmean(point.test_variance for point in self.at(share)),
            )
            for share in self.shares
        )
        return PowerLaw(measured, self.shared_test, overlap)

    @cached_property
    def reason(self) -> str:
        """Why nothing can be said of more images; empty where it can."""
        law = self.law
        if any(math.isnan(point.metric.value) for point in self.points):
            return f"the {self.name} of a training is undefined: more test images are needed"
        if len(self.at(self.shares[0])) < 2:
            return "one seed does not tell how far off it is: --seeds 3"
        if law is None:
            return "two shares have the same images: fewer --shares"
        if all(point.metric.value >= 1 for point in self.points):
            return "there is no error at any size: a larger or harder test set would show a curve"
        if (bend := law.curvature()) is None:
            return (
                f"too few points: {FEWEST} sizes at least tell a line from a curve, and there are "
                f"{len(self.shares)}"
            )
        if bend.p_value < SIGNIFICANT:
            how = "flattens" if bend.value > 0 else "falls faster and faster"
            return f"the curve {how} (p = {bend.p_value:.2g}): it is no power law to go on from"
        if law.c <= 0:
            low, high = (-end for end in law.slope().interval[::-1])
            told = (
                "more images of this kind do not help here"
                if high <= 0
                else "whether more images help cannot be told from these trainings"
            )
            return (
                f"no downward slope: {told} (errors go with n to the power {-law.c:.2f}, 95 % "
                f"interval {-high:.2f} to {-low:.2f}; below 0 more images help)"
            )
        return ""

    @cached_property
    def forecasts(self) -> tuple[Forecast, ...]:
        """The scores at two and four times the images; none where they cannot be told."""
        if self.reason or self.law is None:
            return ()
        return tuple(self._forecast(self.law, times) for times in TIMES)

    def _forecast(self, law: PowerLaw, times: float) -> Forecast:
        images = times * self._images(self.shares[-1])
        low, high = law.interval(images)
        return Forecast(
            times,
            round(images),
            self._score(law.error(images)),
            self._score(high),
            self._score(low),
        )

    def _score(self, error: float) -> float:
        return max(0.0, 1 - error) if self.points[0].metric.unit == "%" else 1 - error

    @cached_property
    def needed(self) -> Needed | None:
        """How many images the wished score would need; None without one, or where unknown."""
        if self.target is None or self.reason or self.law is None or self.weak:
            return None
        wished = 1 - self.target
        law, there = self.law, self._images(self.shares[-1])
        least, most = self._images(self.shares[0]), TIMES[-1] * there
        sizes = [least * (most / least) ** (k / STEPS) for k in range(STEPS + 1)]
        intervals = [law.interval(size) for size in sizes]

        def first(found: list[bool]) -> int | None:
            return math.ceil(sizes[found.index(True)]) if any(found) else None

        return Needed(
            self.target,
            first([law.error(size) <= wished for size in sizes]),
            first([low <= wished for low, _ in intervals]),
            first([high <= wished for _, high in intervals]),
        )

    @property
    def weak(self) -> bool:
        """Whether the fall of the errors may be noise."""
        return self.law is not None and self.law.slope().p_value >= SIGNIFICANT

    def notes(self) -> list[str]:
        """What the numbers say and how they were computed."""
        notes = []
        if self.reason:
            notes.append(f"what more images would give cannot be said: {self.reason}")
        elif self.weak and self.law:
            p = self.law.slope().p_value
            notes.append(
                f"the fall of the errors may be noise (p = {p:.2g}): more --seeds tell more"
            )
        if not self.reason and self.law and self.law.c > STEEP:
            notes.append(
                f"an exponent of {self.law.c:.2f} is more than images alone give as a rule: the "
                "small shares may be trained too briefly, and the forecasts too good; try more "
                "--epochs"
            )
        if self.target is not None:
            notes.append(self._needed_text())
        seeds = len(self.at(self.shares[0]))
        tested = "the same test images" if self.shared_test else "test images of their own"
        notes.append(
            f"each size from {pluralize(seeds, 'seed')}, on {tested}; share and first weights vary "
            "with the seed, and fewer images make fewer steps"
        )
        if self.law:
            notes.append(
                f"error = {number(self.law.b)} n^{-self.law.c:.2f}, least squares in log-log of "
                "(n error + 0.5) / (n + 1), so that no error counts as half a one; intervals are "
                "95 % of the mean over seeds"
            )
        return notes

    def _needed_text(self) -> str:
        wished = f"{self.name} {self._text(self.target or 0.0)}"
        if self.needed is None:
            why = "the fall of the errors may be noise" if self.weak else "as above"
            return f"how many images {wished} needs cannot be said: {self.reason or why}"
        images, low, high = (
            None if n is None else f"{n:,}"
            for n in (self.needed.images, self.needed.low, self.needed.high)
        )
        most = f"more than {TIMES[-1] * self.images:,}"
        if low is None:
            return f"{wished} needs {most} images, four times those there are; no more is said"
        ends = f"{low} to {high or most}"
        return f"{wished} needs about {images or most} images (95 % interval {ends})"

    def _text(self, score: float) -> str:
        return percent(score) if self.points[0].metric.unit == "%" else number(score)

    def rows(self) -> list[tuple[str, str, str]]:
        """Training images, mean score and range as text: what was measured, then forecasts."""
        rows = []
        for share in self.shares:
            scores = [point.metric.value for point in self.at(share)]
            spread = f"{self._text(min(scores))} to {self._text(max(scores))}"
            images = f"{round(self._images(share)):,}"
            rows.append((images, self._text(fmean(scores)), f"{spread} over seeds"))
        for f in self.forecasts:
            ends = f"{self._text(f.low)} to {self._text(f.high)}, 95 % interval"
            rows.append((f"{f.times:g} x: {f.images:,}", self._text(f.score), ends))
        return rows

    def head(self) -> tuple[str, str, str]:
        """The titles of the rows."""
        return ("training images", self.name, "")

    def to_dict(self) -> dict[str, Any]:
        """What `saccade learning-curve --json` prints; undefined numbers are None."""
        points = [
            {"share": p.share, "seed": p.seed, "images": p.train, "score": p.metric.value,
             "n": p.metric.n, "run": str(p.run)}
            for p in self.points
        ]  # fmt: skip
        law = None if self.law is None else {"b": self.law.b, "c": self.law.c}
        return defined(
            {
                "path": str(self.path),
                "task": self.task,
                "metric": self.name,
                "points": points,
                "power_law": law,
                "reason": self.reason,
                "forecasts": [vars(forecast) for forecast in self.forecasts],
                "needed": None if self.needed is None else vars(self.needed),
                "notes": self.notes(),
            }
        )

    def _cells(self) -> Iterator[tuple[Any, ...]]:
        for p in self.points:
            low, high = p.metric.interval or (None, None)
            cells = (p.train, p.share, p.seed, p.metric.value, low, high, p.metric.n, str(p.run))
            yield ("trained", *cells)
        for f in self.forecasts:
            yield ("forecast", f.images, f.times, None, f.score, f.low, f.high, None, None)

    def to_csv(self) -> str:
        """A row for each training and each forecast; intervals are of 95 %."""
        out = io.StringIO()
        writer = csv.writer(LineFeeds(out))
        writer.writerow(COLUMNS)
        writer.writerows(["" if c is None else c for c in cells] for cells in self._cells())
        return out.getvalue().rstrip("\n")

    def to_frame(self) -> DataFrame:
        """A row for each training and each forecast; intervals are of 95 %."""
        return data_frame(self._cells(), COLUMNS)

    def __str__(self) -> str:
        notes = [f"- {note}" for note in self.notes()]
        return "\n".join([aligned([self.head(), *self.rows()]), *notes])

    def __repr__(self) -> str:
        last = self._text(fmean(point.metric.value for point in self.at(self.shares[-1])))
        return f"LearningCurve({len(self.points)} trainings: {self.name} {last} at {self.images:,})"

    def _repr_html_(self) -> str:
        return html_table(self.head(), self.rows())
