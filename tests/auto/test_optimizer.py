"""A change of optimizer brings its own learning rate, momentum and weight decay along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import saccade
from saccade.auto.optimizer import NEEDS
from saccade.auto.resolve import resolve
from saccade.auto.summary import DatasetSummary, summarize
from saccade.data.sources import open_source
from saccade.engine.optim import OPTIMIZERS
from saccade.recipes.settings import Settings


@pytest.fixture(scope="module")
def digits() -> DatasetSummary:
    return summarize(open_source("digits").read("all"))


def resolved(digits: DatasetSummary, recipe: str | Path, **flags: Any) -> Settings:
    return resolve(recipe, {name.replace("__", "."): v for name, v in flags.items()}, digits)


def test_every_optimizer_says_what_it_needs() -> None:
    assert {*NEEDS} == {*OPTIMIZERS}


def test_another_optimizer_brings_its_own_values(digits: DatasetSummary) -> None:
    """The recipe has AdamW's 0.004 and 0.05: SGD learns at 15 times that, and decays 0.0005."""
    plain, other = resolved(digits, "small"), resolved(digits, "small", optim__name="sgd")
    assert (plain.recipe.optim.lr, plain.recipe.optim.weight_decay) == (0.004, 0.05)
    optim = other.recipe.optim
    assert (optim.lr, optim.momentum, optim.weight_decay) == (0.06, 0.9, 0.0005)
    assert other.origins["optim.lr"] == "auto: sgd's own; 0.004 is adamw's"
    assert other.origins["optim.weight_decay"] == "auto: sgd's own; 0.05 is adamw's"
    assert other.origins["optim.momentum"] == plain.origins["optim.momentum"]
    rms = resolved(digits, "small", optim__name="rmsprop").recipe.optim
    assert (rms.lr, rms.momentum, rms.weight_decay) == (0.0012, 0.0, 0.0)


def test_what_was_set_beside_it_stays(digits: DatasetSummary) -> None:
    settings = resolved(digits, "small", optim__name="sgd", optim__lr=0.3, optim__weight_decay=0)
    assert (settings.recipe.optim.lr, settings.recipe.optim.weight_decay) == (0.3, 0)
    assert settings.origins["optim.lr"] == "flag"
    found = resolved(digits, "small", optim__name="adam", optim__lr="auto").recipe.optim
    assert (found.lr, found.weight_decay) == ("auto", 0)


def test_a_recipes_own_optimizer_stays_as_it_is(digits: DatasetSummary) -> None:
    same = resolved(digits, "small", optim__name="adamw")
    assert same.recipe.optim == resolved(digits, "small").recipe.optim
    assert same.origins["optim.lr"] == "recipe small"
    back = resolved(digits, "lenet1998", optim__name="adamw").recipe.optim  # from SGD at 0.0005
    assert (back.lr, back.weight_decay) == (pytest.approx(0.000033), 0.05)


def test_a_file_that_names_one_gets_what_it_does_not_set(
    digits: DatasetSummary, tmp_path: Path
) -> None:
    """Recipes begin at AdamW's 0.003: 15 times that is 0.045."""
    file = tmp_path / "mine.toml"
    file.write_text('[optim]\nname = "sgd"\nmomentum = 0.8\n')
    optim = resolved(digits, file).recipe.optim
    assert (optim.lr, optim.momentum, optim.weight_decay) == (0.045, 0.8, 0.0005)
    run = resolved(digits, "small", optim__name="sgd", optim__weight_decay=0.05).recipe
    run.save(tmp_path / "recipe.toml")
    assert resolved(digits, tmp_path / "recipe.toml").recipe.optim == run.optim


def test_values_beside_an_optimizer_of_ones_own_are_told_to_be_made_for_another(
    digits: DatasetSummary,
) -> None:
    settings = resolved(digits, "small", optim__name=torch.optim.NAdam)
    assert settings.origins["optim.lr"] == "recipe small, made for adamw"
    assert settings.origins["optim.weight_decay"].endswith("made for adamw")


@pytest.mark.parametrize("name", NEEDS)
def test_each_optimizer_learns_the_digits_by_its_name_alone(name: str, tmp_path: Path) -> None:
    """What AdamW learns in six passes, 96 %, the others come near to."""
    settings = {"optim.name": name, "data.doctor": "off", "train.seed": 0}
    run = saccade.train("digits", epochs=6, out=tmp_path / name, with_=settings)
    assert run.test.primary.value > 0.85


@pytest.mark.parametrize(
    ("name", "size", "lr"),
    [
        ("adamw", 16, 0.002),  # half of 0.004: the root of a quarter
        ("adamw", 256, 0.008),
        ("adamw", 4096, 0.016),  # eight times by the root; four at most
        ("sgd", 16, 0.015),  # a quarter of 0.06
        ("sgd", 256, 0.06),
        ("adadelta", 16, 1.0),
    ],
)
def test_another_batch_size_brings_a_rate_that_fits_it(
    digits: DatasetSummary, name: str, size: int, lr: float
) -> None:
    settings = resolved(digits, "small", optim__name=name, train__batch_size=size)
    assert settings.recipe.optim.lr == lr
    if name == "adamw":
        assert settings.origins["optim.lr"] == f"auto: for batches of {size}; 0.004 is for 64"
    kept = resolved(digits, "small", train__batch_size=size, optim__lr=0.1)
    assert (kept.recipe.optim.lr, kept.origins["optim.lr"]) == (0.1, "flag")
