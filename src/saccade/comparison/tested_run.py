"""The test images that several runs share and none was trained on, with each run's predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import torch
from torch import Tensor

from saccade.data.item import Item
from saccade.data.sources import open_source
from saccade.data.split_table import split_rows
from saccade.errors import DataError, SaccadeError, UsageError
from saccade.metrics.metric import Metric, R
from saccade.runs.images import contents, read_images
from saccade.runs.predictions import DAMAGED, read_predictions
from saccade.runs.run import Run
from saccade.tasks.catalogue import current_kind
from saccade.words import shortened


@dataclass(frozen=True)
class TestedRun:
    """A run with its predictions of its test images, a row each, in the order of its split."""

    run: Run
    task: str
    table: dict[str, tuple[str, ...]]  # the columns of predictions.csv
    classes: tuple[str, ...]
    splits: dict[str, str]  # what each image of the data was used for
    groups: dict[str, str]  # of the images that have one

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each test image."""
        return self.table["name"]

    @property
    def labels(self) -> tuple[str, ...]:
        """The true label of each test image, as text."""
        return self.table["label"]

    @property
    def answers(self) -> tuple[str, ...]:
        """The prediction of each test image."""
        return self.table["prediction"]

    @property
    def data(self) -> str | None:
        """Where the images came from."""
        return self.run.data

    @property
    def seconds(self) -> float:
        """Seconds of the training."""
        return self.run.events("finished")[-1]["seconds"]

    def rows(self, metric: Metric[R]) -> R:
        """The rows of the metric; raises `DataError` where predictions.csv is damaged."""
        try:
            return metric.read(self.table)
        except (KeyError, TypeError, ValueError) as error:
            path = self.run.path / "predictions.csv"
            raise DataError(f"'{path}' is damaged: {error}", DAMAGED) from error

    def group_of_each(self) -> Tensor | None:
        """The group of each image; one without a group is one of its own.  -> [N] int64, or None"""
        if not any(name in self.groups for name in self.names):
            return None
        keys = [(name in self.groups, self.groups.get(name, name)) for name in self.names]
        group_index = {key: k for k, key in enumerate(dict.fromkeys(keys))}
        return torch.tensor([group_index[key] for key in keys])

    def select(self, rows: Sequence[int]) -> TestedRun:
        """The run with these rows alone, in this order."""
        table = {title: tuple(cells[k] for k in rows) for title, cells in self.table.items()}
        return replace(self, table=table)


def read_tested_run(run: Run) -> TestedRun:
    """A finished run with its predictions; raises `UsageError` while it is unfinished."""
    if not run.finished or not (run.path / "predictions.csv").is_file():
        raise UsageError(f"the run '{run.path}' is unfinished", f"go on with: {run.again()}")
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
Content = dict[str, str]  # what identifies an image, digest or name, by its name


def shared_test_set(tested_runs: Sequence[TestedRun]) -> tuple[list[TestedRun], tuple[str, ...]]:
    """The runs on the test images that all share, in one order, and notes on that.

    Images of one place are the same when their names are; those of several places when their
    contents are, as long as these can still be read.  Raises `UsageError` for runs of other tasks
    or classes, and `DataError` where no image is left.
    """
    _refuse_other_tasks(tested_runs)
    contents, notes = _contents(tested_runs)
    keyed = [_keyed(tested, content) for tested, content in zip(tested_runs, contents, strict=True)]
    trained = [
        _trained(tested, content) for tested, content in zip(tested_runs, contents, strict=True)
    ]
    training_content = set().union(*trained)
    shared = [
        key
        for key in keyed[0]
        if all(key in rows for rows in keyed) and key[0] not in training_content
    ]
    if not shared or len(shared) < max(map(len, keyed)):
        overlap = _overlap(tested_runs, keyed, trained)
        if not shared:
            raise DataError(f"no image was held out as test by all of the runs: {overlap}", HINT)
        notes += (f"compared on the {len(shared):,} images that all were tested on; {overlap}",)
    selected = [
        tested.select([rows[key] for key in shared])
        for tested, rows in zip(tested_runs, keyed, strict=True)
    ]
    _refuse_other_labels(selected)
    return selected, notes


