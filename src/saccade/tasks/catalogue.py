"""Every task by name, and the one that fits the labels that pictures carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from saccade.data.classes import labels_of
from saccade.data.item import Item
from saccade.data.loader import class_weights
from saccade.errors import DataError, RecipeError
from saccade.metrics.classification import ClassMetric
from saccade.metrics.metric import Metric
from saccade.metrics.multilabel import LabelMetric
from saccade.metrics.regression import NumberMetric
from saccade.tasks.classification import Classification
from saccade.tasks.multilabel import Labelling
from saccade.tasks.regression import Regression
from saccade.tasks.task import Task

KINDS: dict[type, str] = {
    str: Classification.kind,
    tuple: Labelling.kind,
    float: Regression.kind,
    int: Regression.kind,
}
TASKS: dict[str, Callable[[tuple[str, ...], Mapping[str, Any]], Task]] = {
    "classification": lambda classes, told: Classification(
        classes, temperature=float(told["temperature"])
    ),
    "labelling": lambda classes, told: Labelling(classes, thresholds=tuple(told["thresholds"])),
    "regression": lambda classes, told: Regression(**told),
}


METRICS: dict[str, Callable[[tuple[str, ...]], Metric[Any]]] = {
    "classification": ClassMetric,
    "labelling": LabelMetric,
    "regression": lambda classes: NumberMetric(),
}


def metric_of(kind: str, classes: tuple[str, ...]) -> Metric[Any]:
    """The metric of a kind of task, to read rows from predictions.csv."""
    return METRICS[kind](classes)


def kind_of(items: Sequence[Item]) -> str:
    """The task that the labels ask for: one class, several labels, or a number."""
    kinds = {KINDS[type(item.label)] for item in items if item.label is not None}
    if len(kinds) != 1:
        found = " and ".join(sorted(kinds)) or "no labels"
        raise DataError(f"the pictures carry {found}", "all labels have to be of one kind")
    return kinds.pop()


def refuse_other_labels(items: Sequence[Item], task: Task) -> None:
    """Raise `DataError` where labels are missing or of a kind that `task` is not measured by."""
    known = {task.kind, *((Classification.kind,) if task.kind == Labelling.kind else ())}
    for item in items:
        if item.label is None:
            raise DataError(
                f"'{item.name}' has no label to measure by", "for pictures without: saccade predict"
            )
        if KINDS[type(item.label)] not in known:
            raise DataError(
                f"'{item.name}' has the label {item.label!r}, which is for "
                f"{KINDS[type(item.label)]}; this network was trained for {task.kind}",
                "labels are to be of the kind that it was trained with",
            )


def task_for(
    items: Sequence[Item],
    classes: tuple[str, ...],
    label_smoothing: float = 0.0,
    weights: str = "none",
) -> Task:
    """The task that the labels of the pictures to train on ask for.

    `weights` of classes is none, auto (by rarity) or as in "cat=2 dog=0.5".
    """
    kind = kind_of(items)
    if kind == Regression.kind:
        if weights != "none" or label_smoothing:
            raise RecipeError(
                "train.class_weights and train.label_smoothing are for classes, not for numbers",
                "leave them out",
            )
        return Regression.of(items)
    if kind == Labelling.kind:
        if len({frozenset(labels_of(item)) for item in items}) == 1:
            found = "|".join(labels_of(items[0])) or "none"
            raise DataError(
                f"all pictures to train on carry the same labels: {found}",
                "there is nothing to be learned; add pictures without one of them",
            )
        return Labelling(classes, label_smoothing, _label_weights(weights, items, classes))
    return Classification(classes, label_smoothing, _class_weights(weights, items, classes))


def read_task(kind: str, classes: tuple[str, ...], told: Mapping[str, Any]) -> Task:
    """The task that `Task.config` told of; raises `KeyError` for what is missing."""
    return TASKS[kind](classes, told)


def _class_weights(
    rule: str, items: Sequence[Item], classes: tuple[str, ...]
) -> tuple[float, ...] | None:
    """The weight of each class in the loss."""
    if rule == "none":
        return None
    counts = Counter(name for item in items for name in labels_of(item))
    found = [counts[name] for name in classes]
    return tuple(class_weights(found, _wanted(rule), classes).tolist())


def _label_weights(
    rule: str, items: Sequence[Item], classes: tuple[str, ...]
) -> tuple[float, ...] | None:
    """The weight of each label's being there; auto: pictures without it for one with it."""
    if rule != "auto":
        return _class_weights(rule, items, classes)
    counts = Counter(name for item in items for name in labels_of(item))
    return tuple((len(items) - counts[name]) / max(1, counts[name]) for name in classes)


def _wanted(rule: str) -> str | dict[str, float]:
    if rule == "auto":
        return rule
    pairs = [text.partition("=") for text in rule.split()]
    try:
        return {name: float(weight) for name, _, weight in pairs}
    except ValueError as error:
        hint = "write none, auto, or class=number with spaces between them"
        raise RecipeError(f"train.class_weights cannot be '{rule}'", hint) from error
