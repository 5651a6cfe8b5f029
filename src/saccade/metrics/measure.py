"""Metrics with intervals from rows: one by name, the primary one, or all."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Resampling, quantile_interval, replicates
from saccade.metrics.intervals import Interval
from saccade.metrics.metric import Metric, MetricValue, Quantity, R


def scores(metric: Metric[R], rows: R) -> dict[str, float]:
    """The metrics of an epoch: the mean loss as `loss`, and the metric's score."""
    quantity = next(q for q in metric.quantities(rows) if q.key == metric.score.name)
    value = float(quantity.statistic(unit_weights(len(rows)))[0])
    return {"loss": float(rows.losses.mean()), metric.score.name: value}


def primary_metric(metric: Metric[R], rows: R, groups: Tensor | None = None) -> MetricValue:
    """The primary metric with its interval, for a fraction of the cost of `Metric.report`.

    With `groups` [N] int64, images that belong together, the bootstrap draws whole groups.
    """
    first = next(metric.quantities(rows))
    return with_intervals([first], resampling(metric, rows, groups))[0]


def named_metric(
    metric: Metric[R], rows: R, name: str, groups: Tensor | None = None
) -> MetricValue:
    """The metric of this name with its interval; `groups` [N] int64 as for `primary_metric`."""
    quantity = next(q for q in metric.quantities(rows) if q.name == name)
    return with_intervals([quantity], resampling(metric, rows, groups))[0]


def resampling(
    metric: Metric[R], rows: R, groups: Tensor | None = None, seed: int = 0
) -> Resampling:
    """The bootstrap of the images of `rows`, with an affordable number of replicates.

    groups [N] int64: images that belong together and are drawn as a whole
    """
    return Resampling(len(rows), metric.strata(rows), groups, seed).affordable()


def with_intervals(quantities: Iterable[Quantity], resampling: Resampling) -> list[MetricValue]:
    """Each metric with its 95 % interval; all bootstraps have the same replicates."""
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
    """Whether the interval is by a formula, none of which holds for groups."""
    return quantity.interval is not None and resampling.groups is None


def with_formula(quantity: Quantity, n: int) -> MetricValue:
    """The metric with the interval of its formula."""
    value = float(quantity.statistic(unit_weights(n))[0])
    about = (quantity.unit, quantity.baseline, quantity.method)
    return MetricValue(quantity.name, value, n, quantity.interval, *about)


def with_bootstrap(quantity: Quantity, values: Tensor, resampling: Resampling) -> MetricValue:
    """The metric with the percentile interval of its replicates [B]; None where all are equal."""
    value = float(quantity.statistic(unit_weights(resampling.n))[0])
    interval, method = quantile_interval(values, 0.025, 0.975), resampling.method
    if quantity.inflated and interval is not None:
        interval, method = basic_interval(value, interval), f"basic {method}"
    about = (quantity.unit, quantity.baseline, method)
    return MetricValue(quantity.name, value, resampling.n, interval, *about)


def basic_interval(value: float, percentile: Interval) -> Interval:
    """The basic bootstrap interval (Davison & Hinkley 1997, 5.2.1) of an error of at least 0.

    Resampling increases a calibration error, often in all replicates; the basic interval corrects
    for this bias.  It is widened to contain the value.
    """
    (low, high), twice = percentile, 2 * value
    return Interval(max(0.0, twice - high), max(value, twice - low))


def unit_weights(n: int) -> Tensor:
    """The weight 1 for each of n images.  -> [1,N] float64"""
    return torch.ones(1, n, dtype=torch.float64)
