"""limit: fewer images, the same in every smaller number, and none moved between the parts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from saccade.data.item import ImageArray, Item
from saccade.data.sources import open_source
from saccade.data.split_table import read_split, write_split
from saccade.data.splits import DataSplit, split_data, subsample
from saccade.errors import UsageError

DIGITS = split_data(open_source(None), seed=3)


def names(items: tuple[Item, ...]) -> set[str]:
    return {item.name for item in items}


def test_each_class_has_as_many_images_as_asked_for() -> None:
    few = subsample(DIGITS, train=5, held_out=2, seed=0)
    assert Counter(item.label for item in few.train) == dict.fromkeys(DIGITS.classes, 5)
    assert Counter(item.label for item in few.val) == dict.fromkeys(DIGITS.classes, 2)
    assert Counter(item.label for item in few.test) == dict.fromkeys(DIGITS.classes, 2)


def test_an_image_stays_in_its_part_and_none_is_lost() -> None:
    few = subsample(DIGITS, train=5, held_out=0, seed=0)
    assert names(few.train) < names(DIGITS.train)
    assert (few.val, few.test) == (DIGITS.val, DIGITS.test)
    assert names(few.train) | names(few.unused) == names(DIGITS.train)
    assert few.notes[-1].startswith(f"{len(DIGITS.train) - 50:,} images are not used")


def test_a_larger_number_holds_the_images_of_a_smaller_one() -> None:
    some, more = (subsample(DIGITS, train=n, held_out=0, seed=1).train for n in (3, 10))
    assert names(some) < names(more)
    assert names(some) != names(subsample(DIGITS, train=3, held_out=0, seed=2).train)


def test_no_limit_changes_nothing() -> None:
    assert subsample(DIGITS, train=0, held_out=0, seed=0) is DIGITS
    assert subsample(DIGITS, train=10_000, held_out=10_000, seed=0) is DIGITS


def test_the_written_split_gives_the_same_parts_again(tmp_path: Path) -> None:
    few = subsample(DIGITS, train=4, held_out=3, seed=0)
    write_split(tmp_path / "split.csv", few)
    again = read_split(tmp_path / "split.csv", open_source(None))
    for part in ("train", "val", "test", "unused"):
        assert names(getattr(again, part)) == names(getattr(few, part))


def test_numbers_have_no_classes_to_limit() -> None:
    item = Item("a.png", 3.5, ImageArray(np.zeros((1, 1), np.uint8)))
    with pytest.raises(UsageError, match="per_class needs one class per image"):
        subsample(DataSplit((item,), (), (), ()), train=1, held_out=0, seed=0)
