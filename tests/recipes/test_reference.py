"""The reference of settings, and the page of the docs that is made from it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from saccade.errors import RecipeError
from saccade.recipes.recipe import all_settings
from saccade.recipes.reference import list_settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def names(pattern: str) -> list[str]:
    return [one.name for one in list_settings(pattern).entries]


def test_settings_are_found_by_full_name_last_name_table_flag_and_pattern() -> None:
    assert names("optim.lr") == names("lr") == ["optim.lr"]
    assert names("model") == [name for name in all_settings() if name.startswith("model.")]
    assert names("optim.*") == [name for name in all_settings() if name.startswith("optim.")]
    assert names("seed") == ["train.seed"]
    assert names("*") == list(all_settings())


@pytest.mark.parametrize(
    ("name", "hint"), [("optim.rl", "optim.lr"), ("train.average", "train.ema"), ("xyz*", "known")]
)
def test_an_unknown_name_is_answered_by_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        list_settings(name)
    assert hint in caught.value.hint


def test_the_table_has_a_row_a_setting() -> None:
    rows = list(csv.DictReader(io.StringIO(list_settings("*").to_csv())))
    assert [row["setting"] for row in rows] == list(all_settings())
    by_name = {row["setting"]: row for row in rows}
    assert by_name["train.minutes"]["takes"] == "a number from 0 to 525,600"
    assert by_name["train.minutes"]["unit"] == "minutes"
    assert by_name["train.minutes"]["flag"] == "--minutes"


def test_the_page_of_the_docs_is_what_the_code_prints() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.partition("\n## ")[1:] == ("\n## ", list_settings("*").to_markdown()[3:])
