"""The power law of a learning curve: error = b n^-c of n training images, and how sure it is.

Hestness 2017, "Deep learning scaling is predictable, empirically"; Rosenfeld 2020, "A constructive
prediction of the generalization error across scales".  The line is of least squares in log-log.

Trainings of one seed are measured on the same test images and begin from one another's images, so
that they are no independent points of the line.  Seeds and sizes are a two-way table: what a seed
has in common (a row) and what is left (the interaction) each have a variance, and the degrees of
freedom of their sum are Satterthwaite's (1946).  The variance is never below that of the test
images.  `benchmarks/learning_curve.py` measures how often the intervals hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean

from saccade.metrics.intervals import Interval, t_quantile, t_test

FEWEST = 3  # sizes: two points are on a line whatever the curve
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Measured:
    """The errors of S seeds at one size of the training set."""

    images: float  # to train on, geometric mean over the seeds
    errors: tuple[float, ...]  # [S], above 0
    test_variance: float = 0.0  # of the log error of one seed, from its test images being few


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and degrees of freedom."""

    value: float
    error: float
    freedom: float  # 1 or more

    @property
    def interval(self) -> Interval:
        """The 95 % interval by Student's t."""
        half = t_quantile(self.freedom) * self.error
        return Interval(self.value - half, self.value + half)

    @property
    def p_value(self) -> float:
        """Of the hypothesis that the number is 0, two-sided."""
        if not self.error:
            return 0.0 if self.value else 1.0
        return t_test(self.value / self.error, self.freedom)


@dataclass(frozen=True)
class PowerLaw:
    """A line through log errors of two seeds or more, each at two sizes or more.

    `shared_test`: all seeds are measured on the same images, which no number of seeds makes more.
    `overlap`: of test images to training images where each seed has drawn its own; what the seeds'
    training sets have in common is then counted as by Nadeau & Bengio (2003).
    """

    points: tuple[Measured, ...]
    shared_test: bool = False
    overlap: float = 0.0

    @property
    def seeds(self) -> int:
        """How many errors there are at each size."""
        return len(self.points[0].errors)

    @property
    def c(self) -> float:
        """The exponent: twice the images leave 2^-c of the errors."""
        return -self._contrast(self._slope_weights())

    @property
    def b(self) -> float:
        """The factor: the error at one image, where the law would hold that far down."""
        return exp(self._contrast(self._weights(0.0)))

    def error(self, images: float) -> float:
        """The mean error with so many training images."""
        return exp(self.log_error(images).value)

    def interval(self, images: float) -> Interval:
        """The 95 % interval of the mean error with so many training images."""
        low, high = self.log_error(images).interval
        return Interval(exp(low), exp(high))

    def log_error(self, images: float) -> Estimate:
        """The logarithm of the mean error with so many training images."""
        return self._estimate(self._weights(log(images)))

    def slope(self) -> Estimate:
        """The slope in log-log, which is -c."""
        return self._estimate(self._slope_weights())

    def curvature(self) -> Estimate | None:
        """By how much the curve bends in log-log; above 0 it flattens.  None for two sizes."""
        if len(self.points) < FEWEST:
            return None
        squares = [x * x for x in self._x()]
        fitted = [
            sum(w * s for w, s in zip(self._weights(x), squares, strict=True)) for x in self._x()
        ]
        left = [s - f for s, f in zip(squares, fitted, strict=True)]
        total = sum(r * r for r in left)
        return self._estimate([r / total for r in left])

    def _x(self) -> list[float]:
        return [log(point.images) for point in self.points]

    def _y(self) -> list[list[float]]:
        """Log errors, a row a size, a column a seed."""
        return [[log(error) for error in point.errors] for point in self.points]

    def _slope_weights(self) -> list[float]:
        x = self._x()
        middle = fmean(x)
        spread = sum((a - middle) ** 2 for a in x)
        return [(a - middle) / spread for a in x]

    def _weights(self, at: float) -> list[float]:
        """What each size's mean counts in the line's height at log images `at`."""
        middle, count = fmean(self._x()), len(self.points)
        return [1 / count + (at - middle) * w for w in self._slope_weights()]

    def _contrast(self, weights: Sequence[float]) -> float:
        return sum(w * fmean(row) for w, row in zip(weights, self._y(), strict=True))

    def _estimate(self, weights: Sequence[float]) -> Estimate:
        """A weighted sum of the sizes' means, with its error."""
        seed_part, freedom = self._variance(weights)
        of_test = sum(
            w * w * point.test_variance for w, point in zip(weights, self.points, strict=True)
        )
        one_seed = max(seed_part, of_test)
        variance = one_seed * (1 / self.seeds + self.overlap) + self.shared_test * of_test
        return Estimate(self._contrast(weights), sqrt(variance), freedom)

    def _variance(self, weights: Sequence[float]) -> tuple[float, float]:
        """The variance over seeds of a weighted sum of one seed's log errors; its freedom."""
        rows, sizes, seeds = self._y(), len(self.points), self.seeds
        size_means = [fmean(row) for row in rows]
        seed_means = [fmean(column) for column in zip(*rows, strict=True)]
        whole = fmean(size_means)
        between = sizes * sum((m - whole) ** 2 for m in seed_means) / (seeds - 1)
        left = sum(
            (y - size_means[j] - seed_means[s] + whole) ** 2
            for j, row in enumerate(rows)
            for s, y in enumerate(row)
        ) / ((seeds - 1) * (sizes - 1))
        common = sum(weights) ** 2 / sizes
        parts = [
            (common * between, seeds - 1),
            ((sum(w * w for w in weights) - common) * left, (seeds - 1) * (sizes - 1)),
        ]
        total = sum(part for part, _ in parts)
        if not total:
            return 0.0, seeds - 1
        return total, max(1.0, total**2 / sum(part**2 / df for part, df in parts))
