"""Short names of settings, as Python and the command line take them."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from saccade.errors import UsageError
from saccade.recipes.short import ShortSettings, by_full_name, short_names


def test_the_typed_keywords_are_the_settings_with_a_flag() -> None:
    assert list(get_type_hints(ShortSettings)) == list(short_names())


def test_short_names_full_names_and_texts_come_to_one_map() -> None:
    assert by_full_name({"optim.lr": 0.1}, {"epochs": 4, "model": None}) == {
        "train.epochs": 4,
        "optim.lr": 0.1,
    }
    assert by_full_name(["optim.lr = 0.1"], {"size": "32"}) == {
        "data.size": "32",
        "optim.lr": "0.1",
    }
    assert by_full_name(None, {}) == {}


def test_what_has_no_short_name_is_answered_by_what_there_is() -> None:
    with pytest.raises(UsageError, match="sets nothing"):
        by_full_name(["optim.lr"], {})
    with pytest.raises(UsageError, match="no setting is called 'epoch'"):
        by_full_name(None, {"epoch": 4})


@pytest.mark.parametrize(
    ("with_", "hint"),
    [
        ({"optim": {"lr": 0.1}}, "write with_={'optim.lr': 0.1}"),
        ("optim.lr=0.1", "write with_={'optim.lr': 0.05}"),
        (3, "write with_={'optim.lr': 0.05}"),
        ([("optim.lr", 0.1)], "write with_={'optim.lr': 0.05}"),
    ],
)
def test_what_is_no_mapping_of_full_names_is_answered_by_one(with_: Any, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        by_full_name(with_, {})
    assert caught.value.hint == hint
