"""Settings as data: every one says what it is, and takes what it says."""

from __future__ import annotations

import math
import pickle
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from saccade.errors import RecipeError
from saccade.recipes.allowed import Range, ShareOrCount, ZeroOr
from saccade.recipes.data import Data
from saccade.recipes.model import Model
from saccade.recipes.recipe import Recipe, all_settings
from saccade.recipes.setting import Setting, setting, settings_of
from saccade.recipes.training import Optim, Train

NUMBERS = [one.name for one in all_settings().values() if {int, float} & {*one.kinds}]
EVERY = list(all_settings().values())


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_every_setting_has_a_sentence_and_takes_its_default(one: Setting) -> None:
    assert one.sentence.endswith(".") and one.sentence[0].isupper()
    assert one.read(one.default) == one.default
    assert all(one.read(choice) == choice for choice in one.choices)
    assert one.takes


def test_every_field_of_a_recipe_is_a_setting() -> None:
    tables = get_type_hints(Recipe)
    names = [f"{part}.{f.name}" for part, table in tables.items() for f in fields(table)]
    assert list(all_settings()) == list(Recipe().settings()) == names


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", math.nan, math.inf, True, None, [1], {}])
@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_is_infinite_nor_anything_else(name: str, value: Any) -> None:
    with pytest.raises(RecipeError, match=f"{name} cannot be "):
        Recipe().with_({name: value})


@pytest.mark.parametrize(
    ("table", "changes"),
    [(Optim, {"lr": "fast"}), (Data, {"size": 0}), (Train, {"seed": -1}), (Model, {"head": "own"})],
)
def test_a_table_holds_its_values_to_their_ranges_however_it_is_made(
    table: type, changes: dict[str, Any]
) -> None:
    with pytest.raises(RecipeError, match="cannot be"):
        table(**changes)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("train.epochs", "1e3", 1000),
        ("train.epochs", 7.0, 7),
        ("train.seed", "9223372036854775807", 2**63 - 1),
        ("train.seed", 2**62 + 1, 2**62 + 1),
        ("optim.lr", "0.05", 0.05),
        ("optim.warmup", "auto", "auto"),
        ("data.augment", "flip translate:2", ("flip", "translate:2")),
        ("data.augment", ["flip"], ("flip",)),
        ("model.weights", Path("a/b"), "a/b"),
    ],
)
def test_text_and_numbers_are_read_exactly(name: str, value: Any, read: Any) -> None:
    found = all_settings()[name].read(value)
    assert found == read and type(found) is type(read)


@pytest.mark.parametrize("value", ["1e30", 2**63, "9" * 5000, "1.5", "-1", "1e400"])
def test_a_seed_is_a_whole_number_of_up_to_64_bits(value: Any) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe().with_({"train.seed": value})
    assert "a whole number from 0 to 9,223,372,036,854,775,807" in caught.value.hint


@pytest.mark.parametrize(
    ("allowed", "inside", "outside", "words"),
    [
        (Range(0), (0, 5), (-1,), "from 0 up"),
        (Range(0, closed="neither"), (0.1,), (0,), "above 0"),
        (Range(0, 1), (0, 1), (1.1, -0.1), "from 0 to 1"),
        (Range(0, 1, closed="left"), (0, 0.9), (1,), "from 0 to below 1"),
        (Range(0, 1, closed="right"), (0.1, 1), (0,), "above 0 and up to 1"),
        (Range(0, 1, closed="neither"), (0.5,), (0, 1), "between 0 and 1"),
        (ZeroOr(Range(3, 9)), (0, 3, 9), (1, 2, 10), "0 or from 3 to 9"),
        (ShareOrCount("steps"), (0, 0.5, 1, 500), (-1, 1.5), "a whole number of steps"),
    ],
)
def test_a_range_is_what_it_says(allowed: Any, inside: Any, outside: Any, words: str) -> None:
    assert all(number in allowed for number in inside)
    assert not any(number in allowed for number in outside)
    assert words in str(allowed)


def test_a_setting_is_a_field_with_its_words_as_metadata() -> None:
    made = setting(3, "Steps of a dance.", unit="steps", allowed=Range(1), flag="dance")
    assert made.default == 3
    assert made.metadata == {
        "sentence": "Steps of a dance.", "unit": "steps", "allowed": Range(1), "flag": "dance",
    }  # fmt: skip
    lr = next(one for one in settings_of(Optim) if one.name == "optim.lr")
    assert (lr.table, lr.field, lr.option) == ("optim", "lr", "")
    assert lr.takes == "a number above 0, or 'auto'"


def test_epochs_without_end_are_a_word_wherever_they_are_written() -> None:
    recipe = Recipe().with_({"train.epochs": "unlimited", "train.minutes": 5})
    assert recipe.train.epochs == 1_000_000
    assert f"{recipe.train.epochs:,} {recipe.train.epochs}" == "unlimited unlimited"
    assert 'epochs = "unlimited"' in recipe.to_toml() and "1000000" not in recipe.to_toml()
    assert Recipe().with_({"train.epochs": 1_000_000}) == Recipe().with_(
        {"train.epochs": "unlimited"}
    )
    assert pickle.loads(pickle.dumps(recipe.train.epochs)).word == "unlimited"
