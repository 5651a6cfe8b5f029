"""When a training ends: on a signal, of which the second insists, or by early stopping."""

from __future__ import annotations

import copy
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

from torch import nn


class StopRequest:
    """Whether, and by which signal, the work was asked to stop."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.before: dict[int, Any] = {}  # the handlers that were there, by signal

    def note(self, number: int, frame: object) -> None:
        """Take a signal: the first is a request, a second one acts as it always did."""
        if self.number is None:
            self.ask(number)
            return
        handler = self.before[number]
        while outer := _around(handler):
            handler = outer.before[number]
        signal.signal(number, handler)
        signal.raise_signal(number)

    def ask(self, number: int) -> None:
        """Set the flag, and that of the block around."""
        self.number = number
        if outer := _around(self.before[number]):
            outer.ask(number)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Within the block SIGINT and SIGTERM only set a flag; a second one acts as it always did.

    Where such blocks lie in each other, what one is asked all are.  Outside of the main thread,
    where Python delivers no signals, the flag stays unset.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    request.before = {number: signal.getsignal(number) for number in numbers}
    if outer := _around(request.before[signal.SIGINT]):
        request.number = outer.number
    for number in numbers:
        signal.signal(number, request.note)
    try:
        yield request
    finally:
        for number, handler in request.before.items():
            signal.signal(number, handler)


def _around(handler: Any) -> StopRequest | None:
    """The request of the block around, where a signal's handler is one's."""
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, StopRequest) else None


class EarlyStopping:
    """The best held-out number so far, with the weights that it was measured with.

    `patience` is the number of epochs without a better one after which training is over; 0: never.
    `keep` says whether weights are remembered.  A number is better when it is lower, as for
    `ReduceOnPlateau`; equal ones are not, so the first of them is kept.
    """

    def __init__(self, patience: int = 0, *, keep: bool = False):
        self.patience, self.keep = patience, keep
        self.number, self.epoch, self.waited = inf, 0, 0
        self.weights: dict[str, Any] | None = None

    @property
    def should_stop(self) -> bool:
        """Whether `patience` is used up."""
        return 0 < self.patience <= self.waited

    def update(self, epoch: int, number: float, network: nn.Module) -> None:
        """Take note of an epoch's number, and of the network that it was measured with."""
        if number < self.number:
            self.number, self.epoch, self.waited = number, epoch, 0
            if self.keep:
                self.weights = copy.deepcopy(network.state_dict())
        else:
            self.waited += 1

    def reset_patience(self) -> None:
        """Bear as many epochs without a better number as at the beginning."""
        self.waited = 0

    def restore_best(self, network: nn.Module) -> None:
        """Put the remembered weights into `network`."""
        if self.weights is not None:
            network.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """The best number, its epoch and its weights, and the epochs waited since."""
        return {
            "number": self.number,
            "epoch": self.epoch,
            "waited": self.waited,
            "weights": self.weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.number, self.epoch = state["number"], state["epoch"]
        self.waited, self.weights = state["waited"], state["weights"]
