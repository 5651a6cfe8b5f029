"""Which interval a number has: chosen by its range and its spread, with a reason where none holds.

What each holds of its word is measured by `benchmarks/coverage.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from saccade.metrics.intervals import Interval, proportion_interval, t_quantile, wilson
from saccade.metrics.sample import Spread

FEWEST_GROUPS = 6  # below them nothing is claimed of other groups


class Estimate(NamedTuple):
    """A number as it is told."""

    value: float
    interval: Interval | None  # 95 %; None where it cannot be told
    reason: str = ""  # why not
    note: str = ""  # what else is to be known of it


class IntervalMethod(Protocol):
    """How a number is told from its spread, with its 95 % interval."""

    @property
    def name(self) -> str:
        """Of the method, for tables."""
        ...

    def estimate(self, spread: Spread) -> Estimate:
        """The number with its interval."""
        ...


class ByInterval(IntervalMethod, Protocol):
    """A method that tells the number as it is, and an interval or why there is none."""

    def interval(self, spread: Spread) -> Interval | str:
        """The interval, or in a few words why there is none."""
        ...

    def estimate(self, spread: Spread) -> Estimate:
        told = self.interval(spread)
        if isinstance(told, str):
            return Estimate(spread.value, None, told)
        return Estimate(spread.value, told)


@dataclass(frozen=True)
class Proportion(ByInterval):
    """Of a share, or a mean of shares: Wilson's interval (1927) at the effective number of images.

    That is how many independent images would have the same variance, `size` at most (Korn &
    Graubard 1998, for surveys).  Where nothing was wrong it is `size`.  Of a plain share of
    independent images the interval is that of `proportion_interval`.
    """

    size: float  # independent images that all are worth, if each was as hard as the other
    low: float = 0.0  # of the range
    plain: bool = False  # whether it is the share of images, one counting as the other
    unknown: str = ""  # why there is none

    @property
    def name(self) -> str:
        return "Wilson and mid-p" if self.plain else "Wilson, effective n"

    def interval(self, spread: Spread) -> Interval | str:
        if self.unknown:
            return self.unknown
        share = (spread.value - self.low) / (1 - self.low)
        if self.plain and spread.sample.groups is None:
            n = spread.sample.n
            return proportion_interval(round(share * n), n)
        n = self.size / spread.design_effect
        variance = (spread.error / (1 - self.low)) ** 2
        if variance > 0 and 0 < share < 1:
            n = min(n, share * (1 - share) / variance)
        if spread.sample.groups is not None:
            n *= (t_quantile(1e9) / t_quantile(spread.freedom)) ** 2
        low, high = wilson(share * n, n)
        return Interval(*(self.low + (1 - self.low) * end for end in (low, high)))


@dataclass(frozen=True)
class Mean(ByInterval):
    """Of a mean of numbers: Student's t after Hall's transformation, which takes off the skewness.

    Hall 1992, On the removal of skewness by transformation, JRSS B 54:221-228.  With `root` the
    number is the square root of the mean.  Of losses the few that a sure network has by mistakes
    are nearly all, and a set may well have none: below ten `mistakes` up to two images more count
    at the upper end with the loss of a mistake, as in the interval of Agresti & Coull (1998).
    """

    root: bool = False
    loss: float | None = None  # of a mistake, on average
    mistakes: int = 0

    @property
    def name(self) -> str:
        return "t, skewness removed (Hall 1992)"

    def interval(self, spread: Spread) -> Interval | str:
        factor = 2 * spread.value if self.root else 1.0  # of the derivative of the square
        middle = spread.value**2 if self.root else spread.value
        n = len(spread.moves)
        freedom = n - 1 if spread.sample.groups is None else spread.freedom
        if self.root:  # squares have long tails: few images carry the variance, and tell it ill
            freedom = max(1.0, min(freedom, spread.carriers))
        numbers, counts = middle + factor * spread.moves * n, torch.ones(n, dtype=torch.float64)
        told = unskewed_interval(numbers, counts, freedom)
        if self.loss is not None and (more := 2 - self.mistakes / 5) > 0:
            more *= n / spread.sample.n  # of a group as of an image
            numbers, counts = _with(numbers, self.loss), _with(counts, more)
            beyond = unskewed_interval(numbers, counts, freedom)
            if beyond is not None:
                low = told.low if told else min(middle, beyond.low)
                told = Interval(low, max(beyond.high, told.high if told else middle))
        if told is None:
            return "all the same"
        return Interval(*(math.sqrt(max(0.0, end)) for end in told)) if self.root else told


def _with(values: Tensor, value: float) -> Tensor:
    """[U] -> [U+1]"""
    return torch.cat([values, values.new_tensor([value])])


def unskewed_interval(numbers: Tensor, counts: Tensor, freedom: float) -> Interval | None:
    """Hall's interval of a mean of numbers [U] that count so often [U]; None of equal ones."""
    n = float(counts.sum())
    mean = float(counts @ numbers) / n
    scale = math.sqrt(float(counts @ (numbers - mean).square()) / n)
    if not scale:
        return None
    skewness = float(counts @ (numbers - mean).pow(3)) / n / scale**3
    limit = t_quantile(freedom) / math.sqrt(n)
    low, high = (mean - scale * unskewed(skewness, bound, n) for bound in (limit, -limit))
    return Interval(low, high)


