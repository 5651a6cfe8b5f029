"""What a network is worth that says a number for each picture."""

from __future__ import annotations

from torch import Tensor

from saccade.metrics.measured import Measured
from saccade.metrics.resampling import Resampling, Statistic, mean_of
from saccade.metrics.spearman import ranks
from saccade.metrics.spread import Wanted, with_spread


def numbers_measured(
    predictions: Tensor,
    targets: Tensor,
    unit: str = "",
    groups: Tensor | None = None,
    seed: int = 0,
) -> Measured:
    """All numbers of `predictions` [N,1] about `targets` [N,1], in the unit of what is measured.

    The baseline names the mean of the truth.  Rank correlation is bootstrapped on the ranks that
    all pictures have together.
    """
    predicted, true = predictions.double().flatten(), targets.double().flatten()
    n, missed, spread = len(true), predicted - true, true - true.mean()
    wanted = [
        Wanted("R squared", _r_squared(missed, true), "", 0.0),
        Wanted("mean absolute error", mean_of(missed.abs()), unit, float(spread.abs().mean())),
        Wanted("root mean square error", _root(missed), unit, float(spread.square().mean().sqrt())),
        Wanted("Spearman", _correlation(ranks(predicted), ranks(true)), "", 0.0),
        Wanted("Pearson", _correlation(predicted, true), "", 0.0),
        Wanted("bias", mean_of(missed), unit, 0.0),
    ]
    return Measured(n, tuple(with_spread(wanted, Resampling(n, None, groups, seed))))


def _r_squared(missed: Tensor, true: Tensor) -> Statistic:
    """1 - residual / total sum of squares about the mean of the pictures drawn."""

    def statistic(weights: Tensor) -> Tensor:
        n = weights.sum(dim=1)
        mean = weights @ true / n
        total = (weights * (true - mean[:, None]).square()).sum(dim=1)
        return 1 - weights @ missed.square() / total

    return statistic


def _root(missed: Tensor) -> Statistic:
    return lambda weights: (weights @ missed.square() / weights.sum(dim=1)).sqrt()


def _correlation(a: Tensor, b: Tensor) -> Statistic:
    """Pearson's correlation of the pictures drawn."""

    def centred(weights: Tensor, values: Tensor) -> Tensor:
        return values - (weights @ values / weights.sum(dim=1))[:, None]

    def statistic(weights: Tensor) -> Tensor:
        x, y = centred(weights, a), centred(weights, b)
        together = (weights * x * y).sum(dim=1)
        return together / ((weights * x * x).sum(dim=1) * (weights * y * y).sum(dim=1)).sqrt()

    return statistic
