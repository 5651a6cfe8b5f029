"""What a recipe changes in its network: refused before work, or there when training begins."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from saccade.auto.resolve import resolve
from saccade.auto.summary import DatasetSummary, summarize
from saccade.data.sources import open_source
from saccade.data.splits import split_data
from saccade.errors import RecipeError, UsageError
from saccade.models.layers.activations import ACTIVATIONS
from saccade.models.layers.initialise import INITIALISATIONS
from saccade.recipes.model import Activation, Init
from saccade.recipes.recipe import Recipe
from saccade.training.prepare import TrainingSetup, prepare

GREY = DatasetSummary(short_side=8, grey=True)


def prepared(**changes: object) -> TrainingSetup:
    """The embedded digits, made ready with settings of the model such as init="zero"."""
    division = split_data(open_source(None), val=0.15, test=0.15, seed=0)
    flags = {f"model.{name}": value for name, value in changes.items()}
    recipe = resolve("small", flags, summarize(division.train)).recipe
    return prepare(recipe, division, lambda done, total: None)


def test_every_activation_and_every_initialisation_can_be_asked_for_by_name() -> None:
    assert set(get_args(Activation)) == {"own", *ACTIVATIONS}
    assert set(get_args(Init)) == {"own", *INITIALISATIONS}
    asked = Recipe().with_({"model.activation": "tanh", "model.without": "conv3 fc7"})
    assert (asked.model.activation, asked.model.without) == ("tanh", ("conv3", "fc7"))
    with pytest.raises(RecipeError, match=r"model\.init cannot be 'glorot'"):
        Recipe().with_({"model.init": "glorot"})


def test_the_settings_reach_the_network() -> None:
    model = prepared(without="f6", activation="tanh", init="zero").model
    assert "f6" not in dict(model.named_children())
    kinds = {type(module).__name__ for module in model.modules()}
    assert "Tanh" in kinds and "ReLU" not in kinds
    assert not any(p.any() for p in model.parameters())


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"model.without": "f9"}, "no layer of this network is called 'f9'"),
        ({"model.without": "output"}, "the last layer, which names the classes, has to stay"),
        ({"model.name": "logistic_regression", "model.activation": "relu"}, "none to replace"),
    ],
)
def test_what_the_network_cannot_have_is_refused_before_any_work(changes: dict, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve("small", changes, GREY)
    assert words in str(caught.value)


def test_images_grow_with_the_training() -> None:
    division = split_data(open_source(None), val=0.15, test=0.15, seed=0)
    flags = {"data.progressive_resizing": 0.5, "data.size": 16, "model.name": "cifar_resnet20"}
    recipe = resolve("small", flags, summarize(division.train)).recipe
    ready = prepare(recipe, division, lambda done, total: None)
    batch = next(iter(ready.loader.epoch(0, 0)))
    sides = []
    for done in (0.0, 0.3, 0.6, 0.9):
        ready.stepper.done = done
        sides.append(ready.augment(batch, torch.Generator()).images.shape[2])
    assert sides == [8, 12, 12, 16]  # 8, 10.7, 13.3 and 16, in units of 4


def test_a_size_that_the_network_cannot_take_is_refused_before_any_work() -> None:
    with pytest.raises(UsageError, match="input 16x16 does not fit lenet5"):
        resolve("small", {"data.progressive_resizing": 0.5}, GREY)
    with pytest.raises(UsageError, match="input 20x20 does not fit lenet5"):
        resolve("small", {"data.augment": "resized_crop:size=20"}, GREY)
    with pytest.raises(RecipeError, match=r"data\.progressive_resizing cannot be '0'"):
        resolve("small", {"data.progressive_resizing": 0}, GREY)
