"""decode: one picture to pixels.  The only decoder and the only resize in the project."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from saccade.errors import DataError


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the network's input; it travels with the weights."""

    size: int = 224  # pixels, height and width
    resize: str = "squash"  # squash: to the square; crop: short side, then centre; pad: long side
    crop: float = 1.0  # with resize="crop": size / short side after resizing
    interpolation: str = "bilinear"
    colour: str = "rgb"  # or grey
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # per channel, of values 0 to 1
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    @property
    def channels(self) -> int:
        return 1 if self.colour == "grey" else 3


def decode(raw: bytes | NDArray[np.uint8], preprocessing: Preprocessing) -> Tensor:
    """The picture as uint8 [C,size,size]; raises `DataError` saying why when it cannot be read."""
    try:
        image = Image.open(io.BytesIO(raw)) if isinstance(raw, bytes) else Image.fromarray(raw)
        image = ImageOps.exif_transpose(image).convert("L" if preprocessing.colour == "grey" else "RGB")
    except Exception as error:
        raise DataError(f"cannot be read as a picture: {error}") from error
    image = image.resize((preprocessing.size, preprocessing.size), Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(image))
    return pixels.view(preprocessing.size, preprocessing.size, -1).permute(2, 0, 1).contiguous()
