"""folds: pictures dealt into portions, each of which is held out once."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.data.order import permutation
from saccade.errors import DataError

FOLDS = 5


def folds(targets: Tensor, seed: int = 0) -> Tensor:
    """The portion of each picture, every class spread over all of them.  [N] or [N,K] -> [N] int64

    Five portions, or as many as the smallest class has pictures.  Raises `DataError` for a class of
    a single picture, which cannot be both learned and held out.
    """
    classes = targets if targets.dim() == 1 else torch.zeros(len(targets), dtype=torch.int64)
    smallest = int(classes.bincount().min()) if len(classes) else 0
    if smallest < 2:
        raise DataError(
            "a class has a single picture: nothing can be held out to choose a penalty by",
            "set model.head=means, which chooses none, or add a picture",
        )
    portion, count = torch.empty(len(classes), dtype=torch.int64), min(FOLDS, smallest)
    dealt = 0
    for k in range(int(classes.max()) + 1):
        members = (classes == k).nonzero().flatten()
        order = torch.from_numpy(permutation(len(members), seed, k))
        portion[members[order]] = (torch.arange(len(members)) + dealt) % count
        dealt += len(members)
    return portion
