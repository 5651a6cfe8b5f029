from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics import f1_score
from torch import nn

from saccade.data.batch import Batch
from saccade.data.item import ImageArray, Item
from saccade.errors import DataError
from saccade.metrics.multilabel import best_f1_thresholds
from saccade.tasks.catalogue import read_task, task_for, task_type
from saccade.tasks.multilabel import Multilabel

LOGITS = torch.tensor([[2.0, -1.0], [0.0, 0.5]])
TARGETS = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
BATCH = Batch(LOGITS, TARGETS, torch.arange(2))


def item(label: str | float | tuple[str, ...] | None, name: str = "a") -> Item:
    return Item(name, label, ImageArray(torch.zeros(1, 1, dtype=torch.uint8).numpy()))


def loss_of(task: Multilabel, batch: Batch = BATCH) -> float:
    return float(task.losses(nn.Identity(), batch)["loss"])


def minus_log(p: float) -> float:
    return -math.log(p)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_loss_is_binary_cross_entropy_of_each_label_by_hand() -> None:
    terms = [sigmoid(2), 1 - sigmoid(-1), 1 - sigmoid(0), sigmoid(0.5)]
    expected = sum(map(minus_log, terms)) / 4
    assert loss_of(Multilabel(("cat", "dog"))) == pytest.approx(expected, abs=1e-6)


def test_the_weight_of_a_label_counts_where_it_is_there_only() -> None:
    there, gone = minus_log(sigmoid(2)), minus_log(1 - sigmoid(0))
    others = minus_log(1 - sigmoid(-1)) + minus_log(sigmoid(0.5))
    expected = (3 * there + gone + others) / 4
    task = Multilabel(("cat", "dog"), weights=(3.0, 1.0))
    assert loss_of(task) == pytest.approx(expected, abs=1e-6)


def test_smoothing_draws_every_target_to_one_half() -> None:
    p = [[sigmoid(2), sigmoid(-1)], [sigmoid(0), sigmoid(0.5)]]
    t = [[0.9, 0.1], [0.1, 0.9]]
    terms = [
        t[i][k] * minus_log(p[i][k]) + (1 - t[i][k]) * minus_log(1 - p[i][k])
        for i in range(2)
        for k in range(2)
    ]
    task = Multilabel(("cat", "dog"), label_smoothing=0.2)
    assert loss_of(task) == pytest.approx(sum(terms) / 4, abs=1e-6)


def test_targets_are_found_by_name_and_an_image_may_carry_none() -> None:
    task = Multilabel(("ant", "bee", "fly"))
    items = [item(("bee", "ant")), item(()), item("fly")]
    assert task.targets(items).tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]
    with pytest.raises(DataError, match="wasp"):
        task.targets([item(("wasp",))])
    with pytest.raises(DataError, match=r"3\.5 where label names are needed"):
        task.targets([item(3.5)])


def test_a_label_is_given_from_its_threshold_on() -> None:
    task = Multilabel(("ant", "bee"), thresholds=(0.3, 0.9))
    cells = task.cells(torch.tensor([[0.3, 0.95], [0.29, 0.89], [0.5, 0.1]]))
    assert cells == ["ant|bee", "", "ant"]
    assert Multilabel(("ant", "bee")).cells(torch.tensor([[0.5, 0.49]])) == ["ant"]


def test_thresholds_have_the_highest_f1_of_all_there_are() -> None:
    generator = torch.Generator().manual_seed(3)
    truth = (torch.rand(80, 3, generator=generator) < torch.tensor([0.5, 0.2, 0.1])).float()
    predictions = (0.4 * truth + torch.rand(80, 3, generator=generator)).clamp(max=1)
    for k, threshold in enumerate(best_f1_thresholds(predictions, truth)):
        tried = [f1_score(truth[:, k], predictions[:, k] >= t) for t in predictions[:, k]]
        assert f1_score(truth[:, k], predictions[:, k] >= threshold) == pytest.approx(max(tried))


def test_a_rare_label_keeps_one_half_and_the_others_are_told_by_name() -> None:
    truth = torch.tensor([[1.0, 1.0]] * 4 + [[1.0, 0.0]] * 2 + [[0.0, 0.0]] * 4)
    predictions = torch.where(truth > 0, 0.35, 0.1)
    task, facts = Multilabel(("common", "rare")).calibrate(predictions, truth)
    assert facts["thresholds"] == {"common": pytest.approx(0.225), "rare": 0.5}
    assert task.thresholds == (pytest.approx(0.225), 0.5)
    assert read_task("multilabel", task.classes, task.config()) == task


def test_a_bundle_from_when_the_kind_was_called_labelling_is_still_read() -> None:
    task = Multilabel(("a", "b"), thresholds=(0.25, 0.5))
    assert read_task("labelling", task.classes, {"thresholds": [0.25, 0.5]}) == task


def test_rare_labels_weigh_as_many_times_as_they_are_missing() -> None:
    items = [item(("a",))] * 6 + [item(("a", "b"))] * 2
    task = task_for(items, ("a", "b"), weights="auto")
    assert isinstance(task, Multilabel)
    assert task.weights == (0.0, 3.0)  # 0 of 8 without a; 6 without b for 2 with it


def test_the_kind_of_all_labels_must_be_one() -> None:
    assert task_type([item(("a",)), item(None)]) is Multilabel
    with pytest.raises(DataError, match="classification and regression"):
        task_type([item("a"), item(1.0)])
    with pytest.raises(DataError, match="no labels"):
        task_type([item(None)])


def test_labels_that_never_vary_are_refused() -> None:
    with pytest.raises(DataError, match="carry the same labels: a"):
        task_for([item(("a",))] * 3, ("a",))
    assert task_for([item(("a",)), item(())], ("a",)).outputs == 1
