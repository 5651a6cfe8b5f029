"""Layer statistics: how weights move and units fire, row by row, while a network trains.

Weights and gradients are those of the last step; what rows give is measured on images of the
training split as they are, in eval mode.  Nothing of the training is touched.  A unit of a map of
features is a channel: it fires if it does so anywhere.  Activations that are functions within a
block, and not modules, are not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import isfinite, sqrt

import torch
from torch import Tensor, nn

from saccade.explain.tracing import evaluating
from saccade.models.layers.activations import HardThreshold, ScaledTanh

FIRING = (nn.ReLU, nn.ReLU6, HardThreshold)
STEEP = 0.05  # of its steepest slope, below which a sigmoid or tanh counts as saturated
PIECE = 64  # images at a time
MANY_DEAD = 0.25  # of a row's units
MANY_SATURATED = 0.5  # of a row's values
FAST = 0.1  # of the norm of the weights, in one step
FAINT = 1e-5  # of the strongest row's gradient, each relative to its weights


@dataclass(frozen=True)
class LayerStatistics:
    """One row of the network's table; None where a row has nothing of the kind."""

    name: str
    weight: float | None  # norm
    gradient: float | None  # norm, as the optimizer got it: after clipping
    update: float | None  # norm of the last step, as a share of that of the weights
    mean: float  # of what the row gives
    deviation: float
    units: int  # of ReLUs and thresholds
    dead: float | None  # share of these that fired for no image
    saturated: float | None  # share of the values of sigmoids and tanhs where these are flat


class LayerMonitor:
    """Looks at every row after a step; `copy_weights` before it, so that its length is known."""

    def __init__(self, model: nn.Module, images: Tensor):
        self.model = model
        self.images = images  # [N,C,H,W]
        self.weights: dict[str, Tensor] = {}

    def copy_weights(self) -> None:
        """Remember the weights before the step that is to be looked at."""
        self.weights = {name: p.detach().clone() for name, p in self.model.named_parameters()}

    def measure(self) -> list[LayerStatistics]:
        """Every row, as the step that is just done has left it."""
        before, self.weights = self.weights, {}
        seen = activation_statistics(self.model, self.images)
        return [
            LayerStatistics(name, *_moved(name, row, before), *seen[name].numbers())
            for name, row in self.model.named_children()
        ]


