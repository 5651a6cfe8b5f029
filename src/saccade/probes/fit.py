"""A head fitted in the place of a network's last layer, and its answers about held-out images."""

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

Fit = Callable[[Tensor, Tensor], Head]  # of features [N,V,D] and targets [N] or [N,K]
HEADS: dict[str, Fit] = {
    "ridge": ridge,
    "logistic": logistic,
    "poisson": poisson,
    "nearest_mean": nearest_mean,
    "knn": knn,
}


def refuse_misfit(name: str, task: Task, model: nn.Module) -> None:
    """Raise `RecipeError` where the head of that name serves neither the task nor the network."""
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
    """The head of that name for a task; what it has `said` is as the task predicts."""
    head = HEADS[name](features, task.head_targets(targets))
    return (
        head
        if head.held_out_predictions is None
        else replace(head, held_out_predictions=task.head_predictions(head.held_out_predictions))
    )


def install_head(model: nn.Module, head: Head) -> None:
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


PROBES = 3  # deals into portions; of each image the mean of so many probes is taken


def repeated_folds(items: Sequence[Item], group: Grouping, seed: int = 0) -> list[Tensor]:
    """Several deals into portions, every class spread over them, groups whole.  Each [N] int64"""
    place = {item.name: at for at, item in enumerate(items)}
    found = []
    for probe in range(PROBES):
        portion = torch.zeros(len(items), dtype=torch.int64)
        for k, part in enumerate(stratify(items, (1 / FOLDS,) * FOLDS, seed + probe, group)):
            portion[[place[item.name] for item in part]] = k
        found.append(portion)
    return found


def learnable(targets: Tensor, folds: Sequence[Tensor]) -> Tensor:
    """Which classes are in two portions at least: none is judged by who never saw it.  [K]"""
    spread = torch.ones(int(targets.max()) + 1, dtype=torch.bool)
    for portion in folds:
        for k in range(len(spread)):
            spread[k] &= len(portion[targets == k].unique()) > 1
    return spread


def held_out_probabilities(features: Tensor, targets: Tensor, folds: Sequence[Tensor]) -> Tensor:
    """The mean over the deals of softmax regression fitted without the image's portion.

    [N,D], [N] -> [N,K] float64.  The penalty is that of the least log loss in the first deal.
    """
    penalty, said = cross_validate(features, targets, folds[0])
    told = [said, *(cross_validate(features, targets, p, (penalty,))[1] for p in folds[1:])]
    return torch.stack([logits.softmax(dim=1) for logits in told]).mean(dim=0)
