"""NumPy files: images and labels in `x.npy` and `y.npy`, or together in an `.npz`.

x is uint8 [N,H,W], [N,H,W,1], [N,H,W,3] or [N,3,H,W].  y is [N] or [N,1]: whole numbers and text
are classes, floats are numbers; 0s and 1s [N,K], or -1s and 1s, are K classes, any of which an
image may have, or of which each image is one where every row has a single 1.
An array of text called `classes`, or a classes.txt beside, names the whole numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.classes import class_name, labels_of, read_classes
from saccade.data.item import ImageArray, Item, Label
from saccade.data.sources.listing import Listing, assemble
from saccade.data.sources.split_names import split_of
from saccade.errors import DataError

IMAGES = ("x", "images", "image", "data")
LABELS = ("y", "labels", "label", "targets")
NAMES = ("all", "classes")
HINT = "save x.npy and y.npy, or x_train.npy, y_train.npy, x_test.npy, ... in one folder"


def arrays(path: Path) -> Listing:
    """The images of a folder of .npy files, of an x.npy beside its y.npy, or of an .npz."""
    data = _arrays_by_role(path)
    classes = _classes(data, path)
    rows: list[tuple[str, Item]] = []
    for split in ("all", "train", "val", "test"):
        if (split, "x") in data:
            rows += [(split, item) for item in _items(data, split, classes, path)]
    if not rows:
        raise DataError(f"'{path}' holds no array of images and labels", HINT)
    if not all(isinstance(item.label, tuple) and len(item.label) == 1 for _, item in rows):
        return assemble(rows, path.stem, f"'{path}'", classes=classes)
    note = f"the labels in '{path}' have a single 1 in every row and are read as one class an image"
    single = [(split, replace(item, label=labels_of(item)[0])) for split, item in rows]
    return assemble(single, path.stem, f"'{path}'", notes=(note,), classes=classes)


def role(name: str) -> tuple[str, str] | None:
    """The split and the part, x, y or classes, that an array's name stands for."""
    if name.lower() in ("classes", "class_names"):
        return NAMES
    tokens = re.split(r"[-_. ]", name.lower())
    part = "y" if set(tokens) & set(LABELS) else "x" if set(tokens) & set(IMAGES) else ""
    splits = [split for token in tokens if (split := split_of(token))]
    return ((*splits, "all")[0], part) if part else None


def _arrays_by_role(path: Path) -> Mapping[tuple[str, str], NDArray]:
    """Every array whose name has a role, by split and x, y or classes.

    Raises `DataError` for two of one role, and for a file that is not called like images.
    """
    named = role(path.stem)
    if path.suffix.lower() == ".npy" and path.is_file() and (not named or named[1] != "x"):
        raise DataError(f"'{path}' is not called like an array of images", HINT)
    if path.suffix.lower() == ".npz":
        sources = _load_all(path)
    else:
        files = sorted((path if path.is_dir() else path.parent).glob("*.npy"))
        sources = {file.stem: file for file in files}
    data: dict[tuple[str, str], NDArray] = {}
    for name, content in sources.items():
        key = role(name)
        if key in data:
            raise DataError(f"'{path}' holds several arrays for {key[1]} of {key[0]}", HINT)
        if key:
            data[key] = _load(content) if isinstance(content, Path) else content
    return data


def _load(file: Path) -> NDArray:
    """One array of any shape, mapped from the disk; never an object, never code."""
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged file raises errors of many kinds
        raise DataError(f"'{file}' cannot be read as an array: {error}", HINT) from error


def _load_all(file: Path) -> dict[str, NDArray]:
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if role(name)}
    except Exception as error:  # a damaged file raises errors of many kinds
        raise DataError(f"'{file}' cannot be read as arrays: {error}", HINT) from error


def _classes(data: Mapping[tuple[str, str], NDArray], path: Path) -> tuple[str, ...]:
    """The names of the whole numbers, if there are any."""
    if NAMES in data:
        return tuple(class_name(str(name)) for name in data[NAMES])
    file = (path if path.is_dir() else path.parent) / "classes.txt"
    return read_classes(file) if file.is_file() else ()


def _items(
    data: Mapping[tuple[str, str], NDArray], split: str, classes: tuple[str, ...], path: Path
) -> list[Item]:
    """The items of one split, named by their row in the arrays x [N,...] and y [N,...]."""
    if (split, "y") not in data:
        raise DataError(f"'{path}' has images for {split} and no labels", HINT)
    pixels = _pixels(data[split, "x"], path)
    labels = _labels(data[split, "y"], classes, path)
    if len(pixels) != len(labels):
        raise DataError(
            f"'{path}' has {len(pixels)} images and {len(labels)} labels for {split}",
            "each image has one row of labels",
        )
    digits = len(str(len(labels)))
    return [
        Item(f"{split}/{i:0{digits}d}", label, ImageArray(image))
        for i, (image, label) in enumerate(zip(pixels, labels))
    ]


def _pixels(x: NDArray, path: Path) -> NDArray[np.uint8]:
    """Images with their channels last.

    [N,H,W], [N,H,W,1], [N,H,W,3] or [N,3,H,W] -> [N,H,W] or [N,H,W,3] uint8
    """
    if x.dtype != np.uint8:
        raise DataError(
            f"the images in '{path}' are {x.dtype} where uint8, 0 to 255, is needed",
            "save x.astype('uint8'), or (x * 255).round().astype('uint8') where x is 0 to 1",
        )
    x = np.asarray(x)
    if x.ndim == 4 and x.shape[3] not in (1, 3) and x.shape[1] in (1, 3):
        x = x.transpose(0, 2, 3, 1)
    if x.ndim == 4 and x.shape[3] == 1:
        x = x[..., 0]
    if x.ndim not in (3, 4) or (x.ndim == 4 and x.shape[3] != 3) or 0 in x.shape:
        raise DataError(f"the images in '{path}' have the shape {x.shape}", "use [N,H,W,3]")
    return x


def _labels(y: NDArray, classes: tuple[str, ...], path: Path) -> list[Label]:
    """One label per row, classes by their names.  [N], [N,1] or [N,K] -> N labels"""
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    kind = y.dtype.kind
    if y.ndim == 2 and kind in "biu" and _are_marks(y):
        names = classes or tuple(str(i) for i in range(y.shape[1]))
        if len(names) == y.shape[1]:
            return [tuple(names[i] for i in np.flatnonzero(row > 0)) for row in y]
    if y.ndim == 1 and kind == "f" and np.isfinite(y).all():
        return [float(value) for value in y]
    if y.ndim == 1 and kind == "U":
        return [class_name(str(value)) for value in y]
    if y.ndim == 1 and kind in "biu":
        if not classes:
            return [str(int(value)) for value in y]
        if y.min(initial=0) >= 0 and y.max(initial=0) < len(classes):
            return [classes[int(value)] for value in y]
    raise DataError(
        f"the labels in '{path}' are {y.dtype} of shape {y.shape}"
        + (f" for {len(classes)} classes in classes.txt" if classes else ""),
        "whole numbers or text are classes, finite floats numbers, 0s and 1s [N,K] several classes",
    )


def _are_marks(y: NDArray) -> bool:
    """Whether whole numbers are 0s and 1s, or -1s and 1s: of all three, -1 may be unknown."""
    low = y.min(initial=0)
    return bool(y.max(initial=0) <= 1 and (low == 0 or (low == -1 and y.all())))
