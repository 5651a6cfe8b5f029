"""Names are data: whatever a disk can hold is written, read back the same, or refused by name."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.classes import read_classes, write_classes
from saccade.data.image_files import find_images
from saccade.data.sources import open_source
from saccade.data.split_table import read_split, split_rows, write_split
from saccade.data.splits import split_data
from saccade.errors import DataError
from saccade.files import read_utf8
from saccade.words import LineFeeds

Tree = Callable[..., Path]
NAMES = [
    "cat\u2028new", "cat\x85", "a, b", 'say "cat"', "it's", " cat", "a=b", "a|b", "{x}", "*",
    "$HOME", "#1", "Ünïcødé 猫", "x" * 255, "cat\x0b", "cat\x1c",
]  # fmt: skip
posix = pytest.mark.skipif(os.name != "posix", reason="its disks hold fewer names")


@posix
@pytest.mark.parametrize("name", NAMES)
def test_a_class_of_any_name_comes_back_from_every_file(tree: Tree, name: str) -> None:
    root = tree(*(f"{folder}/{i}.png" for folder in (name, "dog") for i in range(4)))
    source = open_source(root)
    assert set(source.classes) == {name, "dog"}
    write_classes(root / "classes.txt", source.classes)
    assert read_classes(root / "classes.txt") == source.classes
    write_split(root / "split.csv", split_data(source))
    assert {row.label for row in split_rows(root / "split.csv").values()} == {name, "dog"}
    read_split(root / "split.csv", source)


@posix
@pytest.mark.parametrize(
    "name", ["1\r.png", "1\n2.png", "1\r\n2.png", '1",.png', "1\u2028.png", " .png"]
)
def test_an_image_of_any_name_keeps_its_split(tree: Tree, name: str) -> None:
    root = tree(
        *(f"{label}/{file}" for label in "ab" for file in (name, "2.png", "3.png", "4.png"))
    )
    source = open_source(root)
    write_split(root / "split.csv", split_data(source))
    assert f"a/{name}" in split_rows(root / "split.csv")
    assert read_split(root / "split.csv", source).notes == split_data(source).notes


@posix
@pytest.mark.parametrize("name", ["cat\r", "cat\n", "a\r\nb", " "])
def test_a_class_that_no_line_can_hold_is_refused_at_once(tree: Tree, name: str) -> None:
    with pytest.raises(DataError) as error:
        open_source(tree(f"{name}/1.png", "dog/1.png"))
    assert ascii(name) in error.value.what and "\r" not in error.value.what


def test_classes_that_differ_in_case_or_blanks_alone_are_told(tree: Tree) -> None:
    source = open_source(tree("Cat/1.png", "cat /1.png", "dog/1.png"))
    assert source.classes == ("Cat", "cat ", "dog")
    assert source.notes == (
        "classes differ in case or blanks alone and are learned apart: 'Cat', 'cat '",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="others hold one of the two")
def test_folders_of_one_name_in_two_normal_forms_are_one_class_and_told(tree: Tree) -> None:
    source = open_source(tree("caf\u00e9/1.png", "cafe\u0301/2.png", "dog/1.png"))
    assert source.classes == ("caf\u00e9", "dog") and len(source.read("all")) == 3
    assert source.notes == (
        "folders whose names are the same text in other bytes are one class: 'caf\u00e9'",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="others refuse such names")
def test_names_that_are_no_text_are_left_out_and_said(tree: Tree) -> None:
    root = tree("cat/1.png", "dog/1.png", "dog/\udcff.png", "\udce9/1.png", "\udce9/2.png")
    source = open_source(root)
    assert source.classes == ("cat", "dog")
    reason = "a name that is no valid text"
    assert {one.name: one.reason for one in source.skipped} == {
        "dog/\\udcff.png": reason, "\\udce9": reason
    }  # fmt: skip
    ((named,), _) = find_images([root / "dog/\udcff.png"])
    assert named.name == f"{root}/dog/\\udcff.png" and named.image.read()
    (read,), (left,) = find_images([root / "dog"])
    assert read.image.read() == b"dog/1.png"
    assert left.name == f"{root}/dog/\\udcff.png" and left.reason == reason


def test_a_list_of_classes_from_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes("\ufeffcat\r\nd\u2028og\r\n\r\n".encode())
    assert read_classes(tmp_path / "classes.txt") == ("cat", "d\u2028og")


def test_a_cell_with_any_end_of_a_line_comes_back_from_a_table(tmp_path: Path) -> None:
    cells = ["a\rb", "a\nb", "a\r\nb", "\r", "a\u2028b", "a\x85", 'a"b', "a,b"]
    out = io.StringIO()
    csv.writer(LineFeeds(out)).writerows([cells, cells])
    (tmp_path / "t.csv").write_bytes(out.getvalue().encode())
    text = read_utf8(tmp_path / "t.csv")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [cells, cells]
    assert out.getvalue().endswith('"a,b"\n')
