"""The runs below a folder, the newest first: what each was, how far it came, what it reached.

The runs of a study, a learning curve or a cross-validation have a line together, behind the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saccade.command import Command
from saccade.data.sources.data_spec import title_of
from saccade.errors import SaccadeError, UsageError
from saccade.frame import data_frame
from saccade.metrics.metric import MetricValue
from saccade.models.table import shown_name
from saccade.recipes.training import ENDLESS
from saccade.runs.naming import RUNS
from saccade.runs.run import Run
from saccade.words import aligned, defined, html_table, pluralize

if TYPE_CHECKING:
    from pandas import DataFrame

DEPTH = 3  # folders below the one that is named: those of studies hold their runs
MARKS = ("study.toml", "command.txt")  # one lies in the folder of many runs that belong together
COLUMNS = (
    "run", "network", "data", "epochs", "planned", "finished", "metric", "value", "low", "high",
    "n", "begun", "note",
)  # fmt: skip
HEAD = ("run", "network", "data", "epochs", "test", "begun", "note")


@dataclass(frozen=True)
class ListedRun:
    """A run in a list."""

    path: Path
    network: str
    data: str  # the last part of its path, and what follows it
    epochs: int  # done
    planned: int | None  # epochs; None where the clock ends the training
    finished: bool
    metric: MetricValue | None  # the primary one on the test images
    begun: str  # ISO 8601
    note: str
    part_of: Path | None = None  # the folder of the study, learning curve or cross-validation

    def values(self) -> tuple[Any, ...]:
        """As numbers and text, for each of COLUMNS; None for what there is not."""
        metric = self.metric
        measured: tuple[Any, ...] = (None,) * 5
        if metric:
            measured = (metric.name, metric.value, *(metric.interval or (None, None)), metric.n)
        state = (self.epochs, self.planned, self.finished)
        return (str(self.path), self.network, self.data, *state, *measured, self.begun, self.note)

    def cells(self) -> tuple[str, ...]:
        """As text, for each of HEAD; a run that lies right below runs by its name."""
        path = self.path.name if self.path.parent == RUNS else str(self.path)
        planned = "" if self.planned is None or self.finished else f" of {self.planned}"
        state = f"{self.epochs}{planned}" + ("" if self.finished else ", unfinished")
        metric = f"{self.metric.name} {self.metric}" if self.metric else ""
        begun = self.begun.replace("T", " ")[:16]
        return (path, self.network, self.data, state, metric, begun, self.note)


@dataclass(frozen=True, repr=False)
class ListedRuns:
    """The runs below a folder."""

    folder: Path
    entries: tuple[ListedRun, ...]
    refused: tuple[tuple[Path, str], ...] = ()  # folders that cannot be read as a run, and why

    def to_dict(self) -> dict[str, Any]:
        """What `saccade runs --json` prints."""
        entries = [
            {
                **asdict(entry),
                "path": str(entry.path),
                "part_of": None if entry.part_of is None else str(entry.part_of),
            }
            for entry in self.entries
        ]
        refused = [{"path": str(path), "reason": reason} for path, reason in self.refused]
        return defined({"folder": str(self.folder), "runs": entries, "refused": refused})

    def to_frame(self) -> DataFrame:
        """A row per run; the primary metric on its test images with its interval, as numbers."""
        return data_frame([entry.values() for entry in self.entries], COLUMNS)

    def rows(self) -> list[tuple[str, ...]]:
        """A row a run, as the columns of HEAD; columns in which nothing stands are left out."""
        table = [HEAD, *(entry.cells() for entry in self.entries if entry.part_of is None)]
        used = [k for k in range(len(HEAD)) if any(row[k] for row in table[1:])]
        return [tuple(row[k] for k in used) for row in table]

    def text(self, width: int | None = None) -> str:
        """A line a run in columns; where these are wider than `width` characters, two lines."""
        if not self.entries:
            return f"no runs below '{self.folder}'"
        head, *rows = self.rows()
        lines = aligned([head, *rows], left=len(HEAD)).split("\n") if rows else []
        if width is not None and max(map(len, lines), default=0) > width:
            lines = [line for row in rows for line in _two_lines(dict(zip(head, row, strict=True)))]
        refused = [f"left out: {path} ({reason})" for path, reason in self.refused]
        return "\n".join([*lines, *self._together(), *refused])

    def _together(self) -> list[str]:
        """A line for each folder of runs that belong together, the newest first."""
        parts: dict[Path, list[ListedRun]] = {}
        for entry in self.entries:
            if entry.part_of is not None:
                parts.setdefault(entry.part_of, []).append(entry)
        lines = []
        for folder, runs in parts.items():
            unfinished = sum(not run.finished for run in runs)
            told = f", {unfinished} of them unfinished" if unfinished else ""
            command = Command.of("runs", folder)
            lines.append(f"{pluralize(len(runs), 'run')} in {folder}{told}: {command}")
        return lines

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"ListedRuns({len(self.entries)} below {self.folder})"

    def _repr_html_(self) -> str:
        head, *rows = self.rows()
        return html_table(head, rows)


def _two_lines(cells: Mapping[str, str]) -> tuple[str, str]:
    """A run as its name with its result, and below it all else."""
    epochs = cells.get("epochs", "")
    epochs = f"{epochs} epoch{'s' * (epochs != '1')}" if epochs.isdecimal() else f"epochs {epochs}"
    rest = [cells["network"], cells["data"], epochs, cells["begun"], cells.get("note", "")]
    first = "  ".join(filter(None, (cells["run"], cells.get("test", ""))))
    return first, f"    {', '.join(filter(None, rest))}"


def list_runs(folder: Path) -> ListedRuns:
    """The runs below `folder`, the newest first; raises `UsageError` where there is no folder."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder '{folder}'", "runs are kept below runs, or --out")
    entries, refused = [], []
    for path in _folders(folder, DEPTH):
        try:
            entries.append(replace(_listed(Run.open(path)), part_of=_together(folder, path)))
        except SaccadeError as error:
            refused.append((path, error.what))
    newest = sorted(entries, key=lambda run: (run.begun, run.path), reverse=True)
    return ListedRuns(folder, tuple(newest), tuple(refused))


def _together(folder: Path, path: Path) -> Path | None:
    """The folder between the one that is listed and a run that holds what belongs together."""
    between = path.parents[: len(path.relative_to(folder).parts) - 1]
    return next((p for p in between if any((p / mark).is_file() for mark in MARKS)), None)


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """The folders with a recipe, `folder` among them; none inside of another is looked for."""
    if (folder / "recipe.toml").is_file():
        yield folder
    elif depth:
        for inner in sorted(p for p in folder.iterdir() if p.is_dir()):
            yield from _folders(inner, depth - 1)


def _listed(run: Run) -> ListedRun:
    recipe, started = run.recipe, run.started
    at = datetime.fromtimestamp((run.path / "split.csv").stat().st_mtime).astimezone()
    return ListedRun(
        run.path,
        shown_name(recipe.model.name),
        title_of(started["data"]),
        len(run.history),
        None if recipe.train.epochs == ENDLESS else recipe.train.epochs,
        run.finished,
        run.test.primary if run.events("evaluation") else None,
        started.get("at") or at.isoformat(timespec="seconds"),
        recipe.train.note,
    )
