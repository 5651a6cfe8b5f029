"""Frames that hold images themselves, as arrays or of Pillow: their images become files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from saccade.data.image_objects import is_image, one_image, suffix_of
from saccade.files import atomic_folder, cache_folder, disk_errors


def holds_images(frame: Any) -> bool:
    """Whether a column of a frame holds images themselves, as arrays or of Pillow, not paths."""
    return _image_column(frame) is not None


def images_in_frame(frame: Any) -> list[Any]:
    """The images that a frame holds."""
    return frame[_image_column(frame)].tolist()


def with_files(frame: Any) -> Any:
    """A frame that holds images, with the paths of files in the cache in their place.

    All else of it, labels of any kind, splits and groups, is read as that of every frame.
    """
    column = _image_column(frame)
    images = [
        one_image(image, f"image {name}")
        for name, image in zip(frame.index, frame[column], strict=True)
    ]
    paths = iter(stored([image for image in images if isinstance(image, bytes)]))
    files = [next(paths) if isinstance(image, bytes) else image for image in images]
    others = frame.drop(columns=[column, *(c for c in frame.columns if c == "path")])
    return others.assign(path=files)


def stored(images: Sequence[bytes]) -> list[str]:
    """The files, in the cache, of encoded images; the same images have the same folder.

    Raises `ResourceError` where the cache cannot be written.
    """
    digest = hashlib.sha256(b"".join(hashlib.sha256(image).digest() for image in images))
    folder = cache_folder() / "frames" / f"images-{digest.hexdigest()[:16]}"
    names = [f"image {k}{suffix_of(image)}" for k, image in enumerate(images)]
    if not folder.is_dir():
        with disk_errors(folder), atomic_folder(folder) as temporary:
            for name, image in zip(names, images, strict=True):
                (temporary / name).write_bytes(image)
    return [str(folder / name) for name in names]


def _image_column(frame: Any) -> Any:
    """The name of the first column that begins with an image; None for no such column."""
    return next((c for c in frame.columns if len(frame) and is_image(frame[c].iloc[0])), None)
