"""Layer statistics of a training step: norms of weights, gradients and updates, dead units.

Weights and gradients are those of the last step; activations are measured on images of the
training split as they are, in eval mode.  Nothing of the training is touched.  A unit of a feature
map is a channel: it fires if it does so anywhere.  Activations that are functions within a block,
and not modules, are not seen.
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
SATURATED_SLOPE = 0.05  # of its steepest slope, below which a sigmoid or tanh counts as saturated
BATCH_SIZE = 64  # images at a time
MANY_DEAD = 0.25  # of a layer's units
MANY_SATURATED = 0.5  # of a layer's values
LARGE_UPDATE = 0.1  # of the norm of the weights, in one step
VANISHING = 1e-5  # of the largest of the layers' gradients, each relative to its weights


@dataclass(frozen=True)
class LayerStatistics:
    """Statistics of one row of the network's table; None where it has nothing of the kind."""

    name: str
    weight: float | None  # L2 norm
    gradient: float | None  # L2 norm, as the optimizer got it: after clipping
    update: float | None  # L2 norm of the last step, relative to that of the weights
    mean: float  # of its output
    deviation: float  # standard deviation of its output
    units: int  # of ReLUs and thresholds
    dead: float | None  # share of these that fired for no image
    saturated: float | None  # share of the values of sigmoids and tanhs where these are flat


class LayerMonitor:
    """Measures every layer after a step; `copy_weights` before it, so that its update is known."""

    def __init__(self, model: nn.Module, images: Tensor):
        self.model = model
        self.images = images  # [N,C,H,W]
        self.weights: dict[str, Tensor] = {}

    def copy_weights(self) -> None:
        """Copy the weights before the step that is to be measured."""
        self.weights = {name: p.detach().clone() for name, p in self.model.named_parameters()}

    def measure(self) -> list[LayerStatistics]:
        """The statistics of every layer after the step."""
        before, self.weights = self.weights, {}
        statistics = activation_statistics(self.model, self.images)
        return [
            LayerStatistics(name, *_weight_norms(name, row, before), *statistics[name].summary())
            for name, row in self.model.named_children()
        ]


@dataclass
class ActivationStatistics:
    """Sums over a layer's outputs, and over its activation functions."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    fired: dict[tuple[str, int], Tensor] = field(default_factory=dict)  # [C] bool a call
    saturated: int = 0  # of `squashed`
    squashed: int = 0  # values of sigmoids and tanhs

    def summary(self) -> tuple[float, float, int, float | None, float | None]:
        """Mean, standard deviation, units, share of dead units, share of saturated values."""
        count = max(1, self.count)
        mean = self.total / count
        deviation = (
            sqrt(max(0.0, self.squares / count - mean**2)) if isfinite(self.squares) else mean
        )
        units = sum(len(fired) for fired in self.fired.values())
        alive = sum(int(fired.sum()) for fired in self.fired.values())
        dead = 1 - alive / units if units else None
        return (
            mean,
            deviation,
            units,
            dead,
            self.saturated / self.squashed if self.squashed else None,
        )


@torch.no_grad()
def activation_statistics(model: nn.Module, images: Tensor) -> dict[str, ActivationStatistics]:
    """The statistics of each row's activations for images [N,C,H,W], in eval mode."""
    statistics = {name: ActivationStatistics() for name, _ in model.named_children()}
    with evaluating(model), activation_hooks(model, statistics) as calls:
        for batch in images.split(BATCH_SIZE):
            calls.clear()
            model(batch)
    return statistics


@contextmanager
def activation_hooks(
    model: nn.Module, statistics: dict[str, ActivationStatistics]
) -> Iterator[dict[str, int]]:
    """Hooks on every row and every activation; yields each module's calls, to be cleared."""
    calls: dict[str, int] = {}
    with ExitStack() as stack:
        for name, row in model.named_children():
            stack.enter_context(row.register_forward_hook(_moments(statistics[name])))
            for path, module in row.named_modules(prefix=name):
                if isinstance(module, FIRING):
                    hook = _activity(statistics[name], path, calls)
                    stack.enter_context(module.register_forward_hook(hook))
                elif (limit := saturation_limit(module)) is not None:
                    stack.enter_context(
                        module.register_forward_hook(_saturation(statistics[name], module, limit))
                    )
        yield calls


