from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from saccade.engine.stopping import stop_requests


@pytest.fixture(autouse=True)
def python_s_own_handlers() -> Iterator[None]:
    """Those of a fresh process, whatever a command run in this one has set."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_first_signal_asks_and_the_second_insists() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_requests() as request:
        assert request.signum is None
        signal.raise_signal(signal.SIGINT)
        assert request.signum == signal.SIGINT
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_what_an_inner_block_is_asked_the_outer_one_is_too() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests() as outer:
        with stop_requests() as inner:
            signal.raise_signal(signal.SIGTERM)
            assert (inner.signum, outer.signum) == (signal.SIGTERM, signal.SIGTERM)
        with stop_requests() as later:
            assert later.signum == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_was_asked_before_an_inner_block_is_heard_in_it_and_a_second_insists() -> None:
    with pytest.raises(KeyboardInterrupt), stop_requests():
        signal.raise_signal(signal.SIGTERM)
        with stop_requests() as inner:
            assert inner.signum == signal.SIGTERM
            signal.raise_signal(signal.SIGINT)


def test_outside_of_the_main_thread_nothing_is_installed() -> None:
    signums = []

    def work() -> None:
        with stop_requests() as request:
            signums.append(request.signum)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert signums == [None]
