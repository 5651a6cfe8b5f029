"""split: shares, chance, groups, and what is said of a source that comes divided."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saccade.data.classes import class_list
from saccade.data.grouping import by_cluster, by_folder, by_pattern
from saccade.data.item import ImageArray, Item, Label
from saccade.data.sources import open_source
from saccade.data.sources.listing import Listing
from saccade.data.split_table import read_split, split_rows, write_split
from saccade.data.splits import (
    DataSplit,
    folds,
    own_folds,
    split_data,
    split_fold,
    with_groups,
)
from saccade.data.subsample import subsample
from saccade.errors import DataError, UsageError

BLANK = ImageArray(np.zeros((1, 1), np.uint8))


def listing(**splits: list[Item]) -> Listing:
    everything = [item for held in splits.values() for item in held]
    return Listing("set", class_list(everything), splits)


def of(label: Label, count: int, start: int = 0, group: str | None = None) -> list[Item]:
    return [Item(f"{label}/{start + at}.jpg", label, BLANK, group) for at in range(count)]


def names(items: Sequence[Item]) -> list[str]:
    return [item.name for item in items]


def parts(division: DataSplit) -> tuple[tuple[Item, ...], ...]:
    return division.train, division.val, division.test


def test_each_class_is_shared_out_alike() -> None:
    division = split_data(listing(all=of("a", 100) + of("b", 200)))
    counts = [Counter(item.label for item in part) for part in parts(division)]
    assert counts == [{"a": 70, "b": 140}, {"a": 15, "b": 30}, {"a": 15, "b": 30}]
    assert division.classes == ("a", "b")
    assert division.notes == ()


def test_every_class_of_the_digits_is_within_one_image_of_its_share() -> None:
    source = open_source("digits")
    whole = Counter(item.label for item in source.read("all"))
    for part, share in zip(parts(split_data(source)), (0.7, 0.15, 0.15)):
        found = Counter(item.label for item in part)
        for label, count in whole.items():
            assert abs(found[label] - share * count) <= 1


@given(
    st.lists(st.integers(3, 12), min_size=1, max_size=6),
    st.floats(0.05, 0.4),
    st.floats(0.05, 0.4),
    st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_or_doubled_and_no_class_of_three_is_missing_anywhere(
    sizes: list[int], val: float, test: float, seed: int
) -> None:
    items = [item for at, size in enumerate(sizes) for item in of(f"c{at}", size)]
    division = split_data(listing(all=items), val=val, test=test, seed=seed)
    assert sorted(names(sum(parts(division), ()))) == sorted(item.name for item in items)
    for part in parts(division):
        assert {item.label for item in part} == set(division.classes)


def test_classes_of_one_and_two_images_are_trained_on_first_and_noted() -> None:
    division = split_data(listing(all=of("many", 20) + of("one", 1) + of("two", 2)))
    where = {item.name: at for at, part in enumerate(parts(division)) for item in part}
    assert where["one/0.jpg"] == 0
    assert sorted((where["two/0.jpg"], where["two/1.jpg"])) == [0, 2]
    assert division.notes == (
        "val has no image of 2 of 3 classes: 'one', 'two'",
        "test has no image of 1 of 3 classes: 'one'",
    )


def test_the_order_is_the_sources_and_chance_does_not_depend_on_it() -> None:
    items = of("a", 30) + of("b", 30)
    first = split_data(listing(all=items), seed=7)
    order = {item.name: at for at, item in enumerate(items)}
    assert names(first.train) == sorted(names(first.train), key=order.__getitem__)
    random.Random(0).shuffle(items)
    again = split_data(listing(all=items), seed=7)
    assert [set(names(part)) for part in parts(first)] == [
        set(names(part)) for part in parts(again)
    ]
    assert set(names(split_data(listing(all=items), seed=8).test)) != set(names(first.test))


def test_the_turns_are_those_of_sha256_on_every_platform() -> None:
    """Independently: with one class of n, the last in order of the digests of 'seed item name'."""
    import hashlib

    items = of("a", 10)
    turn = {item.name: hashlib.sha256(f"3 item {item.name}".encode()).digest() for item in items}
    ordered = sorted(turn, key=turn.__getitem__)
    division = split_data(listing(all=items), val=0, test=0.2, seed=3)
    # 8 and 2 are lacking; each goes where most is lacking: train until both lack 2, then a draw
    # is the later part's, then by turns
    assert set(ordered[:6]) <= set(names(division.train))
    assert set(names(division.test)) == {ordered[6], ordered[8]}


def test_a_class_is_balanced_by_chance_and_not_by_name() -> None:
    seen = Counter(
        item.name
        for seed in range(200)
        for item in split_data(listing(all=of("a", 10)), val=0, test=0.2, seed=seed).test
    )
    assert len(seen) == 10
    assert all(15 <= count <= 70 for count in seen.values())  # 40 expected, sigma about 5.7


def test_groups_stay_together() -> None:
    items = [
        Item(f"{house}/{room}.jpg", label, BLANK, str(house))
        for house, label in enumerate("ab" * 40)
        for room in range(4)
    ]
    division = split_data(listing(all=items))
    groups = [{item.group for item in part} for part in parts(division)]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert [len(part) for part in parts(division)] == [224, 48, 48]  # 56, 12 and 12 houses of 4


def label_of(task: str, at: int, classes: int) -> Label:
    if task == "classes":
        return f"c{at % classes}"
    if task == "labels":
        return tuple(f"c{k}" for k in range(classes) if (at * 7919 + k * 31) % 3 == 0)
    return float(at * 7919 % 1009) if task == "numbers" else None


@pytest.mark.parametrize("shares", [(0.15, 0.15), (0.2, 0.1), (0.05, 0.3)])
@pytest.mark.parametrize("task", ["classes", "labels", "numbers", "none"])
def test_each_share_is_met_within_one_group_or_the_reason_is_said(
    task: str, shares: tuple[float, float]
) -> None:
    for size, groups, classes in product((1, 4, 7), (10, 30, 50, 130), (2, 4, 25)):
        if size * groups < 4 * classes:
            continue
        items = [
            Item(f"{at}", label_of(task, at, classes), BLANK, f"house {at // size}")
            for at in range(size * groups)
        ]
        division = split_data(listing(all=items), val=shares[0], test=shares[1])
        assert sum(map(len, parts(division))) == len(items)
        for name, part, share in zip(("val", "test"), (division.val, division.test), shares):
            said = any(note.startswith(f"{name} has {len(part)} of") for note in division.notes)
            near = abs(len(part) - share * len(items)) <= size + 1e-9
            assert near or (said and task in ("classes", "labels")), (size, groups, classes)


def test_groups_of_numbers_are_divided_as_was_asked() -> None:
    """30 houses of 4 photographs each, with a price: every price is a stratum with few houses."""
    prices = random.Random(0).sample(range(10**6), 120)
    items = [Item(f"{at}", float(prices[at]), BLANK, f"house {at // 4}") for at in range(120)]
    division = split_data(listing(all=items))
    assert [len(part) for part in parts(division)] in ([84, 20, 16], [84, 16, 20], [80, 20, 20])
    assert len({item.group for item in division.val}) * 4 == len(division.val)


@pytest.mark.parametrize("task", ["classes", "labels", "numbers", "none"])
@pytest.mark.parametrize("count", [3, 5, 10])
def test_folds_are_of_one_size_within_one_group(task: str, count: int) -> None:
    items = [Item(f"{at}", label_of(task, at, 3), BLANK, f"g{at // 4}") for at in range(240)]
    sizes = [len(one.test) for one in folds(listing(all=items), count)]
    assert sum(sizes) == 240 and all(abs(size - 240 / count) <= 4 for size in sizes)


def test_groups_of_unequal_sizes_are_within_the_largest() -> None:
    for seed in range(10):
        chance = random.Random(seed)
        sizes = [chance.choice((1, 2, 3, 20)) for _ in range(40)]
        items = [
            Item(f"{house}/{k}", "ab"[house % 2], BLANK, f"{house}")
            for house, size in enumerate(sizes)
            for k in range(size)
        ]
        division = split_data(listing(all=items), seed=seed)
        for part in (division.val, division.test):
            assert abs(len(part) - 0.15 * len(items)) <= max(sizes)


def test_shares_that_classes_or_large_groups_move_are_said_with_the_reason() -> None:
    few = [item for k in range(20) for item in of(f"c{k:02}", 3)]
    division = split_data(listing(all=few))
    assert [len(part) for part in parts(division)] == [20, 20, 20]
    assert division.notes[0] == (
        "val has 20 of 60 images, 33.3 % and not the 15 % asked for: a class of few images keeps "
        "one in each split, in train first"
    )
    rooms = [Item(f"{k}", float(k), BLANK, f"site {k // 40}") for k in range(120)]
    assert split_data(listing(all=rooms)).notes[1] == (
        "test has 40 of 120 images, 33.3 % and not the 15 % asked for: a group stays together, "
        "and the largest is of 40 images"
    )


def test_groups_are_told_by_folder_pattern_or_cluster() -> None:
    item = Item("trip/day1/IMG_7.jpg", "a", BLANK, "own")
    assert by_folder(item) == "trip/day1"
    assert by_pattern(r"day(\d)")(item) == "1"
    assert by_pattern(r"(?P<other>I)MG_(?P<group>\d+)")(item) == "7"
    assert by_pattern(r"day\d")(item) == "day1"
    assert by_pattern(r"week")(item) is None
    with pytest.raises(UsageError, match="is no regular expression"):
        by_pattern("(")


def test_copies_of_an_image_tie_their_groups_together() -> None:
    items = of("a", 2, 0, "one") + of("a", 2, 2, "two") + of("a", 3, 4)
    group = by_cluster([["a/1.jpg", "a/2.jpg"], ["a/4.jpg", "a/5.jpg"]], items)
    together = [group(item) for item in items]
    assert together[0] is not None and len(set(together[:4])) == 1
    assert together[4] == together[5] != together[0]
    assert together[6] is None


def test_several_labels_are_each_shared_out() -> None:
    chance = random.Random(1)
    items = [
        Item(f"{at}", tuple(name for name in "abcd" if chance.random() < 0.3), BLANK)
        for at in range(400)
    ]
    whole = Counter(name for item in items for name in item.label)  # pyright: ignore
    division = split_data(listing(all=items))
    for part, share in zip(parts(division), (0.7, 0.15, 0.15)):
        found = Counter(name for item in part for name in item.label)  # pyright: ignore
        for name, count in whole.items():
            assert abs(found[name] - share * count) <= 0.05 * count, (name, share)


def test_numbers_are_shared_out_small_and_large() -> None:
    items = [Item(f"{at}", float(at**3), BLANK) for at in range(200)]
    division = split_data(listing(all=items), val=0.2, test=0.2)
    for part, of_twenty in zip(parts(division), (12, 4, 4)):
        tenths = Counter(int(item.name) // 20 for item in part)
        assert tenths == {tenth: of_twenty for tenth in range(10)}


def test_what_came_whole_is_left_whole() -> None:
    train, val, test = of("a", 5), of("a", 2, 5), of("a", 3, 7)
    division = split_data(listing(train=train, val=val, test=test), val=0.5, test=0.4)
    assert parts(division) == (tuple(train), tuple(val), tuple(test))
    assert division.notes == ()


def test_val_without_a_test_is_the_test_and_is_never_trained_on() -> None:
    train, official = of("a", 50) + of("b", 50), of("a", 5, 50) + of("b", 5, 50)
    division = split_data(listing(train=train, val=official), val=0.1)
    assert division.test == tuple(official)
    assert [len(division.train), len(division.val)] == [90, 10]
    assert division.notes == (
        "val came without a test: its 10 images are the test set",
        "10 of the 100 train images are held out as val",
    )


def test_a_test_without_val_stays_and_val_is_taken_from_train() -> None:
    official = of("a", 5, 50)
    division = split_data(listing(train=of("a", 40), test=official), val=0.25)
    assert division.test == tuple(official)
    assert [len(division.train), len(division.val)] == [30, 10]
    assert division.notes == ("10 of the 40 train images are held out as val",)


def test_train_alone_is_divided_in_three() -> None:
    division = split_data(listing(train=of("a", 100)), val=0.1, test=0.2)
    assert [len(part) for part in parts(division)] == [70, 10, 20]


def test_a_source_without_train_is_refused() -> None:
    with pytest.raises(DataError, match="has test but no train"):
        split_data(listing(test=of("a", 5)))


def test_one_image_a_class_cannot_be_divided_in_silence() -> None:
    with pytest.raises(DataError, match="no class of 'set' has images to spare for val"):
        split_data(listing(all=[Item(str(at), str(at), BLANK) for at in range(9)]))


def test_numbers_that_were_read_as_classes_are_refused_with_what_to_type() -> None:
    items = [Item(str(at), str(1000 + at), BLANK) for at in range(9)]
    with pytest.raises(DataError, match="no class of 'set' has images to spare") as caught:
        split_data(listing(all=items))
    assert "photos.csv::price=number" in caught.value.hint


@pytest.mark.parametrize(("val", "test"), [(0.6, 0.5), (-0.1, 0.2), (1.0, 0.0), (float("nan"), 0)])
def test_shares_that_leave_no_training_are_refused(val: float, test: float) -> None:
    with pytest.raises(UsageError, match="leave nothing to train on"):
        split_data(listing(all=of("a", 9)), val=val, test=test)


def test_groups_on_both_sides_of_an_official_split_are_said() -> None:
    source = listing(train=of("a", 4, 0, "p1"), val=of("a", 2, 4, "p2"), test=of("a", 2, 6, "p1"))
    (note,) = split_data(source).notes
    assert note.startswith("1 group lies in both train and test")


def test_each_image_is_judged_once_over_all_folds() -> None:
    items = of("a", 23) + of("b", 50)
    divisions = folds(listing(all=items), 5, seed=1)
    judged = [name for division in divisions for name in names(division.test)]
    assert sorted(judged) == sorted(item.name for item in items)
    for division in divisions:
        assert len(set(names(sum(parts(division), ())))) == 73
        assert Counter(item.label for item in division.test)["b"] == 10
        assert Counter(item.label for item in division.test)["a"] in (4, 5)


def test_folds_leave_an_official_test_alone() -> None:
    source = listing(train=of("a", 12), test=of("a", 3, 12))
    divisions = folds(source, 3)
    assert all("a/12.jpg" not in names(sum(parts(one), ())) for one in divisions)
    assert divisions[0].notes == ("the source's own test split is in no fold",)


def test_folds_take_an_official_val_for_train_and_say_so() -> None:
    source = listing(train=of("a", 12), val=of("a", 3, 12))
    divisions = folds(source, 3)
    assert sorted(name for one in divisions for name in names(one.test)) == sorted(
        names(of("a", 15))
    )
    assert divisions[0].notes == ("the source's own val split is pooled with train",)


def test_a_fold_of_the_source_is_the_test_set_and_val_comes_from_the_rest() -> None:
    parts_of = {f"fold {k}": of("a", 10, 10 * k) + of("b", 10, 10 * k) for k in (1, 2, 3)}
    source = Listing("set", ("a", "b"), {k: tuple(v) for k, v in parts_of.items()})
    assert own_folds(source) == ("1", "2", "3")
    division = split_fold(source, "2", val=0.2)
    assert names(division.test) == names(parts_of["fold 2"])
    assert len(division.val) == 8 and len(division.train) == 32
    with pytest.raises(DataError, match="comes in 3 folds: 1, 2, 3") as caught:
        split_data(source)
    assert "--fold 1" in caught.value.hint
    with pytest.raises(DataError, match="no fold is called '4'"):
        split_fold(source, "4")
    with pytest.raises(UsageError, match="comes in folds of its own"):
        split_fold(source, "1", 5)


def test_folds_keep_groups_together_and_are_the_same_for_every_fold() -> None:
    items = [Item(f"{k}", "ab"[k % 2], BLANK, f"g{k // 4}") for k in range(80)]
    tests = [split_fold(listing(all=items), str(k), 4, seed=3).test for k in (1, 2, 3, 4)]
    groups = [{item.group for item in test} for test in tests]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 20
    assert sorted(item.name for test in tests for item in test) == sorted(names(items))


def test_a_fold_is_written_and_read_back_with_a_test_that_came_apart(tmp_path: Path) -> None:
    source = listing(train=of("a", 12) + of("b", 12), test=of("a", 3, 12))
    division = subsample(split_fold(source, "1", 3), train=2, held_out=0, seed=0)
    assert len(division.unused) == 3 + 24 - 8 - len(division.val) - 4
    write_split(tmp_path / "split.csv", division)
    again = read_split(tmp_path / "split.csv", source)
    assert set(names(again.unused)) == set(names(division.unused))


def test_too_many_or_too_few_folds_are_refused() -> None:
    with pytest.raises(UsageError):
        folds(listing(all=of("a", 9)), 2)
    with pytest.raises(DataError, match="has 4 images for 5 folds"):
        folds(listing(all=of("a", 4)), 5)


def test_a_split_file_is_a_plain_table(tmp_path: Path) -> None:
    source = listing(train=of("a, b", 1), val=of("c", 1), test=of("c", 1, 1))
    write_split(tmp_path / "split.csv", split_data(source))
    assert (tmp_path / "split.csv").read_bytes() == (
        b'name,label,split\n"a, b/0.jpg","a, b",train\nc/0.jpg,c,val\nc/1.jpg,c,test\n'
    )


def test_a_split_file_tells_groups_and_several_labels(tmp_path: Path) -> None:
    items = [Item(f"{at}", ("x", "y"), BLANK, f"g{at}") for at in range(9)]
    write_split(tmp_path / "split.csv", split_data(listing(all=items)))
    with (tmp_path / "split.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == {"x|y"}
    assert {row["name"]: row["group"] for row in rows} == {item.name: item.group for item in items}
    told = split_rows(tmp_path / "split.csv")
    assert {name: tuple(row) for name, row in told.items()} == {
        row["name"]: ("x|y", row["split"], row["group"]) for row in rows
    }


def test_a_split_is_read_back_as_it_was_written_with_the_same_bytes(tmp_path: Path) -> None:
    items = of('a\n"q"', 20) + of("caf\u00e9", 20)
    source = listing(all=items)
    division = split_data(source, seed=3)
    write_split(tmp_path / "one.csv", division)
    again = read_split(tmp_path / "one.csv", source)
    assert again == division
    write_split(tmp_path / "two.csv", split_data(source, seed=3))
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_split_file_in_another_order_gives_the_same_division(tmp_path: Path) -> None:
    source = listing(all=of("a", 20))
    write_split(tmp_path / "split.csv", split_data(source))
    head, *rows = (tmp_path / "split.csv").read_text().splitlines()
    (tmp_path / "split.csv").write_text("\n".join([head, *sorted(rows)]))
    assert read_split(tmp_path / "split.csv", source) == split_data(source)


def test_images_that_came_or_went_since_the_split_are_counted_and_named(tmp_path: Path) -> None:
    source = listing(all=of("a", 20))
    write_split(tmp_path / "split.csv", split_data(source))
    with pytest.raises(DataError, match=r"names 2 images that 'set' lacks: 'a/0.jpg', 'a/1.jpg'"):
        read_split(tmp_path / "split.csv", listing(all=of("a", 18, 2)))
    division = read_split(tmp_path / "split.csv", listing(all=of("a", 21)))
    assert division.notes == ("1 images came since the split and are not used: 'a/20.jpg'",)
    assert len(division.items) == 20


def test_groups_are_those_of_the_split_file(tmp_path: Path) -> None:
    """Copies that the doctor found, say, of which the source knows nothing."""
    items = of("a", 20)
    write_split(tmp_path / "split.csv", with_groups(split_data(listing(all=items)), by_folder))
    again = read_split(tmp_path / "split.csv", listing(all=items))
    assert {item.group for item in again.items} == {"a"}


def test_a_class_that_is_not_on_the_list_is_refused(tmp_path: Path) -> None:
    items = of("a", 10) + of("b", 10)
    write_split(tmp_path / "split.csv", split_data(listing(all=items)))
    assert read_split(tmp_path / "split.csv", listing(all=items), ("b", "a")).classes == ("b", "a")
    with pytest.raises(DataError, match=r"'set' holds 'b' \(10\), which is no known class"):
        read_split(tmp_path / "split.csv", listing(all=items), ("a", "c"))


def test_labels_that_have_changed_since_the_split_are_said(tmp_path: Path) -> None:
    items = of("a", 20)
    write_split(tmp_path / "split.csv", split_data(listing(all=items)))
    items[4] = Item(items[4].name, "b", BLANK)
    division = read_split(tmp_path / "split.csv", listing(all=items))
    assert "1 labels have changed since the split, such as 'a/4.jpg'" in division.notes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,label,split\na,b,somewhere\n", "row 2 .* the split 'somewhere'"),
        ("name,label,split\na,b,train\na,b,val\n", "names 'a' twice"),
        ("a,b\n1,2\n", "row 2"),
        ("", "names no image"),
    ],
)
def test_a_broken_split_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "split.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_split(tmp_path / "split.csv", listing(all=of("a", 3)))


def test_a_missing_split_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as a split"):
        read_split(tmp_path / "nowhere.csv", listing(all=of("a", 3)))
