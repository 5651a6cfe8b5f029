"""The setting train.class_weights: names as people have them."""

from __future__ import annotations

import pytest
import torch

from saccade.data.batch import Batch
from saccade.data.item import EncodedImage, Item
from saccade.errors import RecipeError
from saccade.recipes.training import Train
from saccade.tasks.class_weights import weights_of_classes
from saccade.tasks.classification import Classification

CLASSES = ("golden retriever", "pug", "a=b", "salt, white", 'say "x"', "it's", "2")
ITEMS = [Item(name, name, EncodedImage(b"")) for name in CLASSES]


@pytest.mark.parametrize(
    ("rule", "weights"),
    [
        ("golden retriever=2 pug=0.5", {"golden retriever": 2, "pug": 0.5}),
        ('"golden retriever"=2, pug=1e-1', {"golden retriever": 2, "pug": 0.1}),
        ("a=b=3 it's=0", {"a=b": 3, "it's": 0}),
        ("salt, white=3,pug=2", {"salt, white": 3, "pug": 2}),
        ('"say ""x"""=3 2=4', {'say "x"': 3, "2": 4}),
        ("pug = 2", {"pug": 2}),
    ],
)
def test_names_with_blanks_and_signs_have_weights(rule: str, weights: dict[str, float]) -> None:
    expected = [weights.get(name, 1) for name in CLASSES]
    assert weights_of_classes(rule, ITEMS, CLASSES) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("pug=2 pug=5", "names the class 'pug' twice"),
        ("golden=2", "golden retriever"),
        ("pug=two", "cannot be 'pug=two'"),
        ("pug", "cannot be 'pug'"),
        ("pug=-1", "is -1"),
        ("pug=nan", "is nan"),
    ],
)
def test_weights_that_say_nothing_are_refused(rule: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        weights_of_classes(rule, ITEMS, CLASSES)


def test_a_table_of_the_recipe_file_is_read() -> None:
    rule = Train(class_weights={"golden retriever": 2, 'say "x"': 3}).class_weights  # type: ignore[arg-type]
    assert weights_of_classes(rule, ITEMS, CLASSES) == (2, 1, 1, 1, 3, 1, 1)


def test_a_batch_whose_weights_are_all_0_has_a_loss_of_0() -> None:
    last = torch.nn.Linear(3, 2)
    model = torch.nn.Sequential(torch.nn.Flatten(), last)
    task = Classification(("a", "b"), weights=(0.0, 1.0))
    images = torch.ones(2, 3, 1, 1)
    for targets, zero in (([0, 0], True), ([0, 1], False)):
        batch = Batch(images, torch.tensor(targets), torch.arange(2))
        loss = task.losses(model, batch)["loss"]
        model.zero_grad()
        loss.backward()
        gradient = last.weight.grad
        assert gradient is not None and gradient.isfinite().all()
        assert (loss.item() == 0) == zero == (not gradient.any())
