"""Data sets by name: mnist, fashion-mnist, kmnist, cifar10 and cifar100, fetched once.

Digests are those of the publishers and of torchvision.datasets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from saccade.data.sources.cifar import cifar, is_cifar
from saccade.data.sources.listing import Listing
from saccade.data.sources.mnist import idx, is_idx
from saccade.download import Digest, Notify, fetch, silent
from saccade.errors import DataError, unknown
from saccade.files import cache_folder

IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
FASHION = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
KUZUSHIJI = ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",)
TORONTO = ("https://www.cs.toronto.edu/~kriz/",)
CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
HIRAGANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


@dataclass(frozen=True)
class PublishedFile:
    """A file of a data set, its MD5 by its publishers, and where to download it."""

    name: str
    md5: str
    mirrors: Sequence[str]  # addresses of folders


@dataclass(frozen=True)
class NamedDataset:
    """The files of a data set, and what reads and recognises them."""

    files: tuple[PublishedFile, ...]
    read: Callable[[Path], Listing]  # of a folder
    recognise: Callable[[Path], bool]


def _mnist_like(mirrors: tuple[str, ...], classes: tuple[str, ...], *digests: str) -> NamedDataset:
    """One of MNIST's kind: four idx files."""
    files = tuple(PublishedFile(name, md5, mirrors) for name, md5 in zip(IDX, digests, strict=True))
    return NamedDataset(files, partial(idx, classes=classes), is_idx)


def _cifar_archive(name: str, md5: str) -> NamedDataset:
    """One of the two CIFARs: one archive."""
    return NamedDataset(
        (PublishedFile(name, md5, TORONTO),),
        lambda folder: cifar(folder if is_cifar(folder) else folder / name),
        lambda folder: is_cifar(folder) or (folder / name).is_file(),
    )


DATASETS: dict[str, NamedDataset] = {
    "mnist": _mnist_like(
        MNIST, tuple("0123456789"),
        "f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion-mnist": _mnist_like(
        FASHION, CLOTHES,
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    "kmnist": _mnist_like(
        KUZUSHIJI, HIRAGANA,
        "bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134",
    ),
    "cifar10": _cifar_archive("cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a"),
    "cifar100": _cifar_archive("cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85"),
}  # fmt: skip


def named_dataset(name: str, folder: Path | None = None, notify: Notify = silent) -> Listing:
    """The data set called `name`, from `folder` where one is given, else downloaded once."""
    if name not in DATASETS:
        raise unknown("data set", name, NAMED)
    dataset = DATASETS[name]
    if folder is None:
        folder = data_home() / name
        for file in dataset.files:
            addresses = [mirror + file.name for mirror in file.mirrors]
            digest = Digest("md5", file.md5)
            fetch(folder / file.name, addresses, digest, damaged=DataError, notify=notify)
    elif not folder.is_dir() or not dataset.recognise(folder):
        raise DataError(
            f"'{folder}' does not hold {name}",
            f"its files are {', '.join(file.name for file in dataset.files)}",
        )
    return replace(dataset.read(folder), name=name)


def data_home() -> Path:
    """Where downloaded data lie: SACCADE_DATA, else a folder of the cache."""
    return Path(os.environ.get("SACCADE_DATA") or cache_folder() / "data")


NAMED = (*DATASETS, "digits")  # digits comes with scikit-learn
