"""Fitting a head in place of a network's last layer, and its held-out predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from saccade.data.grouping import Grouping, stratify
from saccade.data.item import Item
from saccade.errors import RecipeError
from saccade.models.backbone import head_name
from saccade.probes.head import FOLDS, Head
from saccade.probes.logistic import cross_validate, logistic, poisson
from saccade.probes.simple import knn, nearest_mean, ridge
from saccade.tasks.task import Task

Fit = Callable[[Tensor, Tensor], Head]  # features [N,V,D], targets [N] or [N,K]
HEADS: dict[str, Fit] = {
    "ridge": ridge,
    "logistic": logistic,
    "poisson": poisson,
    "nearest_mean": nearest_mean,
    "knn": knn,
}


def refuse_misfit(name: str, task: Task, model: nn.Module) -> None:
    """Raise `RecipeError` where the head of that name does not fit the task and the network."""
    last = model.get_submodule(head_name(model))
    if isinstance(last, nn.Linear) and last.out_features != task.outputs:
        raise RecipeError(
            f"a head takes the place of a last layer that is fully connected and gives "
            f"{task.outputs} numbers; the network's '{head_name(model)}' gives {last.out_features}",
            "take another network, or set model.head=random",
        )
    if name not in task.heads:
        raise RecipeError(
            f"model.head cannot be {name} for {task.kind}",
            f"it takes {', '.join(('random', *task.heads))}",
        )


def fit_head(name: str, task: Task, features: Tensor, targets: Tensor) -> Head:
    """The head of that name fitted for a task, its held-out predictions in the task's form.

    features [N,V,D], targets [N] or [N,K]
    """
    head = HEADS[name](features, task.head_targets(targets))
    return (
        head
        if head.held_out_predictions is None
        else replace(head, held_out_predictions=task.head_predictions(head.held_out_predictions))
    )


def install_head(model: nn.Module, head: Head) -> None:
    """Copy a linear head's weights into the last layer, or replace that by another kind of head."""
    name = head_name(model)
    last = model.get_submodule(name)
    if isinstance(head.row, nn.Linear) and isinstance(last, nn.Linear):
        with torch.no_grad():
            last.weight.copy_(head.row.weight)
            if last.bias is not None:
                last.bias.copy_(head.row.bias)
    else:
        model.set_submodule(name, head.row.to(next(model.parameters()).device))


REPEATS = 3  # of cross-validation, over which held-out probabilities are averaged


def repeated_folds(items: Sequence[Item], group: Grouping, seed: int = 0) -> list[Tensor]:
    """The fold of each image in repeated stratified group k-fold splits.  Each [N] int64"""
    index = {item.name: i for i, item in enumerate(items)}
    folds = []
    for repeat in range(REPEATS):
        fold = torch.zeros(len(items), dtype=torch.int64)
        for k, members in enumerate(stratify(items, (1 / FOLDS,) * FOLDS, seed + repeat, group)):
            fold[[index[item.name] for item in members]] = k
        folds.append(fold)
    return folds


def learnable(targets: Tensor, folds: Sequence[Tensor]) -> Tensor:
    """Which classes are in at least two folds of each split, so that a fit without one knows them.

    targets [N] int64, folds [N] int64 each -> [K] bool
    """
    mask = torch.ones(int(targets.max()) + 1, dtype=torch.bool)
    for fold in folds:
        for k in range(len(mask)):
            mask[k] &= len(fold[targets == k].unique()) > 1
    return mask


def held_out_probabilities(features: Tensor, targets: Tensor, folds: Sequence[Tensor]) -> Tensor:
    """Out-of-fold probabilities of softmax regression, averaged over the splits.

    features [N,D], targets [N], folds [N] each -> [N,K] float64.  The penalty is that of the least
    log loss in the first split.
    """
    penalty, first = cross_validate(features, targets, folds[0])
    logits = [
        first,
        *(cross_validate(features, targets, fold, (penalty,))[1] for fold in folds[1:]),
    ]
    return torch.stack([each.softmax(dim=1) for each in logits]).mean(dim=0)
