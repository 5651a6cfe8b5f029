"""thumbnail: a small picture for a page: PNG of few pixels, JPEG of photographs."""

from __future__ import annotations

import io

from PIL import Image
from torch import Tensor

SIDE = 112  # pixels at most
SHARP = 48  # pixels; up to these a picture is enlarged by whole numbers, and nothing is lost
QUALITY = 80  # of JPEG


def thumbnail(pixels: Tensor) -> bytes:
    """uint8 [C,H,W] as a PNG or JPEG file."""
    array = pixels.permute(1, 2, 0).numpy()
    image = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
    out = io.BytesIO()
    if max(image.size) <= SHARP:
        factor = SIDE // max(image.size)
        size = (image.width * factor, image.height * factor)
        image.resize(size, Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
        return out.getvalue()
    image.thumbnail((SIDE, SIDE))
    image.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
