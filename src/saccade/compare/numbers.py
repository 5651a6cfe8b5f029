"""Compared: the numbers on which runs are compared, the one to name first in front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.compare.same_test import Exam
from saccade.metrics.bootstrap import Statistic, mean_of
from saccade.metrics.classification import mean_of_labels
from saccade.metrics.counts import (
    balanced_accuracy,
    balanced_accuracy_interval,
    counted,
    counts_once,
    unequal,
)
from saccade.metrics.intervals import Interval, wilson
from saccade.metrics.ranking import average_precision
from saccade.metrics.regression import r_squared


@dataclass(frozen=True)
class Compared:
    """A number, and what gives it for each run."""

    name: str
    unit: str  # "%" for a share
    statistics: tuple[Statistic, ...]
    right: tuple[Tensor, ...] = ()  # [N] bool a run, where the number is their share
    intervals: tuple[Interval, ...] = ()  # of each run by formula, if pictures count one by one
    method: str = ""  # of these intervals


def compared_numbers(exams: Sequence[Exam]) -> list[Compared]:
    """Of runs of one kind, on the same pictures in the same order."""
    return NUMBERS[exams[0].task](exams)


def strata_of(exam: Exam) -> Tensor | None:
    """The class of each picture, by which they are drawn again; only where it has one."""
    return _places(exam, exam.labels) if exam.task == "classification" else None


def groups_of(exam: Exam) -> Tensor | None:
    """Which pictures belong together, [N]; one without a group is one of its own."""
    if not any(name in exam.groups for name in exam.names):
        return None
    keys = [(name in exam.groups, exam.groups.get(name, name)) for name in exam.names]
    place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    return torch.tensor([place[key] for key in keys])


def _of_classes(exams: Sequence[Exam]) -> list[Compared]:
    """Accuracy, balanced accuracy, log loss; the second first where the classes are unequal."""
    true, count = _places(exams[0], exams[0].labels), len(exams[0].classes)
    named = [_places(exam, exam.answers) for exam in exams]
    balanced = [counted(balanced_accuracy, answers, true, count) for answers in named]
    counts = [counts_once(answers, true, count) for answers in named]
    intervals = tuple(balanced_accuracy_interval(of_run) for of_run in counts)
    numbers = [
        _share("accuracy", exams),
        Compared("balanced accuracy", "%", tuple(balanced), (), intervals, "of Wilson's by class"),
        _losses(exams),
    ]
    if unequal(counts[0]):
        numbers[:2] = numbers[1], numbers[0]
    return numbers


def _of_labels(exams: Sequence[Exam]) -> list[Compared]:
    """Mean average precision over the labels that have a picture, all labels right, log loss."""
    said = [set(label.split("|")) for label in exams[0].labels]
    true = torch.tensor([[name in labels for name in exams[0].classes] for labels in said])
    means = tuple(mean_of_labels(average_precision, exam.probabilities, true) for exam in exams)
    first = Compared("mean average precision", "%", means)
    return [first, _share("all labels right", exams), _losses(exams)]


def _of_values(exams: Sequence[Exam]) -> list[Compared]:
    """R squared and the mean absolute error."""
    true = torch.tensor([float(label) for label in exams[0].labels], dtype=torch.float64)
    said = [torch.tensor([float(a) for a in exam.answers], dtype=torch.float64) for exam in exams]
    return [
        Compared("R squared", "", tuple(r_squared(values - true, true) for values in said)),
        Compared("mean absolute error", "", tuple(mean_of((v - true).abs()) for v in said)),
    ]


NUMBERS: dict[str, Callable[[Sequence[Exam]], list[Compared]]] = {
    "classification": _of_classes,
    "multilabel": _of_labels,
    "regression": _of_values,
    "counting": _of_values,
}


def _share(name: str, exams: Sequence[Exam]) -> Compared:
    right = tuple(exam.right() for exam in exams)
    means = tuple(mean_of(each) for each in right)
    intervals = tuple(wilson(int(each.sum()), len(each)) for each in right)
    return Compared(name, "%", means, right, intervals, "Wilson")


def _losses(exams: Sequence[Exam]) -> Compared:
    return Compared("log loss", "nats", tuple(mean_of(exam.losses) for exam in exams))


def _places(exam: Exam, words: Sequence[str]) -> Tensor:
    place = {name: k for k, name in enumerate(exam.classes)}
    return torch.tensor([place[word] for word in words])
