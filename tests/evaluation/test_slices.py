"""Slices: which part each image is in, and the number of each part."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from saccade.data.cache import CachedImages
from saccade.data.item import ImageArray, Item
from saccade.engine.evaluate import EvaluationOutputs
from saccade.errors import DataError, UsageError
from saccade.evaluation.evaluation_set import NO_SLICE, EvaluationSet, slice_of_each, slices
from saccade.tasks.classification import Classification
from saccade.tasks.multilabel import Multilabel
from saccade.tasks.regression import Regression

BLANK = ImageArray(torch.zeros(8, 8, dtype=torch.uint8).numpy())
ITEMS = [
    Item("day/a_1.png", "cat", BLANK, "barn"),
    Item("day/b_2.png", "cat", BLANK, "barn"),
    Item("night/a_3.png", "dog", BLANK, "house"),
    Item("night/b_10.png", "dog", BLANK),
]


def parts(by: str, data: str | None = None) -> list[str]:
    return list(slice_of_each(ITEMS, by, data).values())


def test_images_fall_into_slices_by_group_folder_and_name() -> None:
    assert parts("group") == ["barn", "barn", "house", NO_SLICE]
    assert parts("folder") == ["day", "day", "night", "night"]
    assert parts("/(a|b)_") == ["a", "b", "a", "b"]
    assert parts("night") == [NO_SLICE, NO_SLICE, "night", "night"]


def test_a_column_of_the_table_of_the_images_makes_slices(tmp_path: Path) -> None:
    table = tmp_path / "photos.csv"
    table.write_text(
        "path,label,Sky\nday/a_1.png,cat,blue\nday\\b_2.png,cat,grey\nnight/a_3.png,dog,\n"
    )
    assert parts("sky", f"{table}::label") == ["blue", "grey", NO_SLICE, NO_SLICE]
    assert parts("(a|b)_", str(table)) == ["a", "b", "a", "b"]  # no column of it


def test_another_table_makes_slices(tmp_path: Path) -> None:
    table = tmp_path / "weather.tsv"
    table.write_text("wind\tfile\tsky\nlow\tday/a_1.png\tblue\nhigh\tnight/a_3.png\tblack\n")
    assert parts(f"{table}::sky") == ["blue", NO_SLICE, "black", NO_SLICE]
    assert parts(str(table)) == ["low", NO_SLICE, "high", NO_SLICE]
    with pytest.raises(DataError, match="no column is called 'skies'"):
        parts(f"{table}::skies")
    with pytest.raises(DataError, match="there is no table"):
        parts(str(tmp_path / "elsewhere.csv"))
    table.write_text("wind,sky\nlow,blue\n")
    with pytest.raises(DataError, match="does not say which image"):
        parts(str(table))


def test_what_makes_no_slices_is_refused() -> None:
    with pytest.raises(UsageError, match="'camera' tells nothing of these images") as caught:
        parts("camera")
    assert "a column of the table" in caught.value.hint
    with pytest.raises(UsageError, match="is no regular expression"):
        parts("(")
    many = [Item(f"{k}.png", "cat", BLANK) for k in range(201)]
    with pytest.raises(UsageError, match="makes 201 slices of 201 images"):
        slice_of_each(many, r"\d+", None)
    with pytest.raises(UsageError, match="makes a group of each image: it makes of '0"):
        slice_of_each(many[:9], r"\d+", None)


def ready(n: int = 4) -> EvaluationSet:
    return EvaluationSet(
        tuple(ITEMS[:n]), CachedImages(torch.zeros(n, 1, 8, 8).byte()), torch.zeros(n), ()
    )


def test_each_slice_has_its_number_interval_and_n() -> None:
    """Of 1 in 2 the mid-p interval is 2.5 to 97.5 %: 2 p (1 - p) / 2 + p^2 = p = 0.025."""
    predictions = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]])
    task, targets = Classification(("cat", "dog")), torch.tensor([0, 0, 1, 1])
    result = EvaluationOutputs(task.metric().rows(predictions, targets))
    plain = EvaluationSet(
        tuple(Item(i.name, i.label, i.image) for i in ITEMS), ready().images, targets, ()
    )
    by = slice_of_each(ITEMS, "folder", None)
    day, night = slices(task, result, plain, by, "accuracy")
    assert (day.name, day.metric.value, day.metric.n) == ("day", 0.5, 2)
    assert day.metric.interval == pytest.approx((0.025, 0.975), abs=1e-4)
    assert (night.name, night.metric.value, night.metric.n) == ("night", 1.0, 2)
    assert day.metric.name == "accuracy"
    assert slices(task, result, plain, {}, "accuracy") == ()


def test_a_slice_too_small_for_its_number_is_undefined() -> None:
    numbers, labels = Regression(), Multilabel(("a", "b"))
    outputs = EvaluationOutputs(
        numbers.metric().rows(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.5], [2.0]]))
    )
    names = {"day/a_1.png": "a", "day/b_2.png": "b"}
    one, other = slices(numbers, outputs, ready(2), names, "R2")
    assert one.metric.value != one.metric.value and other.metric.value != other.metric.value
    marks = torch.tensor([[0.1, 0.2], [0.9, 0.2]]), torch.tensor([[0.0, 0], [1, 0]])
    label_outputs = EvaluationOutputs(labels.metric().rows(*marks))
    bare, full = slices(labels, label_outputs, ready(2), names, "mean average precision")
    assert bare.metric.value != bare.metric.value and full.metric.value == 1
