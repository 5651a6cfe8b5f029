"""What was called otherwise before: refused with the new name, translated in a run of before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import saccade
from saccade.errors import RecipeError
from saccade.recipes.recipe import Recipe, all_settings
from saccade.recipes.renamed import SETTINGS, VALUES, current, note_on


@pytest.mark.parametrize("name", SETTINGS)
def test_an_old_name_is_answered_by_the_new_one(name: str) -> None:
    assert SETTINGS[name] in all_settings() and name not in all_settings()
    with pytest.raises(RecipeError) as caught:
        Recipe().with_({name: 1})
    assert caught.value.what == f"no setting is called '{name}'"
    assert caught.value.hint == f"it is called {SETTINGS[name]} now"


def test_no_text_names_a_setting_as_it_was_called_before() -> None:
    old = re.compile(rf"\b({'|'.join(map(re.escape, SETTINGS))})\b")
    for path in Path(saccade.__file__).parent.rglob("*.py"):
        if path.parts[-2:] != ("recipes", "renamed.py"):
            assert not old.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(("name", "old"), [(name, old) for name in VALUES for old in VALUES[name]])
def test_an_old_value_is_answered_by_the_new_one(name: str, old: str) -> None:
    now = VALUES[name][old]
    assert now in all_settings()[name].choices and old not in all_settings()[name].choices
    with pytest.raises(RecipeError) as caught:
        Recipe().with_({name: old})
    assert caught.value.hint == f"it is called {now} now: {name}={now}"


def test_the_settings_of_a_run_of_before_are_read_by_their_new_names_and_it_is_said() -> None:
    stated = {"train.average": 0.9, "optim.patience": 3, "model.head": "means", "optim.lr": 0.1}
    assert current(stated) == {
        "train.ema": 0.9,
        "optim.plateau_patience": 3,
        "model.head": "nearest_mean",
        "optim.lr": 0.1,
    }
    assert note_on(stated) == (
        "an earlier version's settings are read: train.average as train.ema, optim.patience as "
        "optim.plateau_patience, model.head=means as nearest_mean",
    )
    assert note_on({"optim.lr": 0.1}) == ()
