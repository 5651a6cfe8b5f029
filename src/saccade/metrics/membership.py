"""Membership: which classes a picture is of, whether it has one class or any number of labels."""

from __future__ import annotations

import torch
from torch import Tensor


def membership(targets: Tensor, num_classes: int) -> Tensor:
    """[N] int64 class positions, or [N,K] labels of 0 and 1 -> [N,K] bool"""
    if targets.ndim == 2:
        return targets > 0.5
    return targets[:, None] == torch.arange(num_classes, device=targets.device)
