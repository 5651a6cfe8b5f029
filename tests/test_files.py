from __future__ import annotations

from pathlib import Path

import pytest

from saccade.files import whole_file, whole_folder, write_whole


def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "one")
    write_whole(tmp_path / "a.txt", b"two")
    assert (tmp_path / "a.txt").read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_in_the_middle_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "one")
    with pytest.raises(OSError), whole_file(tmp_path / "a.txt") as beside:
        beside.write_text("tw")
        raise OSError("disk full")
    assert (tmp_path / "a.txt").read_text() == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_in_the_middle_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "b") as beside:
        (beside / "x").write_text("one")
    with pytest.raises(KeyError), whole_folder(tmp_path / "b") as beside:
        (beside / "x").write_text("two")
        raise KeyError
    assert (tmp_path / "b" / "x").read_text() == "one"
    with whole_folder(tmp_path / "b") as beside:
        (beside / "y").write_text("three")
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["y"]
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
