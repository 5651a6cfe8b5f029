"""The learning-rate finder.  Smith 2015, "Cyclical learning rates", Section 3.3.

A short training at rates that rise from step to step shows where learning begins and where it
breaks:

    stepper = lr_sweep(stepper, steps=200)
    events = train(supervised(model, task, stepper), loader, augment, epochs=stepper.total_steps)
    lr = suggested_lr(list(lr_points(events)))

The network is trained by it, and is of no further use.
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

BROKEN = 4  # times the lowest loss: there is nothing to learn beyond
MEMORY = 0.9  # of the mean of the losses before a step


@dataclass(frozen=True)
class LRPoint:
    """A step of the sweep: its learning rate and its loss."""

    lr: float
    loss: float
    smoothed_loss: float  # mean of this loss and those before, the nearest weighing most


def lr_sweep(stepper: Stepper, steps: int, span: tuple[float, float] = (1e-6, 1.0)) -> Stepper:
    """The same stepper over so many steps, at rates from one end of `span` to the other."""
    low, high = (lr / stepper.peak_lr for lr in span)
    schedule = exponential(low, high)
    return replace(
        stepper, schedule=schedule, total_steps=steps, minutes=0, plateau=ReduceOnPlateau()
    )


def lr_points(events: Iterable[Step | Epoch]) -> Iterator[LRPoint]:
    """Rate and loss of every step, up to the one where the loss breaks."""
    mean, weight, lowest = 0.0, 0.0, float("inf")
    for event in events:
        if isinstance(event, Epoch):
            continue
        loss = event.losses["loss"].item()
        if not isfinite(loss):
            return
        mean, weight = (
            MEMORY * old + (1 - MEMORY) * new for old, new in ((mean, loss), (weight, 1))
        )
        smooth = mean / weight
        yield LRPoint(event.lr["lr"], loss, smooth)
        lowest = min(lowest, smooth)
        if smooth > BROKEN * lowest:
            return


def suggested_lr(points: Sequence[LRPoint]) -> float:
    """A tenth of the rate at which the smooth loss is lowest, to two digits.

    Beyond that rate the loss rises; a tenth of it leaves room for the rest of the training, whose
    gradients are smaller.  Raises `DivergedError` where no rate lowered the loss: where it fell by
    less than half of the scatter that the losses have at the lowest rates.
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
