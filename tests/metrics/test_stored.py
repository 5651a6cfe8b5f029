"""Numbers and comparisons are those of the version before.

`stored_numbers.json` and `stored_comparisons.json` were printed by the version before, in which
every number was computed from whole tensors, and comparisons had statistics of their own; the names
of numbers are those of today.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isnan
from pathlib import Path

import pytest
import torch
from torch import Tensor

from saccade.metrics.classification import ClassMetric
from saccade.metrics.measure import named_metric, primary_metric, scores
from saccade.metrics.metric import Metric, MetricValue, Predicted
from saccade.metrics.multilabel import LabelMetric
from saccade.metrics.paired import paired
from saccade.metrics.regression import RegressionMetric

CLASSES = tuple("abcdefg")
LABELS = ("sun", "sea", "snow", "sand")


def drawn_classes(
    n: int, num_classes: int, seed: int, sizes: tuple[float, ...] = (), levels: int = 0
) -> tuple[Tensor, Tensor]:
    """Probabilities [N,K] float32 that favour the truth a little, and the truth [N]."""
    generator = torch.Generator().manual_seed(seed)
    shares = torch.tensor(sizes or (1.0,) * num_classes, dtype=torch.float32)
    targets = torch.multinomial(shares, n, replacement=True, generator=generator)
    logits = torch.rand(n, num_classes, generator=generator) * 3
    logits[torch.arange(n), targets] += 1.2
    if levels:
        logits = (logits * levels).round() / levels
    return logits.softmax(dim=1), targets


def drawn_labels(n: int, seed: int, absent: int = 0) -> tuple[Tensor, Tensor]:
    """Probabilities [N,4] with ties, and labels 0 or 1; the last `absent` labels are nowhere."""
    generator = torch.Generator().manual_seed(seed)
    targets = (torch.rand(n, 4, generator=generator) < torch.tensor([0.6, 0.4, 0.2, 0.1])).float()
    probabilities = (torch.rand(n, 4, generator=generator) * 0.7 + 0.3 * targets).mul(50).round()
    if absent:
        targets[:, -absent:] = 0
    return probabilities.div(50).clamp(0.01, 0.99), targets


def drawn_numbers(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Predicted and true numbers [N,1] float32, four neighbours alike."""
    generator = torch.Generator().manual_seed(seed)
    places = (
        torch.randn(-(-n // 4), 1, generator=generator).repeat_interleave(4, dim=0)[:n] * 3 + 10
    )
    predicted = places + torch.randn(n, 1, generator=generator)
    return predicted, places + 0.5 * torch.randn(n, 1, generator=generator)


def fours(n: int, seed: int) -> Tensor:
    """Groups of four neighbours, their names in any order.  [N] int64"""
    names = torch.randperm(-(-n // 4), generator=torch.Generator().manual_seed(seed))
    return names.repeat_interleave(4)[:n]


# kind, predictions and targets, groups
CASES = {
    "three classes": ("classes", drawn_classes(120, 3, 1), None),
    "seven unequal classes": ("classes", drawn_classes(150, 7, 2, (9, 5, 3, 3, 2, 1, 1)), None),
    "tied probabilities": ("classes", drawn_classes(90, 4, 3, levels=2), None),
    "classes without images": ("classes", drawn_classes(80, 6, 4, (3, 2, 2, 0, 1, 0)), None),
    "nothing wrong": (
        "classes",
        (torch.eye(3).repeat(10, 1) * 0.7 + 0.1, torch.arange(3).repeat(10)),
        None,
    ),
    "classes in groups": ("classes", drawn_classes(120, 3, 5), fours(120, 6)),
    "unequal classes in groups": (
        "classes",
        drawn_classes(122, 4, 7, (6, 2, 1, 1)),
        fours(122, 8),
    ),
    "two images": ("classes", (torch.tensor([[0.9, 0.1], [0.6, 0.4]]), torch.tensor([0, 1])), None),
    "labels": ("labels", drawn_labels(120, 9), None),
    "labels in groups": ("labels", drawn_labels(120, 10), fours(120, 11)),
    "a label that is nowhere": ("labels", drawn_labels(60, 12, absent=1), None),
    "no label anywhere": ("labels", drawn_labels(20, 13, absent=4), None),
    "numbers": ("numbers", drawn_numbers(100, 14), None),
    "numbers in groups": ("numbers", drawn_numbers(103, 15), fours(103, 16)),
    "many numbers": ("numbers", drawn_numbers(2600, 17), fours(2600, 18)),
    "equal numbers": ("numbers", (torch.tensor([[1.0], [2.0]]), torch.ones(2, 1)), None),
}
THRESHOLDS = (0.5, 0.4, 0.6, 0.3)


def perturbed(kind: str, predictions: Tensor, seed: int) -> Tensor:
    """What another network would predict of the same images."""
    noise = torch.randn(predictions.shape, generator=torch.Generator().manual_seed(seed))
    if kind == "classes":
        return (predictions.log() + noise).softmax(dim=1)
    if kind == "labels":
        return (predictions + 0.2 * noise).clamp(0.01, 0.99)
    return predictions + noise


HERE = Path(__file__).parent
NUMBERS = json.loads((HERE / "stored_numbers.json").read_text())
COMPARISONS = json.loads((HERE / "stored_comparisons.json").read_text())


def metric_of(kind: str, predictions: Tensor) -> Metric[Predicted]:
    if kind == "classes":
        return ClassMetric(CLASSES[: predictions.shape[1]])
    return LabelMetric(LABELS, THRESHOLDS) if kind == "labels" else RegressionMetric(scale=3.0)


def as_list(value: MetricValue) -> list[object]:
    """A number as it is stored."""
    return [value.name, value.value, value.n, value.unit, value.baseline]


def alike(value: object, stored: object) -> bool:
    """Whether both are the same, numbers to five digits; NaN is like NaN.

    Processors draw normal numbers and compute exp() of float32 to the last bit but one.
    """
    if isinstance(value, list | tuple | dict) and isinstance(stored, list | tuple | dict):
        pairs = zip(value, stored, strict=True)
        if isinstance(value, dict) and isinstance(stored, dict):
            pairs = ((value[key], stored[key]) for key in value | stored)
        return len(value) == len(stored) and all(alike(*pair) for pair in pairs)
    if isinstance(value, float) and isinstance(stored, float):
        return value == pytest.approx(stored, rel=1e-5, abs=1e-6, nan_ok=True)
    return value == stored


@pytest.mark.parametrize("case", CASES)
def test_every_number_is_what_it_was(case: str) -> None:
    kind, (predictions, targets), groups = CASES[case]
    metric, stored = metric_of(kind, predictions), NUMBERS[case]
    batches = zip(predictions.split(33), targets.split(33), strict=True)
    rows = Predicted.joined([metric.rows(*batch) for batch in batches])
    result = metric.report(rows, groups)
    numbers = [as_list(n) for n in result.metrics if "calibration error" not in n.name]
    assert alike(numbers, stored["numbers"])
    assert alike(as_list(primary_metric(metric, rows, groups)), stored["leading"])
    assert alike(scores(metric, rows), {k: stored["watched"][k] for k in scores(metric, rows)})
    assert alike(rows.losses[:5].tolist(), stored["losses"])
    tables = [
        [
            *(one.name, one.support, one.predicted, one.true_positives),
            *map(as_list, (one.precision, one.recall, one.f1)),
        ]
        for one in result.classes
    ]
    assert alike(tables, stored["classes"])
    assert alike(list(map(list, result.confusion)), stored["confusion"])


@pytest.mark.parametrize("case", CASES)
def test_a_number_by_its_name_is_that_of_the_whole_list(case: str) -> None:
    kind, (predictions, targets), groups = CASES[case]
    metric = metric_of(kind, predictions)
    rows = metric.rows(predictions, targets)
    for value in metric.report(rows, groups).metrics:
        if "per place" not in value.name:
            assert named_metric(metric, rows, value.name, groups) == value or isnan(value.value)


def written(kind: str, predictions: Tensor, targets: Tensor) -> Mapping[str, list[str]]:
    """The columns of predictions.csv."""
    rows = metric_of(kind, predictions).rows(predictions, targets)
    if kind == "numbers":
        predicted, true = (
            [f"{value:.6g}" for value in column.flatten().tolist()]
            for column in (predictions, targets)
        )
    elif kind == "classes":
        predicted, true = ([CLASSES[k] for k in c.tolist()] for c in (rows.answers, rows.targets))
    else:
        predicted, true = (
            ["|".join(n for n, there in zip(LABELS, row, strict=True) if there) for row in column]
            for column in (rows.answers.tolist(), rows.targets.tolist())
        )
    names = {"classes": CLASSES, "labels": LABELS, "numbers": ()}[kind]
    shares = {
        f"p({name})": [f"{p:.6f}" for p in column]
        for name, column in zip(names, predictions.T.tolist())
    }
    return {
        "prediction": predicted,
        "label": true,
        "loss": [f"{loss:.6f}" for loss in rows.losses.tolist()],
        **shares,
    }


@pytest.mark.parametrize("case", COMPARISONS)
def test_every_difference_is_what_it_was(case: str) -> None:
    """Of three networks, as they are compared from three files of predictions."""
    kind, (first, targets), groups = CASES[case]
    metric = metric_of(kind, first)
    networks = (first, *(perturbed(kind, first, 100 + k) for k in (1, 2)))
    rows = [metric.read(written(kind, predictions, targets)) for predictions in networks]
    if groups is not None:  # files name groups by words, which are numbered as they come
        groups = groups.unique_consecutive(return_inverse=True)[1]
    result = paired(metric, rows, groups)
    numbers = [[as_list(one.metric(k))[:4] for one in result] for k in range(3)]
    assert alike(numbers, COMPARISONS[case]["runs"])
    for (i, j), stored in zip(((0, 1), (0, 2), (1, 2)), COMPARISONS[case]["pairs"], strict=True):
        values = [one.difference(i, j).value for one in result]
        assert values == pytest.approx(stored[0], rel=1e-4, abs=1e-6, nan_ok=True)
        right, other = metric.correct(rows[i]), metric.correct(rows[j])
        if right is not None and other is not None:
            assert [int((right & ~other).sum()), int((other & ~right).sum())] == stored[1:]
