"""Objects of Python as data: told apart, written down once, found again, trained on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, IterableDataset, Subset, TensorDataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import ToTensor

import saccade
from saccade.data.image_files import find_images
from saccade.data.item import Item
from saccade.data.sources import open_images, open_source
from saccade.data.sources.object_table import written_table
from saccade.data.sources.objects import images_in
from saccade.errors import DataError, SaccadeError, UsageError
from saccade.runs.images import split_of
from saccade.runs.run import Run

X = np.random.default_rng(0).integers(0, 256, (6, 12, 16, 3), np.uint8)
T = torch.from_numpy(X).permute(0, 3, 1, 2)
Y = [0, 1, 2, 0, 1, 2]
NAMES = list("ababab")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The six images as files, in a folder a and a folder b."""
    paths = []
    for number, (pixels, name) in enumerate(zip(X, NAMES)):
        (tmp_path / "files" / name).mkdir(parents=True, exist_ok=True)
        paths.append(tmp_path / "files" / name / f"{number}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


class ClassLabel:
    """As in the library datasets: the names of whole numbers."""

    def __init__(self, *names: str):
        self.names = names


class Sequence:
    """As in the library datasets: several of a feature."""

    def __init__(self, feature: object):
        self.feature = feature


HuggingFaceImage = type("Image", (), {})


class HuggingFace:
    """The protocol of a dataset of Hugging Face: rows, and what each column is."""

    def __init__(self, rows: list[dict[str, Any]], **features: object):
        self.rows, self.features, self.column_names = rows, features, [*features]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


def hugging_face(labels: list[Any], feature: object, name: str = "label") -> HuggingFace:
    rows = [{"picture": Image.fromarray(x), name: label} for x, label in zip(X, labels)]
    return HuggingFace(rows, **{"picture": HuggingFaceImage(), name: feature})


def items_of(data: object) -> list[Item]:
    source = open_source(written_table(data))
    return [item for split in source.splits for item in source.read(split)]


def test_every_form_of_images_and_labels_becomes_the_same_table(files: list[Path]) -> None:
    forms = [
        (X, Y),
        (X / 255, np.array(Y)),
        (T, torch.tensor(Y)),
        (T.float() / 255, torch.tensor(Y).reshape(-1, 1)),
        (list(X), Y),
        ([Image.fromarray(x) for x in X], pandas.Series(Y)),
        TensorDataset(T, torch.tensor(Y)),
        list(zip(X, Y)),
        [{"image": x, "label": y} for x, y in zip(X, Y)],
        hugging_face(Y, ClassLabel("0", "1", "2")),
    ]
    names = {written_table(form) for form in forms}
    assert len(names) == 1
    items = items_of(forms[0])
    assert [item.label for item in items] == list("012012")
    assert [item.name for item in items] == [f"image {number}.png" for number in range(6)]
    for item, pixels in zip(items, X):
        image = Image.open(item.image.path)  # type: ignore[attr-defined]
        assert np.array_equal(np.asarray(image), pixels)


def test_paths_are_not_copied(files: list[Path], cache: Path) -> None:
    folder = files[0].parents[1]
    for form in (
        (files, NAMES),
        ([str(file) for file in files], tuple(NAMES)),
        (np.array([str(file) for file in files]), np.array(NAMES)),
        (pandas.Series(map(str, files)), pandas.Series(NAMES)),
        ImageFolder(str(folder)),
        Subset(ImageFolder(str(folder)), range(6)),
    ):
        assert sorted(
            (str(item.image.path), item.label)  # type: ignore[attr-defined]
            for item in items_of(form)
        ) == sorted((str(file), name) for file, name in zip(files, NAMES))
    assert not list(cache.rglob("*.png"))


def test_a_transformed_dataset_is_what_its_transform_makes(files: list[Path]) -> None:
    plain, changed = (
        ImageFolder(str(files[0].parents[1])),
        ImageFolder(str(files[0].parents[1]), ToTensor()),
    )
    assert [item.label for item in items_of(changed)] == [plain.classes[y] for _, y in plain]
    assert len(items_of(ConcatDataset([changed, changed]))) == 12


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (np.eye(4, dtype=int)[Y] + [0, 0, 0, 1], [(str(y), "3") for y in Y]),
        ([["cat", "dog"], ["dog"], ["cat"], ["dog"], ["cat"], ["dog"]], None),
        ([0.5, 1.5, 2.5, 3.5, 4.5, 5.5], [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]),
        ([True, False] * 3, ["1", "0"] * 3),
        (["a, b", 'c "d"', "e|f", "é", "1.5", "[x]"], ["a, b", 'c "d"', "e|f", "é", "1.5", "[x]"]),
    ],
)
def test_labels_are_what_their_type_says(labels: Any, expected: list[Any] | None) -> None:
    found = [item.label for item in items_of((X, labels))]
    assert found == (expected or [tuple(names) for names in labels])


