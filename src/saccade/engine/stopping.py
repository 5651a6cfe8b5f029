"""The end of a training: on a signal, or by early stopping."""

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
    """Whether a stop was requested, and by which signal."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self.previous_handlers: dict[int, Any] = {}  # by signal

    def handle(self, signum: int, frame: object) -> None:
        """Handle a signal: the first is a request, a second one goes to the previous handler."""
        if self.signum is None:
            self.request_stop(signum)
            return
        handler = self.previous_handlers[signum]
        while outer := _outer_request(handler):
            handler = outer.previous_handlers[signum]
        signal.signal(signum, handler)
        signal.raise_signal(signum)

    def request_stop(self, signum: int) -> None:
        """Set the flag, and that of the enclosing block."""
        self.signum = signum
        if outer := _outer_request(self.previous_handlers[signum]):
            outer.request_stop(signum)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Within the block SIGINT and SIGTERM only set a flag; a second one goes to the old handler.

    A request to an inner block is one to the blocks around it, too.  Outside of the main thread,
    where Python delivers no signals, the flag stays unset.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    signums = (signal.SIGINT, signal.SIGTERM)
    request.previous_handlers = {signum: signal.getsignal(signum) for signum in signums}
    if outer := _outer_request(request.previous_handlers[signal.SIGINT]):
        request.signum = outer.signum
    for signum in signums:
        signal.signal(signum, request.handle)
    try:
        yield request
    finally:
        for signum, handler in request.previous_handlers.items():
            signal.signal(signum, handler)


def _outer_request(handler: Any) -> StopRequest | None:
    """The request of the enclosing block, where a signal's handler belongs to one."""
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, StopRequest) else None


class EarlyStopping:
    """Early stopping: the best validation metric so far, its epoch and its weights.

    `patience` is the number of epochs without a better metric after which training ends; 0: never.
    `keep_weights` keeps the weights of the best epoch.  Lower is better, as for `ReduceOnPlateau`;
    of equal metrics the first counts.
    """

    def __init__(self, patience: int = 0, *, keep_weights: bool = False):
        self.patience, self.keep_weights = patience, keep_weights
        self.best, self.epoch, self.waited = inf, 0, 0
        self.weights: dict[str, Any] | None = None

    @property
    def should_stop(self) -> bool:
        """Whether `patience` is used up."""
        return 0 < self.patience <= self.waited

    def update(self, epoch: int, metric: float, model: nn.Module) -> None:
        """Take the metric of an epoch, and the network that it was measured with."""
        if metric < self.best:
            self.best, self.epoch, self.waited = metric, epoch, 0
            if self.keep_weights:
                self.weights = copy.deepcopy(model.state_dict())
        else:
            self.waited += 1

    def reset_patience(self) -> None:
        """Start counting epochs without a better metric anew."""
        self.waited = 0

    def restore_best(self, model: nn.Module) -> None:
        """Load the weights of the best epoch into `model`, if they were kept."""
        if self.weights is not None:
            model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """The best metric, its epoch and its weights, and the epochs since."""
        return {
            "number": self.best,
            "epoch": self.epoch,
            "waited": self.waited,
            "weights": self.weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.best, self.epoch = state["number"], state["epoch"]
        self.waited, self.weights = state["waited"], state["weights"]
