"""From the rows of a metric to numbers with intervals, as many of them as are asked for."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Resampling, quantile_interval, replicates
from saccade.metrics.intervals import Interval
from saccade.metrics.metric import Metric, MetricValue, Quantity, R


def scores(metric: Metric[R], rows: R) -> dict[str, float]:
    """What a training is watched by: the mean of the losses as `loss`, and the metric's score."""
    quantity = next(q for q in metric.quantities(rows) if q.key == metric.score.name)
    value = float(quantity.statistic(unit_weights(len(rows)))[0])
    return {"loss": float(rows.losses.mean()), metric.score.name: value}


def primary_metric(metric: Metric[R], rows: R, groups: Tensor | None = None) -> MetricValue:
    """The number to name first, for a fraction of the work of `Metric.measured`."""
    first = next(metric.quantities(rows))
    return with_intervals([first], resampling(metric, rows, groups))[0]


def named_metric(
    metric: Metric[R], rows: R, name: str, groups: Tensor | None = None
) -> MetricValue:
    """The number of this name."""
    quantity = next(q for q in metric.quantities(rows) if q.name == name)
    return with_intervals([quantity], resampling(metric, rows, groups))[0]


def resampling(
    metric: Metric[R], rows: R, groups: Tensor | None = None, seed: int = 0
) -> Resampling:
    """How the images of `rows` are drawn again, as often as their number allows."""
    return Resampling(len(rows), metric.strata(rows), groups, seed).affordable()


def with_intervals(quantities: Iterable[Quantity], resampling: Resampling) -> list[MetricValue]:
    """Each number with its 95 % interval; all are bootstrapped on the same draws."""
    quantities = list(quantities)
    bootstrapped = [quantity for quantity in quantities if not by_formula(quantity, resampling)]
    values = iter(replicates([quantity.statistic for quantity in bootstrapped], resampling))
    return [
        with_formula(quantity, resampling.n)
        if by_formula(quantity, resampling)
        else with_bootstrap(quantity, next(values), resampling)
        for quantity in quantities
    ]


def by_formula(quantity: Quantity, resampling: Resampling) -> bool:
    """Whether its own interval holds: no formula knows of groups."""
    return quantity.interval is not None and resampling.groups is None


def with_formula(quantity: Quantity, n: int) -> MetricValue:
    """The number with the interval of its formula."""
    value = float(quantity.statistic(unit_weights(n))[0])
    about = (quantity.unit, quantity.baseline, quantity.method)
    return MetricValue(quantity.name, value, n, quantity.interval, *about)


def with_bootstrap(quantity: Quantity, values: Tensor, resampling: Resampling) -> MetricValue:
    """The number with the percentile interval of its replicates [B]; None where all are alike."""
    value = float(quantity.statistic(unit_weights(resampling.n))[0])
    interval, method = quantile_interval(values, 0.025, 0.975), resampling.method
    if quantity.inflated and interval is not None:
        interval, method = basic_interval(value, interval), f"basic {method}"
    about = (quantity.unit, quantity.baseline, method)
    return MetricValue(quantity.name, value, resampling.n, interval, *about)


def basic_interval(value: float, percentile: Interval) -> Interval:
    """The basic interval (Davison & Hinkley 1997, 5.2.1) of an error, which is no less than 0.

    Drawing images again makes an error of calibration larger, often all replicates larger than the
    number; what these exceed it by is taken off.  The interval is stretched to hold the number.
    """
    (low, high), twice = percentile, 2 * value
    return Interval(max(0.0, twice - high), max(value, twice - low))


def unit_weights(n: int) -> Tensor:
    """The weights of every image as it is.  [1,N] float64"""
    return torch.ones(1, n, dtype=torch.float64)
