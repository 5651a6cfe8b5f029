"""Schedules: the learning rate of every step, as a function of the share of training done."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, inf, pi
from typing import Any

Schedule = Callable[[float], float]  # share of the training done, 0 to 1 -> factor of the rate


def constant() -> Schedule:
    """The full rate throughout."""
    return lambda done: 1.0


def cosine() -> Schedule:
    """Half a cosine from the full rate to zero (Loshchilov 2016, Equation 5)."""
    return lambda done: (1 + cos(pi * done)) / 2


def linear() -> Schedule:
    """A straight line from the full rate to zero."""
    return lambda done: 1 - done


def polynomial(power: float = 2.0) -> Schedule:
    """The share that is left, to a power, as in Caffe's "poly" policy."""
    return lambda done: (1 - done) ** power


def multistep(drops: tuple[float, ...] = (0.5, 0.75), factor: float = 0.1) -> Schedule:
    """The rate times `factor` at each of `drops`, shares of the training (He 2015, Section 4.2)."""
    return lambda done: factor ** sum(done >= drop for drop in drops)


def one_cycle(rise: float = 0.3, low: float = 1 / 25, end: float = 1 / 250_000) -> Schedule:
    """Half a cosine up from `low` over the share `rise`, half a cosine down to `end`.

    Smith 2017, "Super-convergence"; the numbers are PyTorch's.  The momentum stays as it is.
    """

    def factor(done: float) -> float:
        if done < rise:
            return low + (1 - low) * (1 - cos(pi * done / rise)) / 2
        return end + (1 - end) * (1 + cos(pi * (done - rise) / (1 - rise))) / 2

    return factor


def triangular(cycles: int = 4, low: float = 0.25) -> Schedule:
    """Straight up from `low` to the full rate and down again, `cycles` times.

    Smith 2015, "Cyclical learning rates", Section 3; a quarter of the full rate is its rule of
    thumb for `low` (Section 3.3).
    """

    def factor(done: float) -> float:
        return low + (1 - low) * (1 - abs(2 * (cycles * done % 1) - 1))

    return factor


def exponential(lowest: float, highest: float) -> Schedule:
    """From one factor to another, each step by the same ratio: for finding a rate."""
    return lambda done: lowest * (highest / lowest) ** done


def with_warmup(schedule: Schedule, share: float) -> Schedule:
    """`schedule` after a straight line from zero to its begin over `share` of the training."""
    if share <= 0:
        return schedule
    begin = schedule(0.0)
    return lambda done: (
        begin * (done / share) if done < share else schedule((done - share) / (1 - share))
    )


class ReduceOnPlateau:
    """A factor that drops to a tenth when a number to be lowered stays where it is.

    Krizhevsky 2012, Section 5, did so by hand, three times, when the validation error stopped
    improving.  `patience` is the number of looks without improvement that are borne.
    """

    def __init__(self, patience: float = inf, drop: float = 0.1):
        self.patience = patience
        self.drop = drop
        self.factor = 1.0
        self.best = inf
        self.waited = 0

    def observe(self, number: float) -> None:
        """Take note of the number, once an epoch."""
        if number < self.best:
            self.best, self.waited = number, 0
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


SCHEDULES: dict[str, Callable[[], Schedule]] = {  # from the full rate on; a warm-up goes before
    "constant": constant,
    "linear": linear,
    "polynomial": polynomial,
    "cosine": cosine,
    "multistep": multistep,
    "plateau": constant,  # and a `ReduceOnPlateau` beside it
}
CYCLES: dict[str, Callable[[float], Schedule]] = {  # these rise themselves
    "one_cycle": one_cycle,
    "triangular": lambda warmup: with_warmup(triangular(), warmup),
}


def make_schedule(name: str, warmup: float) -> Schedule:
    """The schedule of this name, rising over the share `warmup` of the training."""
    if name in CYCLES:
        return CYCLES[name](warmup)
    return with_warmup(SCHEDULES[name](), warmup)
