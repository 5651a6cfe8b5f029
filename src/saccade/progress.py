"""Words and progress on standard error: a bar in a terminal, elsewhere a line now and then.

All words go to the logger "saccade".  A program that wants them elsewhere gives it a handler and
the level INFO, or configures `logging` so; one that wants none sets the level WARNING.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from saccade.words import duration, fitted, nobody_reads, per_second

EVERY = 10.0  # seconds between two lines of progress where there is no bar
FIRST = 2.0  # seconds after which the first one comes; what is done sooner has none
LOGGER = "saccade"


def say(message: str, level: int = logging.INFO) -> None:
    """Tell people: through the logger where a program listens to it, else on standard error."""
    logger = logging.getLogger(LOGGER)
    if logger.isEnabledFor(level) and logger.hasHandlers():
        logger.log(level, message)
    elif not quiet(level):
        tell(message)


def tell(text: str) -> None:
    """Print `text` on standard error; where nobody reads it any more, nowhere.

    Above a bar that moves, since that one watches over the stream.
    """
    try:
        print_line(sys.stderr, text)
    except OSError:  # of a pipe or a terminal that was closed: what is told is not what is done
        nobody_reads(sys.stderr)


def quiet(level: int = logging.INFO) -> bool:
    """Whether words of this level are not wanted: `--quiet`, or a level of the logger above it."""
    logger = logging.getLogger(LOGGER)
    return logger.disabled or logger.level > level


@contextmanager
def quieter(enabled: bool) -> Iterator[None]:
    """Within the block nothing is said but warnings and errors, where `enabled`."""
    logger = logging.getLogger(LOGGER)
    before = logger.level
    try:
        if enabled:
            logger.setLevel(logging.WARNING)
        yield
    finally:
        logger.setLevel(before)


def print_line(stream: IO[str], text: str) -> None:
    """Print `text` to the width of the stream's lines."""
    width = line_width(stream)
    print(text if width is None else fitted(text, width), file=stream, flush=True)


def line_width(stream: IO[str]) -> int | None:
    """How many characters go into a line: COLUMNS, else of a terminal its width, else any."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


@contextmanager
def progress_bar(description: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Progress through images, say; yields the function to call with (done, total)."""
    if sys.stderr.isatty():
        from saccade.bar import counting_bar, is_screen, stderr_console  # here, since rich is slow

        if is_screen(stderr_console()):
            with counting_bar(description, shown=shown and not quiet()) as update:
                yield update
            return
    lines = CountLines(description)

    def count(done: int, total: int) -> None:
        if shown:
            lines.update(done, total)

    yield count
    lines.end()


class ThrottledLines:
    """Lines of which at most one comes in `every` seconds; the last always, at the `end`."""

    def __init__(
        self,
        every: float = EVERY,  # seconds
        first: float = 0.0,  # seconds before the first line
        *,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[str], Any] = say,
    ):
        self.every, self.clock, self.tell = every, clock, tell
        self.next, self.withheld = clock() + first, ""

    def say(self, text: str) -> None:
        """Say `text`, or withhold it for now."""
        self.withheld = text
        if self.clock() >= self.next:
            self.end()

    def end(self) -> None:
        """Say the last line, where it was withheld."""
        if self.withheld:
            self.tell(self.withheld)
            self.next, self.withheld = self.clock() + self.every, ""


class CountLines:
    """Lines such as "examining 1,200 of 50,000, 340/s, 2 min 24 s left".

    The rate is that from the first image on, since what opens them takes a while to start.
    """

    def __init__(self, description: str, *, clock: Callable[[], float] = time.monotonic):
        self.description, self.clock = description, clock
        self.first = self.last = (0, clock())  # done, and when
        self.lines = ThrottledLines(clock=clock)

    def update(self, done: int, total: int) -> None:
        """`done` of `total` are done; fewer than before: of another total."""
        now = (done, self.clock())
        if not self.last[0]:
            self.lines = ThrottledLines(first=FIRST, clock=self.clock)
        if done < self.last[0] or not self.last[0]:
            self.first = now
        self.last = now
        seconds = now[1] - self.first[1]
        rate = (done - self.first[0]) / seconds if seconds else 0.0
        told = [f"{self.description} {done:,} of {total:,}"]
        told += [per_second(rate)] if rate else []
        told += [f"{duration((total - done) / rate)} left"] if rate and done < total else []
        self.lines.say(", ".join(told))

    def end(self) -> None:
        """The last line, where the images took longer than the first line does to come."""
        if self.last[1] - self.first[1] >= FIRST:
            self.lines.end()
