"""Subset accuracy: the share of pictures of which every label is right.

Zhu 2005, Multi-labelled classification using maximum entropy method.
"""

from __future__ import annotations

from torch import Tensor


def exact_matches(probabilities: Tensor, targets: Tensor) -> Tensor:
    """1 where the labels of at least one half are just the true ones.  [N,K], [N,K] -> [N]"""
    return ((probabilities >= 0.5) == (targets > 0.5)).all(dim=1)
