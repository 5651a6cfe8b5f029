"""Geometric transforms of batches: a map of points for each image, applied to images and targets.

Whatever changes where things are draws a `Warp` and lets `warped` apply it, to the images of a
batch and to its targets alike, so that none can move without the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.augmentation.augmentation import as_float
from saccade.augmentation.resample import Terms, gather, inside, mirror, resized_crop, sample, shift
from saccade.data.batch import Batch
from saccade.data.targets import Rows, moved

STEPS = 1024  # coordinates are rounded to 1/1024 pixel, so that whole pixels are met exactly
LARGE = 96 * 96  # pixels from which bytes are sampled faster one image after the other


class WarpKind(IntFlag):
    """What a warp may do, besides mirroring; two together may do what either may."""

    MIRROR = 0
    MOVE = 1  # by whole pixels
    CUT = 2  # out a rectangle of whole pixels, inside the image, and stretch it to the whole
    AFFINE = 4
    PROJECTIVE = 8
    RESIZE = 16  # the whole to another size, every pixel a mean of those it covers; by itself only


@dataclass(frozen=True)
class Warp:
    """One map per image, from its points to the points of what comes out; a `Transform` of targets.

    Points are (x, y) in pixels from the upper left corner, as boxes have them: pixel `i` covers `i`
    to `i + 1`.  A `field` displaces the coordinates that are sampled, in pixels of the output: the
    point that is seen at `q` is the one that `matrix` sends to `q + field(q)`.
    """

    matrix: Tensor  # [N,3,3], of points (x, y, 1)
    source: tuple[int, int]  # height and width, pixels
    size: tuple[int, int]  # of what comes out
    border: str = "edge"  # or zeros, reflect: see resample.py; "" where nothing beyond is read
    kind: WarpKind = WarpKind.AFFINE
    field: Tensor | None = None  # [N,2,h,w], x and y

    def __getitem__(self, rows: Rows) -> Warp:
        """The maps of these images."""
        field = None if self.field is None else self.field[rows]
        return replace(self, matrix=self.matrix[rows], field=field)

    def then(self, later: Warp) -> Warp:
        """Both as one map, so that pixels are sampled once; fields are added on the last grid."""
        fields = [warp.field for warp in (self, later) if warp.field is not None]
        return replace(
            later,
            matrix=product(later.matrix, self.matrix),
            source=self.source,
            border=later.border or self.border,
            kind=self.kind | later.kind,
            field=sum(fields[1:], start=fields[0]) if fields else None,
        )

    def inverted(self) -> Warp:
        """The inverse maps, black beyond; for warps without a field."""
        return Warp(
            inverse(self.matrix), self.size, self.source, "zeros", self.kind | WarpKind.AFFINE
        )

    def to(self, device: torch.device) -> Warp:
        """The maps on `device`."""
        field = None if self.field is None else self.field.to(device)
        return replace(self, matrix=self.matrix.to(device, non_blocking=True), field=field)

    def images(self, images: Tensor) -> Tensor:
        """[N,C,H,W] uint8 or floating point -> [N,C,h,w] floating point"""
        warp = self.to(images.device)
        border = self.border or "edge"
        across, down = warp.matrix[:, 0, 0] < 0, warp.matrix[:, 1, 1] < 0
        if self.kind == WarpKind.RESIZE:
            return F.interpolate(as_float(images), self.size, mode="bilinear", antialias=True)
        if self.kind == WarpKind.MIRROR:
            return as_float(mirror(images, across, down))
        if self.kind == WarpKind.MOVE:
            (_, y), (x, _) = warp._source_coordinates()
            if _cheaper_one_by_one(images):
                return shift(images, y[:, :, 0], x[:, 0], border)
            return as_float(gather(images, y, x, border))
        if self.kind == WarpKind.CUT and _cheaper_one_by_one(images):
            axes = [[1] * y + [2] * x for x, y in zip(across.tolist(), down.tolist())]
            return resized_crop(images, warp._crop_boxes(), self.size, axes)
        factor = max(1, round(min(old / new for old, new in zip(self.source, self.size))))
        sampled = sample(as_float(images), *warp._source_coordinates(factor), border)
        if factor == 1:
            return sampled
        return F.avg_pool2d(sampled, factor)  # so that no line falls between

    def masks(self, masks: Tensor, outside: int) -> Tensor:
        """The nearest pixel's class; `outside` from beyond the image.  [N,H,W] -> [N,h,w]"""
        (y0, y1), (x0, x1) = self.to(masks.device)._source_coordinates()
        row, row_valid = inside((y0 + y1).floor().long(), self.source[0], "zeros")
        column, column_valid = inside((x0 + x1).floor().long(), self.source[1], "zeros")
        index = (row * self.source[1] + column).flatten(1)
        classes = masks.flatten(1).gather(1, index).view(len(masks), *self.size)
        return torch.where(row_valid & column_valid, classes, torch.full_like(classes, outside))

    def boxes(self, boxes: Tensor, image: Tensor) -> Tensor:
        """The upright boxes around the moved ones; they may reach beyond.  [K,4], [K] -> [K,4]

        Boxes are x0, y0, x1, y1 in pixels; `image` is the position of the image of each.
        """
        warp = self.to(boxes.device)
        along = torch.linspace(0, 1, 2 if self.field is None else 9, device=boxes.device)
        low, high = boxes[:, None, :2], boxes[:, None, 2:]
        share = torch.cartesian_prod(along, along)[None]
        points = low + (high - low) * share
        points = torch.cat((points, torch.ones_like(points[..., :1])), dim=2)
        moved = (points[:, :, None] * warp.matrix[image][:, None]).sum(3)
        moved = moved[..., :2] / moved[..., 2:]
        if warp.field is not None:
            moved = _invert_field(moved, warp.field[image])
        return torch.cat((moved.amin(1), moved.amax(1)), dim=1).to(boxes.dtype)

    def _crop_boxes(self) -> Tensor:
        """The crops x0, y0, x1, y1 that become the whole.  -> [N,4] int64"""
        height, width = self.size
        ends = torch.tensor(((0.0, width), (0.0, height)), device=self.matrix.device)
        back = inverse(self.matrix)
        steps = torch.stack((back[:, 0, 0], back[:, 1, 1]), dim=1)[:, :, None]
        boxes = (steps * ends + back[:, :2, 2:]).round().long().sort(dim=2).values
        return boxes.transpose(1, 2).flatten(1)

    def _source_coordinates(self, factor: int = 1) -> tuple[Terms, Terms]:
        """The source coordinates of each pixel, `factor` a side, in y and in x.

        y's second term has all that rows differ by, x's first all that columns differ by.
        """
        back = inverse(self.matrix)[:, :, :, None, None]
        y = (torch.arange(self.size[0] * factor, device=back.device)[:, None] + 0.5) / factor
        x = (torch.arange(self.size[1] * factor, device=back.device) + 0.5) / factor
        if self.field is not None:
            field = F.interpolate(self.field, scale_factor=factor) if factor > 1 else self.field
            x, y = x + field[:, 0], y + field[:, 1]
        row = back[:, 1, 0] * x, back[:, 1, 1] * y + back[:, 1, 2]
        column = back[:, 0, 0] * x + back[:, 0, 2], back[:, 0, 1] * y
        if WarpKind.PROJECTIVE not in self.kind:
            return _round(row), _round(column)
        depth = back[:, 2, 0] * x + (back[:, 2, 1] * y + back[:, 2, 2])
        zero = torch.zeros_like(depth[:, :1, :1])
        return (zero, (row[0] + row[1]) / depth), ((column[0] + column[1]) / depth, zero)


