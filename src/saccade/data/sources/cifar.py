"""CIFAR-10 and CIFAR-100 as published, in Python or binary form.  Krizhevsky 2009.

A folder of the batches or the .tar.gz itself.  The Python form is a pickle and is read without
running anything: the four names that its arrays are made of are admitted, each replaced by a
stand-in from here that takes bytes and nothing else; any other name is refused.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.classes import class_name
from saccade.data.item import ImageArray, Item
from saccade.data.sources.archive import is_tar, tar_members
from saccade.data.sources.listing import Listing, assemble
from saccade.errors import DataError

PIXELS = 3 * 32 * 32
ANEW = "download it anew from https://www.cs.toronto.edu/~kriz/cifar.html"
BATCHES = {
    "train": (*(f"data_batch_{at}" for at in range(1, 6)), "train"),
    "test": ("test_batch", "test"),
}
NAMES = {  # file of class names: the key of its list, for CIFAR-10 and CIFAR-100
    "batches.meta": b"label_names",
    "meta": b"fine_label_names",
}
TEXTS = ("batches.meta.txt", "fine_label_names.txt")
FILES = {name + ending for names in BATCHES.values() for name in names for ending in ("", ".bin")}
PROBED = 10  # files of an archive; the published ones hold 8 at the most
KNOWN = FILES | {*NAMES, *TEXTS}


def cifar(path: Path) -> Listing:
    """The images of CIFAR-10, or of CIFAR-100 with its 100 fine classes."""
    files = _files(path)
    classes = _classes(files, path)
    rows: list[tuple[str, Item]] = []
    for split, names in BATCHES.items():
        batches = [
            _batch(files, name, path) for name in names if {name, f"{name}.bin"} & set(files)
        ]
        pixels = [image for images, _ in batches for image in images]
        labels = [label for _, batch_labels in batches for label in batch_labels]
        for i, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            if not 0 <= label < len(classes):
                raise DataError(f"'{path}' has the label {label} for {len(classes)} classes", ANEW)
            rows.append((split, Item(f"{split}/{i:05d}", classes[label], ImageArray(image))))
    if not rows:
        raise DataError(f"'{path}' holds no batch of CIFAR", "such as data_batch_1 or train.bin")
    name = "cifar100" if len(classes) == 100 else "cifar10"
    return assemble(rows, name, f"'{path}'", classes=classes)


def is_cifar(path: Path) -> bool:
    """Whether a folder holds the batches as published, or an archive among its first files."""
    if path.is_dir():
        names = {file.name for file in path.iterdir() if file.name in KNOWN and file.is_file()}
    else:
        names = {name.rpartition("/")[2] for name, _, _ in islice(tar_members(path), PROBED)}
    return bool(names & {*NAMES, *TEXTS}) and len(names & KNOWN) > 1


def _files(path: Path) -> dict[str, bytes]:
    """The batches by name, from a folder or out of the archive."""
    if path.is_dir():
        files = (file for file in path.iterdir() if file.name in KNOWN and file.is_file())
        return {file.name: file.read_bytes() for file in files}
    if not is_tar(path):
        raise DataError(f"'{path}' is neither a folder nor a .tar.gz of CIFAR", ANEW)
    return {
        name.rpartition("/")[2]: bytes(image.read())
        for name, reason, image in tar_members(path)
        if name.rpartition("/")[2] in KNOWN and image is not None and not reason
    }


def _classes(files: Mapping[str, bytes], path: Path) -> tuple[str, ...]:
    """The class names in the order of the labels."""
    for name, key in NAMES.items():
        if name in files:
            names = _unpickled(files[name], f"'{name}' in '{path}'").get(key, [])
            return tuple(class_name(_text(text)) for text in names)
    for name in TEXTS:
        if name in files:
            return tuple(map(class_name, files[name].decode("utf-8", "replace").split()))
    raise DataError(f"'{path}' lacks its class names", f"they are in {', '.join((*NAMES, *TEXTS))}")


def _batch(
    files: Mapping[str, bytes], name: str, path: Path
) -> tuple[NDArray[np.uint8], list[int]]:
    """The images and labels of one batch.  -> [N,32,32,3] uint8, N numbers"""
    where = f"'{name}' in '{path}'"
    if name in files:
        fields = _unpickled(files[name], where)
        data, labels = fields.get(b"data"), fields.get(b"labels", fields.get(b"fine_labels"))
        flat = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else np.empty(0, np.uint8)
        if not isinstance(labels, list) or not all(type(label) is int for label in labels):
            raise DataError(f"{where} holds no list of labels", ANEW)
    else:
        label_bytes = 2 if "fine_label_names.txt" in files else 1  # the fine label last
        raw = np.frombuffer(files[f"{name}.bin"], np.uint8)
        if raw.size % (label_bytes + PIXELS):
            raise DataError(f"{where} is cut off: {raw.size} bytes are no whole images", ANEW)
        table = raw.reshape(-1, label_bytes + PIXELS)
        flat, labels = table[:, label_bytes:].reshape(-1), table[:, label_bytes - 1].tolist()
    if flat.size != len(labels) * PIXELS:
        raise DataError(f"{where} holds {flat.size} bytes of pixels for {len(labels)} labels", ANEW)
    return flat.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels


def _unpickled(data: bytes, where: str) -> dict[Any, Any]:
    try:
        fields = _Reader(io.BytesIO(data), encoding="bytes").load()
    except DataError as error:
        raise DataError(f"{where} is not as published: {error.what}", error.hint) from error
    except Exception as error:  # a damaged pickle raises errors of any kind
        raise DataError(f"{where} cannot be read: {error!r}", ANEW) from error
    if not isinstance(fields, dict):
        raise DataError(f"{where} holds no table", ANEW)
    return {_bytes(key): _plain(value) for key, value in fields.items()}


def _plain(value: Any) -> Any:
    return value.data if isinstance(value, _Array) else value


def _bytes(key: Any) -> Any:
    return key.encode() if isinstance(key, str) else key


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class _Array:
    """Stands in for numpy.ndarray: keeps the bytes of an array of uint8."""

    data: bytes = b""

    def __setstate__(self, state: Any) -> None:
        _, _, dtype, by_column, data = state
        if not isinstance(dtype, _Dtype) or dtype.code not in (b"u1", "u1") or by_column:
            raise DataError("an array is not of bytes, row by row", ANEW)
        if not isinstance(data, bytes):
            raise DataError("an array holds something else than bytes", ANEW)
        self.data = data


class _Dtype:
    """Stands in for numpy.dtype: keeps its code."""

    def __init__(self, code: Any, *rest: Any):
        self.code = code

    def __setstate__(self, state: Any) -> None:
        """Byte order and fields: of no matter to bytes."""


def _reconstruct(*arguments: Any) -> _Array:
    return _Array()


def _encode(text: str, encoding: Any) -> bytes:
    """Stands in for _codecs.encode, by which Python 3 writes bytes for Python 2."""
    return text.encode("latin-1")


STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
}


class _Reader(pickle.Unpickler):
    """A pickle of dicts, lists, numbers, text, bytes and byte arrays; nothing of it is run."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in STAND_INS:
            raise DataError(f"it asks for '{module}.{name}'", "do not use this file")
        return STAND_INS[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise DataError("it asks for objects outside the file", "do not use this file")
