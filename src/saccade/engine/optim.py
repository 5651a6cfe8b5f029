"""Optimizers by name, and parameter groups.

PyTorch's optimizers, and Lion (Chen 2023), Lookahead (Zhang 2019) and Muon of `muon.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import nn

from saccade.engine.muon import Muon
from saccade.engine.own import own_optimizer
from saccade.models.layers.surgery import rows
from saccade.own import Own


class Lion(torch.optim.Optimizer):
    """Lion: the sign of an average of gradient and momentum, with decoupled weight decay.

    Chen 2023, "Symbolic discovery of optimization algorithms", Algorithm 2.
    Every weight moves by `lr`, whatever its gradient; the paper advises a learning rate 3 to 10
    times smaller than AdamW's, and a weight decay as much larger (Section 5).
    """

    def __init__(self, params: list[dict], lr: float, betas: tuple[float, float] = (0.9, 0.99)):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # there are no closures here
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                mean = state.setdefault("mean", torch.zeros_like(weight))
                direction = mean.lerp(weight.grad, 1 - beta1).sign_()
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(direction, alpha=-group["lr"])
                mean.lerp_(weight.grad, 1 - beta2)


class Lookahead:
    """Lookahead: slow weights that follow the fast weights of another optimizer.

    Zhang 2019, "Lookahead optimizer: k steps forward, 1 step back", Algorithm 1.
    After every `steps` steps the slow weights move by `alpha` of the way to the fast ones, which
    then go on from there.  Slow weights and the count of steps are in the state of the inner
    optimizer, beside its own.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, steps: int = 5, alpha: float = 0.5):
        self.optimizer = optimizer
        self.steps = steps
        self.alpha = alpha

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The parameter groups of the inner optimizer."""
        return self.optimizer.param_groups

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        self.optimizer.zero_grad(set_to_none)

    @torch.no_grad()
    def step(self) -> None:
        """Step the fast weights, and every `steps` steps the slow ones."""
        state = self.optimizer.state
        weights = [w for g in self.param_groups for w in g["params"] if w.grad is not None]
        initial = {w: w.clone() for w in weights if "slow" not in state.get(w, {})}
        self.optimizer.step()
        for weight in weights:
            weight_state = state[weight]
            slow = weight_state.setdefault("slow", initial.get(weight))
            weight_state["steps_ahead"] = weight_state.get("steps_ahead", 0) + 1
            if weight_state["steps_ahead"] == self.steps:
                weight.copy_(slow.lerp_(weight, self.alpha))
                weight_state["steps_ahead"] = 0

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Move these weights too."""
        self.optimizer.add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """The state of the inner optimizer, with the slow weights."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.optimizer.load_state_dict(state)


class Optimizer(Protocol):
    """The part of PyTorch's `Optimizer` that a `Stepper` calls."""

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Weights and settings that belong together."""
        ...

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        ...

    def step(self) -> Any:
        """Move every weight that has a gradient."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Moments and counts under "state", by the index of their weight."""
        ...

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Go on from a `state_dict`."""
        ...

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Move these weights too."""
        ...


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
    """Adadelta (Zeiler 2012); `momentum` is its rho.  The paper's learning rate is 1."""
    return torch.optim.Adadelta(groups, lr=lr, rho=momentum, foreach=True)


def rmsprop(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """RMSprop (Hinton 2012) with heavy-ball momentum (Graves 2013)."""
    return torch.optim.RMSprop(groups, lr=lr, momentum=momentum, foreach=True)


def adam(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Adam (Kingma 2014); weight decay is added to the gradient."""
    return torch.optim.Adam(groups, lr=lr, betas=(momentum, 0.999), fused=True)


def adamw(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """AdamW: Adam with decoupled weight decay (Loshchilov 2017)."""
    return torch.optim.AdamW(groups, lr=lr, betas=(momentum, 0.999), fused=True)


def lion(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Lion (Chen 2023) with decoupled weight decay; `momentum` is its beta 1."""
    return Lion(groups, lr, (momentum, 0.99))


def muon(groups: list[dict], lr: float, momentum: float) -> torch.optim.Optimizer:
    """Muon for matrices (Jordan 2024), AdamW for vectors; decoupled weight decay."""
    return Muon(groups, lr, momentum)


# Weight decay is added to the gradient (an L2 penalty in the loss) unless called decoupled.
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


def make_optimizer(
    name: str, groups: list[dict], lr: float, momentum: float
) -> torch.optim.Optimizer:
    """The optimizer of this name, or a person's own: what its class or function makes of groups."""
    if not isinstance(name, Own):
        return OPTIMIZERS[name](groups, lr, momentum)
    return own_optimizer(name, groups, lr)


def parameter_groups(
    model: nn.Module, weight_decay: float, *, layer_decay: float = 1.0
) -> list[dict]:
    """Parameter groups: weight decay for matrices; none for biases and normalisation layers.

    With `layer_decay` below 1 (layer-wise learning rate decay) each layer has two groups of its
    own, the last layer first, and a factor on the learning rate, "lr_scale", that is `layer_decay`
    times that of the layer above (Clark 2020, Section 3.2; Bao 2021).  A layer is a row with a
    matrix, and the vectors that follow it.
    """
    if layer_decay == 1:
        return _decay_groups([p for p in model.parameters() if p.requires_grad], weight_decay, 1.0)
    return [
        group
        for depth, layer in enumerate(reversed(_layers(model)))
        for group in _decay_groups(layer, weight_decay, layer_decay**depth)
        if group["params"]
    ]


def _decay_groups(weights: list[nn.Parameter], weight_decay: float, lr_scale: float) -> list[dict]:
    return [
        {
            "params": [p for p in weights if p.ndim > 1],
            "weight_decay": weight_decay,
            "lr_scale": lr_scale,
        },
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0, "lr_scale": lr_scale},
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