def warped(batch: Batch, warp: Warp) -> Batch:
    """The batch with its images, and its targets with them, where `warp` takes them."""
    targets = moved(batch.targets, warp)
    return replace(batch, images=warp.images(batch.images), targets=targets)


def _cheaper_one_by_one(images: Tensor) -> bool:
    large = images.shape[2] * images.shape[3] >= LARGE
    return large and images.dtype == torch.uint8 and images.device.type == "cpu"


def _round(terms: Terms) -> Terms:
    first, second = terms
    return (first * STEPS).round() / STEPS, (second * STEPS).round() / STEPS


def product(second: Tensor, first: Tensor) -> Tensor:
    """second @ first, in full precision even on a GPU.  [N,3,3], [N,3,3] -> [N,3,3]"""
    return (second[:, :, :, None] * first[:, None]).sum(2)


def inverse(matrix: Tensor) -> Tensor:
    """The inverse matrices, scaled so that the last number is 1.  [N,3,3] -> [N,3,3]"""
    a, b, c = matrix.unbind(1)
    cofactors = torch.stack([torch.linalg.cross(*rows) for rows in ((b, c), (c, a), (a, b))], dim=2)
    return cofactors / cofactors[:, 2:, 2:]


def _invert_field(points: Tensor, field: Tensor) -> Tensor:
    """Where points are seen under a field: q with q + field(q) = point, by fixed-point iteration.

    [K,P,2] pixels, [K,2,h,w] -> [K,P,2]
    """
    height, width = field.shape[2:]
    to_grid = 2 / points.new_tensor((width, height))
    estimate = points
    for _ in range(8):  # halves the error at least, as fields are smooth
        grid = (estimate * to_grid - 1)[:, None]
        displacement = F.grid_sample(field, grid, "bilinear", "border", align_corners=False)
        estimate = points - displacement[:, :, 0].transpose(1, 2)
    return estimate
