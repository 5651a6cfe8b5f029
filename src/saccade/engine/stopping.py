"""Stopping on a signal: the first asks, the second insists."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


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
