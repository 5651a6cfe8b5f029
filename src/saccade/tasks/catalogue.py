"""The catalogue of tasks, by the type of their labels and by the kind that is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from saccade.data.item import Count, Item
from saccade.errors import DataError, RecipeError, SaccadeError
from saccade.metrics.metric import Metric, Score
from saccade.tasks.classification import Classification
from saccade.tasks.counting import Counting
from saccade.tasks.multilabel import Multilabel
from saccade.tasks.regression import Regression
from saccade.tasks.task import Capability, Task

LABELS: dict[type, type[Task]] = {
    str: Classification,
    tuple: Multilabel,
    float: Regression,
    int: Regression,
    Count: Counting,
}

TASKS: dict[str, type[Task]] = {task.kind: task for task in LABELS.values()}

SCORES: dict[str, Score] = {
    score.name: score for task in TASKS.values() for score in [task.plain(()).metric().score]
}


def score_named(name: str) -> Score:
    """The score of a column val_NAME of a log; one that is no task's is a person's own."""
    return SCORES.get(name, Score(name, unit=""))


RENAMED_KINDS = {"labelling": "multilabel"}  # kinds as older runs and bundles have them


def task_type(items: Sequence[Item]) -> type[Task]:
    """The task for the type of the labels; raises `DataError` for none or several types."""
    kinds = {LABELS[type(item.label)].kind for item in items if item.label is not None}
    if len(kinds) != 1:
        description = " and ".join(sorted(kinds)) or "no labels"
        raise DataError(f"the images carry {description}", "all labels have to be of one kind")
    return TASKS[kinds.pop()]


def task_for(
    items: Sequence[Item],
    classes: tuple[str, ...],
    label_smoothing: float = 0.0,
    weights: str = "none",
) -> Task:
    """The task to train on `items`, chosen by the type of their labels.

    `weights` of classes is none, auto (inverse frequency) or as in "cat=2 dog=0.5".
    """
    task = task_type(items)
    if label_smoothing:
        refuse_without(Capability.LABEL_SMOOTHING, task)
    if weights != "none":
        refuse_without(Capability.CLASS_WEIGHTS, task)
    return task.of(items, classes, label_smoothing, weights)


def read_task(kind: str, classes: tuple[str, ...], config: Mapping[str, Any]) -> Task:
    """The task whose `Task.config` this is; raises `KeyError` for what is missing."""
    return TASKS[current_kind(kind)].read(classes, config)


def metric_of(kind: str, classes: tuple[str, ...]) -> Metric[Any]:
    """The metric of a kind of task before training, to read rows from predictions.csv."""
    return TASKS[kind].plain(classes).metric()


def current_kind(kind: str) -> str:
    """The present name of a stored kind."""
    return RENAMED_KINDS.get(kind, kind)


def refuse_without(
    capability: Capability,
    task: Task | type[Task],
    error: type[SaccadeError] = RecipeError,
    hint: str = "leave it out",
) -> None:
    """Raise `error` where the task lacks the capability, naming the tasks that have it."""
    if capability not in task.capabilities:
        kinds = [name for name, candidate in TASKS.items() if capability in candidate.capabilities]
        raise error(
            f"{capability} is for {' and '.join(kinds)}; this is {task.kind}",
            hint,
        )


def refuse_other_labels(items: Sequence[Item], task: Task) -> None:
    """Raise `DataError` where labels are missing or of a type that the task does not take."""
    for item in items:
        if item.label is None:
            raise DataError(
                f"'{item.name}' has no label to measure by", "for images without: saccade predict"
            )
        if not isinstance(item.label, task.labels):
            raise DataError(
                f"'{item.name}' has the label {item.label!r}, which is for "
                f"{LABELS[type(item.label)].kind}; this network was trained for {task.kind}",
                "labels are to be of the kind that it was trained with",
            )
