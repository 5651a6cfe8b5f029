"""arrays: images in NumPy files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from saccade.data.sources import open_source
from saccade.data.sources.arrays import arrays, role
from saccade.errors import DataError

X = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
Y = np.array([10, 2, 10, 2])


def save(folder: Path, **named: NDArray) -> Path:
    for name, array in named.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def pixels(path: Path, split: str = "all") -> list[NDArray]:
    return [np.asarray(item.image.read()) for item in open_source(path).read(split)]


def test_x_and_y_are_images_and_classes(tmp_path: Path) -> None:
    source = open_source(save(tmp_path, x=X, y=Y))
    assert source.classes == ("2", "10")
    assert [(item.name, item.label) for item in source.read("all")] == [
        ("all/0", "10"), ("all/1", "2"), ("all/2", "10"), ("all/3", "2")
    ]  # fmt: skip
    np.testing.assert_array_equal(np.stack(pixels(tmp_path)), X)
    assert len(open_source(tmp_path / "x.npy").read("all")) == 4


def test_splits_are_in_the_names_of_files_and_of_members(tmp_path: Path) -> None:
    save(tmp_path, x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2])
    np.savez(
        tmp_path / "m.npz", train_images=X, train_labels=Y, val_images=X, val_labels=Y[:, None]
    )
    assert open_source(tmp_path).splits == ("train", "test")
    assert open_source(tmp_path / "m.npz").splits == ("train", "val")
    assert role("X_Validation") == ("val", "x")
    assert role("weights") is None


@pytest.mark.parametrize("shape", [(4, 5, 6, 3), (4, 3, 5, 6), (4, 5, 6, 1), (4, 1, 5, 6)])
def test_colours_may_come_last_or_first(tmp_path: Path, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = pixels(save(tmp_path, x=x, y=Y))
    if shape == (4, 3, 5, 6):
        assert found[2].shape == (5, 6, 3) and found[2][1, 4, 2] == x[2, 2, 1, 4]
    elif shape == (4, 1, 5, 6):
        assert found[2].shape == (5, 6) and found[2][1, 4] == x[2, 0, 1, 4]
    else:
        np.testing.assert_array_equal(found[2].squeeze(), x[2].squeeze())


def test_text_floats_and_marks_are_classes_numbers_and_several_classes(tmp_path: Path) -> None:
    def labels(y: NDArray) -> list[object]:
        return [item.label for item in arrays(save(tmp_path, x=X, y=y)).read("all")]

    assert labels(np.array(["b", "a", "b", "a"])) == ["b", "a", "b", "a"]
    assert labels(np.array([0.5, 1, 2, 3])) == [0.5, 1.0, 2.0, 3.0]
    marks = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]])
    expected = [("0", "2"), (), ("1",), ("0", "1", "2")]
    assert labels(marks) == labels(marks.astype(bool)) == labels(2 * marks - 1) == expected


def test_a_single_mark_in_every_row_is_the_class_and_noted(tmp_path: Path) -> None:
    source = arrays(save(tmp_path, x=X, y=np.eye(3, dtype=int)[[0, 2, 1, 0]]))
    assert [item.label for item in source.read("all")] == ["0", "2", "1", "0"]
    assert "a single 1 in every row" in source.notes[0]


def test_a_list_of_classes_names_the_numbers(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("zebra\nant\n")
    source = arrays(save(tmp_path, x=X, y=np.array([0, 1, 1, 0])))
    assert source.classes == ("zebra", "ant")
    assert [item.label for item in source.read("all")] == ["zebra", "ant", "ant", "zebra"]
    with pytest.raises(DataError, match="for 2 classes"):
        arrays(save(tmp_path, y=Y))


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"x": X / 255, "y": Y}, "are float64 where uint8"),
        ({"x": X, "y": Y[:3]}, "has 4 images and 3 labels"),
        ({"x": X}, "has images for all and no labels"),
        ({"x": X[0], "y": Y}, r"have the shape \(5, 6\)"),
        ({"x": np.zeros((4, 5, 6, 4), np.uint8), "y": Y}, r"have the shape \(4, 5, 6, 4\)"),
        ({"x": X, "y": np.array([1.0, np.nan, 2, 3])}, "the labels in"),
        ({"x": X, "y": np.array([[1, 0], [0, -1], [1, 1], [0, 1]])}, "the labels in"),
        ({"x": X, "images": X, "y": Y}, "several arrays for x of all"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(
    tmp_path: Path, named: dict[str, NDArray], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        arrays(save(tmp_path, **named))


def test_a_file_of_anything_but_images_is_refused(tmp_path: Path) -> None:
    save(tmp_path, x=X, y=Y, embeddings=X, image_labels=Y)
    for name in ("y", "embeddings", "image_labels"):
        with pytest.raises(DataError, match="is not called like an array of images"):
            open_source(tmp_path / f"{name}.npy")
    assert role("image_labels") == ("all", "y")


def test_objects_are_never_loaded(tmp_path: Path) -> None:
    save(tmp_path, x=X, y=np.array([{}, 1, 2, 3], dtype=object))
    with pytest.raises(DataError, match="cannot be read as an array"):
        arrays(tmp_path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    save(tmp_path, x=X, y=Y)
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:150])
    with pytest.raises(DataError, match=r"x.npy' cannot be read"):
        arrays(tmp_path)
    (tmp_path / "z.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match=r"z.npz' cannot be read"):
        arrays(tmp_path / "z.npz")


def test_images_stay_on_the_disk_until_they_are_read(tmp_path: Path) -> None:
    import tracemalloc

    x = np.zeros((64, 256, 256), np.uint8)  # 4 MiB
    save(tmp_path, x=x, y=np.arange(64) % 2)
    tracemalloc.start()
    source = arrays(tmp_path)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(source.read("all")) == 64
    assert held < 2**20


def test_public_cifar_pixels_open_as_they_are(shared_data: Path) -> None:
    place = shared_data / "cifar10_lossless" / "train_first4000.npz"
    with np.load(place) as told:
        images, labels, classes = told["images"], told["labels"], told["classes"].tolist()
    items = open_source(place).read("all")
    assert open_source(place).classes == tuple(classes)
    assert [item.label for item in items] == [classes[label] for label in labels]
    np.testing.assert_array_equal(items[123].image.read(), images[123])
