from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saccade.errors import RecipeError
from saccade.recipes.recipe import Recipe
from saccade.recipes.shipped import RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_written_down_is_read_back_equal(name: str, tmp_path: Path) -> None:
    recipe = RECIPES[name]().with_({"optim.lr": 1 / 3, "data.augment": "flip translate:2"})
    recipe.save(tmp_path / "recipe.toml", origins={"optim.lr": "flag"})
    assert Recipe.load(tmp_path / "recipe.toml") == recipe
    assert "  # flag\n" in (tmp_path / "recipe.toml").read_text()


@given(
    lr=st.floats(1e-300, 1e300),
    seed=st.integers(0, 2**53),
    model=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_every_value_survives_toml(lr: float, seed: int, model: str) -> None:
    recipe = Recipe().with_({"optim.lr": lr, "train.seed": seed, "model.name": model})
    tables = tomllib.loads(recipe.to_toml())
    assert tables["optim"]["lr"] == lr
    assert tables["train"]["seed"] == seed
    assert tables["model"]["name"] == model


def test_with_changes_a_copy_and_reads_text_as_the_settings_type() -> None:
    before = Recipe()
    after = before.with_({"optim.lr": "0.05", "train.epochs": "7", "data.size": "auto"})
    assert (after.optim.lr, after.train.epochs, after.data.size) == (0.05, 7, "auto")
    assert before == Recipe()


@pytest.mark.parametrize(
    ("changes", "what", "hint"),
    [
        ({"optim.rl": 1}, "no setting is called 'optim.rl'", "did you mean optim.lr"),
        ({"optim.lr": "fast"}, "optim.lr cannot be 'fast'", "it takes a number"),
        ({"optim.lr": -1}, "optim.lr cannot be '-1'", "it takes a number above 0"),
        ({"train.epochs": 2.5}, "train.epochs cannot be '2.5'", "it takes a whole number"),
        (
            {"data.size": "big"},
            "data.size cannot be 'big'",
            "it takes a whole number from 1 to 8,192, or 'auto'",
        ),
        ({"optim.name": "sdg"}, "optim.name cannot be 'sdg'", "'sgd'"),
        ({"train.epochs": True}, "train.epochs cannot be 'True'", "whole number"),
        ({"data.val": 0.6, "data.test": 0.6}, "data.val + data.test cannot be '1.2'", "under 1"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_it_takes(changes: dict, what: str, hint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe().with_(changes)
    assert what in caught.value.what
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "optim = [", "lr = 1", "[optim]\nrl = 1", "[optics]\nlr = 1", "[data.size]",
        "a=" + "[" * 5000, "[optim]\nweight_decay = inf", "[optim]\nlr = nan", "[train]\nseed = -1",
    ],
)  # fmt: skip
def test_a_broken_recipe_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(RecipeError):
        Recipe.load(tmp_path / "r.toml")


def test_a_file_is_told_with_all_that_is_wrong_in_it(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text('[data]\ncrop = 1\n[optim]\nlr = "fast"\n[train]\nkeep = "x"')
    with pytest.raises(RecipeError) as caught:
        Recipe.load(tmp_path / "r.toml")
    for part in ("r.toml': no setting is called 'data.crop'", "'fast'", "'train.keep'"):
        assert part in caught.value.what
    for part in ("data.crop_pct now", "a number above 0", "train.checkpoint now"):
        assert part in caught.value.hint


def test_a_file_of_notepad_is_read(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_bytes(b"\xef\xbb\xbf[train]\r\nepochs = 3\r\n")
    assert Recipe.load(tmp_path / "r.toml").train.epochs == 3
