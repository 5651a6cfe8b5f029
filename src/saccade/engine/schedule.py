"""Schedules: the learning rate of every step, as a function of the share of training done."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

Schedule = Callable[[float], float]  # share of all steps done, 0 to 1 -> factor of the rate


def constant() -> Schedule:
    """The full rate throughout."""
    return lambda done: 1.0


def cosine() -> Schedule:
    """Half a cosine from the full rate to zero (Loshchilov 2016, Equation 5)."""
    return lambda done: (1 + cos(pi * done)) / 2


def linear() -> Schedule:
    """A straight line from the full rate to zero."""
    return lambda done: 1 - done


def steps(drops: tuple[float, ...] = (0.5, 0.75), factor: float = 0.1) -> Schedule:
    """The rate times `factor` at each of `drops`, shares of the training (He 2015, Section 4.2)."""
    return lambda done: factor ** sum(done >= drop for drop in drops)


def warmed_up(schedule: Schedule, share: float) -> Schedule:
    """`schedule` after a straight line from zero to the full rate over `share` of the training."""
    if share <= 0:
        return schedule
    return lambda done: done / share if done < share else schedule((done - share) / (1 - share))


SCHEDULES: dict[str, Callable[[], Schedule]] = {
    "constant": constant,
    "linear": linear,
    "cosine": cosine,
    "steps": steps,
}
