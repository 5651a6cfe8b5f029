"""Counting: the number of objects in each image, by Poisson regression.

The network's output is log(count / mean count).  McCullagh & Nelder 1989, "Generalized linear
models", Chapter 6; the deviance is that of their Table 2.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.item import Count, Item
from saccade.errors import DataError
from saccade.metrics.bootstrap import Statistic
from saccade.metrics.calibration import conformal_quantile
from saccade.metrics.interval_methods import LOG_REST
from saccade.metrics.measure import with_intervals
from saccade.metrics.metric import Metric, MetricReport, Predicted, Quantity, Score
from saccade.metrics.regression import RegressionMetric
from saccade.metrics.sample import Sample
from saccade.models.backbone import all_outputs
from saccade.tasks.answers import ALWAYS_ANSWER, Answer, NumberAnswer, Rejection
from saccade.tasks.own import NONE, OwnParts
from saccade.tasks.task import Card, Task
from saccade.words import html_table

MIN_COUNT = torch.finfo(torch.float32).tiny  # in place of a predicted count of 0


@dataclass(frozen=True)
class Counting(Task):
    """Poisson regression with a log link, the Poisson deviance as the loss."""

    mean: float = 1.0  # of the training images' counts
    root_margin: float | None = None  # 90 % margin of the count's square root; None: not known
    own: OwnParts = NONE

    kind = "counting"
    labels = (Count,)
    heads = ("poisson",)
    card = Card(
        tag="object-counting",
        answers="a count",
        use="It is meant for images in which things of one kind are to be counted.",
        limits="It always gives a count, even for an image that shows nothing of the kind, and "
        "does not say where the things are.",
    )
    classes = ()

    @classmethod
    def of(
        cls,
        items: Sequence[Item],
        classes: tuple[str, ...] = (),
        label_smoothing: float = 0.0,
        weights: str = "none",
    ) -> Counting:
        """The task with the mean of the counts of `items`; raises `DataError` for equal counts."""
        counts = cls().targets(items).double()
        if len(counts.unique()) < 2:
            raise DataError("all images have the same count", "there is nothing to be learned")
        return cls(float(counts.mean()))

    @classmethod
    def read(cls, classes: tuple[str, ...], config: Mapping[str, Any]) -> Counting:
        return cls(config["mean"], config["root_margin"])

    @classmethod
    def plain(cls, classes: tuple[str, ...]) -> Counting:
        return cls()

    def config(self) -> dict[str, Any]:
        return {"mean": self.mean, "root_margin": self.root_margin}

    @property
    def outputs(self) -> int:
        return 1

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The count of each item.  -> [N,1] float32"""
        for item in items:
            if not isinstance(item.label, Count):
                raise DataError(
                    f"'{item.name}' has the label {item.label!r} where a count is needed",
                    "call the column count, or name it as in photos.csv::birds=count",
                )
        return torch.tensor([float(item.label) for item in items])[:, None]  # type: ignore[arg-type]

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        targets = self.head_targets(batch.targets)

        def loss(log_ratios: Tensor) -> Tensor:
            return 2 * (log_ratios.exp() - targets * log_ratios + _saturated(targets)).mean()

        return self.own.losses(loss, targets, model, batch)

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The expected count.  [N,C,H,W] -> [N,1]"""
        return self.head_predictions(all_outputs(model(images))[0].float().exp())

    def head_targets(self, targets: Tensor) -> Tensor:
        return targets / self.mean

    def head_predictions(self, outputs: Tensor) -> Tensor:
        return outputs * self.mean

    def metric(self) -> Metric[Any]:
        return self.own.beside(CountMetric(self.mean))

    def calibrate(self, predictions: Tensor, targets: Tensor) -> tuple[Counting, dict[str, Any]]:
        """The task with a 90 % conformal margin of the square root of the count.  [N,1], [N,1]

        The variance of a Poisson count grows with it, that of its square root does not (Bartlett
        1936, "The square root transformation in analysis of variance").
        """
        margin = conformal_quantile((predictions.sqrt() - targets.sqrt()).abs().flatten())
        if margin is None:
            return self, {"note": f"{len(targets)} validation images are too few for bounds"}
        return replace(self, root_margin=margin), {"root_margin": margin, "note": ""}

    @classmethod
    def calibration(cls, facts: Mapping[str, Any]) -> str:
        return "Nine in ten of the validation counts lie within the bounds that are given."

    def answers(
        self,
        names: Sequence[str],
        predictions: Tensor,
        top: int = 5,
        rejection: Rejection = ALWAYS_ANSWER,
        novelty: Tensor | None = None,
    ) -> list[Answer]:
        """The count of each image, with bounds where they are known.  predictions [N,1]"""
        values = predictions.flatten().tolist()
        if self.root_margin is None:
            return [CountPrediction(name, value) for name, value in zip(names, values, strict=True)]
        pairs = zip(names, values, strict=True)
        return [
            CountPrediction(name, value, *bounds(value, self.root_margin)) for name, value in pairs
        ]

    def cells(self, predictions: Tensor) -> list[str]:
        return [f"{value:.6g}" for value in predictions.flatten().tolist()]


def bounds(value: float, root_margin: float) -> tuple[int, int]:
    """The lowest and highest count whose square root is within the margin of that of `value`."""
    root = value**0.5
    return ceil(max(0.0, root - root_margin) ** 2), floor((root + root_margin) ** 2)


@dataclass(frozen=True)
class CountMetric:
    """Metrics of predicted and true counts [N,1], with deviances in units of `mean`."""

    mean: float = 1.0  # of the counts that were trained on

    score: ClassVar[Score] = Score("mean_absolute_error", rises=False, unit="")
    compared: ClassVar[tuple[str, ...]] = ("deviance explained", "mean absolute error")

    def rows(self, predictions: Tensor, targets: Tensor) -> Predicted:
        """Predictions [N,1] and targets [N,1] with each image's deviance."""
        predictions, targets = predictions.cpu(), targets.cpu()
        losses = deviances(predictions, targets) / self.mean
        return Predicted(predictions, predictions, targets, losses)

    def read(self, table: Mapping[str, Sequence[str]]) -> Predicted:
        """The rows of predictions.csv."""
        return RegressionMetric().read(table)

    def correct(self, rows: Predicted) -> None:
        """None: a predicted mean is near a count or far, not right or wrong."""

    def quantities(self, rows: Predicted) -> Iterator[Quantity]:
        """Deviances, then the metrics of regression."""
        deviance, true = deviances(rows.predictions, rows.targets), rows.targets.double().flatten()
        baseline = float(deviances(true.mean().expand_as(true), true).mean())
        explained = _deviance_explained(deviance, true)
        parts = -deviance / (baseline * len(deviance))
        yield Quantity("deviance explained", explained, LOG_REST, "", 0.0, parts=parts)
        yield Quantity.mean("mean Poisson deviance", deviance, "", baseline)
        yield from RegressionMetric().quantities(rows)

    def report(self, rows: Predicted, groups: Tensor | None = None, seed: int = 0) -> MetricReport:
        """All metrics with intervals; the images of one of `groups` [N] count together."""
        sample = Sample(len(rows), groups)
        return MetricReport(len(rows), tuple(with_intervals(self.quantities(rows), sample, seed)))


