"""L-BFGS: a Newton step with the inverse curvature guessed from the last few gradients.

Liu and Nocedal 1989, "On the limited memory BFGS method for large scale optimization"; the two
loops are Algorithm 7.4 of Nocedal and Wright 2006, "Numerical optimization".  The line search
halves its way to the weak Wolfe conditions: Lewis and Overton 2013, Algorithm 2.6.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from math import inf

from torch import Tensor

from minimise.objective import Objective

ENOUGH = 1e-4  # share of the slope by which the loss has to fall: c1


FLATTER = 0.9  # share of the slope to which it has to flatten: c2


TRIALS = 30  # of a line search


Pair = tuple[Tensor, Tensor]  # a step s, and the change y of the gradient along it


def lbfgs(objective: Objective, start: Tensor, *, memory: int = 10) -> Iterator[Tensor]:
    """The weights after each step; ends where no step is better than none."""
    w, pairs = start, deque[Pair](maxlen=memory)
    loss, gradient = objective.gradient(w)
    while gradient.any():
        direction = -times_inverse(gradient, pairs)
        first = 1.0 if pairs else min(1.0, 1 / float(gradient.abs().sum()))
        found = line_search(objective, w, direction, (loss, gradient), first)
        if found is None:
            return
        step, loss, new = found
        pairs.append((step, new - gradient))
        w, gradient = w + step, new
        yield w


def times_inverse(gradient: Tensor, pairs: Iterable[Pair]) -> Tensor:
    """H g, where H sends every y of `pairs` to its s, the last one exactly.  [P] -> [P]"""
    pairs = list(pairs)
    q, shares = gradient, []
    for s, y in reversed(pairs):
        shares.append(s.dot(q) / s.dot(y))
        q = q - shares[-1] * y
    if pairs:
        s, y = pairs[-1]
        q = q * (s.dot(y) / y.dot(y))  # the scale of the curvature, Equation 7.20
    for (s, y), share in zip(pairs, reversed(shares), strict=True):
        q = q + (share - y.dot(q) / s.dot(y)) * s
    return q


def line_search(
    objective: Objective,
    w: Tensor,
    direction: Tensor,
    here: tuple[float, Tensor],  # loss and gradient at w
    length: float,
) -> tuple[Tensor, float, Tensor] | None:
    """A step along `direction`, and loss and gradient at its end; None where there is none.

    Too long where the loss has not fallen enough, too short where it still falls as steeply.
    """
    loss, slope = here[0], float(here[1].dot(direction))
    shortest, longest = 0.0, inf
    for _ in range(TRIALS):
        step = length * direction
        new, gradient = objective.gradient(w + step)
        if not new <= loss + ENOUGH * length * slope:
            longest = length
        elif float(gradient.dot(direction)) < FLATTER * slope:
            shortest = length
        else:
            return step, new, gradient
        length = (shortest + longest) / 2 if longest < inf else 2 * shortest
    return None
