"""held_out_probabilities: what linear probes say of pictures that they did not learn from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from saccade.data.grouping import Grouping
from saccade.data.source import Item
from saccade.data.stratify import stratify
from saccade.transfer.folds import FOLDS
from saccade.transfer.logistic import left_out

PROBES = 3  # deals into portions; of each picture the mean of so many probes is taken


def deals(items: Sequence[Item], group: Grouping, seed: int = 0) -> list[Tensor]:
    """Several deals into portions, every class spread over them, groups whole.  Each [N] int64"""
    place = {item.name: at for at, item in enumerate(items)}
    found = []
    for probe in range(PROBES):
        portion = torch.zeros(len(items), dtype=torch.int64)
        for k, part in enumerate(stratify(items, (1 / FOLDS,) * FOLDS, seed + probe, group)):
            portion[[place[item.name] for item in part]] = k
        found.append(portion)
    return found


def learnable(targets: Tensor, dealt: Sequence[Tensor]) -> Tensor:
    """Which classes are in two portions at least: none is judged by who never saw it.  [K]"""
    spread = torch.ones(int(targets.max()) + 1, dtype=torch.bool)
    for portion in dealt:
        for k in range(len(spread)):
            spread[k] &= len(portion[targets == k].unique()) > 1
    return spread


def held_out_probabilities(features: Tensor, targets: Tensor, dealt: Sequence[Tensor]) -> Tensor:
    """The mean over the deals of softmax regression fitted without the picture's portion.

    [N,D], [N] -> [N,K] float64.  The penalty is that of the least log loss in the first deal.
    """
    penalty, said = left_out(features, targets, dealt[0])
    told = [said, *(left_out(features, targets, p, (penalty,))[1] for p in dealt[1:])]
    return torch.stack([logits.softmax(dim=1) for logits in told]).mean(dim=0)
