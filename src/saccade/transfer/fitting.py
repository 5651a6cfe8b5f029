"""Fitting: a head in the place of a network's last layer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from saccade.errors import RecipeError
from saccade.tasks.task import Task
from saccade.transfer.head import Head
from saccade.transfer.logistic import logistic
from saccade.transfer.means import means
from saccade.transfer.neighbours import neighbours
from saccade.transfer.ridge import ridge
from saccade.transfer.trunk import head_name

Fit = Callable[[Tensor, Tensor], Head]  # of features [N,V,D] and targets [N] or [N,K]

HEADS: dict[str, Fit] = {
    "ridge": ridge,
    "logistic": logistic,
    "means": means,
    "neighbours": neighbours,
}
SERVES = {  # what each task can begin with
    "classification": tuple(HEADS),
    "labelling": ("logistic",),
    "regression": ("ridge",),
}


def refuse_misfit(name: str, task: Task) -> None:
    """Raise `RecipeError` where the head of that name does not serve the task."""
    if name not in SERVES[task.kind]:
        raise RecipeError(
            f"model.head cannot be {name} for {task.kind}",
            f"it takes {', '.join(('fresh', *SERVES[task.kind]))}",
        )


def fit_head(name: str, task: Task, features: Tensor, targets: Tensor) -> Head:
    """The head of that name for a task; raises `RecipeError` where it does not serve the task.

    Numbers are learned as the task's networks learn them, less their mean and over their scale.
    """
    refuse_misfit(name, task)
    if task.kind == "regression":
        told = task.config()
        targets = (targets - told["mean"]) / told["scale"]
    return HEADS[name](features, targets)


def put_head(model: nn.Module, head: Head) -> None:
    """Give the network's last layer the head's numbers, or its place to a head of another kind."""
    name = head_name(model)
    last = model.get_submodule(name)
    if isinstance(head.row, nn.Linear) and isinstance(last, nn.Linear):
        with torch.no_grad():
            last.weight.copy_(head.row.weight)
            if last.bias is not None:
                last.bias.copy_(head.row.bias)
    else:
        model.set_submodule(name, head.row.to(next(model.parameters()).device))
