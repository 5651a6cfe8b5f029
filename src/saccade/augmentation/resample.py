"""Resampling a batch of images: mirrored, shifted, cropped and resized, or at any coordinates.

A coordinate is a distance from the image's upper left corner in pixels: pixel `i` covers `i` to
`i + 1` and has its centre at `i + 0.5`.  Outside the image a border rule holds:

    edge      the nearest pixel of the image, again and again
    zeros     black
    reflect   the image mirrored at its edge, the outermost pixel twice
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BORDERS = {"edge": "border", "zeros": "zeros", "reflect": "reflection"}  # as grid_sample names them
Terms = tuple[Tensor, Tensor]  # two that broadcast to [N,h,w]; a coordinate is their sum


def inside(index: Tensor, length: int, border: str) -> tuple[Tensor, Tensor]:
    """Pixel indices in 0 to `length - 1` by the border rule, and which of them are valid.

    [...] int64 -> [...] int64, [...] bool
    """
    if border == "reflect":
        index = index.remainder(2 * length)
        index = torch.minimum(index, 2 * length - 1 - index)
    clamped = index.clamp(0, length - 1)
    valid = clamped == index if border == "zeros" else torch.ones_like(index, dtype=torch.bool)
    return clamped, valid


def mirror(images: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Columns reversed where `across`, rows where `down`.

    [N,C,H,W], [N] bool, [N] bool -> [N,C,H,W]
    """
    for flipped, axis in ((across, 3), (down, 2)):
        rows = flipped.nonzero()[:, 0]
        images = images.index_copy(0, rows, images[rows].flip(axis))
    return images


def resized_crop(
    images: Tensor, boxes: Tensor, size: tuple[int, int], axes: list[list[int]]
) -> Tensor:
    """Crops of whole pixels x0, y0, x1, y1, resized.  [N,C,H,W], [N,4] -> [N,C,*size] float32

    `axes` are those along which each is reversed afterwards, 1 down and 2 across.  A loop over
    images: on processors torch resizes bytes so much faster than it samples floating
    point at any coordinates that large images gain a factor of two by it.
    """
    resized = torch.empty(*images.shape[:2], *size)
    for image, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        crop = images[image : image + 1, :, y0:y1, x0:x1]
        crop = F.interpolate(crop, size, mode="bilinear", antialias=True)[0]
        resized[image] = crop.flip(axes[image]) if axes[image] else crop
    return resized


def gather(images: Tensor, y: Tensor, x: Tensor, border: str) -> Tensor:
    """Nearest pixels, exactly.  [N,C,H,W], y and x that broadcast to [N,h,w] -> [N,C,h,w]"""
    count, channels, height, width = images.shape
    row, row_valid = inside(y.floor().long(), height, border)
    column, column_valid = inside(x.floor().long(), width, border)
    index = row * width + column
    flat = index.flatten(1)[:, None].expand(-1, channels, -1)
    pixels = images.flatten(2).gather(2, flat).view(count, channels, *index.shape[1:])
    if border != "zeros":
        return pixels
    return pixels * (row_valid & column_valid)[:, None]


def shift(images: Tensor, y: Tensor, x: Tensor, border: str) -> Tensor:
    """`gather` for rows `y` [N,h] and columns `x` [N,w] one apart, mostly in one block.

    The edges of all images are gathered, the rest is copied image by image, as in
    `resized_crop`; large ones gain a factor of two by it.  -> [N,C,h,w] float32
    """
    shifted = torch.empty(*images.shape[:2], y.shape[1], x.shape[1])
    (tops, down, rows), (lefts, across, columns) = (
        _runs(coordinates, length) for coordinates, length in zip((y, x), images.shape[2:])
    )
    everything = slice(None)
    edges = [(strip, everything) for strip in rows] + [(everything, strip) for strip in columns]
    for tall, wide in edges:
        edge = gather(images, y[:, tall, None], x[:, None, wide], border)
        shifted[:, :, tall, wide] = edge
    inner = shifted[:, :, rows[0].stop : rows[1].start, columns[0].stop : columns[1].start]
    height, width = inner.shape[2:]
    for row, (top, left) in enumerate(zip(tops, lefts)):
        axes = [1] * down[row] + [2] * across[row]
        image = images[row].flip(axes) if axes else images[row]
        inner[row] = image[:, top : top + height, left : left + width]
    return shifted


def _runs(coordinates: Tensor, length: int) -> tuple[list[int], list[bool], tuple[slice, slice]]:
    """Where each run of coordinates begins inside, whether it is reversed, and the edge strips.

    The strips, before and after, are where any run leaves 0 to `length`; a reversed run is
    counted from the other end.  [N,n]
    """
    flipped = coordinates[:, :1] > coordinates[:, -1:]
    first = torch.where(flipped, length - coordinates, coordinates)[:, 0].floor().long()
    count = coordinates.shape[1]
    before = min(count, max(0, -int(first.min())))
    after = max(before, min(count, length - int(first.max())))
    strips = slice(0, before), slice(after, count)
    return (first + before).tolist(), flipped[:, 0].tolist(), strips


def sample(images: Tensor, y: Terms, x: Terms, border: str) -> Tensor:
    """Bilinear interpolation at y and x of [N,h,w].  [N,C,H,W] -> [N,C,h,w]"""
    shape = torch.broadcast_shapes(y[0].shape, y[1].shape)
    planes = images.new_empty((len(images), 2, *shape[1:]))  # read five times as fast as pairs
    for plane, (first, second), length in zip(planes.unbind(1), (x, y), images.shape[:1:-1]):
        torch.add(first * (2 / length), second * (2 / length) - 1, out=plane)
    grid = planes.permute(0, 2, 3, 1)
    return F.grid_sample(images, grid, "bilinear", BORDERS[border], align_corners=False)
