"""Gauss-Newton by conjugate gradients ("Hessian-free").  Martens 2010, "Deep learning via
Hessian-free optimization".

Each step minimises the quadratic model g d + d (G + damping) d / 2, without the matrix: conjugate
gradients need only its products with vectors.
Departures: no preconditioner; the solution that is looked at last is taken, with the step halved
where it does not lower the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from minimise.objective import Objective

PROGRESS = 5e-4  # share of the model's decrease, a step, below which enough is solved: Section 4.4


HALVINGS = 10


Product = Callable[[Tensor], Tensor]  # of a symmetric matrix with a vector, [P] -> [P]


def hessian_free(
    objective: Objective, start: Tensor, *, damping: float = 1.0, solves: int = 250
) -> Iterator[Tensor]:
    """The weights after each step; ends where no step is better than none.

    Damping follows Levenberg and Marquardt, Section 4.1: it falls by a third where the loss does
    what the model said, and rises by half where it falls less than a quarter of that.
    """
    w, last = start, torch.zeros_like(start)
    while True:
        model, begin = objective.model(w), 0.95 * last
        product = damped(model.product, damping)
        last = conjugate_gradients(product, -model.gradient, begin, solves)
        promised = float(model.gradient.dot(last) + last.dot(product(last)) / 2)
        found = objective.loss(w + last)
        ratio = (found - model.loss) / promised if promised else 0.0
        if not ratio >= 0.25:
            damping *= 3 / 2
        elif ratio > 0.75:
            damping *= 2 / 3
        step = shortened(objective, w, last, model.loss, found)
        if step is not None:
            w = w + step
            yield w
        elif begin.any():
            last = torch.zeros_like(w)  # so few solves did not turn an old step downhill
        else:
            return


def damped(product: Product, damping: float) -> Product:
    """(G + damping) v."""
    return lambda v: product(v) + damping * v


def shortened(
    objective: Objective, w: Tensor, step: Tensor, loss: float, found: float
) -> Tensor | None:
    """The step, halved until it lowers the loss; `found` is the loss after the whole of it."""
    for _ in range(HALVINGS):
        if found < loss:
            return step
        step = step / 2
        found = objective.loss(w + step)
    return None


def conjugate_gradients(product: Product, b: Tensor, x: Tensor, most: int) -> Tensor:
    """x with A x = b, nearly: the minimum of x A x / 2 - b x.  Hestenes and Stiefel 1952.

    Exact after as many steps as A has different eigenvalues.  It stops after `most`, or where the
    quadratic fell by too little over the last steps: Martens, Section 4.4.  [P], [P] -> [P]
    """
    rest = b - product(x)
    direction, square = rest, rest.dot(rest)
    values: list[float] = []
    for i in range(1, most + 1):
        if square <= 1e-20 * b.dot(b):
            break
        curved = product(direction)
        length = square / direction.dot(curved)
        x = x + length * direction
        rest = rest - length * curved
        before, square = square, rest.dot(rest)
        direction = rest + square / before * direction
        values.append(float(-(b + rest).dot(x) / 2))
        back = max(10, i // 10)
        if i > back and values[-1] < 0:
            fell = (values[-1] - values[-1 - back]) / values[-1]
            if fell < back * PROGRESS:
                break
    return x
