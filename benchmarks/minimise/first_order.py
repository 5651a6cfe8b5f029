"""stepwise: the optimizers of training, on an objective: SGD, momentum, Adam.

w <- w - lr * step(gradient of a batch).  Whatever gives a gradient will do, an estimate too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from minimise.objective import Objective
from saccade.engine.optim import OPTIMIZERS

Gradient = Callable[[Tensor, Tensor], Tensor]  # of weights [P] and rows [B]: [P]


def first_order(objective: Objective) -> Gradient:
    """The gradient itself; three passes of the batch."""
    return lambda w, rows: objective.gradient(w, rows)[1]


def stepwise(
    gradient: Gradient,
    start: Tensor,
    batches: Iterator[Tensor],
    *,
    optimizer: str = "sgd",
    lr: float,
    momentum: float = 0.0,
) -> Iterator[Tensor]:
    """The weights after each step of an optimizer of `OPTIMIZERS` at a constant rate."""
    w = start.clone().requires_grad_()
    moving = OPTIMIZERS[optimizer]([{"params": [w]}], lr, momentum)
    for rows in batches:
        w.grad = gradient(w.detach(), rows)
        moving.step()
        yield w.detach().clone()


def shuffled_batches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Positions of `count` images, pass after pass in a new order, without end; a rest is left.

    -> [size]
    """
    while True:
        order = torch.randperm(count, generator=generator)
        yield from order[: count // size * size].view(-1, size)
