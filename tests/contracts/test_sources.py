"""One suite over every kind of source: what `Source` promises."""

from __future__ import annotations

import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.data.classes import class_indices, multilabel_targets, natural_sort_key
from saccade.data.decode import Preprocessing, decode
from saccade.data.item import Item, Source
from saccade.data.sources import open_source
from saccade.data.split_table import read_split, write_split
from saccade.data.splits import split_data
from saccade.errors import DataError

EACH = 4  # images of each class and split
CLASSES = ("class2", "class10")
PIXELS = np.random.default_rng(0).integers(0, 256, (2 * EACH, 32, 32, 3), dtype=np.uint8)


def png(at: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS[at]).save(file, "PNG")
    return file.getvalue()


def named() -> dict[str, tuple[str, bytes]]:
    """Name to class and content of a few true images."""
    return {
        f"{label}/{at}.png": (label, png(at + EACH * CLASSES.index(label)))
        for label in CLASSES
        for at in range(EACH)
    }


def folder(root: Path, prefix: str = "") -> Path:
    for name, (_, data) in named().items():
        (root / prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (root / prefix / name).write_bytes(data)
    return root


def split_folder(root: Path) -> Path:
    for split in ("train", "val", "test"):
        folder(root, split)
    return root


def table(root: Path, column: str, value: Callable[[str, int], str]) -> Path:
    rows = [f"{name},{value(label, at)}" for at, (name, (label, _)) in enumerate(named().items())]
    (folder(root) / "photos.csv").write_text("\n".join([f"path,{column}", *rows]))
    return root / "photos.csv"


def zipped(root: Path) -> Path:
    with zipfile.ZipFile(root / "photos.zip", "w") as opened:
        for name, (_, data) in named().items():
            opened.writestr(name, data)
    return root / "photos.zip"


def tarred(root: Path, ending: str, kind: str, shard: bool = False) -> Path:
    path = root / f"photos.{ending}"
    with tarfile.open(path, kind) as opened:  # pyright: ignore
        for at, (name, (label, data)) in enumerate(named().items()):
            files = {f"{at}.png": data, f"{at}.cls": label.encode()} if shard else {name: data}
            for member_name, content in files.items():
                member = tarfile.TarInfo(member_name)
                member.size = len(content)
                opened.addfile(member, io.BytesIO(content))
    return path


def arrays(root: Path) -> Path:
    np.save(root / "x.npy", PIXELS)
    np.save(root / "y.npy", np.array(CLASSES).repeat(EACH))
    return root


def idx(root: Path) -> Path:
    labels = np.arange(2 * EACH, dtype=np.uint8) % 2
    for split in ("train", "t10k"):
        for name, array in (("images-idx3", PIXELS[..., 0]), ("labels-idx1", labels)):
            head = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
            (root / f"{split}-{name}-ubyte").write_bytes(head + array.tobytes())
    return root


def cifar(root: Path) -> Path:
    flat = PIXELS.transpose(0, 3, 1, 2).reshape(2 * EACH, -1)
    told = {b"data": np.ascontiguousarray(flat), b"labels": [0, 1] * EACH}
    for name in ("data_batch_1", "test_batch"):
        (root / name).write_bytes(pickle.dumps(told, protocol=2))
    (root / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CLASSES)}, protocol=2))
    return root


def imagenet(root: Path) -> Path:
    for at, (_, data) in enumerate(named().values()):
        place = root / "train" / f"n0144076{at % 2}" / f"{at}.JPEG"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return root


KINDS: dict[str, Callable[[Path], str | Path | None]] = {
    "digits": lambda root: None,
    "folder": folder,
    "split folder": split_folder,
    "table of classes": lambda root: table(root, "label", lambda label, at: label),
    "table of several": lambda root: table(root, "tags", lambda label, at: f"{label}|even"),
    "table of numbers": lambda root: table(root, "value", lambda label, at: str(at / 2)),
    "pattern": lambda root: f"{folder(root)}::^(?P<label>[a-z0-9]+)/(?P<group>[0-9])",
    "zip": zipped,
    "tar": lambda root: tarred(root, "tar", "w"),
    "tar.gz": lambda root: tarred(root, "tar.gz", "w:gz"),
    "webdataset": lambda root: tarred(root, "tar", "w", shard=True),
    "arrays": arrays,
    "idx": idx,
    "named": lambda root: f"mnist::{idx(root)}",
    "cifar": cifar,
    "imagenet": imagenet,
}


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path | None:
    return KINDS[request.param](tmp_path)


@pytest.fixture
def source(place: str | Path | None) -> Source:
    return open_source(place)


def everything(source: Source) -> list[Item]:
    return [item for split in source.splits for item in source.read(split)]


def test_a_source_has_a_name_and_splits_with_items(source: Source) -> None:
    assert source.name.strip()
    assert source.splits == ("all",) or set(source.splits) <= {"train", "val", "test"}
    assert all(len(source.read(split)) >= 2 for split in source.splits)
    assert all(isinstance(note, str) for note in source.notes)
    assert all(one.name and one.reason for one in source.skipped)


def test_names_are_unique_text_with_slashes(source: Source) -> None:
    names = [item.name for item in everything(source)]
    assert len(set(names)) == len(names)
    assert all(name.encode("utf-8") and "\\" not in name for name in names)


def test_labels_are_of_the_class_list_or_all_are_numbers(source: Source) -> None:
    items, classes = everything(source), source.classes
    kinds = {type(item.label) for item in items}
    assert len(kinds) == 1
    if kinds == {float}:
        assert classes == ()
    elif kinds == {tuple}:
        assert multilabel_targets(items, classes).any(axis=0).all()
    else:
        found = set(class_indices(items, classes).tolist())
        assert found == set(range(len(classes))) or "has no image of" in source.notes[0]
    assert len(set(classes)) == len(classes)
    assert list(classes) == sorted(classes, key=natural_sort_key)


def test_every_image_decodes_and_travels(source: Source) -> None:
    for item in everything(source)[:20]:
        raw = item.image.read()
        if isinstance(raw, np.ndarray):
            assert raw.dtype == np.uint8 and (raw.ndim == 2 or raw.shape[2:] == (3,))
        assert decode(raw, Preprocessing(size=8)).shape == (3, 8, 8)
        sent = pickle.loads(pickle.dumps(item)).image.read()
        assert np.array_equal(sent, raw)  # pyright: ignore


def test_opening_again_gives_the_same_items_in_the_same_order(
    source: Source, place: str | Path | None
) -> None:
    again = open_source(place)
    assert again.splits == source.splits and again.classes == source.classes
    told = [(item.name, item.label, item.group) for item in everything(source)]
    assert told == [(item.name, item.label, item.group) for item in everything(again)]


def test_a_split_that_is_not_there_is_an_error(source: Source) -> None:
    with pytest.raises(DataError, match="no split is called 'tomorrow'"):
        source.read("tomorrow")


def test_any_source_can_be_divided_written_and_read_back(source: Source, tmp_path: Path) -> None:
    division = split_data(source, val=0.25, test=0.25)
    parts = (division.train, division.val, division.test)
    assert all(parts)
    names = [item.name for part in parts for item in part]
    assert sorted(names) == sorted(item.name for item in everything(source))
    write_split(tmp_path / "split.csv", division)
    again = read_split(tmp_path / "split.csv", source)
    assert [[item.name for item in part] for part in (again.train, again.val, again.test)] == [
        [item.name for item in part] for part in parts
    ]
