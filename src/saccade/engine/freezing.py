"""Stages: which rows learn in which epochs, released from the last one down.

Howard & Ruder 2018, "Universal language model fine-tuning for text classification", Section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from torch import nn

from saccade.engine.step import Descent
from saccade.errors import RecipeError, unknown
from saccade.models.layers.surgery import find
from saccade.models.weights import classifiers

HEAD = "head"  # the last layer, and those of side classifiers
ALL = "all"  # every row that is not frozen
Counted = tuple[str, int | None]  # a name and its epochs; None: what is left


@dataclass(frozen=True)
class Stage:
    """Epochs in which the same rows learn."""

    name: str  # head, all, or the first row that learns
    first: int  # epoch, from 0
    epochs: int

    def __str__(self) -> str:
        last = self.first + self.epochs
        if self.epochs == 1:
            return f"{self.name} in epoch {last}"
        return f"{self.name} in epochs {self.first + 1} to {last}"


def stages(wanted: Sequence[str], epochs: int, *, fitted: bool) -> tuple[Stage, ...]:
    """The stages of a training of so many epochs, from names such as head, layer4:3 and all.

    Those without a number share what the others leave, the later ones the rest.  A head that is
    `fitted` in one go has had its stage by then, unless it has a number.  Raises `RecipeError`
    where the epochs do not suffice or are not used up, and for an order that no network has.
    """
    named = [_read(text) for text in wanted] or [(ALL, None)]
    if fitted and len(named) > 1 and named[0] == (HEAD, None):
        named = named[1:]
    names = [name for name, _ in named]
    if HEAD in names[1:] or ALL in names[:-1] or len(set(names)) < len(names):
        raise RecipeError(
            f"model.stages cannot be {' '.join(wanted)}: each stage releases more than the last",
            "begin with head, end with all: head layer4 layer3 all",
        )
    lengths = _lengths(named, epochs)
    begins = [0, *accumulate(lengths)]
    return tuple(map(Stage, names, begins, lengths))


def stages_kept(stages: Sequence[Stage]) -> tuple[str, ...]:
    """The names that lead to the same stages in a longer training; the last one is longer."""
    return (*(f"{stage.name}:{stage.epochs}" for stage in stages[:-1]), stages[-1].name)


def stage_at(stages: Sequence[Stage], epoch: int) -> Stage:
    """The stage that an epoch, from 0, belongs to."""
    return [stage for stage in stages if stage.first <= epoch][-1]


def _read(text: str) -> Counted:
    """A name and its number: "layer4:3", or "layer4"."""
    name, colon, count = text.partition(":")
    if not name or (colon and not (count.isdecimal() and int(count))):
        raise RecipeError(
            f"a stage of model.stages cannot be '{text}'",
            "write the first row that learns, and perhaps its epochs: layer4, or layer4:3",
        )
    return name, int(count) if colon else None


def _lengths(named: Sequence[Counted], epochs: int) -> list[int]:
    """The epochs of each stage."""
    if not epochs:
        return [0] * len(named)
    stated = [count for _, count in named if count is not None]
    open_ones, left = len(named) - len(stated), epochs - sum(stated)
    if left < open_ones or (left and not open_ones):
        least = sum(stated) + open_ones
        raise RecipeError(
            f"model.stages take {'at least ' if open_ones else ''}{least} epochs, and there are "
            f"{epochs}",
            f"set train.epochs={least}, or write other numbers behind the stages",
        )
    shares = iter([left * (k + 1) // open_ones - left * k // open_ones for k in range(open_ones)])
    return [next(shares) if count is None else count for _, count in named]


# Freezing: which rows stay as they are while the others learn.
#
# A frozen weight wants no gradient, so no optimizer takes it and none is computed; the rows up to
# the last frozen one stay in eval mode, their running statistics and their dropout with them.


FEATURES = "features"  # all but the last layer


def freeze(model: nn.Module, layer: str) -> None:
    """Freeze every weight up to and with `layer`, or with "features" all but the classifiers'.

    Raises `UsageError` for a layer that the network does not have, `RecipeError` where nothing
    would be left to learn.
    """
    modules = dict(model.named_modules())
    if layer == FEATURES:
        frozen = [name for name in modules if name not in classifiers(model)]
    else:
        frozen = list(modules)[: _place(model, layer).stop]
    for name in frozen:
        for weight in modules[name].parameters(recurse=False):
            weight.requires_grad_(False)
    if not any(weight.requires_grad for weight in model.parameters()):
        raise RecipeError(
            f"with all frozen up to '{layer}' nothing is left to learn",
            "freeze up to an earlier row, or write features",
        )


def train_from(model: nn.Module, layer: str) -> None:
    """Freeze every weight before `layer`; that row and all after it learn."""
    modules = list(model.named_modules())
    model.requires_grad_(True)
    for _, module in modules[: _place(model, layer).start]:
        for weight in module.parameters(recurse=False):
            weight.requires_grad_(False)


def learning_in(model: nn.Module, stages: Sequence[Stage]) -> tuple[frozenset[str], ...]:
    """The names of the weights that learn in each stage, of those that are not frozen now.

    Raises `UsageError` for a stage named by a layer that the network does not have, `RecipeError`
    for one that releases nothing.
    """
    learning = tuple(_released(model, stage.name) for stage in stages)
    for place, (stage, names) in enumerate(zip(stages, learning)):
        before = learning[place - 1] if place else frozenset()
        if not before < names:
            after = f", which comes after '{stages[place - 1].name}'," if place else ""
            raise RecipeError(
                f"the stage '{stage.name}'{after} releases nothing",
                "stages go from the last row down and begin behind what is frozen: "
                "head layer4 layer3 all",
            )
    return learning


def _released(model: nn.Module, layer: str) -> frozenset[str]:
    """The names of the weights behind the first of `layer`, of those that are not frozen."""
    names = [name for name, _ in model.named_modules()]
    if layer == HEAD:
        names = list(classifiers(model))
    elif layer != ALL:
        names = names[_place(model, layer).start :]
    free = {name for name, weight in model.named_parameters() if weight.requires_grad}
    return frozenset(name for name in free if name.rpartition(".")[0] in names)


def hold_all_but(model: nn.Module, learning: Set[str]) -> None:
    """Let the weights of these names learn, and no others."""
    for name, weight in model.named_parameters():
        weight.requires_grad_(name in learning)


def training_mode(model: nn.Module) -> None:
    """Train mode, but eval mode for all rows up to the last frozen one before what learns."""
    model.train()
    if all(weight.requires_grad for weight in model.parameters()):
        return
    modules = list(model.modules())
    learns = [any(w.requires_grad for w in module.parameters()) for module in modules]
    own = [list(module.parameters(recurse=False)) for module in modules]
    first = next(
        (k for k, weights in enumerate(own) if any(w.requires_grad for w in weights)), len(modules)
    )
    last = max((k for k, weights in enumerate(own[:first]) if weights), default=-1)
    for module, moving in zip(modules[: last + 1], learns):
        if not moving:
            module.eval()


def _place(model: nn.Module, layer: str) -> slice:
    """Where among the modules `layer` stands, all that it holds included."""
    names = [name for name, _ in model.named_modules()]
    if type(model) is nn.Sequential and layer not in names:
        layers = find(model, layer)
    elif layer in names[1:]:
        layers = [layer]
    else:
        raise unknown("layer of this network", layer, names[1:])
    inside = [k for k, n in enumerate(names) if any(_within(n, path) for path in layers)]
    return slice(min(inside), max(inside) + 1)


def _within(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


# Unfreezing: weights that join a training stage by stage.


RISE = 50  # steps at most in which the rate of what joins rises to its own ...
PART = 10  # ... of so many parts of the stage, one


@dataclass(frozen=True)
class Unfreezing:
    """What learns when.

    What has learned before goes on as it was, with its moments and at its rate; what joins rises to
    its rate on a straight line from zero.
    """

    model: nn.Module
    descent: Descent  # of the weights of the first stage
    groups: Callable[[nn.Module], list[dict]]  # of the weights that learn, for an optimizer
    stages: tuple[Stage, ...]
    learning: tuple[frozenset[str], ...]  # in each, the names of the weights
    steps: int  # of an epoch

    def reach(self, epoch: int) -> None:
        """Let join all whose stage has begun in `epoch`, from 0; the same again changes nothing."""
        for stage, learning in zip(self.stages[1:], self.learning[1:], strict=True):
            if stage.first <= epoch:
                hold_all_but(self.model, learning)
                rise = min(RISE, ceil(stage.epochs * self.steps / PART))
                self.descent.join(self.groups(self.model), stage.first * self.steps, rise)

    def weights(self) -> tuple[int, int]:
        """How many numbers learn now, and how many there are."""
        counts = [(w.numel() if w.requires_grad else 0, w.numel()) for w in self.model.parameters()]
        return sum(learning for learning, _ in counts), sum(each for _, each in counts)

    def begun_in(self, epoch: int) -> tuple[int, Stage] | None:
        """The number, from 1, of the stage that begins with `epoch`, and that stage."""
        found = [(k, stage) for k, stage in enumerate(self.stages, 1) if stage.first == epoch]
        return found[-1] if found else None
