"""The test images that several runs share, on which none was trained, with what each run said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import torch
from torch import Tensor

from saccade.command import Command
from saccade.data.item import Item
from saccade.data.sources import open_source
from saccade.data.splits import split_rows
from saccade.data.store import digests
from saccade.errors import DataError, SaccadeError, UsageError
from saccade.files import cache_folder
from saccade.metrics.metric import Metric, R
from saccade.runs.predictions import read_predictions
from saccade.runs.run import Run
from saccade.tasks.catalogue import current_kind


@dataclass(frozen=True)
class TestedRun:
    """A run's test images, a row each, in the order of its split."""

    run: Run
    task: str
    table: dict[str, tuple[str, ...]]  # the columns of predictions.csv
    classes: tuple[str, ...]
    splits: dict[str, str]  # what each image of the data was used for
    groups: dict[str, str]  # of the images that have one

    @property
    def names(self) -> tuple[str, ...]:
        return self.table["name"]

    @property
    def labels(self) -> tuple[str, ...]:
        return self.table["label"]

    @property
    def answers(self) -> tuple[str, ...]:
        return self.table["prediction"]

    @property
    def data(self) -> str | None:
        """Where the images came from."""
        return self.run.started["data"]

    @property
    def seconds(self) -> float:
        return self.run.events("finished")[-1]["seconds"]

    def rows(self, metric: Metric[R]) -> R:
        """Those of the metric; raises `DataError` where predictions.csv is damaged."""
        try:
            return metric.read(self.table)
        except (KeyError, TypeError, ValueError) as error:
            path = self.run.path / "predictions.csv"
            raise DataError(f"'{path}' is damaged: {error}") from error

    def group_of_each(self) -> Tensor | None:
        """Which images belong together; one without a group is one of its own.  [N] int64"""
        if not any(name in self.groups for name in self.names):
            return None
        keys = [(name in self.groups, self.groups.get(name, name)) for name in self.names]
        place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
        return torch.tensor([place[key] for key in keys])

    def select(self, rows: Sequence[int]) -> TestedRun:
        """The exam of these rows alone, in this order."""
        table = {title: tuple(cells[k] for k in rows) for title, cells in self.table.items()}
        return replace(self, table=table)


def read_tested_run(run: Run) -> TestedRun:
    """The exam of a finished run; raises `UsageError` while it is unfinished."""
    if not run.finished or not (run.path / "predictions.csv").is_file():
        raise UsageError(
            f"the run '{run.path}' is unfinished", f"go on with: {Command.of('resume', run.path)}"
        )
    split = split_rows(run.path / "split.csv")
    return TestedRun(
        run,
        current_kind(run.events("evaluation")[-1]["task"]),
        read_predictions(run.path / "predictions.csv"),
        run.classes,
        {name: row.split for name, row in split.items()},
        {name: row.group for name, row in split.items() if row.group},
    )


HINT = "runs with the same data, data.test and train.seed hold out the same images"
Content = dict[str, str]  # what stands for an image, by its name


def shared_test_set(exams: Sequence[TestedRun]) -> tuple[list[TestedRun], tuple[str, ...]]:
    """The exams on the images that all have, in one order, and what is to be said of that.

    Images of one place are the same when their names are; those of several places when their
    contents are, as long as these can still be read.  Raises `UsageError` for runs that were not
    asked the same, and `DataError` where no image is left.
    """
    _refuse_other_questions(exams)
    contents, notes = _contents(exams)
    keyed = [_keyed(exam, content) for exam, content in zip(exams, contents, strict=True)]
    trained = [_trained(exam, content) for exam, content in zip(exams, contents, strict=True)]
    seen = set().union(*trained)
    shared = [key for key in keyed[0] if all(key in rows for rows in keyed) and key[0] not in seen]
    if not shared or len(shared) < max(map(len, keyed)):
        told = _overlap(exams, keyed, trained)
        if not shared:
            raise DataError(f"no image was held out as test by all of the runs: {told}", HINT)
        notes += (f"compared on the {len(shared):,} images that all were tested on; {told}",)
    taken = [
        exam.select([rows[key] for key in shared]) for exam, rows in zip(exams, keyed, strict=True)
    ]
    _refuse_other_labels(taken)
    return taken, notes


