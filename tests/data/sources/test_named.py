"""named: data sets by name, from a folder or from a server of our own."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from saccade.data.sources import named as module
from saccade.data.sources import open_source
from saccade.data.sources.named import DATASETS, IDX, data_home, named_dataset
from saccade.errors import DataError, NetworkError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An address, and the folder whose files it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/", folder
        running.shutdown()
        thread.join()


def family(folder: Path) -> dict[str, str]:
    """Four small idx files; their digests by name."""
    digests = {}
    for name in IDX:
        array = np.arange(20, dtype=np.uint8) % 10
        if "images" in name:
            array = np.arange(20 * 4, dtype=np.uint8).reshape(20, 2, 2)
        head = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
        data = gzip.compress(head + array.tobytes(), mtime=0)
        (folder / name).write_bytes(data)
        digests[name] = hashlib.md5(data).hexdigest()
    return digests


def test_a_set_is_fetched_once_with_progress_and_kept(
    server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, served = server
    digests = family(served)
    small = module._mnist_like((address,), module.CLOTHES, *(digests[name] for name in IDX))
    monkeypatch.setitem(DATASETS, "fashion-mnist", small)
    monkeypatch.setenv("SACCADE_DATA", str(tmp_path / "home"))
    told: list[str] = []
    source = open_source("fashion-mnist", notify=told.append)
    assert source.name == "fashion-mnist"
    assert source.classes == module.CLOTHES
    assert source.read("train")[1].label == "Trouser"
    assert [line for line in told if line.startswith(IDX[0])][-1].endswith("100 %")
    assert sorted(file.name for file in (tmp_path / "home" / "fashion-mnist").iterdir()) == sorted(
        IDX
    )
    for name in IDX:
        (served / name).unlink()
    told.clear()
    assert open_source("fashion-mnist", notify=told.append).splits == ("train", "test")
    assert told == []


def test_a_file_that_went_bad_on_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SACCADE_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / IDX[0]).write_bytes(b"bad")
    with pytest.raises(DataError, match="is damaged"):
        open_source("mnist")


def test_offline_settings_are_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SACCADE_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NetworkError, match="HF_HUB_OFFLINE forbids"):
        open_source("mnist")


def test_the_home_of_data_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SACCADE_DATA", raising=False)
    monkeypatch.setenv("SACCADE_CACHE", str(tmp_path))
    assert data_home() == tmp_path / "data"
    monkeypatch.setenv("SACCADE_DATA", str(tmp_path / "own"))
    assert data_home() == tmp_path / "own"


def test_a_set_is_found_in_a_folder_that_is_given(tmp_path: Path) -> None:
    family(tmp_path)
    source = open_source(f"kmnist::{tmp_path}")
    assert (source.name, source.classes) == ("kmnist", module.HIRAGANA)
    with pytest.raises(DataError, match="does not hold cifar10"):
        named_dataset("cifar10", tmp_path)


def test_mnist_is_found_in_a_folder(shared_data: Path) -> None:
    source = named_dataset("mnist", shared_data / "mnist")
    assert [len(source.read(split)) for split in source.splits] == [60_000, 10_000]


def test_digests_and_classes_are_those_that_torchvision_tells() -> None:
    from torchvision import datasets

    pairs = {
        "mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST, "kmnist": datasets.KMNIST
    }  # fmt: skip
    for name, theirs in pairs.items():
        ours = {file.name: file.md5 for file in DATASETS[name].files}
        assert ours == dict(theirs.resources)
    assert list(module.CLOTHES) == datasets.FashionMNIST.classes
    assert list(module.HIRAGANA) == datasets.KMNIST.classes
    for name, theirs in (("cifar10", datasets.CIFAR10), ("cifar100", datasets.CIFAR100)):
        (file,) = DATASETS[name].files
        assert (file.name, file.md5) == (theirs.filename, theirs.tgz_md5)
        assert file.mirrors[0] + file.name == theirs.url