def deviances(predictions: Tensor, targets: Tensor) -> Tensor:
    """The Poisson deviance of each image, 0 where exact.  [N,1], [N,1] -> [N] float64"""
    predicted = predictions.cpu().double().flatten().clamp_min(MIN_COUNT)
    true = targets.cpu().double().flatten()
    return 2 * (predicted - true * predicted.log() + _saturated(true))


def _saturated(targets: Tensor) -> Tensor:
    """The saturated model's part of half the deviance: t log t - t.  Any shape -> same"""
    return torch.xlogy(targets, targets) - targets


def _deviance_explained(deviance: Tensor, true: Tensor) -> Statistic:
    """D2: 1 - deviance / deviance of the sample's mean; NaN if all counts are equal.  [N], [N]"""
    saturated = _saturated(true)

    def statistic(weights: Tensor) -> Tensor:
        n = weights.sum(dim=1)
        mean = weights @ true / n
        total = 2 * (n * mean - torch.xlogy(weights @ true, mean) + weights @ saturated)
        return torch.where(total > 1e-9, 1 - weights @ deviance / total, torch.nan)

    return statistic


@dataclass(frozen=True, repr=False)
class CountPrediction(NumberAnswer):
    """The expected count of one image, with 90 % bounds."""

    name: str
    value: float
    low: int | None = None
    high: int | None = None

    def columns(self) -> list[str]:
        return ["count", "low", "high"]

    def cells(self) -> list[str]:
        return [f"{self.value:.6g}", *("" if end is None else f"{end}" for end in self._bounds)]

    @property
    def _bounds(self) -> tuple[int | None, int | None]:
        return self.low, self.high

    def __str__(self) -> str:
        interval = "" if self.low is None else f" ({self.low:,} to {self.high:,})"
        return f"{self.value:,.3g}{interval}"

    def __repr__(self) -> str:
        return f"CountPrediction({self.name}: {self})"

    def _repr_html_(self) -> str:
        return html_table((self.name, ""), [("count", str(self))])
