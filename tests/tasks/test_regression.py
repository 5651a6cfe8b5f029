from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from saccade.data.batch import Batch
from saccade.data.item import ImageArray, Item
from saccade.errors import DataError, RecipeError
from saccade.tasks.catalogue import read_task, task_for
from saccade.tasks.regression import Regression

TASK = Regression(mean=100.0, scale=20.0)


def item(label: float | str | bool) -> Item:
    return Item("a", label, ImageArray(torch.zeros(1, 1, dtype=torch.uint8).numpy()))


def test_mean_and_scale_are_those_of_the_images_to_train_on() -> None:
    found = Regression.of([item(1.0), item(2.0), item(6.0)])
    assert found.mean == pytest.approx(3.0)
    assert found.scale == pytest.approx(7**0.5)  # (4 + 1 + 9) / 2


def test_a_large_offset_loses_nothing_of_the_scale() -> None:
    found = Regression.of([item(1e6 + k) for k in (1.0, 2.0, 3.0)])
    assert found.scale == pytest.approx(1.0)


def test_large_numbers_with_little_between_are_told_apart() -> None:
    """float32 has a number in 128 at 1.7e9."""
    seconds = [item(1.7e9 + k) for k in (0.0, 1.0, 5.0)]
    found = Regression.of(seconds)
    assert found.mean == 1.7e9 + 2 and found.scale == pytest.approx(7**0.5)
    targets = found.targets(seconds)
    assert (targets - 1.7e9).flatten().tolist() == [0, 1, 5]
    assert found.head_targets(targets).dtype is torch.float32
    outputs = torch.tensor([[-2.0], [3.0]]) / 7**0.5
    predictions = found.predict(nn.Identity(), outputs)
    assert (predictions - 1.7e9).flatten().tolist() == pytest.approx([0, 5], abs=1e-5)
    assert found.cells(predictions + 0.25) == ["1700000000.25", "1700000005.25"]
    (answer,) = replace(found, margin=2.5).answers(["a"], predictions[1:])
    assert str(answer) == "1,700,000,005 ± 2.5"
    assert Regression.read((), found.config()).dtype is torch.float64


def test_small_numbers_are_printed_with_their_figures() -> None:
    assert TASK.cells(torch.tensor([[0.0001234567], [1234567.0], [0.0]])) == [
        "0.000123457", "1234567", "0"
    ]  # fmt: skip


def test_the_network_learns_numbers_less_their_mean_over_their_scale() -> None:
    outputs = torch.tensor([[1.0], [0.0]])
    batch = Batch(outputs, torch.tensor([[140.0], [90.0]]), torch.arange(2))
    loss = TASK.losses(nn.Identity(), batch)["loss"]  # wanted are 2 and -0.5
    assert float(loss) == pytest.approx((1 + 0.25) / 2)
    assert TASK.predict(nn.Identity(), outputs).tolist() == [[120.0], [100.0]]
    errors = TASK.metric().rows(torch.tensor([[120.0], [100.0]]), batch.targets).losses
    assert errors.tolist() == pytest.approx([1.0, 0.25])


def test_the_margin_is_the_conformal_quantile_of_validation() -> None:
    missed = torch.arange(1.0, 20.0)[:, None]  # 1 to 19; ceil(0.9 * 20) = 18
    task, facts = TASK.calibrate(missed, torch.zeros(19, 1))
    assert task.margin == facts["margin"] == 18.0
    assert read_task("regression", (), task.config()) == task


def test_nine_images_are_the_fewest_for_a_margin() -> None:
    some = torch.arange(9.0)[:, None]
    assert TASK.calibrate(some, torch.zeros(9, 1))[0].margin == 8.0
    task, facts = TASK.calibrate(some[:8], torch.zeros(8, 1))
    assert task.margin is None
    assert "too few" in facts["note"]


def test_the_margin_holds_nine_in_ten_of_new_images() -> None:
    generator = torch.Generator().manual_seed(0)
    shares = []
    for _ in range(300):
        missed = torch.randn(39 + 200, 1, generator=generator)
        task, _ = TASK.calibrate(missed[:39], torch.zeros(39, 1))
        shares.append(float((missed[39:].abs() <= (task.margin or 0)).double().mean()))
    assert sum(shares) / 300 == pytest.approx(0.9, abs=0.01)  # 36 of 40 ranks, exactly


def test_a_label_that_is_no_number_is_refused() -> None:
    with pytest.raises(DataError, match="'ant' where a number is needed"):
        TASK.targets([item("ant")])
    with pytest.raises(DataError, match="True where a number is needed"):
        TASK.targets([item(True)])


def test_equal_numbers_teach_nothing() -> None:
    with pytest.raises(DataError, match="the same number"):
        Regression.of([item(2.0), item(2.0)])


def test_what_is_for_classes_is_refused_for_numbers() -> None:
    items = [item(1.0), item(2.0)]
    words = "is for classification and multilabel; this is regression"
    with pytest.raises(RecipeError, match=f"label_smoothing {words}"):
        task_for(items, (), label_smoothing=0.1)
    with pytest.raises(RecipeError, match=f"class_weights {words}"):
        task_for(items, (), weights="auto")
