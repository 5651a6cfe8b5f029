"""split_columns: which columns of a table tell its splits, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from saccade.data.sources import open_source
from saccade.data.sources.listing import Listing
from saccade.data.sources.table import manifest
from saccade.errors import DataError

Table = Callable[..., Path]
IMAGES = 8


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Writes a table of eight images of two classes, with more columns of eight cells each."""

    def write(**columns: Sequence[object]) -> Path:
        rows = [["name", "label", *columns]]
        for k in range(IMAGES):
            (tmp_path / f"{k}.jpg").write_bytes(b"")
            rows.append([f"{k}.jpg", "ab"[k % 2], *(str(cells[k]) for cells in columns.values())])
        (tmp_path / "t.csv").write_text("\n".join(",".join(row) for row in rows))
        return tmp_path / "t.csv"

    return write


def of(source: Listing) -> dict[str, str]:
    """The images of each split, by their numbers."""
    return {s: "".join(item.name[0] for item in source.read(s)) for s in source.splits}


FIRST_TWO = [True, True, *[False] * 6]
THREE = ["train"] * 4 + ["valid"] * 2 + ["test"] * 2


@pytest.mark.parametrize(
    ("name", "cells", "splits"),
    [
        ("is_valid", FIRST_TWO, {"train": "234567", "val": "01"}),
        ("is_test", [1, 1, *[0] * 6], {"train": "234567", "test": "01"}),
        ("isTest", ["yes", "Y", *["no"] * 6], {"train": "234567", "test": "01"}),
        ("is_train", FIRST_TWO, {"train": "01", "test": "234567"}),
        ("validation", ["1.0", "1.0", *["0.0"] * 6], {"train": "234567", "val": "01"}),
        ("dataset", THREE, {"train": "0123", "val": "45", "test": "67"}),
        ("set", THREE, {"train": "0123", "val": "45", "test": "67"}),
        ("phase", THREE, {"train": "0123", "val": "45", "test": "67"}),
        ("Usage", ["Training"] * 4 + ["PublicTest"] * 2 + ["PrivateTest"] * 2,
         {"train": "0123", "val": "45", "test": "67"}),
        ("subset", ["img_train"] * 6 + ["img_test"] * 2, {"train": "012345", "test": "67"}),
        ("fold", [0, 1, 2, 3, 0, 1, 2, 3],
         {"fold 0": "04", "fold 1": "15", "fold 2": "26", "fold 3": "37"}),
        ("kfold", ["1.0", "2.0"] * 4, {"fold 1": "0246", "fold 2": "1357"}),
        ("part", ["fold1", "fold2"] * 4, {"fold 1": "0246", "fold 2": "1357"}),
    ],
)  # fmt: skip
def test_a_column_whose_cells_are_splits_tells_them_whatever_it_is_called(
    table: Table, name: str, cells: Sequence[object], splits: dict[str, str]
) -> None:
    source = manifest(table(**{name: cells}))
    assert of(source) == splits
    assert not any("not used" in note for note in source.notes)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("dataset", ["vidir", "rosendahl"] * 4),
        ("fold", list(range(8))),
        ("valid", ["a", "b"] * 4),
        ("is_dark", FIRST_TWO),
        ("comment", ["train"] * 8),
    ],
)
def test_a_column_that_tells_no_split_is_named_with_a_few_of_its_values(
    table: Table, name: str, cells: Sequence[object]
) -> None:
    source = manifest(table(**{name: cells}))
    assert source.splits == ("all",)
    values = list(dict.fromkeys(map(str, cells)))
    shown = ", ".join(values[:3]) + (", ..." if len(values) > 3 else "")
    assert source.notes == (f"columns not used: {name} ({shown})",)


def test_several_columns_of_yes_and_no_tell_their_splits_together(table: Table) -> None:
    path = table(is_valid=[1, 1, *[0] * 6], is_test=[0, 0, 1, 1, *[0] * 4])
    source = manifest(path)
    assert of(source) == {"train": "4567", "val": "01", "test": "23"}
    note = "column is_valid marks val, column is_test marks test; the others are train"
    assert source.notes == (note,)
    with pytest.raises(
        DataError, match=r"row 2 of .* is of several splits by is_valid and is_test"
    ):
        manifest(table(is_valid=[1] * 8, is_test=[1] * 8))


def test_how_the_values_were_read_is_said(table: Table) -> None:
    source = manifest(table(phase=["TRN"] * 6 + ["hold-out"] * 2))
    assert source.notes == ("column phase tells the splits: 'TRN' as train, 'hold-out' as test",)


@pytest.mark.parametrize("name", ["split", "set", "subset", "partition"])
def test_a_column_called_by_a_word_for_splits_that_tells_none_is_refused(
    table: Table, name: str
) -> None:
    path = table(**{name: ["red", "blue"] * 4})
    with pytest.raises(DataError, match=f"row 2 of .* has the split 'red' in {name}") as caught:
        manifest(path)
    assert "--split-column none" in caught.value.hint
    source = open_source(f"{path}::split_column=none")
    assert source.splits == ("all",)
    assert f"columns not used: {name} (red, blue)" in source.notes


