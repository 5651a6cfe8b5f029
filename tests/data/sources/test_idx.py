"""idx: against torchvision's reader, and the published files."""

from __future__ import annotations

import gzip
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from saccade.data.sources import open_source
from saccade.data.sources.mnist import idx, read_idx
from saccade.errors import DataError

X = np.arange(6 * 3 * 2, dtype=np.uint8).reshape(6, 3, 2)
Y = np.array([3, 1, 3, 1, 0, 0], np.uint8)


def write(place: Path, array: NDArray[np.uint8]) -> None:
    """The format as its authors tell it: 0, 0, type, rank, big-endian sizes, bytes."""
    head = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    data = head + array.tobytes()
    place.write_bytes(gzip.compress(data) if place.suffix == ".gz" else data)


def family(folder: Path, ending: str = "-ubyte.gz") -> Path:
    folder.mkdir(exist_ok=True)
    for split, count in (("train", 6), ("t10k", 4)):
        write(folder / f"{split}-images-idx3{ending}", X[:count])
        write(folder / f"{split}-labels-idx1{ending}", Y[:count])
    return folder


@pytest.mark.parametrize("ending", ["-ubyte.gz", "-ubyte", ".ubyte"])
def test_four_files_are_train_and_test(tmp_path: Path, ending: str) -> None:
    source = open_source(family(tmp_path / "mnist", ending))
    assert source.splits == ("train", "test")
    assert source.classes == ("0", "1", "3")
    items = source.read("train")
    assert [item.label for item in items] == ["3", "1", "3", "1", "0", "0"]
    assert [item.name for item in items[:2]] == ["train/0", "train/1"]
    np.testing.assert_array_equal(items[4].image.read(), X[4])
    assert source.notes == ("test has no image of 1 of 3 classes: '0'",)


def test_names_can_be_given_to_the_numbers(tmp_path: Path) -> None:
    source = idx(family(tmp_path / "m"), classes=("zero", "one", "two", "three"))
    assert [item.label for item in source.read("test")] == ["three", "one", "three", "one"]
    with pytest.raises(DataError, match="has the label 3 for 2 classes"):
        idx(family(tmp_path / "m"), classes=("zero", "one"))


def test_the_reader_agrees_with_torchvisions(tmp_path: Path) -> None:
    from torchvision.datasets.mnist import read_sn3_pascalvincent_tensor

    write(tmp_path / "any", X)
    theirs = read_sn3_pascalvincent_tensor(str(tmp_path / "any")).numpy()
    np.testing.assert_array_equal(read_idx(tmp_path / "any"), theirs)


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\x08", b"\0\0\x0d\x01\0\0\0\1abcd", b"\0\0\x08\x01\0\0\0\5abcd", b"PNG data"],
)
def test_a_file_that_is_cut_off_or_of_another_kind_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(DataError, match="is no idx file"):
        read_idx(tmp_path / "x")


@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_a_cut_off_gz_is_refused(tmp_path: Path, keep: float) -> None:
    write(tmp_path / "x.gz", X)
    data = (tmp_path / "x.gz").read_bytes()
    (tmp_path / "x.gz").write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path / "x.gz")


def test_labels_that_do_not_fit_their_images_are_refused(tmp_path: Path) -> None:
    family(tmp_path / "m")
    write(tmp_path / "m" / "train-labels-idx1-ubyte.gz", Y[:5])
    with pytest.raises(DataError, match=r"train images \[6, 3, 2\] and labels \[5\]"):
        idx(tmp_path / "m")


def test_images_without_labels_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "train-images-idx3-ubyte", X)
    with pytest.raises(DataError, match="holds no idx files of images with their labels"):
        idx(tmp_path)


def test_mnist_has_the_published_counts_and_bytes(shared_data: Path) -> None:
    """Counts of classes: LeCun's training set, as everywhere reported; MD5 of the plain file."""
    source = idx(shared_data / "mnist")
    counts = Counter(item.label for item in source.read("train"))
    assert [counts[str(digit)] for digit in range(10)] == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949
    ]  # fmt: skip
    assert len(source.read("test")) == 10_000
    images = read_idx(shared_data / "mnist" / "t10k-images-idx3-ubyte.gz")
    plain = bytes((0, 0, 8, 3)) + np.array(images.shape, ">u4").tobytes() + images.tobytes()
    assert hashlib.md5(plain).hexdigest() == "2646ac647ad5339dbf082846283269ea"
