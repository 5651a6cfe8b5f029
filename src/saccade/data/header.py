"""What the header of an image file says: format, mode, size.  Needs no torch."""

from __future__ import annotations

import io
import warnings
from typing import NamedTuple

from PIL import Image

from saccade.data import dicom, tiff
from saccade.data.deep import is_deep
from saccade.data.repair import repaired

ORIENTATION = 0x0112  # EXIF
ALPHA = frozenset(("RGBA", "LA", "PA", "RGBa", "La"))


class Header(NamedTuple):
    """A file's header; width and height are those after EXIF orientation."""

    format: str  # as Pillow names it, or DICOM
    mode: str  # as Pillow names it; else the type of a sample
    width: int  # pixels
    height: int
    orientation: int = 1  # EXIF, 1 to 8
    alpha: bool = False
    deep: bool = False  # more than 8 bits a sample
    frames: bool = False  # animated, or several pages


def header(raw: bytes) -> Header | None:
    """The header of an image file; None where it cannot be read."""
    for read in (_by_pillow, _without_pillow):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return read(raw)
        except Exception:  # Pillow raises many classes for broken headers
            continue
    return None


def _by_pillow(raw: bytes) -> Header:
    image = Image.open(io.BytesIO(raw))
    return _upright(
        Header(
            image.format or "",
            image.mode,
            *image.size,
            orientation=int(image.getexif().get(ORIENTATION, 1)),
            alpha=image.mode in ALPHA or "transparency" in image.info,
            deep=is_deep(image, raw),
            frames=bool(getattr(image, "is_animated", False)) and image.format != "MPO",
        )
    )  # MPO: a photograph with its preview


def _without_pillow(raw: bytes) -> Header | None:
    if dicom.is_dicom(raw):
        data = dicom.header(raw)
        mode = f"{'int' if data.PixelRepresentation else 'uint'}{data.BitsAllocated}"
        deep, frames = data.BitsStored > 8, int(data.get("NumberOfFrames", 1)) > 1
        return Header("DICOM", mode, data.Columns, data.Rows,
                      deep=deep, frames=frames)  # fmt: skip
    if raw.startswith(tiff.SIGNATURES):
        page = tiff.layout(raw)
        shape = (page.width, page.height, page.tags.get(274, 1))
        found = Header("TIFF", page.mode, *shape, deep=not page.is_plain)
        return _upright(found._replace(frames=bool(page.tags.next)))
    whole = repaired(raw)
    return _by_pillow(whole) if whole else None


def _upright(found: Header) -> Header:
    if found.orientation in (5, 6, 7, 8):
        return found._replace(width=found.height, height=found.width)
    return found if 1 <= found.orientation <= 8 else found._replace(orientation=1)
