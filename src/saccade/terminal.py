"""What a terminal shows: a training while it runs, on standard error, and results laid out."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import singledispatch
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.table import Column, Table
from rich.text import Text

from saccade.bar import Paper, TimeLeft, is_screen, live_bar, stderr_console
from saccade.data.doctor.doctor import Diagnosis
from saccade.engine.loop import Position, Step
from saccade.engine.stages import Stage, stage_at
from saccade.explain.anatomy import Anatomy
from saccade.explain.layer_stats import LayerStatistics, as_text_table
from saccade.explain.side_by_side import SideBySide
from saccade.progress import EVERY, CountLines, line_width, print_line, quiet, say
from saccade.recipes.settings import Settings
from saccade.recipes.training import ENDLESS
from saccade.report.anatomy_table import AnatomyTable, as_csv
from saccade.report.doctor_page import doctor_table
from saccade.report.side_by_side_table import SideBySideTable
from saccade.report.side_by_side_table import as_csv as side_by_side_csv
from saccade.report.summary import calibration
from saccade.runs.listing import ListedRuns
from saccade.runs.run import Run
from saccade.tasks.catalogue import score_named
from saccade.training.epochs import EpochLines, seconds_before
from saccade.words import NO_BREAK, LineFeeds, number

DEFAULT_WIDTH = 120  # characters to a line where no terminal says how many there are
STATUS_WIDTH = 76  # characters of the line that moves, besides its bar


@singledispatch
def show_result(result: object) -> None:
    """Print what is laid out to the width of the terminal, on standard output."""
    raise TypeError(f"nothing here lays out a {type(result).__name__}")


@show_result.register
def _(result: Anatomy) -> None:
    _print_table(AnatomyTable(result))


@show_result.register
def _(result: SideBySide) -> None:
    _print_table(SideBySideTable(result))


def _print_table(table: AnatomyTable | SideBySideTable) -> None:
    width = line_width(sys.stdout) or DEFAULT_WIDTH
    Paper(highlight=False, width=width).print(table)


@show_result.register
def _(result: Diagnosis) -> None:
    print_line(sys.stdout, doctor_table(result))


@show_result.register
def _(result: ListedRuns) -> None:
    print_line(sys.stdout, result.text(line_width(sys.stdout)))


@singledispatch
def comma_separated(result: object) -> str:
    """A result as comma-separated values, without the last line's end."""
    raise TypeError(f"nothing here makes a table of a {type(result).__name__}")


@comma_separated.register
def _(result: Anatomy) -> str:
    return as_csv(result).rstrip("\n")


@comma_separated.register
def _(result: SideBySide) -> str:
    return side_by_side_csv(result).rstrip("\n")


