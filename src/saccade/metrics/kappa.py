"""Cohen's kappa: agreement beyond what the class sizes alone would give.

Cohen 1960, A coefficient of agreement for nominal scales.
"""

from __future__ import annotations

from torch import Tensor

from saccade.metrics.class_counts import ClassCounts


def kappa(counts: ClassCounts) -> Tensor:
    """1 at full agreement, 0 at chance; NaN if all is of one class and named so.  [...,K] -> [...]

    In whole numbers until the division: exact up to 94 million pictures.
    """
    n, right = counts.n, counts.right.sum(dim=-1)
    expected = (counts.true * counts.named).sum(dim=-1)
    return (n * right - expected) / (n * n - expected)
