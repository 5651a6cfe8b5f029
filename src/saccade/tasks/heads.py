"""Heads: the classifiers of a network, the one at its end and those at its side."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

SIDE = 0.3  # weight of the loss of a classifier at the side (Szegedy 2014, Section 5)


def heads(output: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The outputs of every classifier of a network, the one at its end first."""
    return output if isinstance(output, tuple) else (output,)


def summed(loss: Callable[[Tensor], Tensor], output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The loss of the last classifier and, weighing less, of those at the side."""
    first, *sides = (loss(logits.float()) for logits in heads(output))
    return first + SIDE * sum(sides)
