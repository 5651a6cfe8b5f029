"""open_source: which reader gets what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.sources import absolute_location, open_source
from saccade.errors import DataError

Tree = Callable[..., Path]


def test_a_name_comes_before_a_folder_of_that_name(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tree("digits/a/1.jpg", "digits/b/1.jpg")
    monkeypatch.chdir(root)
    assert len(open_source("digits").read("all")) == 1797
    assert len(open_source("./digits").read("all")) == 2
    assert open_source(Path("digits") / "").name == "digits"


def test_what_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DataError, match="did you mean mnist") as caught:
        open_source("mnits")
    assert "there is no 'mnits'" in caught.value.what


def test_a_file_of_no_known_kind_is_refused(tree: Tree) -> None:
    with pytest.raises(DataError, match="is a file of no known kind"):
        open_source(tree("a.pdf") / "a.pdf")


def test_images_without_labels_are_told_how_to_get_some(tree: Tree) -> None:
    with pytest.raises(DataError) as caught:
        open_source(tree("1.jpg", "2.jpg"))
    assert "a folder of its own" in caught.value.hint


def test_a_name_stays_a_name_where_a_folder_is_called_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `open_source` has it: names come first."""
    monkeypatch.chdir(tmp_path)
    for name in ("digits", "mnist", "photos"):
        (tmp_path / name).mkdir()
    assert absolute_location("digits") == "digits"
    assert absolute_location("mnist::elsewhere") == "mnist::elsewhere"
    assert absolute_location("photos") == str(tmp_path / "photos")
    assert absolute_location(Path("mnist")) == str(tmp_path / "mnist")
