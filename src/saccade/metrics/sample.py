"""How a number varies with the images that were drawn: its linear approximation.

The empirical influence of an image is the derivative of a statistic by the weight of that image
(the infinitesimal jackknife: Jaeckel 1972; Davison & Hinkley 1997, Bootstrap Methods, 2.7).  The
sum over a group of images is the group's, and their squares add up to the variance (Liang & Zeger
1986).  Raised by the share that the image or group has of its stratum they are near to what leaving
it out changes (the jackknife, in regression HC3 and CR3: MacKinnon & White 1985).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Statistic

LARGEST_SHARE = 0.5  # of a stratum: one of two images at most is left out


@dataclass(frozen=True)
class Sample:
    """The `n` images that a number is measured on, and which of them belong together."""

    n: int
    groups: Tensor | None = None  # [N] int64: of one patient, plant or place

    @cached_property
    def unit(self) -> Tensor:
        """The unit, a group or an image, of each image, from 0.  -> [N] int64"""
        if self.groups is None:
            return torch.arange(self.n)
        return self.groups.unique(return_inverse=True)[1]

    @cached_property
    def sizes(self) -> Tensor:
        """Images of each unit.  -> [U] float64"""
        return self.unit.bincount().double()

    @property
    def units(self) -> float:
        """How many units of equal size these are worth: Kish 1965, Survey Sampling, 11.2."""
        return self.n**2 / float(self.sizes.square().sum())

    def spread(self, statistic: Statistic, strata: Tensor | None = None) -> Spread:
        """The value of a statistic, and how far each unit moves it.

        strata [N] int64: classes, where the statistic averages over them
        """
        value, influences = influence(statistic, self.n)
        strata = torch.zeros(self.n, dtype=torch.int64) if strata is None else strata
        moves = torch.zeros(len(self.sizes), dtype=torch.float64)
        moves.index_add_(0, self.unit, influences / (1 - self._shares(strata)))
        return Spread(value, moves, influences, self)

    def _shares(self, strata: Tensor) -> Tensor:
        """The share that an image's unit has of the stratum of that image.  [N] -> [N]"""
        names, stratum = strata.unique(return_inverse=True)
        cell = self.unit * len(names) + stratum
        both = cell.bincount(minlength=len(self.sizes) * len(names)).double()
        return (both[cell] / stratum.bincount()[stratum]).clamp_max(LARGEST_SHARE)


@dataclass(frozen=True)
class Spread:
    """A number, and how far each unit of the sample moves it."""

    value: float
    moves: Tensor  # [U] float64
    influences: Tensor  # [N] float64, of each image
    sample: Sample

    @property
    def error(self) -> float:
        """The standard error."""
        return float(self.moves.norm())

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the standard error.

        Those of equal groups, fewer where their sizes differ or few of them carry the variance.
        """
        return max(1.0, min(self.sample.units - 1, 2 * self.carriers))

    @property
    def carriers(self) -> float:
        """How many units would carry the variance if all moved the number equally far."""
        squares = self.moves.square()
        return float(squares.sum().square() / squares.square().sum()) if self.error else 1.0

    @property
    def design_effect(self) -> float:
        """How many times the variance is that of as many independent images; 1 without groups.

        1 + (m - 1) r of Kish 1965, 5.4, with r, the correlation within groups, by an analysis of
        variance of the influences (Donner 1986).
        """
        if self.sample.groups is None:
            return 1.0
        sizes, unit, n = self.sample.sizes, self.sample.unit, self.sample.n
        means = torch.zeros_like(sizes).index_add_(0, unit, self.influences) / sizes
        between = float((sizes * (means - self.influences.mean()).square()).sum())
        within = float((self.influences - means[unit]).square().sum())
        mean_size = float(sizes.square().sum()) / n
        if not between + within or len(sizes) == 1:
            return mean_size
        if n == len(sizes):
            return 1.0
        between, within = between / (len(sizes) - 1), within / (n - len(sizes))
        typical = (n - mean_size) / (len(sizes) - 1)
        correlation = (between - within) / (between + (typical - 1) * within)
        return 1 + (mean_size - 1) * min(1.0, max(0.0, correlation))


def influence(statistic: Statistic, n: int) -> tuple[float, Tensor]:
    """The value of a statistic of n images, and its derivative by the weight of each.  -> [N]"""
    weights = torch.ones(1, n, dtype=torch.float64, requires_grad=True)
    value = statistic(weights).sum()
    if not value.requires_grad:  # it is the same whatever the images
        return float(value), torch.zeros(n, dtype=torch.float64)
    (slopes,) = torch.autograd.grad(value, weights)
    return float(value.detach()), slopes[0].nan_to_num(0.0)