def test_a_mapping_of_splits_comes_divided() -> None:
    data = {
        "train": (X, NAMES),
        "validation": (X, NAMES),
        "test": hugging_face([0, 1] * 3, ClassLabel("a", "b")),
    }
    source = open_source(written_table(data))
    assert source.splits == ("train", "val", "test")
    assert [len(source.read(split)) for split in source.splits] == [6, 6, 6]


def test_rows_of_hugging_face_are_read_by_their_features() -> None:
    assert [i.label for i in items_of(hugging_face([1, 0] * 3, ClassLabel("no", "yes")))] == [
        "yes",
        "no",
    ] * 3
    several = hugging_face([[0], [0, 1]] * 3, Sequence(ClassLabel("cat", "dog")), "labels")
    assert [i.label for i in items_of(several)] == [("cat",), ("cat", "dog")] * 3
    stored = HuggingFace(
        [{"image": {"bytes": b"\x89PNG", "path": None}, "label": "x"}],
        image=HuggingFaceImage(),
        label=None,
    )
    assert str(written_table(stored)).endswith("images.csv::label=class")
    two = HuggingFace([], image=HuggingFaceImage(), fine=ClassLabel("a"), coarse=ClassLabel("b"))
    two.rows = [{"image": X[0], "fine": 0, "coarse": 0}]
    with pytest.raises(
        DataError, match="fine, coarse of the dataset are all of the kind"
    ) as caught:
        written_table(two)
    assert caught.value.hint == "rename the one that is meant to label"


def test_images_keep_the_names_that_they_have(files: list[Path]) -> None:
    frame = pandas.DataFrame({"image": list(X), "label": NAMES}, index=list("abcdef"))
    with files[0].open("rb") as opened:
        given = [Image.open(files[1]), opened, [Image.open(files[2]), X[0]], frame, frame["image"]]
        names = [item.name for item in images_in(given) if isinstance(item, Item)]
    opened_names = [str(files[1]), str(files[0]), str(files[2]), "image 3"]
    assert names == [*opened_names, *"abcdef", *"abcdef"]
    assert [item.label for item in items_of(frame)] == NAMES
    frame["split"] = ["train"] * 4 + ["test"] * 2
    source = open_source(written_table(frame))
    assert [len(source.read(split)) for split in source.splits] == [4, 2]


class Endless(IterableDataset):
    def __iter__(self) -> Iterator[int]:
        return iter(range(9))


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (3, "data cannot be an int", "DataFrame"),
        ({"image": X, "label": Y}, "data cannot be a dict", r"(images, labels)"),
        ((x for x in X), "a generator, which has no length", "islice"),
        (Endless(), "an Endless, which has no length", "islice"),
        (DataLoader(TensorDataset(T)), "cannot be a DataLoader", "loader.dataset"),
        ([], "there is no image", "DataFrame"),
        (X, "have no labels", "(images, labels)"),
        (["a.png", "b.png"], "have no labels", "(images, labels)"),
        ((X, [None] * 6), "have no labels", "(images, labels)"),
        ((X, Y[:4]), "there are 6 images and 4 labels", "one each"),
        ((X.reshape(6, -1), Y), "a row is no image", "reshape"),
        ((X, [object()] * 6), "the label of image 0 is an object", "whole numbers"),
        ((X, ["a", "b", 0.5, 0.5, "a", "b"]), "some labels are label and some value", "floats"),
        ([(X[0], 1, 2)], "a sample has 3 parts", "(image, label)"),
        ((TensorDataset(T), Y), "image 0 is a TensorDataset", "an image is"),
        ([{"pixels": X[0]}], "its keys are pixels", "image"),
        ([X, X], "image 0 is an array of uint8 [6,12,16,3], which are several", "the array itself"),
        ((X, np.eye(3)[Y]), "exactly one 1 for each of 6 images", "give labels.argmax(1)"),
        (((X, Y), (X, Y)), "2 parts in a row do not say", "{'train': (x_train, y_train), 'test'"),
        ((X, Y, X, Y), "4 parts in a row do not say", "{'train': (x_train, y_train), 'test'"),
        ((X, np.array([0.1, np.inf] * 3)), "the label of image 1 is inf", "floats"),
        ("https://a.org/b.zip?c", "is an address", "curl -L -o b.zip 'https://a.org/b.zip?c'"),
        ("x" * 5000, "there is no 'xxx", "check the path"),
        (Path("x" * 5000), "there is no 'xxx", "check the path"),
    ],
)  # fmt: skip
def test_what_is_no_data_is_told_so_in_a_few_words(data: Any, message: str, hint: str) -> None:
    with pytest.raises(SaccadeError) as caught:
        open_source(written_table(data))
    assert message in caught.value.what and hint in caught.value.hint
    assert len(str(caught.value)) < 400


