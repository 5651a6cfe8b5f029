"""cifar: against torchvision's reader, and pickles that want more than to be read."""

from __future__ import annotations

import hashlib
import os
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from saccade.data.sources import open_source
from saccade.data.sources.cifar import cifar, is_cifar
from saccade.errors import DataError, UsageError

NAMES = [b"airplane", b"automobile", b"bird"]
PIXELS = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
LABELS = [2, 0, 1, 2]


def python2(pixels: NDArray[np.uint8], labels: list[int]) -> bytes:
    """A batch in the opcodes that Python 2's cPickle and its NumPy wrote, as the published ones."""
    data = pixels.tobytes()
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01(K" + bytes([len(pixels)]) + b"M" + struct.pack("<H", 3072) + b"t"
        b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89T" + struct.pack("<I", len(data)) + data + b"tb"
    )  # fmt: skip
    listed = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}(U\x04data" + array + b"U\x06labels" + listed + b"u."


def batches(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for at in range(1, 6):
        (folder / f"data_batch_{at}").write_bytes(python2(PIXELS, LABELS))
    (folder / "test_batch").write_bytes(python2(PIXELS[:2], LABELS[:2]))
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": NAMES}, protocol=2))
    return folder


def test_the_handmade_batch_is_a_true_pickle() -> None:
    told = pickle.loads(python2(PIXELS, LABELS), encoding="bytes")
    np.testing.assert_array_equal(told[b"data"], PIXELS)
    assert told[b"labels"] == LABELS


def test_the_images_are_torchvisions(tmp_path: Path) -> None:
    from torchvision.datasets import CIFAR10

    folder = batches(tmp_path / "cifar-10-batches-py")

    def digest(name: str) -> str:
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    told = {"label_names": [name.decode() for name in NAMES]}
    (folder / "batches.meta").write_bytes(pickle.dumps(told))
    meta = {"filename": "batches.meta", "key": "label_names", "md5": digest("batches.meta")}
    train = [[f"data_batch_{at}", digest(f"data_batch_{at}")] for at in range(1, 6)]
    test = [["test_batch", digest("test_batch")]]
    small = type("Small", (CIFAR10,), {"train_list": train, "test_list": test, "meta": meta})
    source = open_source(folder)
    assert source.splits == ("train", "test")
    for split in source.splits:
        theirs = small(str(tmp_path), train=split == "train")
        items = source.read(split)
        assert len(items) == len(theirs)
        assert [item.label for item in items] == [theirs.classes[at] for at in theirs.targets]
        for item, pixels in zip(items, theirs.data):
            np.testing.assert_array_equal(item.image.read(), pixels)


def test_the_archive_reads_as_the_folder(tmp_path: Path) -> None:
    folder = batches(tmp_path / "cifar-10-batches-py")
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as opened:
        opened.add(folder, "cifar-10-batches-py")
    packed, plain = open_source(tmp_path / "cifar-10-python.tar.gz"), cifar(folder)
    assert packed.classes == plain.classes == ("airplane", "automobile", "bird")
    for ours, theirs in zip(packed.read("train"), plain.read("train"), strict=True):
        assert (ours.name, ours.label) == (theirs.name, theirs.label)
        np.testing.assert_array_equal(ours.image.read(), theirs.image.read())


def test_an_archive_is_told_by_what_is_in_it(tmp_path: Path) -> None:
    folder = batches(tmp_path / "cifar-10-batches-py")
    with tarfile.open(tmp_path / "ten.tar", "w") as opened:
        opened.add(folder, "cifar-10-batches-py")
    assert open_source(tmp_path / "ten.tar").name == "cifar10"
    with pytest.raises(UsageError, match="val_folder=a does nothing: the batches in"):
        open_source(f"{tmp_path / 'ten.tar'}::val_folder=a")
    with tarfile.open(tmp_path / "cifar-photos.tar", "w") as opened:
        for name in ("a/1.jpg", "b/1.jpg"):
            opened.add(folder / "test_batch", name)
    assert open_source(tmp_path / "cifar-photos.tar").classes == ("a", "b")


def test_folders_called_like_batches_are_none(tmp_path: Path) -> None:
    for name in ("train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", "meta/list.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert not is_cifar(tmp_path)
    assert open_source(tmp_path).classes == ("a", "b")


def test_the_binary_form_tells_the_same(tmp_path: Path) -> None:
    rows = b"".join(bytes([label]) + row.tobytes() for label, row in zip(LABELS, PIXELS))
    (tmp_path / "data_batch_1.bin").write_bytes(rows)
    (tmp_path / "test_batch.bin").write_bytes(rows)
    (tmp_path / "batches.meta.txt").write_bytes(b"\n".join(NAMES) + b"\n\n")
    source = open_source(tmp_path)
    assert [item.label for item in source.read("train")] == [
        "bird", "airplane", "automobile", "bird"
    ]  # fmt: skip
    image = np.asarray(source.read("test")[3].image.read())
    assert image[5, 7].tolist() == [int(PIXELS[3, c * 1024 + 5 * 32 + 7]) for c in range(3)]
    (tmp_path / "test_batch.bin").write_bytes(rows[:-1])
    with pytest.raises(DataError, match="is cut off"):
        cifar(tmp_path)


def test_cifar_100_has_its_fine_classes_in_both_forms(tmp_path: Path) -> None:
    names = [f"kind{at}" for at in range(100)]
    for form in ("python", "binary"):
        folder = tmp_path / form
        folder.mkdir()
        for split in ("train", "test"):
            if form == "python":
                told = {b"data": PIXELS, b"fine_labels": [99, 0, 5, 7], b"coarse_labels": [1] * 4}
                (folder / split).write_bytes(pickle.dumps(told, protocol=2))
            else:
                rows = zip([99, 0, 5, 7], PIXELS)
                raw = b"".join(bytes([1, fine]) + row.tobytes() for fine, row in rows)
                (folder / f"{split}.bin").write_bytes(raw)
        if form == "python":
            told = {b"fine_label_names": [name.encode() for name in names]}
            (folder / "meta").write_bytes(pickle.dumps(told, protocol=2))
        else:
            (folder / "fine_label_names.txt").write_text("\n".join(names))
        source = open_source(folder)
        assert source.name == "cifar100" and len(source.classes) == 100
        assert [item.label for item in source.read("train")] == [
            "kind99",
            "kind0",
            "kind5",
            "kind7",
        ]
        image = np.asarray(source.read("test")[1].image.read())
        np.testing.assert_array_equal(image, PIXELS[1].reshape(3, 32, 32).transpose(1, 2, 0))


class Attack:
    """Runs a command when it is unpickled by the usual reader."""

    def __init__(self, *call: object):
        self.call = call

    def __reduce__(self) -> tuple:
        return self.call[0], tuple(self.call[1:])


@pytest.mark.parametrize(
    "attack",
    [
        Attack(os.system, "touch attacked"),
        Attack(eval, "open('attacked', 'w')"),
        Attack(np.load, "attacked"),
        Attack(getattr, np.ndarray, "tofile"),
    ],
)
def test_a_pickle_that_asks_for_more_than_arrays_is_refused_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: Attack
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = batches(tmp_path / "c")
    told = {b"data": PIXELS, b"labels": LABELS, b"more": attack}
    (folder / "data_batch_2").write_bytes(pickle.dumps(told, protocol=2))
    with pytest.raises(DataError, match=r"'data_batch_2' .* asks for"):
        cifar(folder)
    assert not (tmp_path / "attacked").exists()


def test_arrays_of_other_things_than_bytes_are_refused(tmp_path: Path) -> None:
    folder = batches(tmp_path / "c")
    for array in (PIXELS.astype(np.float32), np.array([None, 1]), np.asfortranarray(PIXELS)):
        told = {b"data": array, b"labels": LABELS}
        (folder / "data_batch_1").write_bytes(pickle.dumps(told, protocol=2))
        with pytest.raises(DataError, match=r"'data_batch_1' in .* is not as published"):
            cifar(folder)


def test_batches_and_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folder = batches(tmp_path / "c")
    for pixels, labels, message in (
        (PIXELS, LABELS[:3], "bytes of pixels for 3 labels"),
        (PIXELS, [2, 0, 1, 3], "has the label 3 for 3 classes"),
    ):
        (folder / "data_batch_1").write_bytes(python2(pixels, labels))
        with pytest.raises(DataError, match=message):
            cifar(folder)


def test_no_mutation_of_a_batch_does_worse_than_a_data_error(tmp_path: Path) -> None:
    import random

    folder, chance = batches(tmp_path / "c"), random.Random(0)
    whole = python2(PIXELS[:1], LABELS[:1])
    outside = [at for at in range(len(whole)) if not 230 < at < 3200]
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            data[chance.choice(outside)] = chance.randrange(256)
        (folder / "data_batch_1").write_bytes(data)
        try:
            cifar(folder)
        except DataError:
            continue


def test_a_folder_without_names_or_batches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks its class names"):
        cifar(tmp_path)
    (tmp_path / "batches.meta.txt").write_text("a\nb\n")
    with pytest.raises(DataError, match="holds no batch"):
        cifar(tmp_path)
