"""Brier score: the squared distance of the probabilities from what was true.

Brier 1950, Verification of forecasts expressed in terms of probability.
"""

from __future__ import annotations

import torch
from torch import Tensor


def brier_scores(probabilities: Tensor, targets: Tensor) -> Tensor:
    """Of each picture, summed over all classes: 0 when certain and right, 2 when certain and wrong.

    [N,K], [N] int64 -> [N] float64
    """
    truth = torch.nn.functional.one_hot(targets, probabilities.shape[1])
    return (probabilities.double() - truth).square().sum(dim=1)
