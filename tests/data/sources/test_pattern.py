"""pattern: labels out of names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.sources import open_source
from saccade.data.sources.folder import pattern
from saccade.errors import DataError, UsageError

Tree = Callable[..., Path]


def test_the_first_group_is_the_class(tree: Tree) -> None:
    source = pattern(tree("cat.10.jpg", "cat.2.jpg", "dog.1.jpg", "odd.jpg"), r"^(\w+)\.\d+")
    assert [(item.name, item.label) for item in source.read("all")] == [
        ("cat.2.jpg", "cat"), ("cat.10.jpg", "cat"), ("dog.1.jpg", "dog")
    ]  # fmt: skip
    assert [one.name for one in source.skipped] == ["odd.jpg"]


def test_named_groups_tell_label_split_and_group(tree: Tree) -> None:
    root = tree("training/p1_cat.jpg", "training/p2_dog.jpg", "test/p3_cat.jpg")
    source = open_source(f"{root}::(?P<split>[a-z]+)/(?P<group>p[0-9]+)_(?P<label>[a-z]+)")
    assert source.splits == ("train", "test")
    assert [(item.label, item.group) for item in source.read("train")] == [
        ("cat", "p1"), ("dog", "p2")
    ]  # fmt: skip


def test_a_group_that_matches_nothing_is_none(tree: Tree) -> None:
    source = open_source(f"{tree('p1cat.jpg', 'dog.jpg')}::^(?P<group>[p0-9]*)(?P<label>[a-z]+)")
    assert [(item.label, item.group) for item in source.read("all")] == [
        ("dog", None), ("cat", "p1")
    ]  # fmt: skip


def test_a_text_file_may_list_the_images(tree: Tree) -> None:
    root = tree("a/cat.1.jpg", "a/dog.1.jpg", "b/dog.2.jpg")
    (root / "files.txt").write_bytes(
        b"a/cat.1.jpg\r\nb\\dog.2.jpg\r\n\r\na/none.3.jpg\r\na/cat.1.jpg\r\nfiles.txt\r\n"
    )
    source = open_source(f"{root / 'files.txt'}::([a-z]+)[.][0-9]")
    assert {item.name: item.label for item in source.read("all")} == {
        "a/cat.1.jpg": "cat", "b/dog.2.jpg": "dog"
    }  # fmt: skip
    assert source.read("all")[1].image.read() == b"b/dog.2.jpg"
    assert {one.name: one.reason for one in source.skipped} == {
        "a/none.3.jpg": "not there",
        "a/cat.1.jpg": "named more than once",
        "files.txt": "not an image (.txt)",
    }


def test_a_line_of_a_list_is_a_name_as_the_disk_has_it(tree: Tree) -> None:
    root = tree(" cat.1.jpg", "dog\u2028\x85.2.jpg", "dog\\.3.jpg", "cat.4.jpg")
    (root / "files.txt").write_bytes(
        " cat.1.jpg\ndog\u2028\x85.2.jpg\ndog\\.3.jpg\n ./cat.4.jpg \n".encode()
    )
    source = open_source(f"{root / 'files.txt'}::(cat|dog)")
    assert [item.name for item in source.read("all")] == [
        " cat.1.jpg", "cat.4.jpg", "dog\\.3.jpg", "dog\u2028\x85.2.jpg"
    ]  # fmt: skip
    assert not source.skipped


def test_rooms_of_houses_are_told_by_their_names(shared_data: Path) -> None:
    source = pattern(shared_data / "houses" / "images", r"(?P<group>\d+)_(?P<label>[a-z]+)")
    assert source.classes == ("bathroom", "bedroom", "frontal", "kitchen")
    assert len(source.read("all")) == 1608
    assert len({item.group for item in source.read("all")}) == 402


@pytest.mark.parametrize("expression", ["(", "cat|dog"])
def test_an_expression_that_cannot_tell_a_label_is_refused(tree: Tree, expression: str) -> None:
    with pytest.raises(UsageError):
        pattern(tree("cat.1.jpg"), expression)


def test_names_that_do_not_match_are_refused_with_an_example(tree: Tree) -> None:
    with pytest.raises(DataError) as caught:
        pattern(tree("cat.1.jpg"), r"(\d+)_")
    assert "'cat.1.jpg'" in caught.value.hint


def test_a_split_that_is_none_is_refused(tree: Tree) -> None:
    with pytest.raises(DataError, match="has the split 'later'"):
        pattern(tree("later/cat.jpg"), r"(?P<split>\w+)/(?P<label>\w+)")
