"""Everyone's way from the bytes of a JPEG to uint8 [3,size,size], for data.py."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.io import ImageReadMode, decode_jpeg
from torchvision.transforms import v2

from saccade.data.decode import Preprocessing, decode


def by_pillow(raw: bytes, size: int) -> Tensor:
    image = Image.open(io.BytesIO(raw)).convert("RGB")
    image = image.resize((size, size), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def by_pillow_draft(raw: bytes, size: int) -> Tensor:
    image = Image.open(io.BytesIO(raw))
    image.draft("RGB", (size, size))
    image = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


def by_torchvision(raw: bytes, size: int) -> Tensor:
    data = torch.frombuffer(bytearray(raw), dtype=torch.uint8)
    image = cast(Tensor, decode_jpeg(data, ImageReadMode.RGB))[None]
    return interpolate(image, (size, size), mode="bilinear", antialias=True)[0]


def by_v2(raw: bytes, size: int) -> Tensor:
    image = v2.functional.pil_to_tensor(Image.open(io.BytesIO(raw)).convert("RGB"))
    return v2.functional.resize(image, [size, size], antialias=True)


def by_timm(raw: bytes, size: int) -> Tensor:
    return timm_transform(size)(Image.open(io.BytesIO(raw)).convert("RGB"))


@cache
def timm_transform(size: int) -> Callable[[Image.Image], Tensor]:
    from timm.data.transforms_factory import create_transform

    transform = create_transform(
        size, interpolation="bilinear", crop_pct=1.0, crop_mode="squash", use_prefetcher=True
    )
    return cast(Callable[[Image.Image], Tensor], transform)


def by_simplejpeg(raw: bytes, size: int) -> Tensor:
    return with_simplejpeg(raw, size, 0)


def by_simplejpeg_alike(raw: bytes, size: int) -> Tensor:
    return with_simplejpeg(raw, size, Preprocessing(size).decode_options.min_side)


def by_simplejpeg_smallest(raw: bytes, size: int) -> Tensor:
    return with_simplejpeg(raw, size, size)


def with_simplejpeg(raw: bytes, size: int, least: int) -> Tensor:
    import simplejpeg  # pyright: ignore[reportMissingImports]

    array = simplejpeg.decode_jpeg(raw, "RGB", min_height=least, min_width=least, min_factor=1)
    image = torch.from_numpy(array).permute(2, 0, 1)[None]
    return interpolate(image, (size, size), mode="bilinear", antialias=True)[0].contiguous()


def by_saccade(raw: bytes, size: int) -> Tensor:
    return decode(raw, Preprocessing(size))
