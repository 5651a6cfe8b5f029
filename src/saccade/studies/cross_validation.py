"""Cross-validation: a run for each fold, and the metrics over all of them.

A metric is the mean over the folds.  Its interval holds two: that of the corrected resampled t over
the folds (Nadeau & Bengio 2003), since folds share training images, and that of the images, each
predicted once by the run that was not trained on it, with these predictions in one table.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

import torch

from saccade.auto.resolve import stated_settings
from saccade.command import Command
from saccade.data.sources import absolute_location, open_source
from saccade.data.sources.data_spec import spec_with_settings
from saccade.data.split_table import split_rows
from saccade.data.splits import own_folds
from saccade.errors import DivergedError, UsageError
from saccade.files import atomic_write, disk_errors
from saccade.frame import data_frame
from saccade.metrics.intervals import Interval, cross_validated_interval
from saccade.metrics.metric import MetricReport, MetricValue, find_metric
from saccade.metrics.regression import PER_GROUP
from saccade.progress import say
from saccade.recipes.setting import argument
from saccade.runs.predictions import read_predictions
from saccade.runs.run import Run
from saccade.studies.run import command_folder, lock_folder
from saccade.studies.study import JOBS
from saccade.studies.study_run import progress_of
from saccade.studies.workers import TrainingJob, tell, train_all
from saccade.words import LineFeeds, aligned, defined, html_table

if TYPE_CHECKING:
    from pandas import DataFrame

FOLDS = 5  # where neither the data nor a setting says how many
FILE = "cross-validation.json"
COLUMNS = ("fold", "name", "value", "low", "high", "n", "unit", "baseline", "method")


@dataclass(frozen=True)
class FoldResult:
    """The run that was tested on one fold."""

    fold: str
    run: Path
    train: int  # images
    test: int
    metrics: tuple[MetricValue, ...]

    def metric(self, name: str) -> MetricValue:
        """The metric of this name; of places that have one image each it is that of the images."""
        if name not in (metric.name for metric in self.metrics):
            name = name.removesuffix(PER_GROUP)
        return find_metric(self.metrics, name)


@dataclass(frozen=True, repr=False)
class CrossValidation:
    """The metrics of a recipe over all folds; the first is the primary one."""

    path: Path
    task: str  # its kind
    folds: tuple[FoldResult, ...]
    metrics: tuple[MetricValue, ...]

    def notes(self) -> list[str]:
        """How the numbers were computed."""
        return [
            f"means over {len(self.folds)} folds; the interval is the corrected resampled t over "
            "folds, which share training images, and at least that of the images"
        ]

    def to_dict(self) -> dict[str, Any]:
        """What `saccade cross-validate --json` prints; undefined numbers are None."""
        folds = [{**asdict(fold), "run": str(fold.run)} for fold in self.folds]
        fields = {"path": str(self.path), "task": self.task, "folds": folds}
        metrics = [asdict(metric) for metric in self.metrics]
        return defined({**fields, "metrics": metrics, "notes": self.notes()})

    def to_csv(self) -> str:
        """A row a metric: over all folds, and of each."""
        out = io.StringIO()
        writer = csv.writer(LineFeeds(out))
        writer.writerow(COLUMNS)
        writer.writerows(self._cells())
        return out.getvalue().rstrip("\n")

    def to_frame(self) -> DataFrame:
        """A row a metric, as of `to_csv`; the fold of those over all is missing."""
        return data_frame(self._cells(), COLUMNS)

    def _cells(self) -> Iterator[tuple[Any, ...]]:
        for fold, metrics in [(None, self.metrics), *((f.fold, f.metrics) for f in self.folds)]:
            for m in metrics:
                low, high = m.interval or (None, None)
                yield (fold, m.name, m.value, low, high, m.n, m.unit, m.baseline, m.method)

    def rows(self) -> list[tuple[str, str]]:
        """Names and values as text: the metrics, then the primary one of each fold."""
        name = self.metrics[0].name
        folds = [(f"fold {fold.fold}", f"{fold.metric(name)}  {fold.run}") for fold in self.folds]
        return [*((metric.name, str(metric)) for metric in self.metrics), *folds]

    def __str__(self) -> str:
        return "\n".join([aligned(self.rows()), *(f"- {note}" for note in self.notes())])

    def __repr__(self) -> str:
        return f"CrossValidation({len(self.folds)} folds: {self.metrics[0].name} {self.metrics[0]})"

    def _repr_html_(self) -> str:
        return html_table(("metric", f"over {len(self.folds)} folds"), self.rows())


def cross_validation(
    data: str | Path | None,
    recipe: str | Path | None,
    settings: Mapping[str, Any],
    jobs: int,
    out: Path | None,
) -> CrossValidation:
    """Train what is not trained yet of a run for each fold, then write the metrics over all."""
    stated = stated_settings(recipe, settings)
    jobs = argument("--jobs", jobs, int, JOBS)
    if stated.get("data.fold"):
        hint = "leave it out, or train on this one alone: saccade train"
        raise UsageError(f"data.fold={stated['data.fold']} does nothing for all folds", hint)
    data = absolute_location(spec_with_settings(data, stated))
    source = open_source(data, notify=say)
    names = own_folds(source)
    if not names or stated.get("data.folds"):
        folds = stated.get("data.folds") or FOLDS
        settings = {"data.folds": folds, **settings}
        names = tuple(str(k + 1) for k in range(folds))
    command = Command.of("cross-validate", data, recipe=recipe, with_=settings)
    folder = command_folder(out, f"cross-validation-{source.name}", str(command))
    text = None if recipe is None else str(recipe)
    runs = {name: folder / f"fold-{k}" for k, name in enumerate(names, start=1)}
    todo = [
        TrainingJob(str(run), data, text, {**settings, "data.fold": name})
        for name, run in runs.items()
        if progress_of(run) not in ("finished", "diverged")
    ]
    again = Command.of("cross-validate", data, recipe=recipe, with_=settings, out=folder)
    with lock_folder(folder) as lock:
        train_all(todo, jobs, lock, tell, str(again))
        with disk_errors(folder):
            result = _result(folder, runs)
            atomic_write(folder / FILE, json.dumps(result.to_dict(), ensure_ascii=False) + "\n")
    return result


def _result(folder: Path, runs: Mapping[str, Path]) -> CrossValidation:
    """The metrics of finished runs, a fold each; the predictions of all go into one table."""
    diverged = [str(run) for run in runs.values() if progress_of(run) == "diverged"]
    if diverged:
        raise DivergedError(f"the run '{diverged[0]}' diverged", "try a smaller optim.lr")
    opened = {name: Run.open(run) for name, run in runs.items()}
    tables = {name: read_predictions(run.path / "predictions.csv") for name, run in opened.items()}
    splits = {name: split_rows(run.path / "split.csv") for name, run in opened.items()}
    folds = []
    for name, run in opened.items():
        train = sum(row.split == "train" for row in splits[name].values())
        test = len(tables[name]["name"])
        folds.append(FoldResult(name, run.path, train, test, run.test.metrics))
    table = pooled(list(tables.values()))
    out = io.StringIO()
    writer = csv.writer(LineFeeds(out))
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    atomic_write(folder / "predictions.csv", out.getvalue())
    groups = {name: row.group for rows in splits.values() for name, row in rows.items()}
    keys = [groups[name] or f"image {name}" for name in table["name"]]
    index = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    task = next(iter(opened.values())).bundle.task
    report = task.metric().report(
        task.metric().read(table),
        torch.tensor([index[key] for key in keys]) if any(groups.values()) else None,
    )
    return CrossValidation(folder, task.kind, tuple(folds), over_folds(folds, report))


def pooled(tables: Sequence[Mapping[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """The predictions of several runs on images of their own as one table: columns by title."""
    titles = [title for title in tables[0] if all(title in table for table in tables)]
    return {title: sum((table[title] for table in tables), ()) for title in titles}


def over_folds(folds: Sequence[FoldResult], whole: MetricReport) -> tuple[MetricValue, ...]:
    """Each metric over all folds; its interval holds that of `whole`, the report of all images."""
    ratio = mean(fold.test / fold.train for fold in folds)
    results = []
    for of_images in whole.metrics:
        values = [fold.metric(of_images.name).value for fold in folds]
        value = mean(values)
        interval = cross_validated_interval(values, ratio)
        if math.isnan(value) or interval is None or of_images.interval is None:
            results.append(replace(of_images, value=value, interval=None, method=""))
            continue
        low, high = (
            min(interval.low, of_images.interval.low),
            max(interval.high, of_images.interval.high),
        )
        if of_images.unit == "%":
            low, high = max(low, min(0.0, value)), min(high, 1.0)
        method = f"corrected resampled t, {of_images.method}"
        results.append(replace(of_images, value=value, interval=Interval(low, high), method=method))
    return tuple(results)