def test_columns_that_tell_other_splits_are_refused_and_one_can_be_chosen(table: Table) -> None:
    path = table(phase=THREE, usage=THREE[::-1])
    with pytest.raises(
        DataError, match=r"columns phase and usage of .* row 2 has 'train'"
    ) as caught:
        manifest(path)
    assert "--split-column phase" in caught.value.hint
    assert of(manifest(path, split="usage"))["test"] == "01"
    assert of(open_source(f"{path}::split_column=phase"))["test"] == "67"  # type: ignore[arg-type]
    assert of(manifest(table(split=THREE, usage=THREE[::-1])))["test"] == "67"


def test_any_column_can_be_chosen_for_folds_and_must_tell_something(table: Table) -> None:
    path = table(site=["north", "south"] * 4, comment=[f"c{k}" for k in range(8)])
    assert of(manifest(path, split="Site")) == {"fold north": "0246", "fold south": "1357"}
    with pytest.raises(DataError, match="has the split 'c0' in comment"):
        manifest(path, split="comment")
    with pytest.raises(DataError, match=r"no column of .* is called 'sight'") as caught:
        manifest(path, split="sight")
    assert "site" in caught.value.hint


def test_a_label_is_never_taken_for_a_split(table: Table) -> None:
    path = table(vehicle=["train", "test"] * 4)
    assert open_source(f"{path}::vehicle").classes == ("test", "train")


def test_a_class_of_which_no_image_is_there_is_told_as_lost(table: Table) -> None:
    path = table()
    path.write_text(path.read_text() + "\nmissing.jpg,c\n")
    assert "no image of 1 classes of the table is read: 'c'" in manifest(path).notes


def test_images_of_a_column_of_folds_may_be_in_none(table: Table) -> None:
    source = manifest(table(fold=[-1, -1, 0, 0, 1, 1, "test", "test"]))
    assert of(source) == {"train": "01", "test": "67", "fold 0": "23", "fold 1": "45"}
    assert "images of no fold by column fold are train in each" in source.notes
    with pytest.raises(DataError, match="has no fold in fold"):
        manifest(table(fold=[0, 0, 0, 1, 1, 1, "", ""]))


def test_a_column_called_like_a_mark_marks_or_is_refused(table: Table) -> None:
    german = ["WAHR", "WAHR", *["FALSCH"] * 6]  # Excel's words
    assert of(manifest(table(is_train=german))) == {"train": "01", "test": "234567"}
    with pytest.raises(DataError, match="has '2' in is_valid"):
        manifest(table(is_valid=[0, 1, 2, 0, 0, 1, 2, 0]))
    assert of(manifest(table(is_valid=[0] * 8))) == {"all": "01234567"}


def test_values_that_only_hold_the_word_of_a_split_are_told(table: Table) -> None:
    source = manifest(table(split=["train"] * 4 + ["val1", "val1", "val2", "val2"]))
    assert of(source) == {"train": "0123", "val": "4567"}
    assert any("'val1' as val, 'val2' as val" in note for note in source.notes)


ONE_HOT = {
    "car": [1, 1, 1, *[0] * 5],
    "train": [*[0] * 3, 1, 1, *[0] * 3],
    "bus": [*[0] * 5, 1, 1, 1],
}


def one_hot(table: Table, **columns: Sequence[object]) -> Path:
    """The table of the fixture with columns of 0 and 1 and without its label."""
    path = table(**columns)
    rows = [line.split(",") for line in path.read_text().split("\n")]
    path.write_text("\n".join(",".join([row[0], *row[2:]]) for row in rows))
    return path


def test_a_train_among_columns_of_vehicles_is_a_class(table: Table) -> None:
    source = manifest(one_hot(table, **ONE_HOT))
    assert source.classes == ("bus", "car", "train")
    assert of(source) == {"all": "01234567"}


def test_a_train_beside_columns_of_which_each_row_marks_one_is_a_split(table: Table) -> None:
    columns = {"car": [1, 0] * 4, "bus": [0, 1] * 4, "train": [*[1] * 6, 0, 0]}
    source = manifest(one_hot(table, **columns))
    assert source.classes == ("bus", "car")
    assert of(source) == {"train": "012345", "test": "67"}


def test_a_train_that_may_be_a_class_or_a_split_is_refused_with_both(table: Table) -> None:
    columns = {**ONE_HOT, "bus": [1, *[0] * 6, 1], "train": [*[1] * 5, *[0] * 3]}
    path = one_hot(table, **columns)
    with pytest.raises(DataError, match=r"train of .* may mark a split, or a class as car, bus do"):
        manifest(path)
    assert manifest(path, split="none").classes == ("bus", "car", "train")
    assert of(manifest(path, split="train")) == {"train": "01234", "test": "567"}


def test_an_is_train_beside_columns_of_classes_marks_the_split(table: Table) -> None:
    source = manifest(one_hot(table, **ONE_HOT, is_test=FIRST_TWO))
    assert of(source) == {"train": "234567", "test": "01"}