def test_images_without_labels_are_enough_where_none_are_needed(files: list[Path]) -> None:
    for form in (X, T, list(X), files, TensorDataset(T)):
        source = open_images(written_table(form, labelled=False))
        assert len(source.read("all")) == 6
        assert all(item.label is None for item in source.read("all"))


def test_images_to_predict_keep_their_order_and_are_numbered(files: list[Path]) -> None:
    given = [*images_in([files[0], X[:2], [Image.fromarray(X[0]), str(files[1])], (X, Y)])]
    names = [item.name if isinstance(item, Item) else item for item in given]
    expected = [files[0], "image 1", "image 2", "image 3", str(files[1])]
    assert names == [*expected, *(f"image {number}" for number in range(5, 11))]
    frame = pandas.DataFrame({"path": [str(file) for file in files]})
    assert [*images_in([frame])] == [str(file) for file in files]
    with pytest.raises(UsageError, match="images cannot be an int"):
        [*images_in([3])]
    with pytest.raises(DataError, match="no image in what was given") as caught:
        [*images_in([[]])]
    assert caught.value.hint.startswith("an image is a path")
    with pytest.raises(DataError, match=r"'https://a.org/b.jpg' is an address"):
        find_images(["https://a.org/b.jpg"])


def test_the_same_objects_are_written_once(cache: Path) -> None:
    first, again, other = (
        written_table((X, Y)),
        written_table((X.copy(), Y)),
        written_table((X, Y[::-1])),
    )
    assert first == again != other
    assert len([*cache.glob("objects/*")]) == 2


def test_a_training_on_arrays_is_resumed_evaluated_and_predicts_as_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chance = np.random.default_rng(1)
    names = np.array(["dark", "light"] * 20)
    x = chance.integers(0, 120, (40, 8, 8, 3)).astype(np.uint8)
    x[names == "light"] += 130
    run = saccade.train((x, names), model="mlp_rgb", epochs=1, size=32)
    command = run.started["command"]
    assert "array(" not in command and "images.csv" in command
    assert {item.name for item in split_of(run).items} == {f"image {n}.png" for n in range(40)}
    assert Run.open(run.path).data == written_table((x, names))
    again = saccade.resume(run.path, epochs=2)
    assert len(again.history) == 2
    assert saccade.evaluate(again, (x, names)).n == 40
    for number in range(3):
        Image.fromarray(x[number]).save(tmp_path / f"{number}.png")
    by_file: Any = again.predict(*(tmp_path / f"{number}.png" for number in range(3)))
    by_array: Any = again.predict(x[:3])
    assert [p.probabilities for p in by_file] == [p.probabilities for p in by_array]
    assert [p.name for p in by_array] == ["image 0", "image 1", "image 2"]
    assert again.predict(torch.from_numpy(x[0]).permute(2, 0, 1))[0].best == by_file[0].best


def test_a_frame_of_images_is_read_as_the_table_of_their_paths_would_be(files: list[Path]) -> None:
    images = [Image.fromarray(pixels) for pixels in X]
    columns: dict[str, list[Any]] = {
        "label": [0.0, 1, 0, 1, 0, np.nan],
        "count": [0, 1, 2, 3, 4, 5],
        "labels": ["a|b", "a", "b", "a|b", "", "a"],
        "value": [0.5, 1, 2, 3, 4, 5],
    }
    for title, cells in columns.items():
        about = {title: cells, "place": list("ppqqrr"), "split": ["train"] * 3 + ["test"] * 3}
        with_images = items_of(pandas.DataFrame({"photo": images, **about}))
        with_paths = items_of(pandas.DataFrame({"path": [str(f) for f in files], **about}))
        assert [i.label for i in with_images] == [i.label for i in with_paths]
        assert [i.group for i in with_images] == [i.group for i in with_paths]
    frame = pandas.DataFrame({"photo": images, "label": NAMES, "split": ["train"] * 5 + [None]})
    with pytest.raises(DataError):
        [open_source(written_table(frame)).read(split) for split in ("train", "test")]