@comma_separated.register
def _(result: Diagnosis) -> str:
    out, rows = io.StringIO(), result.rows()
    writer = csv.DictWriter(LineFeeds(out), list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().rstrip("\n")


class TrainingView:
    """Settings as a table, then a line an epoch; in a terminal below these a line that moves.

    That line has epoch, step, loss, speed, score and time left.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or stderr_console()
        self.progress = live_bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=min(40, max(5, self.console.width - STATUS_WIDTH))),
            TextColumn("{task.fields[status]}", table_column=Column(no_wrap=True)),
            TimeLeft(table_column=Column(no_wrap=True)),
            console=self.console,
            shown=not quiet(),
        )
        self.reading = CountLines("reading")
        every = EVERY if self.progress.disable else 0.0
        self.lines = EpochLines(every=every)
        self.line = self.progress.add_task("", total=None, status="", visible=False)
        self.epochs = self.steps = 0
        self.stages: tuple[Stage, ...] = ()
        self.began = 0.0
        self.speed = self.score = ""

    def __enter__(self) -> TrainingView:
        return self

    def __exit__(self, *failure: object) -> None:
        self.lines.close()
        self.progress.stop()

    def settings(self, settings: Settings, notes: Sequence[str]) -> None:
        """Every setting and where it comes from, in short those that nothing decided; then notes.

        Those are the default ones, and what is of no use, by its name and why.
        """
        if not quiet():
            self._table(settings)
        for note in notes:
            self.note(note)
        self.progress.start()

    def _table(self, settings: Settings) -> None:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title in ("setting", "value", "from"):
            table.add_column(title, overflow="fold")
        defaults, unused = [], defaultdict[str, list[str]](list)
        for name, value in settings.recipe.settings().items():
            text = " ".join(value) if isinstance(value, tuple) else str(value)
            origin = settings.origins.get(name, "")
            if origin == "default":
                defaults.append(f"{name}={text}".replace(" ", NO_BREAK))
            elif origin.startswith("no use"):
                unused[origin].append(name)
            else:
                table.add_row(name, Text(text), Text(origin))
        self.console.print(table)
        self._indented("default  ", Text(" ".join(defaults), style="dim"))
        for reason, names in unused.items():
            self._indented(f"{reason}  ", Text(" ".join(names), style="dim"))

    def decoding(self, done: int, total: int) -> None:
        """Show how many images are decoded."""
        self.progress.update(
            self.line,
            description="reading",
            total=total,
            completed=done,
            visible=True,
            status=f"{done:,} of {total:,} images",
        )
        if not is_screen(self.console):
            self.reading.update(done, total)

    def training(self, run: Run, steps: int, start: Position) -> None:
        """Begin the bar of the training, by steps or, without a number of epochs, by time."""
        self.reading.end()
        self.lines.training(run, steps, start)
        self.epochs, self.steps = run.recipe.train.epochs, steps
        self.stages = run.recipe.stages
        done, total = start.epoch * steps + start.step, self.epochs * steps
        self.began, ends = time.monotonic(), None
        if minutes := run.recipe.train.minutes:
            ends = self.began + 60 * minutes - seconds_before(run)
        if ends and self.epochs == ENDLESS:
            done, total = 0, ends - self.began
        self.progress.remove_task(self.line)
        self.line = self.progress.add_task(
            "starting", total=total, status="", completed=done, ends=ends
        )

    def step(self, step: Step, losses: Mapping[str, float]) -> None:
        """Show position and losses."""
        endless = self.epochs == ENDLESS
        epoch = f"{step.epoch + 1}" if endless else f"{step.epoch + 1}/{self.epochs}"
        description = f"epoch {epoch} step {step.step + 1}/{self.steps}"
        if len(self.stages) > 1:
            description = f"{stage_at(self.stages, step.epoch).name} · {description}"
        written = ", ".join(f"{name} {number(loss)}" for name, loss in losses.items())
        status = f"{written}{self.speed}{self.score}"
        done = step.epoch * self.steps + step.step + 1
        if endless:
            done = time.monotonic() - self.began
        self.progress.update(self.line, completed=done, description=description, status=status)

    def epoch(self, row: Mapping[str, Any]) -> None:
        """A line that stays; below it, speed and validation score from now on."""
        self.lines.epoch(row)
        self.speed = f" · {row['images_per_second']:,.0f} images/s"
        name = next(k for k in row if k.startswith("val_") and k != "val_loss")
        self.score = f" · val {score_named(name.removeprefix('val_')).format(row[name])}"

    def note(self, message: str) -> None:
        """A line that stays."""
        say(f"- {message}")

    def _indented(self, prefix: str, text: Text) -> None:
        """Text after a prefix, later lines indented; in one line where nobody watches."""
        if not self.console.is_terminal:
            self.console.print(Text(prefix) + text, soft_wrap=True)
            return
        line = Table.grid()
        line.add_column(no_wrap=True)
        line.add_row(prefix, text)
        self.console.print(line)

    def finished(self, run: Run) -> None:
        """The last layer statistics, why nothing was calibrated, if so, and the fit diagnosis.

        The caller prints the result.
        """
        self.lines.finished(run)
        self.progress.stop()
        if quiet():
            return
        history = run.history
        if layers := next((row["layers"] for row in history[::-1] if "layers" in row), None):
            self.console.print(_layer_table([LayerStatistics(**layer) for layer in layers]))
        if any(fact["note"] for fact in run.events("calibration")[-1:]):
            self.note(calibration(run).rstrip("."))
        for fact in run.events("fit_diagnosis")[-1:]:
            self.note(fact["message"])


def _layer_table(layers: Sequence[LayerStatistics]) -> Table:
    """The statistics of the layers in the last epoch that has some."""
    head, *rows = as_text_table(layers)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column, title in enumerate(head):
        table.add_column(title, justify="right" if column else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
