"""Matthews' correlation coefficient of true and named classes.

Gorodkin 2004, Comparing two K-category assignments by a K-category correlation coefficient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.metrics.class_counts import ClassCounts


def matthews(counts: ClassCounts) -> Tensor:
    """1 at full agreement, 0 if one side is constant (its limit: Chicco & Jurman 2020).

    NaN if all is of one class and named so, where scikit-learn says 0.  [...,K] -> [...]
    """
    n, right = counts.n, counts.right.sum(dim=-1)
    together = n * right - (counts.true * counts.named).sum(dim=-1)
    spread = (n * n - counts.true.square().sum(dim=-1)) * (
        n * n - counts.named.square().sum(dim=-1)
    )
    value = torch.where(spread > 0, together / spread.sqrt(), 0.0)
    return torch.where((spread == 0) & (right == n), torch.nan, value)
