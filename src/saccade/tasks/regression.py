"""Regression: a number for each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.item import Item
from saccade.errors import DataError
from saccade.metrics.regression import NumberMetric, residuals
from saccade.models.backbone import heads, summed

COVERED = 0.9  # share of new pictures whose truth lies within the margin


@dataclass(frozen=True)
class Regression:
    """The network learns (number - mean) / scale, the squared error as the loss."""

    mean: float = 0.0  # of the training pictures' numbers
    scale: float = 1.0  # their standard deviation
    margin: float | None = None  # nine in ten pictures lie this near; None: not known

    kind = "regression"
    classes = ()
    outputs = 1

    @classmethod
    def of(cls, items: Sequence[Item]) -> Regression:
        """With mean and scale of the numbers of `items`, those to train on."""
        numbers = cls().targets(items).double()
        if len(numbers) < 2 or float(numbers.std()) == 0:
            raise DataError("all pictures have the same number", "there is nothing to be learned")
        return cls(float(numbers.mean()), float(numbers.std()))

    def targets(self, items: Sequence[Item]) -> Tensor:
        """The number of each item.  [N,1] float32"""
        for item in items:
            if isinstance(item.label, bool) or not isinstance(item.label, int | float):
                raise DataError(
                    f"'{item.name}' has the label {item.label!r} where a number is needed",
                    "call the column value, or train a classifier on classes",
                )
        return torch.tensor([float(item.label) for item in items])[:, None]  # type: ignore[arg-type]

    def losses(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        wanted = (batch.targets - self.mean) / self.scale
        return {"loss": summed(lambda out: F.mse_loss(out, wanted), model(batch.images))}

    def predict(self, model: nn.Module, images: Tensor) -> Tensor:
        """The number, in its own unit.  [N,C,H,W] -> [N,1]"""
        return heads(model(images))[0].float() * self.scale + self.mean

    def metric(self) -> NumberMetric:
        return NumberMetric(self.scale)

    def calibrated(self, predictions: Tensor, targets: Tensor) -> tuple[Regression, dict[str, Any]]:
        """With the margin that holds nine in ten of pictures like these (split conformal).

        Lei 2018, "Distribution-free predictive inference for regression", Section 2.2.
        """
        missed = residuals(predictions, targets).abs().flatten().sort().values
        rank = ceil(COVERED * (len(missed) + 1))
        if rank > len(missed):
            return self, {"note": f"{len(missed)} pictures are too few for a margin"}
        margin = float(missed[rank - 1])
        return replace(self, margin=margin), {"margin": margin, "note": ""}

    def answers(self, predictions: Tensor) -> list[str]:
        return [f"{value:.6g}" for value in predictions.flatten().tolist()]

    def config(self) -> dict[str, Any]:
        return {"mean": self.mean, "scale": self.scale, "margin": self.margin}
