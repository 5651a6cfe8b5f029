"""Learning-rate schedules: a factor on the learning rate, by the share of training done."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, inf, pi
from typing import Any

Schedule = Callable[[float], float]  # share of the training done, 0 to 1 -> factor on the peak lr


def constant() -> Schedule:
    """The peak learning rate throughout."""
    return lambda done: 1.0


def cosine() -> Schedule:
    """Cosine annealing from the peak learning rate to zero (Loshchilov 2016, Equation 5)."""
    return lambda done: (1 + cos(pi * done)) / 2


def linear() -> Schedule:
    """Linear decay from the peak learning rate to zero."""
    return lambda done: 1 - done


def polynomial(power: float = 2.0) -> Schedule:
    """Polynomial decay, (1 - done)^power, as in Caffe's "poly" policy."""
    return lambda done: (1 - done) ** power


def multistep(drops: tuple[float, ...] = (0.5, 0.75), factor: float = 0.1) -> Schedule:
    """Times `factor` at each of `drops`, shares of the training (He 2015, Section 4.2)."""
    return lambda done: factor ** sum(done >= drop for drop in drops)


def one_cycle(rise: float = 0.3, low: float = 1 / 25, end: float = 1 / 250_000) -> Schedule:
    """One cycle: half a cosine up from `low` over the share `rise`, half a cosine down to `end`.

    Smith 2017, "Super-convergence"; the defaults are PyTorch's.  The momentum stays as it is.
    """

    def factor(done: float) -> float:
        if done < rise:
            return low + (1 - low) * (1 - cos(pi * done / rise)) / 2
        return end + (1 - end) * (1 + cos(pi * (done - rise) / (1 - rise))) / 2

    return factor


def triangular(cycles: int = 4, low: float = 0.25) -> Schedule:
    """Cyclical: linearly up from `low` to the peak learning rate and down again, `cycles` times.

    Smith 2015, "Cyclical learning rates", Section 3; a quarter of the peak is its rule of thumb for
    `low` (Section 3.3).
    """

    def factor(done: float) -> float:
        return low + (1 - low) * (1 - abs(2 * (cycles * done % 1) - 1))

    return factor


def exponential(lowest: float, highest: float) -> Schedule:
    """From one factor to another, each step by the same ratio: for the learning rate range test."""
    return lambda done: lowest * (highest / lowest) ** done


def with_warmup(schedule: Schedule, share: float, step: float = 0.0) -> Schedule:
    """`schedule` after a linear warmup over `share` of the training, of which a step is `step`.

    The first of n steps has 1/n of the learning rate: at zero it would move nothing.
    """
    if share <= 0:
        return schedule
    begin, step = schedule(0.0), step or share / 100
    return lambda done: (
        begin * min(1.0, (done + step) / share)
        if done < share
        else schedule((done - share) / (1 - share))
    )


class ReduceOnPlateau:
    """A factor on the learning rate, times `drop` whenever a metric to minimise stops improving.

    Krizhevsky 2012, Section 5, did so by hand, three times, when the validation error stopped
    improving.  `patience` is the number of epochs without improvement before a drop.
    """

    def __init__(self, patience: float = inf, drop: float = 0.1):
        self.patience = patience
        self.drop = drop
        self.factor = 1.0
        self.best = inf
        self.waited = 0

    def observe(self, metric: float) -> None:
        """Take the metric of an epoch, lower is better."""
        if metric < self.best:
            self.best, self.waited = metric, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.factor, self.waited = self.factor * self.drop, 0

    def state_dict(self) -> dict[str, Any]:
        """The factor, and what decides on its next drop."""
        return {"factor": self.factor, "best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.factor, self.best, self.waited = state["factor"], state["best"], state["waited"]


SCHEDULES: dict[str, Callable[[], Schedule]] = {  # from the peak on; a warmup goes before
    "constant": constant,
    "linear": linear,
    "polynomial": polynomial,
    "cosine": cosine,
    "multistep": multistep,
    "plateau": constant,  # and a `ReduceOnPlateau` beside it
}
CYCLES: dict[str, Callable[[float, float], Schedule]] = {  # with a rise of their own
    "one_cycle": lambda warmup, step: one_cycle(warmup),
    "triangular": lambda warmup, step: with_warmup(triangular(), warmup, step),
}


def make_schedule(name: str, warmup: float, step: float = 0.0) -> Schedule:
    """The schedule of this name, with a warmup over the share `warmup` of the training.

    `step` is the share that a step is; 0: unknown, as where the clock ends a training.
    """
    if name in CYCLES:
        return CYCLES[name](warmup, step)
    return with_warmup(SCHEDULES[name](), warmup, step)
