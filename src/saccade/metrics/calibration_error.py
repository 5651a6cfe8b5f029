"""Calibration errors, their bias taken off, with an interval by inverting a test.

The mean distance between stated probabilities and the shares of what was true, cell by cell, is
above zero for every sample of a calibrated network: chance alone parts the two (Roelofs 2022,
Mitigating bias in calibration error estimation).  So the distance is compared with what samples
show of networks whose gaps are t times those that were seen: the t whose median is what was seen
gives the estimate, those for which it is among the 1.5 % at either end give the interval, which
reaches to what was seen at least.  Where a calibrated network would show as much, gaps as seen say
nothing of where its own are: then those of a standard error in each cell, t times, do as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic, mean_over
from saccade.metrics.calibration import equal_width
from saccade.metrics.interval_methods import Estimate, IntervalMethod
from saccade.metrics.intervals import Interval
from saccade.metrics.sample import Spread

BINS = 15  # of both errors
SAMPLES, STEPS = 600, 14  # samples of each t; halvings until t is found
TAIL = 0.015  # of either end
FEWEST, MAX_DRAWN = 100, 200_000  # samples; cells drawn for those of one t
LARGEST = 64.0  # of t
MOST_WORTH = 100.0  # images that one may be worth
PER_CLASS = 100  # images, below which ranges of the adaptive error hold too few mistakes


@dataclass(frozen=True)
class CalibrationError(IntervalMethod):
    """Of the error `sum(weights * |stated - shares|)` over cells that have images."""

    counts: Tensor  # [C] float64, independent images of one probability that each is worth
    stated: Tensor  # [C] their mean probability
    shares: Tensor  # [C] the share that was true
    weights: Tensor  # [C] of the cell in the error

    @property
    def name(self) -> str:
        return "test inverted"

    @property
    def seen(self) -> float:
        """The error of the images as they are."""
        return float((self.weights * self.gaps.abs()).sum())

    def estimate(self, spread: Spread) -> Estimate:
        """The error without its bias, its interval, and what a calibrated network would show."""
        seen, samples = self.seen, max(FEWEST, min(SAMPLES, MAX_DRAWN // len(self.counts)))
        counts = (self.counts / spread.design_effect).round().clamp_min(1)

        def shown(t: float, gaps: Tensor = self.gaps) -> Tensor:
            """The error in samples of a network whose gaps are t times these [C].  -> [S]"""
            true = self._true(t, gaps).expand(samples, -1).contiguous()
            generator = torch.Generator().manual_seed(0)
            drawn = torch.binomial(counts.expand(samples, -1).contiguous(), true, generator)
            errors = ((self.stated - drawn / counts).abs() * self.weights).sum(dim=1)
            return errors.mean() + self.stretch * (errors - errors.mean())

        def at_least(t: float) -> float:
            return float((shown(t) >= seen - 1e-12).double().mean())

        def highest(gaps: Tensor) -> float:
            def below(t: float) -> float:
                return 1 - float((shown(t, gaps) <= seen + 1e-12).double().mean())

            return self._error(first_above(below, 1 - TAIL), gaps)

        low, middle = (
            self._error(first_above(at_least, level), self.gaps) for level in (TAIL, 0.5)
        )
        high = highest(self.gaps)
        if not middle:
            high = max(high, highest((self.stated * (1 - self.stated) / counts).sqrt()))
        ends = shown(0.0).quantile(torch.tensor([0.025, 0.975]).double()).tolist()
        usual = "–".join(f"{100 * end:.1f}" for end in ends)
        note = f"uncorrected {100 * seen:.1f} %, calibrated networks {usual} %"
        reason = self.reason(spread)
        interval = None if reason else Interval(low, max(middle, high, seen))
        return Estimate(middle, interval, reason, note)

    @property
    def stretch(self) -> float:
        """Of the spread of samples."""
        return 1.0

    def reason(self, spread: Spread) -> str:
        """Why there is no interval; "" where there is."""
        return "" if spread.sample.groups is None else "not known for groups"

    @property
    def gaps(self) -> Tensor:
        """Between what was stated and what was true.  -> [C]"""
        return self.stated - self.shares

    def _true(self, t: float, gaps: Tensor) -> Tensor:
        """The shares that are true where the gaps are t times these.  [C] -> [C]"""
        return (self.stated - t * gaps).clamp(0, 1)

    def _error(self, t: float, gaps: Tensor) -> float:
        return float((self.weights * (self.stated - self._true(t, gaps)).abs()).sum())


@dataclass(frozen=True)
class AdaptiveError(CalibrationError):
    """Of the cells of all classes, in each of which every image is.

    An image that is wrong adds to the cells of two classes, so that the sum spreads up to the root
    of two wider than that of independent cells.
    """

    classes: int

    @property
    def stretch(self) -> float:
        return 1.0 if self.classes == 2 else sqrt(2)

    def reason(self, spread: Spread) -> str:
        few = spread.sample.n < PER_CLASS * self.classes
        return super().reason(spread) or (f"fewer than {PER_CLASS} images per class" if few else "")


def first_above(rising: Callable[[float], float], level: float) -> float:
    """The smallest t from 0 on at which a rising function reaches `level`, by halving."""
    low, high = 0.0, 1.0
    if rising(low) >= level:
        return low
    while rising(high) < level and high < LARGEST:
        low, high = high, 2 * high
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < level else (low, middle)
    return high


def expected_cells(confidences: Tensor, correct: Tensor) -> CalibrationError:
    """The bins of the expected calibration error.  confidences [N], correct [N] bool"""
    bins = torch.nn.functional.one_hot(bin_of(confidences, BINS), BINS).double()
    counts, worth, stated, shares = _cells(bins, confidences.double(), correct.double())
    return CalibrationError(worth, stated, shares, counts / len(bins))


def adaptive_cells(probabilities: Tensor, targets: Tensor) -> AdaptiveError:
    """The ranges of the adaptive calibration error; of two classes those of one, which say all.

    [N,K], [N] int64
    """
    classes = range(1 if probabilities.shape[1] == 2 else probabilities.shape[1])
    columns = []
    for k in classes:
        p = probabilities[:, k].double()
        _, *cells = _cells(_range_shares(p), p, (targets == k).double())
        columns.append((*cells, torch.full_like(cells[0], 1 / len(cells[0]) / len(classes))))
    worth, stated, shares, weights = map(torch.cat, zip(*columns, strict=True))
    return AdaptiveError(worth, stated, shares, weights, probabilities.shape[1])


def _cells(members: Tensor, stated: Tensor, true: Tensor) -> tuple[Tensor, ...]:
    """Images, images of equal probability that they are worth, mean probability, share; of cells.

    Images whose probabilities differ spread less than as many of their mean (Poisson 1837).
    members [N,C] shares of each image in each cell, stated [N], true [N] -> four [<=C]
    """
    members = members[:, members.sum(dim=0) > 0]
    counts = members.sum(dim=0)
    mean, share = stated @ members / counts, true @ members / counts
    variance = (stated * (1 - stated)) @ members / counts
    worth = counts * (mean * (1 - mean) / variance.clamp_min(1e-12)).clamp(1, MOST_WORTH)
    return counts, worth, mean, share


def expected_calibration_error(confidences: Tensor, correct: Tensor, bins: int = BINS) -> Statistic:
    """The expected calibration error (ECE): confidence less accuracy, bin by bin.

    Guo 2017, Equation 3: the sum over bins of n_bin / n * |accuracy - confidence|, in bins
    (m - 1) / 15 < confidence <= m / 15.  confidences [N] in the predicted class, correct [N] bool
    """
    bin_index = bin_of(confidences, bins)
    gaps = confidences.double() - correct.double()

    def statistic(weights: Tensor) -> Tensor:
        sums = weights.new_zeros(len(weights), bins).index_add_(1, bin_index, weights * gaps)
        return sums.abs().sum(dim=1) / weights.sum(dim=1)

    return statistic


def adaptive_calibration_error(probabilities: Tensor, targets: Tensor) -> Statistic:
    """The adaptive calibration error (ACE): every class's probability, in ranges of equal count.

    Nixon 2019, Measuring calibration in deep learning: the mean over classes and ranges of
    |share of the class - mean probability|, ranges of a class holding N / 15 images each.  With
    many classes most probabilities are near 0 and so is this mean: compare it within one class
    list.  The ranges stay those of the images as they are.  [N,K], [N] int64
    """
    truth = torch.nn.functional.one_hot(targets, probabilities.shape[1]).double()
    pairs = zip(probabilities.double().T, truth.T, strict=True)
    return mean_over([_range_gaps(p, members) for p, members in pairs])


def _range_gaps(probabilities: Tensor, truth: Tensor) -> Statistic:
    """The mean calibration error over the ranges of one class.  [N], [N] float64"""
    shares = _range_shares(probabilities)
    excess = shares * (truth - probabilities)[:, None]

    def statistic(weights: Tensor) -> Tensor:
        counts, gaps = weights @ shares, (weights @ excess).abs()
        return (gaps / counts.clamp_min(1e-9)).sum(dim=1) / (counts > 0).sum(dim=1)

    return statistic


def _range_shares(probabilities: Tensor) -> Tensor:
    """The share of each image in each range, the same for equal probabilities.  [N] -> [N,R]"""
    _, index, counts = probabilities.unique(return_inverse=True, return_counts=True)
    ends = counts.cumsum(dim=0)[:, None]  # of equal values, by rising probability
    borders = (len(probabilities) * torch.arange(BINS + 1) / BINS).ceil()
    inside = ends.minimum(borders[1:]) - (ends - counts[:, None]).maximum(borders[:-1])
    return (inside.clamp_min(0).double() / counts[:, None])[index]


def bin_of(confidences: Tensor, bins: int) -> Tensor:
    """The bin of each confidence, (m - 1) / bins < confidence <= m / bins.  [N] -> [N] int64"""
    return torch.bucketize(confidences, equal_width(bins)[1:-1].to(confidences.dtype))
