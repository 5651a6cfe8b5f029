"""The result of a learning curve: what was measured, and what more images would give."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from saccade.frame import data_frame
from saccade.studies.forecast import (
    TIMES,
    CurvePoint,
    Forecast,
    Needed,
    at_share,
    fitted_law,
    forecasts_of,
    images_at,
    needed_images,
    reason_against,
    shares_of,
    slope_is_noise,
)
from saccade.studies.power_law import PowerLaw
from saccade.words import LineFeeds, aligned, defined, html_table, number, percent, pluralize

if TYPE_CHECKING:
    from pandas import DataFrame

STEEP = 1.0  # exponent; errors of n images fall by 1/n at best for models of a fixed size
COLUMNS = ("kind", "images", "share", "seed", "score", "low", "high", "n", "run")


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
        return shares_of(self.points)

    @property
    def images(self) -> int:
        """How many images there are to train on, about the same for every seed."""
        return round(images_at(self.points, self.shares[-1]))

    def at(self, share: float) -> tuple[CurvePoint, ...]:
        """The trainings at one share, a seed each."""
        return at_share(self.points, share)

    @cached_property
    def law(self) -> PowerLaw | None:
        """The fitted power law; None where there is nothing to fit it to."""
        return fitted_law(self.points, self.shared_test)

    @cached_property
    def reason(self) -> str:
        """Why nothing can be said of more images; empty where it can."""
        return reason_against(self.points, self.law)

    @cached_property
    def forecasts(self) -> tuple[Forecast, ...]:
        """The scores at two and four times the images; none where they cannot be told."""
        return () if self.reason or self.law is None else forecasts_of(self.points, self.law)

    @cached_property
    def needed(self) -> Needed | None:
        """How many images the target would need; None without one, or where unknown."""
        if self.target is None or self.reason or self.law is None or self.slope_is_noise:
            return None
        return needed_images(self.points, self.law, self.target)

    @property
    def slope_is_noise(self) -> bool:
        """Whether the fall of the errors may be noise."""
        return self.law is not None and slope_is_noise(self.law)

    def notes(self) -> list[str]:
        """What the numbers say and how they were computed."""
        notes = []
        if self.reason:
            notes.append(f"what more images would give cannot be said: {self.reason}")
        elif self.slope_is_noise and self.law:
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
        target = f"{self.name} {self._text(self.target or 0.0)}"
        if self.needed is None:
            why = "the fall of the errors may be noise" if self.slope_is_noise else "as above"
            return f"how many images {target} needs cannot be said: {self.reason or why}"
        images, low, high = (
            None if n is None else f"{n:,}"
            for n in (self.needed.images, self.needed.low, self.needed.high)
        )
        most = f"more than {TIMES[-1] * self.images:,}"
        if low is None:
            return f"{target} needs {most} images, four times those there are; no more is said"
        ends = f"{low} to {high or most}"
        return f"{target} needs about {images or most} images (95 % interval {ends})"

    def _text(self, score: float) -> str:
        return percent(score) if self.points[0].metric.unit == "%" else number(score)

    def rows(self) -> list[tuple[str, str, str]]:
        """Training images, mean score and range as text: what was measured, then forecasts."""
        rows = []
        for share in self.shares:
            scores = [point.metric.value for point in self.at(share)]
            spread = f"{self._text(min(scores))} to {self._text(max(scores))}"
            images = f"{round(images_at(self.points, share)):,}"
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