def items_of(tested: TestedRun) -> dict[str, Item]:
    """All images of the run's data by name; raises `SaccadeError` when they are gone."""
    source = open_source(tested.data)
    return {item.name: item for split in source.splits for item in source.read(split)}


def _contents(tested_runs: Sequence[TestedRun]) -> tuple[list[Content], tuple[str, ...]]:
    """What identifies the images of each run, and a note where that is only their names."""
    named: list[Content] = [{name: name for name in tested.splits} for tested in tested_runs]
    if len({tested.data for tested in tested_runs}) == 1:
        return named, ()
    try:
        return [_digests(tested) for tested in tested_runs], ()
    except (SaccadeError, OSError) as error:
        what = error.what if isinstance(error, SaccadeError) else str(error)
        return named, (f"images are told apart by their names alone: {what}",)


def _digests(tested: TestedRun) -> Content:
    used = [name for name, split in tested.splits.items() if split in ("train", "test")]
    begun = read_images(tested.run.path)
    if all(name in begun and begun[name]["digest"] for name in used):
        return {name: begun[name]["digest"].decode() for name in used}
    items = items_of(tested)
    missing = tested.splits.keys() - items.keys()
    if missing:
        raise DataError(
            f"{len(missing)} images of '{tested.run.path}' are gone, as '{min(missing)}'"
        )
    return dict(zip(used, contents([items[name] for name in used]), strict=True))


def _keyed(tested: TestedRun, content: Content) -> dict[tuple[str, int], int]:
    """The row of each test image; copies of one are told apart by their number."""
    times: Counter[str] = Counter()
    rows = {}
    for row, name in enumerate(tested.names):
        key = content[name]
        rows[key, times[key]] = row
        times[key] += 1
    return rows


def _trained(tested: TestedRun, content: Content) -> set[str]:
    return {content[name] for name, split in tested.splits.items() if split == "train"}


def _overlap(
    tested_runs: Sequence[TestedRun],
    keyed: Sequence[dict[tuple[str, int], int]],
    trained: Sequence[set[str]],
) -> str:
    """Who was trained on how many of whose test images."""
    sentences = []
    for one, other in permutations(range(len(tested_runs)), 2):
        count = sum(key in trained[one] for key, _ in keyed[other])
        if count:
            sentences.append(
                f"'{tested_runs[one].run.path}' was trained on {count:,} of the "
                f"{len(keyed[other]):,} test images of '{tested_runs[other].run.path}'"
            )
    return "; ".join(sentences) or "their test images are others"


def _refuse_other_tasks(tested_runs: Sequence[TestedRun]) -> None:
    first = tested_runs[0]
    for tested in tested_runs[1:]:
        if tested.task != first.task:
            raise UsageError(
                f"'{first.run.path}' is a {first.task}, '{tested.run.path}' a {tested.task}",
                "runs of one kind can be compared",
            )
        differing = sorted(set(tested.classes) ^ set(first.classes))
        if differing:
            raise UsageError(
                f"only one of '{first.run.path}' and '{tested.run.path}' knows the class "
                + shortened([f"'{name}'" for name in differing], 1),
                "runs that tell the same classes apart can be compared",
            )


def _refuse_other_labels(tested_runs: Sequence[TestedRun]) -> None:
    """Raise `DataError` where the truth has changed from one run to the next."""
    first = tested_runs[0]
    for tested in tested_runs[1:]:
        pairs = enumerate(zip(first.labels, tested.labels, strict=True))
        differing = [row for row, (one, other) in pairs if one != other]
        if differing:
            row = differing[0]
            raise DataError(
                f"{len(differing)} of {len(first.names)} images have other labels in "
                f"'{tested.run.path}' than in '{first.run.path}': '{first.names[row]}' is "
                f"'{tested.labels[row]}' and '{first.labels[row]}'",
                "measure both on one set of labels first: saccade evaluate RUN DATA",
            )
