"""Progress on standard error: a line of text, or a progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.text import Text


def say(message: str) -> None:
    """Print a line to standard error."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(message))


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar over images; yields the function to call with (done, total)."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    hidden = not console.is_terminal
    with Progress(*columns, TimeLeft(), console=console, disable=hidden, transient=True) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


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