@dataclass
class ActivationStatistics:
    """Sums over what a row gives, and over its activations."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    fired: dict[tuple[str, int], Tensor] = field(default_factory=dict)  # [C] bool a call
    flat: int = 0
    squashed: int = 0  # values of sigmoids and tanhs

    def numbers(self) -> tuple[float, float, int, float | None, float | None]:
        """Mean, deviation, units, share of dead ones, share of saturated values."""
        count = max(1, self.count)
        mean = self.total / count
        spread = sqrt(max(0.0, self.squares / count - mean**2)) if isfinite(self.squares) else mean
        units = sum(len(fired) for fired in self.fired.values())
        alive = sum(int(fired.sum()) for fired in self.fired.values())
        dead = 1 - alive / units if units else None
        return mean, spread, units, dead, self.flat / self.squashed if self.squashed else None


@torch.no_grad()
def activation_statistics(model: nn.Module, images: Tensor) -> dict[str, ActivationStatistics]:
    """What each row of `model` gives for the images, in eval mode.  [N,C,H,W]"""
    seen = {name: ActivationStatistics() for name, _ in model.named_children()}
    with evaluating(model), activation_hooks(model, seen) as calls:
        for piece in images.split(PIECE):
            calls.clear()
            model(piece)
    return seen


@contextmanager
def activation_hooks(
    model: nn.Module, seen: dict[str, ActivationStatistics]
) -> Iterator[dict[str, int]]:
    """Hooks on every row and every activation; gives the calls of each module, to be cleared."""
    calls: dict[str, int] = {}
    with ExitStack() as stack:
        for name, row in model.named_children():
            stack.enter_context(row.register_forward_hook(_summing(seen[name])))
            for path, part in row.named_modules(prefix=name):
                if isinstance(part, FIRING):
                    hook = _firing(seen[name], path, calls)
                    stack.enter_context(part.register_forward_hook(hook))
                elif (top := saturation_limit(part)) is not None:
                    stack.enter_context(part.register_forward_hook(_flat(seen[name], part, top)))
        yield calls


def saturation_limit(part: nn.Module) -> float | None:
    """How far from the middle of its range a squashing module has its limits; None for others."""
    if isinstance(part, nn.Sigmoid):
        return 0.5
    if isinstance(part, nn.Tanh):
        return 1.0
    return 1.7159 if isinstance(part, ScaledTanh) else None


def _summing(seen: ActivationStatistics):
    def hook(module: nn.Module, inputs: tuple, output: object) -> None:
        for given in output if isinstance(output, tuple) else (output,):
            if isinstance(given, Tensor):
                values = given.double()
                seen.count += values.numel()
                seen.total += float(values.sum())
                seen.squares += float(values.square().sum())

    return hook


def _firing(seen: ActivationStatistics, path: str, calls: dict[str, int]):
    def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        call = calls[path] = calls.get(path, -1) + 1  # a ReLU may be used several times
        fires = (output > 0).transpose(0, 1).flatten(1).any(1) if output.dim() > 1 else output > 0
        known = seen.fired.get((path, call))
        seen.fired[path, call] = fires if known is None else known | fires

    return hook


def _flat(seen: ActivationStatistics, part: nn.Module, limit: float):
    middle = 0.5 if isinstance(part, nn.Sigmoid) else 0.0

    def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        slope = 1 - ((output - middle) / limit).square()  # of the steepest, for each of the three
        seen.flat += int((slope < STEEP).sum())
        seen.squashed += output.numel()

    return hook


def _moved(
    name: str, row: nn.Module, before: dict[str, Tensor]
) -> tuple[float | None, float | None, float | None]:
    """Norm of the weights, of their gradient, and of the last step as a share of the weights."""
    owned = {f"{name}.{key}": weight for key, weight in row.named_parameters()}
    if not owned:
        return None, None, None
    weight = _norm(list(owned.values()))
    gradients = [p.grad for p in owned.values() if p.grad is not None]
    gradient = _norm(gradients) if gradients else None
    if not before:
        return weight, gradient, None
    step = _norm([weight.detach() - before[key] for key, weight in owned.items()])
    old = _norm([before[key] for key in owned])
    return weight, gradient, step / old if old else None


def _norm(tensors: Sequence[Tensor]) -> float:
    return sqrt(sum(float(t.detach().double().square().sum()) for t in tensors))


def problems(rows: Sequence[LayerStatistics]) -> list[str]:
    """What is wrong, in words; nothing where nothing is."""
    found = []
    relative = {r.name: r.gradient / r.weight for r in rows if r.gradient and r.weight}
    strongest = max(relative.values(), default=0.0)
    for row in rows:
        if not (isfinite(row.mean) and isfinite(row.deviation)):
            found.append(f"{row.name} gives numbers that are not finite")
        if row.dead is not None and row.dead >= MANY_DEAD:
            found.append(
                f"{row.name}: {100 * row.dead:.0f} % of its {row.units:,} units never fire"
            )
        if row.saturated is not None and row.saturated >= MANY_SATURATED:
            found.append(f"{row.name}: {100 * row.saturated:.0f} % of its values are saturated")
        if row.gradient == 0:
            found.append(f"{row.name} learns nothing: its gradient is 0")
        elif row.name in relative and relative[row.name] < FAINT * strongest:
            share = relative[row.name] / strongest
            found.append(f"{row.name} hardly learns: its gradient is {share:.0e} of the strongest")
        if row.update is not None and row.update > FAST:
            found.append(f"{row.name} moves by {100 * row.update:.0f} % of its weights in a step")
    return found


def as_text_table(rows: Sequence[LayerStatistics]) -> list[tuple[str, ...]]:
    """The rows as text under a head, for a terminal or a page."""
    head = ("layer", "weights", "gradient", "update", "mean", "deviation", "dead", "saturated")
    return [head, *(_in_words(row) for row in rows)]


def _in_words(row: LayerStatistics) -> tuple[str, ...]:
    numbers = (row.weight, row.gradient, row.update, row.mean, row.deviation)
    shares = (row.dead, row.saturated)
    return (
        row.name,
        *("" if n is None else f"{n:.2g}" for n in numbers),
        *("" if s is None else f"{100 * s:.0f} %" for s in shares),
    )