def unskewed(skewness: float, bound: float, n: float) -> float:
    """The studentised deviation that Hall's transformation takes to `bound`."""
    third = skewness / 3
    if abs(third) < 1e-6:
        return bound
    cube = 1 + 3 * third * (bound - skewness / (6 * n))
    return (math.copysign(abs(cube) ** (1 / 3), cube) - 1) / third


@dataclass(frozen=True)
class OnScale(ByInterval):
    """Of a number with a scale on which it is nearly normal: Student's t there, and back."""

    scale: str
    to: Callable[[float], float]
    back: Callable[[float], float]
    slope: Callable[[float], float]  # of `to`

    @property
    def name(self) -> str:
        return f"t of {self.scale}"

    def interval(self, spread: Spread) -> Interval | str:
        try:
            middle = self.to(spread.value)
            half = t_quantile(spread.freedom) * spread.error * abs(self.slope(spread.value))
        except (ValueError, ZeroDivisionError, OverflowError):
            return "at the end of its range"
        return Interval(*sorted((self.back(middle - half), self.back(middle + half))))


IDENTITY = OnScale("the number", float, float, lambda x: 1.0)
FISHER_Z = OnScale("Fisher's z", math.atanh, math.tanh, lambda x: 1 / (1 - x * x))
LOG_REST = OnScale(
    "log(1 - x)", lambda x: math.log(1 - x), lambda t: 1 - math.exp(t), lambda x: 1 / (1 - x)
)
LOGIT = OnScale(
    "the logit",
    lambda x: math.log(x / (1 - x)),
    lambda t: 1 / (1 + math.exp(-t)),
    lambda x: 1 / (x * (1 - x)),
)


@dataclass(frozen=True)
class Area(ByInterval):
    """Of an area under a curve, or their mean over classes: t of the logit.

    Where some class is separated without a mistake the curve does not tell how often one is to be
    expected: then the wider of it and Wilson's at `size` images, as of a share.
    """

    size: float  # as of `Proportion`, of the rarer side of each class
    perfect: bool  # whether some class is

    @property
    def name(self) -> str:
        return "t of the logit"

    def interval(self, spread: Spread) -> Interval | str:
        logit = LOGIT.interval(spread)
        if not self.perfect:
            return logit
        wide = Proportion(self.size).interval(spread)
        if isinstance(logit, str) or isinstance(wide, str):
            return wide
        return Interval(min(logit.low, wide.low), max(logit.high, wide.high))
