from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.data.batch import Batch
from saccade.data.item import ImageArray, Item
from saccade.errors import DataError
from saccade.tasks.classification import Classification

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
BATCH = Batch(LOGITS, torch.tensor([0, 2]), torch.arange(2))


class WithSides(nn.Module):
    """Answers with its input, twice it, and minus it."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return x, 2 * x, -x


def item(label: str | float) -> Item:
    return Item("a", label, ImageArray(torch.zeros(1, 1, dtype=torch.uint8).numpy()))


def test_the_loss_is_cross_entropy_with_weights_by_class() -> None:
    task = Classification(("a", "b", "c"), weights=(1.0, 1.0, 3.0))
    log_p = LOGITS.log_softmax(1)
    expected = -(log_p[0, 0] + 3 * log_p[1, 2]) / 4
    torch.testing.assert_close(task.losses(nn.Identity(), BATCH)["loss"], expected)


def test_shares_of_classes_are_targets_too() -> None:
    task = Classification(("a", "b", "c"))
    mixed = Batch(LOGITS[:1], torch.tensor([[0.75, 0.25, 0.0]]), torch.arange(1))
    log_p = LOGITS[0].log_softmax(0)
    expected = -(0.75 * log_p[0] + 0.25 * log_p[1])
    torch.testing.assert_close(task.losses(nn.Identity(), mixed)["loss"], expected)


def test_classifiers_at_the_side_count_three_tenths_and_say_nothing_in_the_end() -> None:
    task = Classification(("a", "b", "c"))
    each = [F.cross_entropy(k * LOGITS, BATCH.targets) for k in (1, 2, -1)]
    loss = task.losses(WithSides(), BATCH)["loss"]
    torch.testing.assert_close(loss, each[0] + 0.3 * (each[1] + each[2]))
    torch.testing.assert_close(task.predict(WithSides(), LOGITS), LOGITS.softmax(1))


def test_a_temperature_softens_what_is_predicted_and_not_the_loss() -> None:
    plain, soft = Classification(("a", "b", "c")), Classification(("a", "b", "c"), temperature=2.0)
    torch.testing.assert_close(soft.predict(nn.Identity(), LOGITS), (LOGITS / 2).softmax(1))
    loss = soft.losses(nn.Identity(), BATCH)["loss"]
    assert loss == plain.losses(nn.Identity(), BATCH)["loss"]


def test_targets_are_found_by_name() -> None:
    task = Classification(("ant", "bee"))
    assert task.targets([item("bee"), item("ant")]).tolist() == [1, 0]
    with pytest.raises(DataError, match="wasp"):
        task.targets([item("wasp")])
    with pytest.raises(DataError, match="one class name is needed"):
        task.targets([item(3.5)])
