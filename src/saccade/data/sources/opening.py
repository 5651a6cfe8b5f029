"""Opening a source: which kind a path or a name is, and named data sets.

Names come first (write `./mnist` for a folder of that name), then what a path ends in, then what
a folder holds.  After `::` stands what a path cannot tell: `photos.csv::price=number`, the
column to learn and its kind; `photos::(?P<label>[a-z]+)_` or `files.txt::...`, the pattern that
finds the label in a name; `mnist::folder`, where a named data set lies.

Named data sets are found in a folder or fetched from their publishers: MNIST (LeCun 1998),
Fashion-MNIST (Xiao 2017), Kuzushiji-MNIST (Clanuwat 2018), CIFAR-10 and -100 (Krizhevsky 2009).
Digests are those of the publishers and torchvision.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from saccade.data.item import Source
from saccade.data.sources.archive import archive, is_tar, is_zip
from saccade.data.sources.arrays import arrays, role
from saccade.data.sources.cifar import cifar, is_cifar
from saccade.data.sources.exports import EXPORTS, annotated_table, frame_table, is_annotated
from saccade.data.sources.folder import folder, pattern
from saccade.data.sources.imagenet import imagenet, is_imagenet
from saccade.data.sources.listing import Listing
from saccade.data.sources.mnist import digits, idx, is_idx
from saccade.data.sources.table import detailed, listing_of, manifest_of
from saccade.data.sources.webdataset import expand, holds_samples, webdataset
from saccade.errors import DataError, UsageError, unknown
from saccade.files import Digest, Notify, cache_folder, fetch, name_of_text, silent, text_of_name

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
        raise unknown("data set", name, (*DATASETS, "digits"))
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


TABLES = (".csv", ".tsv", ".txt", *EXPORTS)
ARRAYS = (".npy", ".npz")


def open_source(data: str | Path | None, *, notify: Notify = silent) -> Source:
    """The source that `data` names: a path, a name, or nothing for the embedded digits.

    `notify` takes a line now and then while a named data set is downloaded.
    """
    if _is_frame(data):
        return listing_of(frame_table(data), "frame")
    if data is None or data == "digits":
        return digits()
    text, _, detail = str(data).partition("::")
    path = Path(text)
    if not path.exists() and Path(name_of_text(text)).exists():  # as another locale wrote it down
        path = Path(name_of_text(text))
    if text in DATASETS and not isinstance(data, Path):
        return named_dataset(text, Path(detail) if detail else None, notify)
    if "*" in path.name or "{" in path.name:
        return webdataset(expand(text))
    if not path.exists():
        names = unknown("data set", text, (*DATASETS, "digits"))
        raise DataError(f"there is no '{text}'", f"check the path; of names, {names.hint}")
    if path.suffix.lower() in TABLES and (table := manifest_of(path, detail)):
        return table
    annotated = detail and path.is_dir() and is_annotated(path)
    if annotated and (table := detailed(annotated_table(path), path.resolve().name, detail)):
        return table
    if detail:
        return pattern(path, detail)
    return _open_folder(path) if path.is_dir() else _open_file(path)


def _is_frame(data: object) -> bool:
    """Whether `data` is a pandas DataFrame; pandas is not imported for it."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def absolute_location(data: str | Path | None) -> str | None:
    """What `data` names, to be found again from any folder."""
    if _is_frame(data):
        hint = "save it with frame.to_csv('photos.csv', index=False), and name that"
        raise UsageError("a frame in memory cannot be found again to resume or evaluate", hint)
    path, separator, rest = str(data).partition("::")
    named = path in (*DATASETS, "digits") and not isinstance(data, Path)
    if data is None or named or not Path(path).exists():
        return None if data is None else str(data)
    return f"{text_of_name(str(Path(path).resolve()))}{separator}{rest}"


def _open_file(path: Path) -> Source:
    if path.suffix.lower() in ARRAYS:
        return arrays(path)
    if is_tar(path) and path.name.startswith("cifar-"):
        return cifar(path)
    if is_tar(path) and holds_samples(path):
        return webdataset([path])
    if is_zip(path) or is_tar(path):
        return archive(path)
    raise DataError(
        f"'{path}' is a file of no known kind",
        "data are a folder, a .csv or .tsv table, a .zip, .tar, .npy or .npz, or a name",
    )


def _open_annotated(path: Path) -> Source:
    """The images of a folder by its tables; by its folders where these hold no labels."""
    table = annotated_table(path)
    if not table.has_labels:
        source, columns = folder(path), ", ".join(table.header)
        note = f"labels are the names of folders: the table has no column label but {columns}"
        return replace(source, notes=(*source.notes, note))
    return listing_of(table, path.resolve().name)


def _open_folder(path: Path) -> Source:
    """The reader that knows what a folder holds; a folder of class folders when none does."""
    try:
        names = [file.name for file in path.iterdir() if not file.name.startswith(".")]
    except OSError as error:
        raise DataError(
            f"'{path}' cannot be read: {error.strerror}", "check who may read it"
        ) from error
    shards = [path / name for name in names if is_tar(Path(name))]
    readers: list[tuple[bool, Callable[[], Source]]] = [
        (is_idx(path), lambda: idx(path)),
        (is_cifar(path), lambda: cifar(path)),
        (any(name.endswith(".npy") and role(name[:-4]) for name in names), lambda: arrays(path)),
        (bool(shards) and holds_samples(shards[0]), lambda: webdataset(shards)),
        (is_imagenet(path), lambda: imagenet(path)),
        (is_annotated(path), lambda: _open_annotated(path)),
    ]
    return next((read() for matches, read in readers if matches), None) or folder(path)
