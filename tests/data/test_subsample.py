"""limit: fewer images, the same in every smaller number, and none moved between the parts."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from saccade.data.classes import labels_of
from saccade.data.item import ImageArray, Item
from saccade.data.sources import open_source
from saccade.data.split_table import read_split, write_split
from saccade.data.splits import DataSplit, split_data
from saccade.data.subsample import subsample
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


def labelled(labels: list, groups: list[str | None] | None = None) -> DataSplit:
    pixel = ImageArray(np.zeros((1, 1), np.uint8))
    found = groups or [None] * len(labels)
    items = [Item(f"{i}.png", a, pixel, g) for i, (a, g) in enumerate(zip(labels, found))]
    return DataSplit(tuple(items), (), (), ())


def test_a_share_has_each_class_in_proportion_and_one_of_each() -> None:
    split = labelled(["a"] * 80 + ["b"] * 16 + ["c"])
    eighth = subsample(split, share=0.125, seed=0)
    assert Counter(item.label for item in eighth.train) == {"a": 10, "b": 2, "c": 1}
    assert eighth.notes == ("84 images are not used: data.train_share=0.125",)
    assert subsample(split, share=1.0, seed=0) is split


@pytest.mark.parametrize(
    "split",
    [
        DIGITS,
        labelled([float(i) for i in range(97)]),
        labelled([("x", "y")] * 9 + [("y",)] * 40 + [()] * 7 + [("z", "y")] * 13),
        labelled(["a", "b"] * 40, [f"g{i // 5}" for i in range(80)]),
    ],
)
def test_shares_are_nested_about_as_large_as_asked_for_and_keep_every_class(
    split: DataSplit,
) -> None:
    shares = [0.01, 0.125, 0.25, 0.5, 1.0]
    parts = [subsample(split, share=share, seed=4).train for share in shares]
    assert all(names(a) <= names(b) for a, b in pairwise(parts))
    for share, part in zip(shares[2:], parts[2:]):
        assert abs(len(part) / len(split.train) - share) < 0.07
    if not isinstance(split.train[0].label, float):
        classes = [{c for i in p for c in labels_of(i)} for p in parts]
        assert all(found == classes[-1] for found in classes)
    assert names(parts[1]) != names(subsample(split, share=0.125, seed=5).train)


def test_a_share_takes_whole_groups() -> None:
    split = labelled(["a"] * 30 + ["b"] * 30, [f"g{i // 6}" for i in range(60)])
    half = subsample(split, share=0.5, seed=0).train
    counts = Counter(item.group for item in half)
    assert set(counts.values()) == {6} and len(counts) in (4, 5, 6)


def test_a_share_is_taken_of_what_a_limit_leaves() -> None:
    few = subsample(DIGITS, train=8, share=0.5, seed=0)
    assert Counter(item.label for item in few.train) == dict.fromkeys(DIGITS.classes, 4)
    assert names(few.train) < names(subsample(DIGITS, train=8, seed=0).train)
    assert few.notes[-1] == "40 images are not used: data.train_share=0.5"
