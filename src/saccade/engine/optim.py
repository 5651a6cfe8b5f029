"""Optimizers by name, with decay on weights alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def sgd(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Stochastic gradient descent with heavy-ball momentum."""
    return torch.optim.SGD(groups, lr=lr, momentum=momentum)


def nesterov(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Stochastic gradient descent with Nesterov's momentum (Sutskever 2013)."""
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=True)


def adam(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Adam (Kingma 2014); decay is added to the gradient."""
    return torch.optim.Adam(groups, lr=lr, betas=(momentum, 0.999), foreach=True)


def adamw(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Adam with decoupled decay (Loshchilov 2017)."""
    return torch.optim.AdamW(groups, lr=lr, betas=(momentum, 0.999), foreach=True)


OPTIMIZERS: dict[str, Callable[[list[dict], float, float], torch.optim.Optimizer]] = {
    "sgd": sgd,
    "nesterov": nesterov,
    "adam": adam,
    "adamw": adamw,
}


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Decay for weights; none for biases and the vectors of normalisation layers."""
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
