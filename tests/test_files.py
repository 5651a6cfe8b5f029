from __future__ import annotations

import sys
from pathlib import Path

import pytest

from saccade.files import atomic_file, atomic_folder, atomic_write, cache_folder


def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    atomic_write(tmp_path / "a.txt", "one")
    atomic_write(tmp_path / "a.txt", b"two")
    assert (tmp_path / "a.txt").read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_in_the_middle_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    atomic_write(tmp_path / "a.txt", "one")
    with pytest.raises(OSError), atomic_file(tmp_path / "a.txt") as beside:
        beside.write_text("tw")
        raise OSError("disk full")
    assert (tmp_path / "a.txt").read_text() == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_in_the_middle_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "b") as beside:
        (beside / "x").write_text("one")
    with pytest.raises(KeyError), atomic_folder(tmp_path / "b") as beside:
        (beside / "x").write_text("two")
        raise KeyError
    assert (tmp_path / "b" / "x").read_text() == "one"
    with atomic_folder(tmp_path / "b") as beside:
        (beside / "y").write_text("three")
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["y"]
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_the_folder_of_caches_is_the_users_or_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("SACCADE_CACHE")
    platforms = {"linux": "XDG_CACHE_HOME", "win32": "LOCALAPPDATA"}
    for platform, variable in platforms.items():
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setenv(variable, str(tmp_path))
        assert cache_folder() == tmp_path / "saccade"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == Path.home() / "Library" / "Caches" / "saccade"
