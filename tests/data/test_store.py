"""digests: contents told by name, size and times where that is safe."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from saccade.data import store as module
from saccade.data.item import EncodedImage, ImageArray, ImageFile, Item
from saccade.data.store import digests


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    made = []
    for k in range(40):
        (tmp_path / f"{k}").write_bytes(b"%d" % k)
        made.append(Item(f"{k}", None, ImageFile(tmp_path / f"{k}")))
    return made


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file has been as it is for long."""
    monkeypatch.setattr(module, "STABLE_AFTER", -1.0)


def test_a_digest_is_the_sha256_of_the_contents(items: list[Item], tmp_path: Path):
    found = digests([*items, Item("e", None, EncodedImage(b"x"))], tmp_path / "memory")
    contents = [*(b"%d" % k for k in range(40)), b"x"]
    assert found == [hashlib.sha256(content).digest() for content in contents]


def test_arrays_of_other_shapes_are_other_contents(tmp_path: Path):
    flat, tall = np.zeros((2, 8), np.uint8), np.zeros((8, 2), np.uint8)
    found = digests(
        [Item("a", None, ImageArray(x)) for x in (flat, tall, flat)], tmp_path / "memory"
    )
    assert found[0] == found[2] != found[1]


@pytest.mark.usefixtures("settled")
def test_an_unchanged_file_is_not_read_again(
    items: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = digests(items, tmp_path / "cache" / "memory")
    monkeypatch.setattr(ImageFile, "read", None)
    assert digests(items, tmp_path / "cache" / "memory") == first


@pytest.mark.usefixtures("settled")
def test_a_file_changed_without_its_size_or_time_of_change_is_read_again(
    items: list[Item], tmp_path: Path
):
    digests(items, tmp_path / "memory")
    before = (tmp_path / "5").stat()
    while (tmp_path / "5").stat().st_ctime_ns == before.st_ctime_ns:  # of a coarse clock
        (tmp_path / "5").write_bytes(b"V")
    os.utime(tmp_path / "5", ns=(before.st_atime_ns, before.st_mtime_ns))
    found = digests(items, tmp_path / "memory")
    assert found[5] == hashlib.sha256(b"V").digest()
    assert found[6] == hashlib.sha256(b"6").digest()


def test_of_a_file_changed_just_now_nothing_is_remembered(
    items: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    digests(items, tmp_path / "memory")
    monkeypatch.setattr(ImageFile, "read", lambda self: b"read again")
    assert digests(items, tmp_path / "memory")[0] == hashlib.sha256(b"read again").digest()


@pytest.mark.usefixtures("settled")
def test_a_memory_that_is_damaged_or_cannot_be_written_costs_time_alone(
    items: list[Item], tmp_path: Path
):
    (tmp_path / "damaged").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 8)
    (tmp_path / "a file").write_bytes(b"")
    expected = digests(items, tmp_path / "memory")
    assert digests(items, tmp_path / "damaged") == expected
    assert digests(items, tmp_path / "a file" / "memory") == expected


@pytest.mark.usefixtures("settled")
def test_a_file_that_is_gone_is_other_contents_and_no_error(items: list[Item], tmp_path: Path):
    before = digests(items, tmp_path / "memory")
    (tmp_path / "7").unlink()
    after = digests(items, tmp_path / "memory")
    assert [k for k in range(40) if before[k] != after[k]] == [7]
