"""Sources of images and their items: what every kind of data set has in common."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Count(int):
    """How many things an image shows."""


Label = str | tuple[str, ...] | float | None  # class, labels, number or Count, not known
SEPARATOR = "|"  # between the labels of one image, where they are written


def label_text(label: Label) -> str:
    """A label as people and tables write it."""
    if isinstance(label, tuple):
        return SEPARATOR.join(label)
    return "" if label is None else str(label)


class LazyImage(Protocol):
    """An image not yet read; small, and can be pickled for another process."""

    def read(self) -> bytes | NDArray[np.uint8]:
        """The bytes of an image file, or its pixels [H,W] or [H,W,3]."""
        ...


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image in a file of its own."""

    location: str | Path  # a million of them as text take a third of the memory of as many Paths

    @property
    def path(self) -> Path:
        """The location as a `Path`."""
        return Path(self.location)

    def read(self) -> bytes:
        return self.path.read_bytes()


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """The bytes of an image file, already read."""

    data: bytes = field(repr=False)

    def read(self) -> bytes:
        return self.data


def content_digest(raw: bytes | NDArray[np.uint8]) -> bytes:
    """SHA-256 of the bytes of a file, or of an array's type, shape and values.  [...]"""
    if isinstance(raw, bytes):
        return hashlib.sha256(raw).digest()
    return hashlib.sha256(f"{raw.dtype}{raw.shape}".encode() + raw.tobytes()).digest()


@dataclass(frozen=True, slots=True, eq=False)
class ImageArray:
    """An image that is already decoded."""

    array: NDArray[np.uint8]  # [H,W] or [H,W,3]

    def read(self) -> NDArray[np.uint8]:
        return self.array


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a source and what is known of it."""

    name: str  # unique in its source; for files the path below the source's root, with "/"
    label: Label
    image: LazyImage
    group: str | None = None  # items of one group stay in one split


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or row of a source that was left out, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"'{self.name}' ({self.reason})"


class Source(Protocol):
    """Images with labels, in one or several splits, always in the same order."""

    @property
    def name(self) -> str:
        """A short name, for people and for the run's name."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in natural order or that of a list that came along; none for numbers."""
        ...

    @property
    def splits(self) -> tuple[str, ...]:
        """Some of "train", "val", "test"; ("all",) when the source is undivided."""
        ...

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was left out."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about this source before using it, a sentence each."""
        ...

    def read(self, split: str) -> Sequence[Item]:
        """The items of one split."""
        ...
