"""Small shifts: the same object a little beside, turned, larger or smaller.

Not of Hendrycks 2019; strengths are ours.  What appears at the edge repeats the outermost pixel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from saccade.data.augment.geometry import centred, rotation, translation
from saccade.data.augment.warp import Kind, Warp
from saccade.data.corrupt.strength import even

STEP = 64  # pixels of the shorter side up to which a step is one pixel
TURN = 4.0  # degrees a severity
GROWTH = 1.06  # a severity


def translate(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Moved by whole steps of a pixel, of side / 64 in large pictures, in one of eight directions.

    [N,C,H,W] -> [N,C,H,W]
    """
    step = severity * max(1, round(min(images.shape[2:]) / STEP))
    angle = (8 * even((len(images),), generator, images)).floor() * (math.pi / 4)
    across, down = (step * direction.round() for direction in (angle.cos(), angle.sin()))
    return _warped(images, translation(across, down), Kind.MOVE)


def turn(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Turned about the middle by 4 degrees a severity, to either side.  [N,C,H,W] -> [N,C,H,W]"""
    side = _either(images, generator)
    return _warped(images, rotation(TURN * severity * side, _size(images)), Kind.AFFINE)


def scale(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Larger or smaller by 6 % a severity.  [N,C,H,W] -> [N,C,H,W]"""
    zoom = GROWTH ** (severity * _either(images, generator))
    return _warped(images, centred(zoom, 0, 0, zoom, _size(images)), Kind.AFFINE)


def _warped(images: Tensor, matrix: Tensor, kind: Kind) -> Tensor:
    return Warp(matrix.to(images), _size(images), _size(images), kind=kind).images(images)


def _either(images: Tensor, generator: torch.Generator) -> Tensor:
    """1 or -1 for each picture.  -> [N]"""
    return 2 * (even((len(images),), generator, images) < 0.5).to(images) - 1


def _size(images: Tensor) -> tuple[int, int]:
    return images.shape[2], images.shape[3]
