"""A person's own loss, in place of a task's, and metric, beside a task's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.errors import UsageError
from saccade.metrics.metric import Metric
from saccade.models.backbone import total_loss
from saccade.own import Own, checked

SETTING = "train.loss"


@dataclass(frozen=True)
class OwnParts:
    """Both, where there are any.

    The loss is a function of the network's outputs [N,K] and of targets as the task's own loss
    takes them: classes [N] int64, or [N,K] where images are mixed; labels [N,K] of 0 to 1; numbers
    [N,1] less their mean and over their deviation; counts [N,1] over their mean.
    """

    loss: Own | None = None
    metric: Own | None = None

    def losses(
        self, loss: Callable[[Tensor], Tensor], targets: Tensor, model: nn.Module, batch: Batch
    ) -> dict[str, Tensor]:
        """The losses of a batch by `loss`, the task's own, or by the person's.  targets [N,...]"""
        criterion = loss if self.loss is None else lambda outputs: self._loss(outputs, targets)
        return {"loss": total_loss(criterion, model(batch.images))}

    def beside(self, metric: Metric[Any]) -> Metric[Any]:
        """`metric`, with the person's own beside it."""
        if self.metric is None:
            return metric
        from saccade.metrics.own import WithOwn  # here, since few have metrics of their own

        return WithOwn(metric, self.metric)  # type: ignore[return-value]  # its score is told late

    def _loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        assert self.loss is not None
        try:
            result = self.loss.function(SETTING)(outputs, targets)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            shapes = " and ".join(str(list(x.shape)) for x in (outputs, targets))
            what = f"{SETTING}={self.loss} fails on {shapes}: {type(error).__name__}: {error}"
            raise UsageError(what, "it takes outputs and targets, and gives one number") from error
        loss = checked(SETTING, self.loss, result, Tensor, "give a tensor with one number")
        if loss.numel() != 1:
            shape = "x".join(map(str, loss.shape))
            raise UsageError(f"{SETTING}={self.loss} gives {shape} numbers", "give their mean")
        if torch.is_grad_enabled() and outputs.requires_grad and not loss.requires_grad:
            what = f"{SETTING}={self.loss} does not depend on the outputs"
            raise UsageError(what, "compute it from the outputs without detach or numpy")
        return loss.reshape(())


NONE = OwnParts()
