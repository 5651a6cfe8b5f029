from __future__ import annotations

import signal
import threading

import pytest

from saccade.engine.stopping import stop_requests


def test_the_first_signal_asks_and_the_second_insists() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_requests() as request:
        assert request.number is None
        signal.raise_signal(signal.SIGINT)
        assert request.number == signal.SIGINT
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_of_the_main_thread_nothing_is_installed() -> None:
    seen = []

    def work() -> None:
        with stop_requests() as request:
            seen.append(request.number)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None]
