"""Labelled images as a bundle sees them: from several sides, and refused where they cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from saccade.augmentation.tta import tta_transforms
from saccade.data.cache import CachedImages
from saccade.data.decode import Preprocessing
from saccade.data.item import ImageArray, Item, Label
from saccade.errors import DataError
from saccade.evaluation.evaluation_set import EvaluationSet, named_by_synset
from saccade.models.class_names import class_names
from saccade.runs.bundle import Bundle
from saccade.tasks.classification import Classification
from saccade.tasks.multilabel import Multilabel
from saccade.tasks.regression import Regression
from saccade.tasks.task import Task

GREY = Preprocessing(size=8, colour="grey", mean=(0.5,), std=(0.5,))
TASKS: list[Task] = [
    Classification(("dark", "bright"), temperature=2.0),
    Multilabel(("dark", "bright")),
    Regression(mean=3.0, scale=2.0),
]


class Left(nn.Module):
    """Looks at the left half alone.  [N,C,H,W] -> [N,K]"""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.01, -0.02])[:outputs])

    def forward(self, x: Tensor) -> Tensor:
        half = x.float()[..., : x.shape[3] // 2].mean((1, 2, 3))
        return half[:, None] * self.weight


def bundle_of(task: Task) -> Bundle:
    return Bundle("left", task, GREY, Left(task.outputs))


def readable(task: Task, n: int = 7) -> EvaluationSet:
    images = torch.randint(0, 256, (n, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    store = CachedImages(images.byte())
    items = tuple(Item(f"{k}", None, ImageArray(store.rows[k, 0].numpy())) for k in range(n))
    shape = (n,) if isinstance(task, Classification) else (n, task.outputs)
    kind = torch.int64 if isinstance(task, Classification) else torch.float32
    return EvaluationSet(items, store, torch.zeros(shape, dtype=kind), ())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_an_image_seen_in_two_ways_gets_the_mean_of_both_answers(task: Task) -> None:
    ready, bundle = readable(task), bundle_of(task)
    result = ready.evaluate(bundle, tta_transforms(["flip"])).rows.predictions
    images = ready.images.take(torch.arange(7))
    both = [task.predict(bundle.model, copy) for copy in (images, images.flip(3))]
    assert not torch.allclose(both[0], both[1])
    torch.testing.assert_close(result, (both[0] + both[1]).detach() / 2)


def test_one_view_is_the_image_as_it_is() -> None:
    ready, bundle = readable(TASKS[0]), bundle_of(TASKS[0])
    result = ready.evaluate(bundle, tta_transforms([])).rows.predictions
    assert torch.equal(result, ready.evaluate(bundle).rows.predictions)


@pytest.mark.parametrize(
    ("task", "label", "what"),
    [
        (TASKS[0], 3.5, "has the label 3.5, which is for regression"),
        (TASKS[0], ("dark",), "which is for multilabel; this network was trained for classif"),
        (TASKS[0], None, "'one' has no label"),
        (TASKS[0], "grey", "'grey'"),
        (TASKS[1], 3.5, "which is for regression"),
        (TASKS[1], None, "'one' has no label"),
        (TASKS[1], ("dark", "grey"), "'grey'"),
        (TASKS[2], "dark", "which is for classification; this network was trained for regression"),
        (TASKS[2], None, "'one' has no label"),
    ],
)
def test_labels_that_a_network_cannot_be_measured_by_are_refused(
    task: Task, label: Label, what: str
) -> None:
    """Before an image is read: this one could not be."""
    item = Item("one", label, ImageArray(torch.zeros(0).byte().numpy()))
    with pytest.raises(DataError, match=what):
        EvaluationSet.of([item], bundle_of(task))


def test_no_image_at_all_is_an_error_in_words() -> None:
    with pytest.raises(DataError, match="no image can be read"):
        EvaluationSet.of([], bundle_of(TASKS[0]))


def test_a_synset_of_imagenet_is_the_class_that_public_weights_name() -> None:
    names = class_names("imagenet")
    labels = ("n01440764", "crane (n02012849)", "crane (n03126707)", "tench", "n99999999", None)
    items = [Item("a", label, ImageArray(np.zeros((2, 2), np.uint8))) for label in labels]
    found = [named_by_synset(item, names).label for item in items]
    assert found == ["tench", "crane bird", "crane", "tench", "n99999999", None]
    assert named_by_synset(items[0], ("n01440764", "dog")).label == "n01440764"