def items_of(exam: TestedRun) -> dict[str, Item]:
    """All images of the run's data by name; raises `SaccadeError` when they are gone."""
    source = open_source(exam.data)
    return {item.name: item for split in source.splits for item in source.read(split)}


def _contents(exams: Sequence[TestedRun]) -> tuple[list[Content], tuple[str, ...]]:
    """What stands for every image of each run, and a note where that is no more than a name."""
    named: list[Content] = [{name: name for name in exam.splits} for exam in exams]
    if len({exam.data for exam in exams}) == 1:
        return named, ()
    try:
        return [_digests(exam) for exam in exams], ()
    except (SaccadeError, OSError) as error:
        what = error.what if isinstance(error, SaccadeError) else str(error)
        return named, (f"images are told apart by their names alone: {what}",)


def _digests(exam: TestedRun) -> Content:
    items = items_of(exam)
    lost = exam.splits.keys() - items.keys()
    if lost:
        raise DataError(f"{len(lost)} images of '{exam.run.path}' are gone, as '{min(lost)}'")
    used = [items[name] for name, part in exam.splits.items() if part in ("train", "test")]
    found = digests(used, cache_folder() / "digests.sqlite")
    return {item.name: content.hex() for item, content in zip(used, found, strict=True)}


def _keyed(exam: TestedRun, content: Content) -> dict[tuple[str, int], int]:
    """The row of each test image; copies of one are told apart by their number."""
    times: Counter[str] = Counter()
    rows = {}
    for row, name in enumerate(exam.names):
        key = content[name]
        rows[key, times[key]] = row
        times[key] += 1
    return rows


def _trained(exam: TestedRun, content: Content) -> set[str]:
    return {content[name] for name, part in exam.splits.items() if part == "train"}


def _overlap(
    exams: Sequence[TestedRun],
    keyed: Sequence[dict[tuple[str, int], int]],
    trained: Sequence[set[str]],
) -> str:
    """Who was trained on how many of whose test images."""
    told = []
    for one, other in permutations(range(len(exams)), 2):
        count = sum(key in trained[one] for key, _ in keyed[other])
        if count:
            told.append(
                f"'{exams[one].run.path}' was trained on {count:,} of the {len(keyed[other]):,} "
                f"test images of '{exams[other].run.path}'"
            )
    return "; ".join(told) or "their test images are others"


def _refuse_other_questions(exams: Sequence[TestedRun]) -> None:
    first = exams[0]
    for exam in exams[1:]:
        if exam.task != first.task:
            raise UsageError(
                f"'{first.run.path}' is a {first.task}, '{exam.run.path}' a {exam.task}",
                "runs of one kind can be compared",
            )
        apart = sorted(set(exam.classes) ^ set(first.classes))
        if apart:
            raise UsageError(
                f"only one of '{first.run.path}' and '{exam.run.path}' knows the class "
                f"'{apart[0]}'" + (f" and {len(apart) - 1} more" if len(apart) > 1 else ""),
                "runs that tell the same classes apart can be compared",
            )


def _refuse_other_labels(exams: Sequence[TestedRun]) -> None:
    """Raise `DataError` where the truth has changed from one run to the next."""
    first = exams[0]
    for exam in exams[1:]:
        pairs = enumerate(zip(first.labels, exam.labels, strict=True))
        apart = [row for row, (one, other) in pairs if one != other]
        if apart:
            row = apart[0]
            raise DataError(
                f"{len(apart)} of {len(first.names)} images have other labels in "
                f"'{exam.run.path}' than in '{first.run.path}': '{first.names[row]}' is "
                f"'{exam.labels[row]}' and '{first.labels[row]}'",
                "measure both on one set of labels first: saccade evaluate RUN DATA",
            )
