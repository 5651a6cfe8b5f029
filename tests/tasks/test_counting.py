from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics import d2_tweedie_score, mean_poisson_deviance
from torch import nn

from saccade.data.batch import Batch
from saccade.data.item import Count, ImageArray, Item, Label
from saccade.errors import DataError, RecipeError
from saccade.tasks.catalogue import read_task, task_for, task_type
from saccade.tasks.counting import Counting, bounds, deviances

TASK = Counting(mean=4.0)


def item(label: Label) -> Item:
    return Item("a", label, ImageArray(torch.zeros(1, 1, dtype=torch.uint8).numpy()))


def counts() -> tuple[torch.Tensor, torch.Tensor]:
    """What is predicted, and the truth drawn from it, zeros among it.  [60,1], [60,1]"""
    generator = torch.Generator().manual_seed(1)
    predicted = 0.2 + 6 * torch.rand(60, 1, generator=generator)
    return predicted, torch.poisson(predicted, generator=generator)


def test_the_loss_is_the_deviance_of_poisson_in_units_of_the_mean_by_hand() -> None:
    logarithms = torch.tensor([[0.0], [math.log(2)]])  # 4 and 8 are predicted
    batch = Batch(logarithms, torch.tensor([[6.0], [0.0]]), torch.arange(2))
    first = 2 * (6 * math.log(6 / 4) - (6 - 4))
    second = 2 * 8.0  # t log(t / 8) is 0 at t = 0
    loss = TASK.losses(nn.Identity(), batch)["loss"]
    assert float(loss) == pytest.approx((first + second) / 2 / 4, rel=1e-5)
    predicted = TASK.predict(nn.Identity(), logarithms)
    assert predicted.flatten().tolist() == pytest.approx([4.0, 8.0])
    assert deviances(predicted, batch.targets).tolist() == pytest.approx([first, second])


def test_the_loss_is_least_at_the_mean_of_the_counts() -> None:
    output = torch.zeros(3, 1, requires_grad=True)
    batch = Batch(output, torch.tensor([[1.0], [4.0], [7.0]]), torch.arange(3))
    TASK.losses(nn.Identity(), batch)["loss"].backward()
    assert output.grad is not None
    assert float(output.grad.sum()) == pytest.approx(0, abs=1e-6)


def test_deviances_are_those_of_scikit_learn() -> None:
    predicted, true = counts()
    metric = TASK.metric()
    measured = metric.report(metric.rows(predicted, true))
    pair = true.flatten().double().numpy(), predicted.flatten().double().numpy()
    assert measured["mean Poisson deviance"].value == pytest.approx(mean_poisson_deviance(*pair))
    explained = d2_tweedie_score(*pair, power=1)
    assert measured["deviance explained"].value == pytest.approx(explained)
    assert measured.metrics[0].name == "deviance explained"


def test_a_count_that_was_thought_impossible_is_far_off_and_no_infinity() -> None:
    assert math.isfinite(float(deviances(torch.tensor([[0.0]]), torch.tensor([[3.0]]))))
    assert float(deviances(torch.tensor([[0.0]]), torch.tensor([[0.0]]))) == pytest.approx(0)


def test_bounds_are_whole_counts_that_widen_with_the_root() -> None:
    assert bounds(9.0, 1.0) == (4, 16)  # (3 - 1)^2, (3 + 1)^2
    assert bounds(10.0, 1.0) == (5, 17)  # 4.68 and 17.32
    assert bounds(0.5, 1.0) == (0, 2)


def test_bounds_hold_nine_in_ten_of_new_counts() -> None:
    generator = torch.Generator().manual_seed(0)
    shares = []
    for _ in range(200):
        rates = 0.5 + 20 * torch.rand(39 + 200, 1, generator=generator)
        true = torch.poisson(rates, generator=generator)
        task, _ = TASK.calibrate(rates[:39], true[:39])
        answers = task.answers(["x"] * 200, rates[39:])
        ends = torch.tensor([[answer.low, answer.high] for answer in answers])  # type: ignore[attr-defined]
        within = (ends[:, :1] <= true[39:]) & (true[39:] <= ends[:, 1:])
        shares.append(float(within.double().mean()))
    assert 0.89 < sum(shares) / 200 < 0.93  # whole counts hold a little more than 36 of 40 ranks


def test_too_few_images_give_no_bounds() -> None:
    predicted, true = counts()
    task, facts = TASK.calibrate(predicted[:8], true[:8])
    assert task.root_margin is None and "too few" in facts["note"]
    assert [cell for cell in task.answers(["x"], predicted[:1])[0].cells()[1:]] == ["", ""]


def test_an_answer_is_read_as_a_count_with_its_bounds() -> None:
    answer = Counting(4.0, root_margin=1.0).answers(["a.png"], torch.tensor([[9.04]]))[0]
    assert str(answer) == "9.04 (5 to 16)"
    assert answer.columns() == ["count", "low", "high"]
    assert answer.cells() == ["9.04", "5", "16"]


def test_the_mean_is_that_of_the_images_to_train_on() -> None:
    items = [item(Count(0)), item(Count(1)), item(Count(5))]
    task = task_for(items, ())
    assert task == Counting(mean=2.0)
    assert read_task("counting", (), task.config()) == task
    assert task.targets(items).tolist() == [[0.0], [1.0], [5.0]]


def test_a_count_is_told_from_a_number_by_the_type_of_the_label() -> None:
    assert task_type([item(Count(3)), item(Count(4))]) is Counting
    assert task_type([item(3.0)]) is not Counting
    with pytest.raises(DataError, match="counting and regression"):
        task_type([item(3.0), item(Count(3))])
    with pytest.raises(DataError, match=r"3\.0 where a count is needed"):
        TASK.targets([item(3.0)])


def test_what_is_for_classes_is_refused_for_counts() -> None:
    items = [item(Count(1)), item(Count(2))]
    with pytest.raises(RecipeError, match="this is counting"):
        task_for(items, (), label_smoothing=0.1)
    with pytest.raises(DataError, match="the same count"):
        task_for([item(Count(2))] * 3, ())
