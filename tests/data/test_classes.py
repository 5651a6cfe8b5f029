"""The class-name contract, and the mis-scoring that it prevents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saccade.data.classes import (
    class_indices,
    class_list,
    missing_note,
    multilabel_targets,
    natural_sort_key,
    read_classes,
    write_classes,
)
from saccade.data.item import ImageArray, Item, Label
from saccade.data.sources.folder import folder
from saccade.errors import DataError

BLANK = ImageArray(np.zeros((1, 1), np.uint8))


def items(*labels: Label) -> list[Item]:
    return [Item(f"{at}.jpg", label, BLANK) for at, label in enumerate(labels)]


def test_numbers_in_names_are_counted_and_case_is_no_matter() -> None:
    names = ["class10", "Class2", "class1", "b", "A", "v1.10", "v1.9", "class02"]
    assert sorted(names, key=natural_sort_key) == [
        "A", "b", "class1", "Class2", "class02", "class10", "v1.9", "v1.10",
    ]  # fmt: skip


@given(st.lists(st.text(), max_size=8))
def test_any_names_have_one_order(names: list[str]) -> None:
    assert sorted(names, key=natural_sort_key) == sorted(reversed(names), key=natural_sort_key)


def test_the_class_list_holds_each_name_once_and_nothing_for_numbers() -> None:
    assert class_list(items("b", "a", "b", ("c", "a"), None, 3.5)) == ("a", "b", "c")


def test_labels_are_matched_by_name() -> None:
    assert class_indices(items("dog", "ant", "dog"), ("ant", "bee", "dog")).tolist() == [2, 0, 2]


def test_several_labels_are_marked_by_name() -> None:
    marks = multilabel_targets(items(("c", "a"), (), ("b",)), ("a", "b", "c"))
    assert marks.tolist() == [[True, False, True], [False, False, False], [False, True, False]]


def test_an_unknown_class_is_an_error_that_names_it() -> None:
    with pytest.raises(DataError) as caught:
        class_indices(items("dog", "dgo", "dgo"), ("ant", "dog"))
    assert "'dgo' (2)" in caught.value.what
    assert "did you mean dog?" in caught.value.hint


def test_several_unknown_classes_are_named_with_counts() -> None:
    with pytest.raises(DataError, match=r"'x' \(2\), 'y' \(1\)"):
        class_indices(items("x", "y", "x"), ("ant", "dog"))


@pytest.mark.parametrize("label", [None, 1.5, ("a", "b")])
def test_a_label_that_is_not_one_class_is_refused(label: Label) -> None:
    with pytest.raises(DataError, match="where one class name is needed"):
        class_indices(items(label), ("a", "b"))


def test_a_missing_class_is_noted_with_counts() -> None:
    assert missing_note(items("a"), ("a", "b", "c"), "val") == (
        "val has no image of 2 of 3 classes: 'b', 'c'",
    )
    assert missing_note(items("a", "b"), ("a", "b"), "val") == ()


def test_indexing_each_folder_by_itself_scores_wrongly_in_silence_and_names_do_not(
    tmp_path: Path,
) -> None:
    """The usual reader numbers the classes of each folder: without ants, a bee becomes number 0."""
    from torchvision.datasets import ImageFolder

    for split, held in {"train": ("ant", "bee", "wasp"), "test": ("bee", "wasp")}.items():
        for name in held:
            (tmp_path / split / name).mkdir(parents=True)
            (tmp_path / split / name / "1.jpg").touch()
    source = folder(tmp_path)
    perfect = {"bee": 1, "wasp": 2}  # what a network trained on train/ says of each, always right

    usual = ImageFolder(str(tmp_path / "test"))
    hits = [perfect[Path(path).parent.name] == target for path, target in usual.samples]
    assert hits == [False, False]

    test = source.read("test")
    targets = class_indices(test, source.classes)
    assert [perfect[str(item.label)] for item in test] == targets.tolist()
    assert "test has no image of 1 of 3 classes: 'ant'" in source.notes


def test_a_list_of_classes_is_read_as_written(tmp_path: Path) -> None:
    names = ("zebra", "caf\u00e9", "class 2")
    write_classes(tmp_path / "classes.txt", names)
    assert (tmp_path / "classes.txt").read_bytes() == "zebra\ncaf\u00e9\nclass 2\n".encode()
    assert read_classes(tmp_path / "classes.txt") == names


def test_a_list_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes(b"\xef\xbb\xbfant\r\nbee\r\n\r\n")
    assert read_classes(tmp_path / "classes.txt") == ("ant", "bee")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\nb\na\n", "'a' more than once"),
        (b"\n", "names no class"),
        (b"\xff\xfe\xfa", "cannot be"),
    ],
)
def test_a_broken_list_of_classes_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "classes.txt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_classes(tmp_path / "classes.txt")


def test_a_name_of_two_lines_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be a class name"):
        write_classes(tmp_path / "classes.txt", ("a", "b\nc"))
