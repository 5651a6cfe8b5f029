"""Regression: a number for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.item import Item
from saccade.errors import DataError
from saccade.metrics.calibration import conformal_quantile
from saccade.metrics.regression import RegressionMetric, residuals
from saccade.models.backbone import all_outputs, total_loss
from saccade.tasks.answers import ALWAYS_ANSWER, Answer, Rejection
from saccade.tasks.task import Capability, Card, Task
from saccade.words import html_table


@dataclass(frozen=True)
class Regression(Task):
    """Regression of (number - mean) / scale, with the squared error as the loss."""

    mean: float = 0.0  # of the training images' numbers
    scale: float = 1.0  # their standard deviation
    margin: float | None = None  # 90 % margin, in the numbers' unit; None: not known

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
        values = cls().targets(items).double()
        if len(values) < 2 or float(values.std()) == 0:
            raise DataError("all images have the same number", "there is nothing to be learned")
        return cls(float(values.mean()), float(values.std()))

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

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The number of each item.  -> [N,1] float32"""
        for item in items:
            if isinstance(item.label, bool) or not isinstance(item.label, int | float):
                raise DataError(
                    f"'{item.name}' has the label {item.label!r} where a number is needed",
                    "call the column value, or train a classifier on classes",
                )
        return torch.tensor([float(item.label) for item in items])[:, None]  # type: ignore[arg-type]

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        targets = self.head_targets(batch.targets)
        return {"loss": total_loss(lambda out: F.mse_loss(out, targets), model(batch.images))}

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The number, in its own unit.  [N,C,H,W] -> [N,1]"""
        return self.head_predictions(all_outputs(model(images))[0].float())

    def head_targets(self, targets: Tensor) -> Tensor:
        return (targets - self.mean) / self.scale

    def head_predictions(self, outputs: Tensor) -> Tensor:
        return outputs * self.scale + self.mean

    def metric(self) -> RegressionMetric:
        return RegressionMetric(self.scale)

    def calibrate(self, predictions: Tensor, targets: Tensor) -> tuple[Regression, dict[str, Any]]:
        """The task with a 90 % conformal margin.  [N,1], [N,1]"""
        margin = conformal_quantile(residuals(predictions, targets).abs().flatten())
        if margin is None:
            return self, {"note": f"{len(targets)} images are too few for a margin"}
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
        return [f"{value:.6g}" for value in predictions.flatten().tolist()]


@dataclass(frozen=True, repr=False)
class RegressionPrediction:
    """The predicted number of one image, with its 90 % margin."""

    name: str
    value: float
    margin: float | None

    @property
    def best(self) -> str:
        return str(self)

    def columns(self) -> list[str]:
        return ["value", "margin"]

    def cells(self) -> list[str]:
        return [f"{self.value:.6g}", "" if self.margin is None else f"{self.margin:.6g}"]

    def __str__(self) -> str:
        margin = "" if self.margin is None else f" ± {self.margin:,.4g}"
        return f"{self.value:,.4g}{margin}"

    def __repr__(self) -> str:
        return f"RegressionPrediction({self.name}: {self})"

    def _repr_html_(self) -> str:
        return html_table((self.name, ""), [("value", str(self))])
