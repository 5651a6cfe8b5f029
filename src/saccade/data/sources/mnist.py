"""The MNIST family from its four files, and the digits that come with scikit-learn.

LeCun, Cortes, Burges 1998: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-...`, as
they are or in .gz; white ink on black, 28x28.

Alpaydin, Kaynak 1998: 1,797 handwritten digits, 8x8 grey levels 0 to 16, white ink on black, scaled
to 0 to 255; the test half of the UCI set.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.item import ImageArray, Item
from saccade.data.sources.listing import Listing, assemble
from saccade.errors import DataError

FILE = re.compile(r"(train|t10k|test)[-.](images|labels)[-.]idx[13][-.]ubyte(\.gz)?", re.IGNORECASE)
UNSIGNED = 0x08  # the code of the element type, third byte of the header
LARGEST = 2**32  # bytes of one file unpacked


def idx(folder: Path, classes: tuple[str, ...] = ()) -> Listing:
    """The images of a folder of idx files; `classes` names the labels 0, 1, ..."""
    files: dict[tuple[str, str], Path] = {}
    for file in sorted(folder.iterdir()):
        if match := FILE.fullmatch(file.name):
            split = "train" if match[1].lower() == "train" else "test"
            files.setdefault((split, match[2].lower()), file)
    rows: list[tuple[str, Item]] = []
    for split in ("train", "test"):
        if (split, "images") in files and (split, "labels") in files:
            images, labels = read_idx(files[split, "images"]), read_idx(files[split, "labels"])
            rows += [(split, item) for item in _items(images, labels, split, classes, folder)]
    if not rows:
        raise DataError(
            f"'{folder}' holds no idx files of images with their labels",
            "they are called train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz",
        )
    return assemble(rows, folder.resolve().name, f"'{folder}'", classes=classes)


def is_idx(folder: Path) -> bool:
    """Whether a folder holds a file of the MNIST family."""
    return any(FILE.fullmatch(file.name) for file in folder.iterdir())


def read_idx(file: Path) -> NDArray[np.uint8]:
    """The array in an idx file; its header must give its length.  -> [N] or [N,H,W] uint8"""
    try:
        with gzip.open(file) if file.suffix.lower() == ".gz" else file.open("rb") as stream:
            data = stream.read(LARGEST)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"'{file}' cannot be read: {error}", "download it anew") from error
    dimensions = data[3] if len(data) > 4 and data[:3] == bytes((0, 0, UNSIGNED)) else 0
    start = 4 + 4 * dimensions
    shape = np.frombuffer(data[4:start].ljust(4 * dimensions, b"\0"), ">u4").tolist()
    if not dimensions or math.prod(shape) != len(data) - start:
        raise DataError(
            f"'{file}' is no idx file: its header tells {shape}, it holds {len(data)} bytes",
            "download it anew",
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _items(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    split: str,
    classes: tuple[str, ...],
    folder: Path,
) -> list[Item]:
    """The items of one split, numbered from 0 as in the literature.  [N,H,W], [N] -> N items"""
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise DataError(
            f"'{folder}' has {split} images {list(images.shape)} and labels {list(labels.shape)}",
            "images are [N,H,W] and labels [N]",
        )
    if classes and labels.max(initial=0) >= len(classes):
        raise DataError(
            f"'{folder}' has the label {labels.max()} for {len(classes)} classes",
            "give a name for each",
        )
    names = classes or tuple(str(label) for label in range(256))
    digits = len(str(len(labels)))
    return [
        Item(f"{split}/{i:0{digits}d}", names[label], ImageArray(image))
        for i, (image, label) in enumerate(zip(images, labels))
    ]


def digits() -> Listing:
    """The embedded digits, undivided: they need neither a file nor a network."""
    from sklearn.datasets import load_digits

    flat, labels = load_digits(return_X_y=True)
    pixels = np.rint(flat.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    items = tuple(
        Item(f"digits/{i:04d}", str(label), ImageArray(array))
        for i, (array, label) in enumerate(zip(pixels, labels, strict=True), start=1)
    )
    return Listing("digits", tuple("0123456789"), {"all": items})
