"""The learning rate range test (lr-find).  Smith 2015, "Cyclical learning rates", Section 3.3.

A short training, with a learning rate that rises from step to step, shows where the loss begins to
fall and where it diverges:

    stepper = lr_sweep(stepper, steps=200)
    events = train(supervised(model, task, stepper), loader, augment, epochs=stepper.total_steps)
    lr = suggested_lr(list(lr_points(events)))

It trains the network, which is of no further use: give it a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import pstdev

from saccade.engine.loop import Epoch, Step
from saccade.engine.schedule import ReduceOnPlateau, exponential
from saccade.engine.step import Stepper
from saccade.errors import DivergedError

DIVERGENCE_RATIO = 4  # times the lowest loss, at which the range test ends
SMOOTHING = 0.9  # decay of the moving average of the losses


@dataclass(frozen=True)
class LRPoint:
    """A step of the range test: its learning rate and its loss."""

    lr: float
    loss: float
    smoothed_loss: float  # exponential moving average of the losses, bias-corrected


def lr_sweep(stepper: Stepper, steps: int, lr_range: tuple[float, float] = (1e-6, 1.0)) -> Stepper:
    """`stepper` over `steps` steps, with learning rates from one end of `lr_range` to the other."""
    low, high = (lr / stepper.peak_lr for lr in lr_range)
    schedule = exponential(low, high)
    return replace(
        stepper, schedule=schedule, total_steps=steps, minutes=0, plateau=ReduceOnPlateau()
    )


def lr_points(events: Iterable[Step | Epoch]) -> Iterator[LRPoint]:
    """Learning rate and loss of every step, up to the one where the loss diverges."""
    mean, weight, lowest = 0.0, 0.0, float("inf")
    for event in events:
        if isinstance(event, Epoch):
            continue
        loss = event.losses["loss"].item()
        if not isfinite(loss):
            return
        mean, weight = (
            SMOOTHING * old + (1 - SMOOTHING) * new for old, new in ((mean, loss), (weight, 1))
        )
        smoothed = mean / weight
        yield LRPoint(event.lr["lr"], loss, smoothed)
        lowest = min(lowest, smoothed)
        if smoothed > DIVERGENCE_RATIO * lowest:
            return


def suggested_lr(points: Sequence[LRPoint]) -> float:
    """A tenth of the learning rate at which the smoothed loss is lowest, to two digits.

    Beyond that rate the loss rises; a tenth of it leaves room for the rest of the training, whose
    gradients are smaller.  Raises `DivergedError` where no rate lowered the loss: where it fell by
    less than half the standard deviation of the losses at the lowest rates.
    """
    first = points[: max(2, len(points) // 10)]
    level = min((point.smoothed_loss for point in first), default=0.0)
    scatter = pstdev(point.loss for point in first) if first else 0.0
    best = min(points, key=lambda point: point.smoothed_loss, default=None)
    if best is None or best.smoothed_loss >= level - scatter / 2:
        raise DivergedError(
            "no learning rate of the range test lowered the loss", "set optim.lr to a number"
        )
    return float(f"{best.lr / 10:.2g}")
