"""Black boxes: an evolution strategy and random search, which see the loss and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

import torch
from torch import Tensor

from minimise.first_order import Gradient
from minimise.objective import Objective


def evolved(
    objective: Objective, generator: torch.Generator, *, sigma: float = 0.02, pairs: int = 20
) -> Gradient:
    """The gradient as an evolution strategy guesses it; 2 * `pairs` passes of the batch.

    Salimans 2017, "Evolution strategies as a scalable alternative to reinforcement learning",
    Section 2: the loss blurred by noise of deviation `sigma` has the gradient
    E[(f(w + sigma e) - f(w - sigma e)) e] / (2 sigma).
    Departure: losses as they are in place of their ranks, so that the guess is an unbiased one.
    """

    def gradient(w: Tensor, rows: Tensor) -> Tensor:
        total = torch.zeros_like(w)
        for _ in range(pairs):
            noise = torch.randn(w.shape, generator=generator, dtype=w.dtype)
            up, down = w + sigma * noise, w - sigma * noise
            total += (objective.loss(up, rows) - objective.loss(down, rows)) * noise
        return total / (2 * sigma * pairs)

    return gradient


def random_search(
    objective: Objective, start: Tensor, generator: torch.Generator, *, sigma: float = 0.02
) -> Iterator[Tensor]:
    """The weights after each trial: one random step, kept if it is better, else undone.

    `sigma` follows the rule of one success in five: Rechenberg 1973; factors as in Kern 2004,
    "Learning probability distributions in continuous evolutionary algorithms", Section 3.
    """
    w, loss = start, objective.loss(start)
    faster = 1.5
    while True:
        trial = w + sigma * torch.randn(w.shape, generator=generator, dtype=w.dtype)
        found = objective.loss(trial)
        if found <= loss and not isnan(found):
            w, loss, sigma = trial, found, sigma * faster
        else:
            sigma *= faster**-0.25
        yield w
