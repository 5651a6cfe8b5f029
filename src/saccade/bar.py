"""Bars and tables on a terminal, by rich; what is told beside a bar comes above it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.file_proxy import FileProxy
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.text import Text

from saccade.words import nobody_reads, per_second


class Paper(Console):
    """A console that is silent once its reader has gone; rich's own ends the program."""

    def on_broken_pipe(self) -> None:
        """Say nothing more, and go on."""
        nobody_reads(self.file)


def stderr_console() -> Console:
    """Standard error for tables and bars."""
    return Paper(stderr=True, highlight=False, force_jupyter=False)


def is_screen(console: Console) -> bool:
    """Whether a bar could move there."""
    return console.is_terminal and not console.is_dumb_terminal


def live_bar(*columns: ProgressColumn, console: Console, shown: bool) -> Progress:
    """A bar that words on standard error, and on a standard output beside it, come above.

    Not `shown` while another one moves.
    """
    return Progress(
        *columns,
        console=console,
        disable=not (shown and is_screen(console)) or isinstance(sys.stderr, FileProxy),
        transient=True,
        redirect_stdout=sys.stdout.isatty(),
    )


@contextmanager
def counting_bar(description: str, *, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar through images, say; yields the function to call with (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with live_bar(*columns, Rate(), TimeLeft(), console=stderr_console(), shown=shown) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class Rate(ProgressColumn):
    """How many are done in a second."""

    def render(self, task: Task) -> Text:
        return Text(per_second(task.speed) if task.speed else "", style="dim")


class TimeLeft(ProgressColumn):
    """How long it will still take, as 1:05; by the clock where the task has one, in "ends"."""

    def render(self, task: Task) -> Text:
        ends = task.fields.get("ends")
        by_clock = [max(0.0, ends - time.monotonic())] if ends is not None else []
        by_speed = [task.time_remaining] if task.time_remaining is not None else []
        if not by_clock + by_speed:
            return Text("")
        minutes, seconds = divmod(round(min(by_clock + by_speed)), 60)
        return Text(f"{minutes}:{seconds:02d} left", style="dim")
