"""One suite over every recipe, and over every setting that a recipe may take."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import get_args

import pytest
import torch

from saccade.augmentation.augmentation import compose
from saccade.augmentation.catalogue import parse_augmentation
from saccade.auto.resolve import resolve
from saccade.auto.summary import DatasetSummary
from saccade.data.batch import Batch
from saccade.engine.optim import OPTIMIZERS
from saccade.engine.schedule import CYCLES, SCHEDULES
from saccade.errors import RecipeError
from saccade.models.create import check_size, create_model, input_shape
from saccade.models.weights import weights_entry
from saccade.recipes.recipe import Recipe
from saccade.recipes.shipped import RECIPES
from saccade.recipes.training import Optimizer, Schedule

DIGITS, SCENES = (
    DatasetSummary(short_side=28, grey=True),
    DatasetSummary(short_side=375, grey=False),
)


@cache
def resolved(name: str) -> Recipe:
    """The recipe for images of its kind, without an `auto` left."""
    small = name in ("small", "speed", "lenet1998", "cifar_resnet2015")
    seen = DIGITS if small else SCENES
    return resolve(
        name, {}, seen, find_weights=lambda *asked: [weights_entry("resnet18", "imagenet")]
    ).recipe


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_it_is_for(name: str) -> None:
    assert RECIPES[name].__doc__
    assert RECIPES[name].__name__ == name


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_resolves_and_is_read_back_equal(name: str, tmp_path: Path) -> None:
    for recipe in (RECIPES[name](), resolved(name)):
        recipe.save(tmp_path / "recipe.toml")
        assert Recipe.load(tmp_path / "recipe.toml") == recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_value_that_a_recipe_states_is_kept(name: str) -> None:
    stated, kept = RECIPES[name]().settings(), resolved(name).settings()
    changed = {setting for setting in stated if kept[setting] != stated[setting]}
    assert {stated[setting] for setting in changed} <= {"auto"}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipes_network_takes_what_its_augmentations_give(name: str) -> None:
    recipe = resolved(name)
    channels, _, _ = input_shape(recipe.model.name)
    size = int(recipe.data.size)
    augment = compose([parse_augmentation(text, classes=10) for text in recipe.data.augment])
    images = torch.randint(0, 256, (2, channels, size, size), dtype=torch.uint8)
    batch = Batch(images, torch.tensor([3, 7]), torch.arange(2))
    seen = augment(batch, torch.Generator().manual_seed(0)).images
    assert seen.shape[:2] == images.shape[:2]
    check_size(recipe.model.name, size)
    check_size(recipe.model.name, *seen.shape[2:])
    with torch.device("meta"):
        network = create_model(recipe.model.name, 10).train()
        assert network(seen.to("meta")).shape == (2, 10)


def test_imagenet_trains_on_smaller_images_than_it_tests_on() -> None:
    recipe = RECIPES["imagenet"]()
    augment = compose([parse_augmentation(text, classes=10) for text in recipe.data.augment])
    batch = Batch(torch.zeros(1, 3, 224, 224), torch.tensor([0]), torch.tensor([0]))
    assert augment(batch, torch.Generator()).images.shape[-1] == 176 < int(recipe.data.size)


def test_the_historic_recipes_have_their_papers_numbers() -> None:
    """Learning rate, momentum, weight decay, batch, passes."""
    papers = {
        "alexnet2012": (0.01, 0.9, 0.0005, 128, 90),  # Krizhevsky 2012, Section 5
        "vgg2014": (0.01, 0.9, 0.0005, 256, 74),  # Simonyan 2014, Section 3.1
        "resnet2015": (0.1, 0.9, 0.0001, 256, 120),  # He 2015, Section 3.4: 600,000 steps
        "cifar_resnet2015": (0.1, 0.9, 0.0001, 128, 182),  # Section 4.2: 64,000 steps of 45,000
    }
    for name, paper in papers.items():
        o, t = RECIPES[name]().optim, RECIPES[name]().train
        assert (o.lr, o.momentum, o.weight_decay, t.batch_size, t.epochs) == paper
        assert (o.name, o.warmup, t.label_smoothing, t.ema) == ("sgd", 0, 0, 0)


def test_every_optimizer_and_every_schedule_can_be_asked_for_by_name() -> None:
    assert set(get_args(Optimizer)) == set(OPTIMIZERS)
    assert set(get_args(Schedule)) == {*SCHEDULES, *CYCLES}
    for name in OPTIMIZERS:
        for schedule in (*SCHEDULES, *CYCLES):
            asked = Recipe().with_({"optim.name": name, "optim.schedule": schedule})
            assert (asked.optim.name, asked.optim.schedule) == (name, schedule)


@pytest.mark.parametrize(
    ("changes", "what", "hint"),
    [
        ({"optim.name": "nesterov", "optim.momentum": 0}, "momentum of nesterov", "above 0"),
        ({"optim.warmup": 1.5}, "optim.warmup cannot be '1.5'", "whole number of steps"),
        ({"optim.warmup": -1}, "optim.warmup cannot be '-1'", "a share from 0"),
        ({"optim.warmup": "inf"}, "optim.warmup cannot be 'inf'", "whole number of steps"),
        ({"optim.plateau_patience": -1}, "optim.plateau_patience cannot be '-1'", "from 0 up"),
        ({"optim.layer_decay": 0}, "optim.layer_decay cannot be '0'", "above 0 and up to 1"),
        ({"optim.layer_decay": 1.1}, "optim.layer_decay cannot be '1.1'", "above 0 and up to 1"),
        ({"optim.lookahead": -5}, "optim.lookahead cannot be '-5'", "from 0 up"),
        ({"train.minutes": -1}, "train.minutes cannot be '-1'", "from 0 to 525,600"),
        ({"train.minutes": "nan"}, "train.minutes cannot be 'nan'", "from 0 to 525,600"),
        ({"train.micro_batch_size": -1}, "train.micro_batch_size cannot be '-1'", "from 0 up"),
        ({"train.ema": 1}, "train.ema cannot be '1'", "'auto'"),
        ({"train.ema": "long"}, "train.ema cannot be 'long'", "'auto'"),
        (
            {"train.minutes": 10, "optim.warmup": 500},
            "optim.warmup cannot be '500' steps where train.minutes is set",
            "share",
        ),
        (
            {"train.micro_batch_size": 8, "train.class_weights": "auto"},
            "train.micro_batch_size does not go with train.class_weights",
            "data.sampling=balanced",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_can(changes: dict, what: str, hint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe().with_(changes)
    assert what in caught.value.what
    assert hint in caught.value.hint
