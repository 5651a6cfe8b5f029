from __future__ import annotations

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
