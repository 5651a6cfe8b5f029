"""Regression: a number for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.item import Item
from saccade.errors import DataError
from saccade.metrics.calibration import conformal_quantile
from saccade.metrics.metric import Metric
from saccade.metrics.regression import RegressionMetric, residuals
from saccade.models.backbone import all_outputs
from saccade.tasks.answers import ALWAYS_ANSWER, Answer, NumberAnswer, Rejection
from saccade.tasks.own import NONE, OwnParts
from saccade.tasks.task import Capability, Card, Task
from saccade.words import html_table

MOST_DIGITS = 15  # that float64 tells
COARSE = 1e-3  # of the scale: a step of float32 above that asks for float64


@dataclass(frozen=True)
class Regression(Task):
    """Regression of (number - mean) / scale, with the squared error as the loss."""

    mean: float = 0.0  # of the training images' numbers
    scale: float = 1.0  # their standard deviation
    margin: float | None = None  # 90 % margin, in the numbers' unit; None: not known
    own: OwnParts = NONE

    kind = "regression"
    labels = (float, int)
    heads = ("ridge",)
    capabilities = frozenset({Capability.MIXING, Capability.CROPPING})
    card = Card(
        tag="image-regression",
        answers="a number",
        use="It is meant for images that each have such a number.",
        limits="It always gives a number, even for an image that shows nothing of the kind.",
    )
    classes = ()

    @classmethod
    def of(
        cls,
        items: Sequence[Item],
        classes: tuple[str, ...] = (),
        label_smoothing: float = 0.0,
        weights: str = "none",
    ) -> Regression:
        """The task with mean and scale of the numbers of `items`; raises `DataError` if equal."""
        exact = torch.tensor(_numbers(items), dtype=torch.float64)
        for values in (exact.float().double(), exact):
            if len(values) > 1 and float(values.std()) > 0:
                task = cls(float(values.mean()), float(values.std()))
                if values is exact or task.dtype is torch.float32:
                    return task
        raise DataError("all images have the same number", "there is nothing to be learned")

    @classmethod
    def read(cls, classes: tuple[str, ...], config: Mapping[str, Any]) -> Regression:
        return cls(config["mean"], config["scale"], config["margin"])

    @classmethod
    def plain(cls, classes: tuple[str, ...]) -> Regression:
        return cls()

    def config(self) -> dict[str, Any]:
        return {"mean": self.mean, "scale": self.scale, "margin": self.margin}

    @property
    def outputs(self) -> int:
        return 1

    @property
    def dtype(self) -> torch.dtype:
        """The type of the numbers: float32, or float64 where those are large with little between.

        Such as 1.7e9 to 1.7e9 + 60, seconds of a clock: float32 has one number in 128 there.
        """
        step = torch.finfo(torch.float32).eps * abs(self.mean)
        return torch.float64 if step > COARSE * self.scale else torch.float32

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The number of each item.  -> [N,1] float32, or `dtype`"""
        return torch.tensor(_numbers(items), dtype=torch.float64).to(self.dtype)[:, None]

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        targets = self.head_targets(batch.targets)
        return self.own.losses(lambda out: F.mse_loss(out, targets), targets, model, batch)

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The number, in its own unit.  [N,C,H,W] -> [N,1]"""
        return self.head_predictions(all_outputs(model(images))[0].float())

    def head_targets(self, targets: Tensor) -> Tensor:
        return ((targets - self.mean) / self.scale).float()

    def head_predictions(self, outputs: Tensor) -> Tensor:
        return outputs.to(self.dtype) * self.scale + self.mean

    def metric(self) -> Metric[Any]:
        return self.own.beside(RegressionMetric(self.scale))

    def calibrate(self, predictions: Tensor, targets: Tensor) -> tuple[Regression, dict[str, Any]]:
        """The task with a 90 % conformal margin.  [N,1], [N,1]"""
        margin = conformal_quantile(residuals(predictions, targets).abs().flatten())
        if margin is None:
            return self, {"note": f"{len(targets)} validation images are too few for a margin"}
        return replace(self, margin=margin), {"margin": margin, "note": ""}

    @classmethod
    def calibration(cls, facts: Mapping[str, Any]) -> str:
        return f"Nine in ten of the validation images lie within ± {facts['margin']:,.4g}."

    def answers(
        self,
        names: Sequence[str],
        predictions: Tensor,
        top: int = 5,
        rejection: Rejection = ALWAYS_ANSWER,
        novelty: Tensor | None = None,
    ) -> list[Answer]:
        """The number of each image, with its margin.  predictions [N,1]"""
        pairs = zip(names, predictions.flatten().tolist(), strict=True)
        return [RegressionPrediction(name, value, self.margin) for name, value in pairs]

    def cells(self, predictions: Tensor) -> list[str]:
        return [_cell(value) for value in predictions.flatten().tolist()]


def _digits_before(value: float) -> int:
    """Digits before the point; fewer than 1 for leading zeros after it."""
    return floor(log10(abs(value))) + 1 if value else 0


def _cell(value: float) -> str:
    """Six significant digits, of large numbers as many as tell hundredths."""
    return f"{value:.{min(max(6, _digits_before(value) + 2), MOST_DIGITS)}g}"


def _numbers(items: Sequence[Item]) -> list[float]:
    """The number of each item; raises `DataError` for any other label."""
    for item in items:
        if isinstance(item.label, bool) or not isinstance(item.label, int | float):
            raise DataError(
                f"'{item.name}' has the label {item.label!r} where a number is needed",
                "call the column value, or train a classifier on classes",
            )
    return [float(item.label) for item in items]  # type: ignore[arg-type]


@dataclass(frozen=True, repr=False)
class RegressionPrediction(NumberAnswer):
    """The predicted number of one image, with its 90 % margin."""

    name: str
    value: float
    margin: float | None

    def columns(self) -> list[str]:
        return ["value", "margin"]

    def cells(self) -> list[str]:
        return [_cell(self.value), "" if self.margin is None else f"{self.margin:.6g}"]

    def __str__(self) -> str:
        if self.margin is None:
            return f"{self.value:,.4g}"
        digits = max(4, _digits_before(self.value) - _digits_before(self.margin) + 2)
        return f"{self.value:,.{min(digits, MOST_DIGITS)}g} ± {self.margin:,.4g}"

    def __repr__(self) -> str:
        return f"RegressionPrediction({self.name}: {self})"

    def _repr_html_(self) -> str:
        return html_table((self.name, ""), [("value", str(self))])
