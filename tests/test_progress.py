"""Words and lines of progress where there is no terminal: how often, where to, and silenced."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from saccade.progress import CountLines, ThrottledLines, line_width, print_line, quieter, say
from saccade.words import per_second


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("saccade")
    yield logger
    logger.setLevel(logging.NOTSET)
    logger.handlers.clear()


def test_the_first_and_the_last_line_come_and_one_in_ten_seconds_between() -> None:
    clock, told = Clock(), list[str]()
    lines = ThrottledLines(10.0, clock=clock, tell=told.append)
    for second in range(25):
        clock.now = float(second)
        lines.say(f"line {second}")
    lines.end()
    lines.end()
    assert told == ["line 0", "line 10", "line 20", "line 24"]


def test_a_count_tells_its_rate_and_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = CountLines("examining", clock=clock)
    for second in range(1, 13):
        clock.now = float(second)
        lines.update(100 * second, 6000)
    lines.end()
    assert capsys.readouterr().err.splitlines() == [
        "examining 300 of 6,000, 100/s, 57 s left",
        "examining 1,200 of 6,000, 100/s, 48 s left",
    ]


def test_what_is_done_at_once_has_no_lines(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    lines = CountLines("examining", clock=clock)
    for done in range(1, 6):
        clock.now = done / 10
        lines.update(done, 5)
    lines.end()
    assert capsys.readouterr().err == ""


def test_rates_have_the_figures_that_tell_something() -> None:
    assert [per_second(rate) for rate in (0.25, 9.94, 12.3, 4321.0)] == [
        "0.2/s",
        "9.9/s",
        "12/s",
        "4,321/s",
    ]


def test_words_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("a note")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "a note\n")


def test_a_program_silences_words_by_the_level_of_the_logger(
    capsys: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    logger.setLevel(logging.WARNING)
    say("a note")
    say("something is wrong", logging.WARNING)
    assert "a note" not in capsys.readouterr().err


def test_a_program_takes_words_with_a_handler(
    capsys: pytest.CaptureFixture[str], logger: logging.Logger
) -> None:
    paper = io.StringIO()
    logger.addHandler(logging.StreamHandler(paper))
    logger.setLevel(logging.INFO)
    say("a note")
    assert (paper.getvalue(), capsys.readouterr().err) == ("a note\n", "")


def test_quiet_says_no_notes_and_is_over_after_its_block(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with quieter(True):
        say("within")
    with quieter(False):
        say("after")
    assert capsys.readouterr().err == "after\n"


def test_columns_decide_the_width_of_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = io.StringIO()
    monkeypatch.setenv("COLUMNS", "20")
    print_line(paper, "- a note that is longer than twenty")
    assert paper.getvalue().splitlines() == ["- a note that is", "  longer than twenty"]
    monkeypatch.delenv("COLUMNS")
    assert line_width(paper) is None


def test_a_reader_who_has_gone_ends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    ended = []
    monkeypatch.setattr("saccade.progress.nobody_reads", ended.append)
    monkeypatch.setattr(sys, "stderr", gone := Gone())
    say("nobody hears this")
    assert ended == [gone]
