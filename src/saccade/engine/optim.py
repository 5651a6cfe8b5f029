"""Optimizers by name, and the groups of weights that they move alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn

from saccade.engine.optimizers.lion import Lion
from saccade.engine.optimizers.muon import Muon
from saccade.models.ablation import rows


class Optimizer(Protocol):
    """What a descent needs of PyTorch's optimizers, and of what stands around them."""

    @property
    def param_groups(self) -> list[dict[str, Any]]: ...
    def zero_grad(self, set_to_none: bool = True) -> None: ...
    def step(self) -> Any: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> None: ...
    def add_param_group(self, param_group: dict[str, Any]) -> None: ...


def sgd(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Stochastic gradient descent with heavy-ball momentum."""
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, fused=True)


def nesterov(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Stochastic gradient descent with Nesterov's momentum (Sutskever 2013)."""
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=True, fused=True)


def adagrad(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Adagrad (Duchi 2011), which has no momentum."""
    return torch.optim.Adagrad(groups, lr=lr, foreach=True)


def adadelta(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Adadelta (Zeiler 2012); `momentum` is its rho.  The paper's rate is 1."""
    return torch.optim.Adadelta(groups, lr=lr, rho=momentum, foreach=True)


def rmsprop(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """RMSprop (Hinton 2012) with heavy-ball momentum (Graves 2013)."""
    return torch.optim.RMSprop(groups, lr=lr, momentum=momentum, foreach=True)


def adam(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Adam (Kingma 2014); decay is added to the gradient."""
    return torch.optim.Adam(groups, lr=lr, betas=(momentum, 0.999), fused=True)


def adamw(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Adam with decoupled decay (Loshchilov 2017)."""
    return torch.optim.AdamW(groups, lr=lr, betas=(momentum, 0.999), fused=True)


def lion(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Lion (Chen 2023) with decoupled decay; `momentum` is its beta 1."""
    return Lion(groups, lr, (momentum, 0.99))


def muon(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Muon for matrices (Jordan 2024), AdamW for vectors; decay is decoupled."""
    return Muon(groups, lr, momentum)


# Decay is added to the gradient (the square of the weights in the loss) unless called decoupled.
OPTIMIZERS: dict[str, Callable[[list[dict], float, float], torch.optim.Optimizer]] = {
    "sgd": sgd,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "adadelta": adadelta,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "lion": lion,
    "muon": muon,
}


def parameter_groups(
    model: nn.Module, weight_decay: float, *, layer_decay: float = 1.0
) -> list[dict]:
    """Decay for weights; none for biases and the vectors of normalisation layers.

    With `layer_decay` below 1 each layer has a group pair of its own, the last first, and a share
    of the rate, "rate", that is `layer_decay` times that of the layer above (Clark 2020, Section
    3.2; Bao 2021).  A layer is a row with a matrix; vectors that follow it belong to it.
    """
    if layer_decay == 1:
        return _pair([p for p in model.parameters() if p.requires_grad], weight_decay, 1.0)
    return [
        group
        for depth, layer in enumerate(reversed(_layers(model)))
        for group in _pair(layer, weight_decay, layer_decay**depth)
        if group["params"]
    ]


def _pair(weights: list[nn.Parameter], weight_decay: float, rate: float) -> list[dict]:
    return [
        {"params": [p for p in weights if p.ndim > 1], "weight_decay": weight_decay, "rate": rate},
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0, "rate": rate},
    ]


def _layers(model: nn.Module) -> list[list[nn.Parameter]]:
    """The trained weights of each layer, in order; a network that is no chain is one layer."""
    layers: list[list[nn.Parameter]] = []
    table = rows(model) if isinstance(model, nn.Sequential) else [("", model)]
    for _, row in table:
        weights = [p for p in row.parameters() if p.requires_grad]
        if layers and all(p.ndim <= 1 for p in weights):
            layers[-1] += weights
        elif weights:
            layers.append(weights)
    return layers