def saturation_limit(module: nn.Module) -> float | None:
    """Half the range of a sigmoid or tanh; None for other modules."""
    if isinstance(module, nn.Sigmoid):
        return 0.5
    if isinstance(module, nn.Tanh):
        return 1.0
    return 1.7159 if isinstance(module, ScaledTanh) else None


def _moments(statistics: ActivationStatistics):
    def hook(module: nn.Module, inputs: tuple, output: object) -> None:
        for tensor in output if isinstance(output, tuple) else (output,):
            if isinstance(tensor, Tensor):
                values = tensor.double()
                statistics.count += values.numel()
                statistics.total += float(values.sum())
                statistics.squares += float(values.square().sum())

    return hook


def _activity(statistics: ActivationStatistics, path: str, calls: dict[str, int]):
    def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        call = calls[path] = calls.get(path, -1) + 1  # a ReLU may be used several times
        fires = (output > 0).transpose(0, 1).flatten(1).any(1) if output.dim() > 1 else output > 0
        previous = statistics.fired.get((path, call))
        statistics.fired[path, call] = fires if previous is None else previous | fires

    return hook


def _saturation(statistics: ActivationStatistics, activation: nn.Module, limit: float):
    middle = 0.5 if isinstance(activation, nn.Sigmoid) else 0.0

    def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        slope = 1 - ((output - middle) / limit).square()  # of the steepest, for each of the three
        statistics.saturated += int((slope < SATURATED_SLOPE).sum())
        statistics.squashed += output.numel()

    return hook


def _weight_norms(
    name: str, row: nn.Module, before: dict[str, Tensor]
) -> tuple[float | None, float | None, float | None]:
    """L2 norms of weights and gradient, and of the last step relative to that of the weights."""
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
    """A sentence for each problem: values that are not finite, dead units, vanishing gradients."""
    messages = []
    relative = {r.name: r.gradient / r.weight for r in rows if r.gradient and r.weight}
    strongest = max(relative.values(), default=0.0)
    for row in rows:
        if not (isfinite(row.mean) and isfinite(row.deviation)):
            messages.append(f"{row.name} gives numbers that are not finite")
        if row.dead is not None and row.dead >= MANY_DEAD:
            messages.append(
                f"{row.name}: {100 * row.dead:.0f} % of its {row.units:,} units never fire"
            )
        if row.saturated is not None and row.saturated >= MANY_SATURATED:
            messages.append(f"{row.name}: {100 * row.saturated:.0f} % of its values are saturated")
        if row.gradient == 0:
            messages.append(f"{row.name} learns nothing: its gradient is 0")
        elif row.name in relative and relative[row.name] < VANISHING * strongest:
            share = relative[row.name] / strongest
            messages.append(
                f"{row.name} hardly learns: its gradient is {share:.0e} of the strongest"
            )
        if row.update is not None and row.update > LARGE_UPDATE:
            messages.append(
                f"{row.name} moves by {100 * row.update:.0f} % of its weights in a step"
            )
    return messages


def as_text_table(rows: Sequence[LayerStatistics]) -> list[tuple[str, ...]]:
    """The rows as text under a heading row, for a terminal or a page."""
    head = ("layer", "weights", "gradient", "update", "mean", "deviation", "dead", "saturated")
    return [head, *(_cells(row) for row in rows)]


def _cells(row: LayerStatistics) -> tuple[str, ...]:
    values = (row.weight, row.gradient, row.update, row.mean, row.deviation)
    shares = (row.dead, row.saturated)
    return (
        row.name,
        *("" if v is None else f"{v:.2g}" for v in values),
        *("" if s is None else f"{100 * s:.0f} %" for s in shares),
    )
