"""Stages of gradual unfreezing: which rows are trained in which epochs.  Needs no torch.

Rows are released from the last one down.  Howard & Ruder 2018, "Universal language model
fine-tuning for text classification", Section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from saccade.errors import RecipeError

HEAD = "head"  # the last layer, and those of auxiliary classifiers
ALL = "all"  # every row that is not frozen
StageSpec = tuple[str, int | None]  # a name and its epochs; None: what is left


@dataclass(frozen=True)
class Stage:
    """Epochs in which the same rows are trained."""

    name: str  # head, all, or the first row that learns
    first: int  # epoch, from 0
    epochs: int

    def __str__(self) -> str:
        last = self.first + self.epochs
        if self.epochs == 1:
            return f"{self.name} in epoch {last}"
        return f"{self.name} in epochs {self.first + 1} to {last}"


def stages(specs: Sequence[str], epochs: int, *, fitted: bool) -> tuple[Stage, ...]:
    """The stages of a training of `epochs` epochs, from names such as head, layer4:3 and all.

    Stages without a number of epochs share the remaining ones, the later stages the remainder.  A
    leading head that is `fitted` in closed form needs no stage, unless it has a number.  Raises
    `RecipeError` where the epochs do not suffice or are not used up, and for an impossible order.
    """
    named = [_parse(text) for text in specs] or [(ALL, None)]
    if fitted and len(named) > 1 and named[0] == (HEAD, None):
        named = named[1:]
    names = [name for name, _ in named]
    if HEAD in names[1:] or ALL in names[:-1] or len(set(names)) < len(names):
        raise RecipeError(
            f"model.stages cannot be {' '.join(specs)}: each stage releases more than the last",
            "begin with head, end with all: head layer4 layer3 all",
        )
    lengths = _lengths(named, epochs)
    begins = [0, *accumulate(lengths)]
    return tuple(map(Stage, names, begins, lengths))


def extended_stages(stages: Sequence[Stage]) -> tuple[str, ...]:
    """The specs of the same stages in a longer training, in which the last one is longer."""
    return (*(f"{stage.name}:{stage.epochs}" for stage in stages[:-1]), stages[-1].name)


def stage_at(stages: Sequence[Stage], epoch: int) -> Stage:
    """The stage that an epoch, from 0, belongs to."""
    return [stage for stage in stages if stage.first <= epoch][-1]


def _parse(text: str) -> StageSpec:
    """The name and the epochs of a spec: "layer4:3", or "layer4"."""
    name, colon, count = text.partition(":")
    if not name or (colon and not (count.isdecimal() and int(count))):
        raise RecipeError(
            f"a stage of model.stages cannot be '{text}'",
            "write the first layer that learns, and perhaps its epochs: layer4, or layer4:3",
        )
    return name, int(count) if colon else None


def _lengths(named: Sequence[StageSpec], epochs: int) -> list[int]:
    """The epochs of each stage."""
    if not epochs:
        return [0] * len(named)
    stated = [count for _, count in named if count is not None]
    unstated, left = len(named) - len(stated), epochs - sum(stated)
    if left < unstated or (left and not unstated):
        least = sum(stated) + unstated
        raise RecipeError(
            f"model.stages take {'at least ' if unstated else ''}{least} epochs, and there are "
            f"{epochs}",
            f"set train.epochs={least}, or write other numbers behind the stages",
        )
    shares = iter([left * (k + 1) // unstated - left * k // unstated for k in range(unstated)])
    return [next(shares) if count is None else count for _, count in named]
