"""The division of a training: groups, copies, and what is refused before an image is decoded."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data.grouping import by_cluster, by_source, cluster_name
from saccade.data.item import ImageArray, Item
from saccade.data.sources.listing import Listing
from saccade.data.split_table import split_rows, write_split
from saccade.data.splits import DataSplit, split_data, with_groups
from saccade.errors import DataError
from saccade.recipes.recipe import Recipe
from saccade.training.division import (
    classes_of_copies,
    notes_on_few_groups,
    notes_on_few_steps,
)
from saccade.training.inputs import training_inputs

BLANK = ImageArray(np.zeros((8, 8), np.uint8))


def listing(**counts: int) -> Listing:
    items = [Item(f"{c}/{k}.png", c, BLANK) for c, n in counts.items() for k in range(n)]
    return Listing("set", tuple(counts), {"all": items})


def copies_of(source: Listing, *clusters: list[str]) -> list[str]:
    items = source.read("all")
    return classes_of_copies(source, by_cluster(clusters, items), by_source)


def test_a_class_that_is_all_copies_is_refused_with_the_reason() -> None:
    source = listing(good=12, bad=12)
    with pytest.raises(DataError, match="12 of 12 images of 'good' look alike") as caught:
        copies_of(source, [f"good/{k}.png" for k in range(12)])
    assert "data.doctor=off" in caught.value.hint


def test_a_class_that_is_mostly_copies_is_noted() -> None:
    (note,) = copies_of(listing(good=12, bad=12), [f"good/{k}.png" for k in range(9)])
    assert note.startswith("9 of 12 images of 'good' look alike and stay")
    (note,) = copies_of(listing(tiny=4, bad=12), [f"tiny/{k}.png" for k in range(4)])
    assert note.startswith("4 of 4 images of 'tiny'")
    assert copies_of(listing(good=12, bad=12), [f"good/{k}.png" for k in range(5)]) == []
    assert copies_of(listing(two=2, bad=12), ["two/0.png", "two/1.png"]) == []  # too few anyway


def test_groups_of_copies_stand_in_the_split(tmp_path: Path) -> None:
    source = listing(a=12, b=12)
    items = [*source.read("all"), Item("b/x.png", "b", BLANK, "house")]
    grouping = by_cluster([["a/1.png", "a/2.png"], ["b/1.png", "b/x.png"]], items)
    split = split_data(Listing("set", ("a", "b"), {"all": items}), group=grouping)
    write_split(tmp_path / "split.csv", with_groups(split, grouping, cluster_name))
    rows = split_rows(tmp_path / "split.csv")
    assert rows["a/1.png"].group == rows["a/2.png"].group == "copies of a/1.png"
    assert rows["b/1.png"].group == rows["b/x.png"].group == "house"
    assert rows["a/3.png"].group == ""


def test_a_column_keeps_each_patient_in_one_split(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    rows = []
    for k in range(40):
        pixels = chance.integers(0, 255, (16, 16, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
        rows.append((f"{k}.png", "ab"[k % 2], f"P{k % 8}"))
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "patient_id"), *rows])
    flags = {"data.group": "patient_id", "model.name": "mlp_rgb", "data.doctor": "off"}
    inputs = training_inputs(tmp_path / "t.csv", None, flags)
    division = inputs.division
    found = [{i.group for i in part} for part in (division.train, division.val, division.test)]
    assert set.union(*found) == {f"P{k}" for k in range(8)} and sum(map(len, found)) == 8
    assert "data.group=patient_id makes 8 groups, such as 'P0'" in inputs.notes


def test_held_out_images_of_few_groups_are_noted() -> None:
    """Twelve images of five plants, and of six; without groups there is nothing to say."""

    def of_plants(count: int) -> tuple[Item, ...]:
        return tuple(Item(f"{k}.png", "a", BLANK, group=str(k % count)) for k in range(12))

    (note,) = notes_on_few_groups(DataSplit((), of_plants(6), of_plants(5), ("a",)))
    assert note.startswith("test is of 5 groups: what is measured on it has no interval")
    plain = tuple(Item(f"{k}.png", "a", BLANK) for k in range(3))
    assert notes_on_few_groups(DataSplit((), plain, plain, ("a",))) == []


def test_a_training_of_few_steps_is_noted() -> None:
    """Of 1,000 images in batches of 600 an epoch has two steps, twenty epochs forty."""
    recipe = Recipe().with_({"train.batch_size": 600, "train.epochs": 20})
    (note,) = notes_on_few_steps(recipe, 1000)
    assert note.startswith("40 steps in all are few to learn from (2 steps an epoch")
    assert notes_on_few_steps(recipe.with_({"train.epochs": 25}), 1000) == []
    assert notes_on_few_steps(recipe.with_({"train.minutes": 1}), 1000) == []
