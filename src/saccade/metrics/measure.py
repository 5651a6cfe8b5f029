"""Metrics with intervals from rows: one by name, the primary one, or all."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isnan, sqrt
from statistics import NormalDist

import torch
from torch import Tensor

from saccade.metrics.bootstrap import Resampling, quantile_interval, replicates
from saccade.metrics.interval_methods import FEWEST_GROUPS, Estimate, IntervalMethod
from saccade.metrics.intervals import t_quantile
from saccade.metrics.metric import Metric, MetricValue, Quantity, R
from saccade.metrics.sample import Sample
from saccade.words import pluralize


def scores(metric: Metric[R], rows: R) -> dict[str, float]:
    """The metrics of an epoch: the mean loss as `loss`, and the metric's score."""
    quantity = next(q for q in metric.quantities(rows) if q.key == metric.score.name)
    value = float(quantity.statistic(unit_weights(len(rows)))[0])
    return {"loss": float(rows.losses.mean()), metric.score.name: value}


def primary_metric(metric: Metric[R], rows: R, groups: Tensor | None = None) -> MetricValue:
    """The primary metric with its interval, for a fraction of the cost of `Metric.report`.

    groups [N] int64: images that belong together, whose number counts
    """
    first = next(metric.quantities(rows))
    return with_intervals([first], Sample(len(rows), groups))[0]


def named_metric(
    metric: Metric[R], rows: R, name: str, groups: Tensor | None = None
) -> MetricValue:
    """The metric of this name with its interval; `groups` [N] int64 as for `primary_metric`."""
    quantity = next(q for q in metric.quantities(rows) if q.name == name)
    return with_intervals([quantity], Sample(len(rows), groups))[0]


def with_intervals(
    quantities: Iterable[Quantity], sample: Sample, seed: int = 0
) -> list[MetricValue]:
    """Each metric with its 95 % interval; all bootstraps have the same replicates."""
    quantities, resampling = list(quantities), Resampling(sample.n, sample.groups, seed)
    bootstrapped = [quantity for quantity in quantities if quantity.interval is None]
    values = iter(replicates([q.statistic for q in bootstrapped], resampling.affordable()))
    return [
        with_bootstrap(quantity, next(values), sample)
        if quantity.interval is None
        else with_spread(quantity, quantity.interval, sample)
        for quantity in quantities
    ]


def with_spread(quantity: Quantity, method: IntervalMethod, sample: Sample) -> MetricValue:
    """The metric with the interval that `method` computes from its spread."""
    spread = sample.spread(quantity.statistic, quantity.strata)
    defined = not isnan(spread.value)
    told = method.estimate(spread) if defined else Estimate(spread.value, None)
    return _value(quantity, told, method.name, sample)


def with_bootstrap(quantity: Quantity, values: Tensor, sample: Sample) -> MetricValue:
    """The metric with the expanded percentile interval of its replicates [B].

    As wide as Student's t is beside the normal distribution (Hesterberg 2015, What teachers should
    know about the bootstrap, The American Statistician 69:371-386).
    """
    value, freedom = float(quantity.statistic(unit_weights(sample.n))[0]), sample.units - 1
    bound = t_quantile(freedom) * sqrt(1 + 1 / freedom) if freedom > 0 else inf
    interval = quantile_interval(values, NormalDist().cdf(-bound), NormalDist().cdf(bound))
    told = Estimate(value, interval, "" if interval else "the same in every replicate")
    method = "bootstrap" if sample.groups is None else "cluster bootstrap"
    return _value(quantity, told, method, sample)


def _value(quantity: Quantity, told: Estimate, method: str, sample: Sample) -> MetricValue:
    reason = told.reason if isnan(told.value) else too_few_groups(sample) or told.reason
    interval = None if reason else told.interval
    about = (quantity.unit, quantity.baseline, method, reason, told.note)
    return MetricValue(quantity.name, told.value, sample.n, interval, *about)


def too_few_groups(sample: Sample) -> str:
    """Why nothing is claimed of other groups than these; "" where it is."""
    count = len(sample.sizes)
    if sample.groups is None or count >= FEWEST_GROUPS:
        return ""
    return f"{pluralize(count, 'group')} are too few to tell of others"


def unit_weights(n: int) -> Tensor:
    """The weight 1 for each of n images.  -> [1,N] float64"""
    return torch.ones(1, n, dtype=torch.float64)
