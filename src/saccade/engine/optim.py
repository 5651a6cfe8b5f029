"""Optimizers by name, and the groups of weights that they move alike.

Those of PyTorch, and Lion (Chen 2023), Muon (Jordan 2024) and Lookahead (Zhang 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from saccade.models.layers.surgery import rows

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of Muon's quintic; slope 3.4 at zero, fixed near 1
ITERATIONS = 5  # of it
SIZE = 0.2  # root mean square of an AdamW step, in learning rates


class Lion(torch.optim.Optimizer):
    """The sign of a mixture of the gradient and its mean, with decoupled decay.

    Chen 2023, "Symbolic discovery of optimization algorithms", Algorithm 2.
    Every weight moves by `lr`, whatever its gradient; the paper advises a rate 3 to 10 times
    smaller than AdamW's, and a decay as much larger (Section 5).
    """

    def __init__(self, params: list[dict], lr: float, betas: tuple[float, float] = (0.9, 0.99)):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # there are no closures here
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            mixing, keeping = group["betas"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                mean = state.setdefault("mean", torch.zeros_like(weight))
                direction = mean.lerp(weight.grad, 1 - mixing).sign_()
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(direction, alpha=-group["lr"])
                mean.lerp_(weight.grad, 1 - keeping)


class Lookahead:
    """Slow weights that follow an optimizer's fast ones.

    Zhang 2019, "Lookahead optimizer: k steps forward, 1 step back", Algorithm 1.
    After every `steps` steps the slow weights go the `share` of the way to the fast ones, which
    then go on from there.  Slow weights and the count of steps are kept in the state of the
    optimizer inside, beside its own.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, steps: int = 5, alpha: float = 0.5):
        self.inside = optimizer
        self.steps = steps
        self.share = alpha

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Those of the optimizer inside, as all that follows."""
        return self.inside.param_groups

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        self.inside.zero_grad(set_to_none)

    @torch.no_grad()
    def step(self) -> None:
        """A step of the fast weights, and every so many steps one of the slow."""
        state = self.inside.state
        weights = [w for g in self.param_groups for w in g["params"] if w.grad is not None]
        first = {w: w.clone() for w in weights if "slow" not in state.get(w, {})}
        self.inside.step()
        for weight in weights:
            own = state[weight]
            slow = own.setdefault("slow", first.get(weight))
            own["steps_ahead"] = own.get("steps_ahead", 0) + 1
            if own["steps_ahead"] == self.steps:
                weight.copy_(slow.lerp_(weight, self.share))
                own["steps_ahead"] = 0

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Move these weights too."""
        self.inside.add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """Those of the optimizer inside, with the slow weights."""
        return self.inside.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.inside.load_state_dict(state)


class Muon(torch.optim.Optimizer):
    """Momentum made orthogonal for matrices, AdamW for all else; decay is decoupled.

    Jordan 2024, "Muon: an optimizer for hidden layers in neural networks".  A convolution's kernel
    [cout,cin,k,k] counts as a matrix of cout rows.

    Departures: a step has the size of AdamW's, 0.2 sqrt(max(rows, columns)) times the orthogonal
    matrix (Liu 2025, "Muon is scalable for LLM training", Equation 4), so that one learning rate
    serves matrices and vectors; the first and the last matrix of a network are no exceptions.

    A step costs 5 (4 r^2 c + 2 r^3) operations for a matrix of r by c, r the smaller, whatever the
    batch: little beside large batches, much beside small ones in wide networks.
    """

    def __init__(
        self,
        params: list[dict],
        lr: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.999),
    ):
        defaults = {"lr": lr, "momentum": momentum, "betas": betas, "weight_decay": 0.0}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # there are no closures here
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                direction = self._orthogonal if weight.ndim > 1 else self._adam
                step = direction(weight.grad, self.state[weight], group)
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(step, alpha=-group["lr"])

    def _orthogonal(self, gradient: Tensor, state: dict, group: dict) -> Tensor:
        """Nesterov's momentum, orthogonal.  [cout,...] -> the same"""
        mean = state.setdefault("mean", torch.zeros_like(gradient))
        mean.lerp_(gradient, 1 - group["momentum"])
        matrix = gradient.lerp(mean, group["momentum"]).flatten(1)
        size = SIZE * sqrt(max(matrix.shape))
        return orthogonal(matrix).to(gradient).reshape(gradient.shape) * size

    def _adam(self, gradient: Tensor, state: dict, group: dict) -> Tensor:
        """Adam's step (Kingma 2014, Algorithm 1).  [n] -> [n]"""
        if not state:
            blank = torch.zeros_like(gradient)
            state.update(steps=0, mean=blank, square=blank.clone())
        first, second = group["betas"]
        state["steps"] += 1
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].lerp_(gradient.square(), 1 - second)
        mean = state["mean"] / (1 - first ** state["steps"])
        square = state["square"] / (1 - second ** state["steps"])
        return mean / (square.sqrt() + 1e-8)


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly U V^T of the singular value decomposition U S V^T, by Newton and Schulz.

    Singular values end between about 0.7 and 1.2, which serves as well as 1 (Jordan 2024).  In
    bfloat16 on a GPU, where matrix products are faster for it.  [rows,columns] -> the same
    """
    a, b, c = COEFFICIENTS
    x = matrix.bfloat16() if matrix.is_cuda else matrix.float()
    tall = matrix.shape[0] > matrix.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


class Optimizer(Protocol):
    """What a `Stepper` needs of PyTorch's optimizers, and of what stands around them."""

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
        """Moments and counts under "state", by the place of their weight."""
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
    of the learning rate, "lr_scale", that is `layer_decay` times that of the layer above (Clark
    2020, Section 3.2; Bao 2021).  A layer is a row with a matrix, and the vectors that follow it.
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
        {
            "params": [p for p in weights if p.ndim > 1],
            "weight_decay": weight_decay,
            "lr_scale": rate,
        },
        {"params": [p for p in weights if p.ndim <= 1], "weight_decay": 0.0, "lr_scale": rate},
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
