"""Decoder pool: image files opened in other processes, so that a harmful one costs only itself.

The sandbox opens them; the resize, which meets nothing but pixels, happens here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from saccade.data import opener
from saccade.data.decode import Preprocessing, resize_all, validated_pixels
from saccade.data.formats import DecodeOptions
from saccade.data.item import ImageArray, Item, LazyImage, Skipped
from saccade.data.parallel import parallel_map_batches
from saccade.data.samples import AGREED
from saccade.data.sandbox import Sandbox
from saccade.data.window import EACH_IMAGE
from saccade.errors import DataError, SaccadeError

MEASURING = (".tif", ".tiff", ".dcm", ".dicom", "")  # suffixes of files that may have no white


class DecoderPool:
    """Up to `count` processes that open image files; to be called from any number of threads."""

    def __init__(self, count: int | None = None, *, timeout: float | None = None):
        self.sandbox = Sandbox("saccade.data.opener", count, timeout=timeout)

    def __enter__(self) -> DecoderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; nothing can be decoded any more."""
        self.sandbox.close()

    def decode_files(
        self, items: Sequence[Item], preprocessing: Preprocessing
    ) -> Iterator[Tensor | Skipped]:
        """Every item decoded, uint8 [C,size,size], in order, or why it could not be."""

        def decode(chunk: Sequence[Item]) -> list[Tensor | Skipped]:
            results = self.read([item.image for item in chunk], preprocessing)
            return [
                Skipped(item.name, result.what) if isinstance(result, DataError) else result
                for item, result in zip(chunk, results, strict=True)
            ]

        return parallel_map_batches(items, decode, self.sandbox.count)

    def read(
        self, images: Sequence[LazyImage], preprocessing: Preprocessing
    ) -> list[Tensor | DataError]:
        """Images of a source, read and decoded: uint8 [C,size,size] each, or why not."""
        return self.decode([_read(image) for image in images], preprocessing)

    def decode(
        self, images: Sequence[bytes | NDArray[np.uint8] | DataError], preprocessing: Preprocessing
    ) -> list[Tensor | DataError]:
        """What `decode.decode` returns, from bytes not trusted.  uint8 [C,size,size] each"""
        files = [raw for raw in images if isinstance(raw, bytes)]
        opened = iter(self.open(files, preprocessing.decode_options))
        pixels = (next(opened) if isinstance(raw, bytes) else _validated(raw) for raw in images)
        return resize_all(pixels, preprocessing)

    def measure(self, items: Sequence[Item]) -> Iterator[NDArray[np.float64]]:
        """`formats.measured` of each item, in order; empty of what cannot be read.  -> [3+n]"""

        def measure(chunk: Sequence[Item]) -> list[NDArray[np.float64]]:
            raws = [_read(item.image) for item in chunk]
            files = [raw for raw in raws if isinstance(raw, bytes)]
            answers = iter(self.sandbox.submit([opener.measure_request(raw) for raw in files]))
            found = (
                opener.parse_response(next(answers)) if isinstance(raw, bytes) else None
                for raw in raws
            )
            return [
                f.reshape(-1).view(np.float64) if isinstance(f, np.ndarray) else np.empty(0)
                for f in found
            ]

        return parallel_map_batches(items, measure, self.sandbox.count)

    def open(
        self, files: Sequence[bytes], options: DecodeOptions
    ) -> list[NDArray[np.uint8] | DataError]:
        """What `formats.open_image` returns, or why it cannot.  uint8 [H,W,1 or 4] each"""
        responses = self.sandbox.submit([opener.request(raw, options) for raw in files])
        return [opener.parse_response(response) for response in responses]


def stretched_note(items: Sequence[Item], preprocessing: Preprocessing) -> tuple[str, ...]:
    """One sentence where samples have no agreed white and no window says which is, else none."""
    if preprocessing.window != EACH_IMAGE:
        return ()
    files = (item for item in items if not isinstance(item.image, ImageArray))
    suspects = [i for i in files if PurePosixPath(i.name).suffix.lower() in MEASURING]
    if not suspects:
        return ()
    with DecoderPool() as pool:
        measured = zip(suspects, pool.measure(suspects), strict=True)
        found = [item.name for item, m in measured if m.size and m[0] != AGREED]
    if not found:
        return ()
    return (
        f"{len(found):,} images hold measurements and are shown from their own least to their own "
        f"greatest sample each, such as '{found[0]}': what the network learned has no data.window",
    )


def _read(image: LazyImage) -> bytes | NDArray[np.uint8] | DataError:
    try:
        return image.read()
    except DataError as error:
        return error
    except SaccadeError:
        raise
    except Exception as error:  # whatever a disk, an archive or a source of somebody's raises
        return DataError(f"cannot be read: {str(error) or type(error).__name__}")


def _validated(raw: NDArray[np.uint8] | DataError) -> NDArray[np.uint8] | DataError:
    try:
        return raw if isinstance(raw, DataError) else validated_pixels(raw)
    except DataError as error:
        return error
