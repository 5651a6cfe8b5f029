"""Random crops: PadCrop and RandomResizedCrop; and ProgressiveResizing, small images at first.

Progressive resizing: Howard 2018 (fast.ai's entry for DAWNBench), Touvron 2019, "Fixing the
train-test resolution discrepancy"; the stages are those of Tan and Le 2021, "EfficientNetV2",
Algorithm 1: four of equal length whose sizes rise evenly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from saccade.augmentation.augmentation import Augmentation, check_choice, check_range, uniform
from saccade.augmentation.geometry import Geometry, affine, translation
from saccade.augmentation.resample import BORDERS
from saccade.augmentation.warp import Warp, WarpKind, warped
from saccade.data.batch import Batch

STAGES = 4  # of progressive resizing
LARGE = 128  # pixels from which the sizes of stages are multiples of 32; below, of 4


@dataclass(frozen=True)
class PadCrop(Geometry):
    """Padded on all sides and cropped at random to its old size: a shift by whole pixels.

    He 2015, section 4.2, pads images of CIFAR-10 with 4 zeros.
    """

    pixels: int = 4  # at the most, each way
    border: str = "edge"  # or zeros, reflect

    def __post_init__(self) -> None:
        check_range(self, "pixels", 0, 65536)
        check_choice(self, "border", BORDERS)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        shape = (2, count)
        low, high = -self.pixels, self.pixels + 1
        x, y = torch.randint(low, high, shape, generator=generator, device=generator.device)
        return Warp(translation(x.float(), y.float()), source, source, self.border, WarpKind.MOVE)


@dataclass(frozen=True)
class RandomResizedCrop(Geometry):
    """A crop of random area, aspect ratio and position, resized to the whole: Inception's crop.

    Szegedy 2014 (GoogLeNet), section 6: area from 8 % to 100 %, aspect ratio from 3/4 to 4/3.  A
    rectangle that does not fit is drawn again, 10 times, and then cut to the image.
    """

    scale: float = 0.08  # share of the area, at the least
    ratio: float = 4 / 3  # width over height at the most; the inverse at the least
    size: int | None = None  # pixels, height and width of what comes out; as before when None
    border = ""

    def __post_init__(self) -> None:
        check_range(self, "scale", 0.01, 1)
        check_range(self, "ratio", 1, 100)
        if self.size is not None:
            check_range(self, "size", 1, 65536)

    def warp(self, count: int, source: tuple[int, int], generator: torch.Generator) -> Warp:
        height, width = source
        h, w = self._crop_sizes(count, source, generator)
        free = height - h + 1, width - w + 1
        y, x = ((uniform(count, 0, 1, generator) * positions).floor() for positions in free)
        size = source if self.size is None else (self.size, self.size)
        down, across = size[0] / h, size[1] / w
        matrix = affine(across, 0, 0, down, -x * across, -y * down)
        return Warp(matrix, source, size, self.border, WarpKind.CUT)

    def _crop_sizes(
        self, count: int, source: tuple[int, int], generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Height and width of each crop, in whole pixels.  -> [N], [N]"""
        tries, bound = 10, math.log(self.ratio)
        area = uniform(tries * count, self.scale, 1, generator) * source[0] * source[1]
        ratio = uniform(tries * count, -bound, bound, generator).exp()
        sizes = torch.stack(((area / ratio).sqrt(), (area * ratio).sqrt())).view(2, tries, count)
        limits = sizes.new_tensor(source)[:, None]
        fits = (sizes <= limits[:, None]).all(0)
        first = fits.int().argmax(0).expand(2, 1, count)
        size = sizes.gather(1, first)[:, 0].minimum(limits).round().clamp(min=1)
        return size[0], size[1]


def stage_sizes(size: int, start: float) -> tuple[int, ...]:
    """The size of each stage in pixels, from about `start` of the full size to all of it."""
    unit = 32 if size >= LARGE else 4
    first = start * size
    sizes = (first + (size - first) * k / (STAGES - 1) for k in range(STAGES - 1))
    return *(_round_size(stage_size, size, unit) for stage_size in sizes), size


def _round_size(size: float, full_size: int, unit: int) -> int:
    if size >= full_size:
        return full_size
    return min(full_size, max(unit, unit * round(size / unit)))


@dataclass(frozen=True)
class ProgressiveResizing(Augmentation):
    """The batch at the size of the stage that the training is in.  [N,C,H,W] -> [N,C,h,w]

    Nothing is random: the size follows from `progress`, the share of the training that is over.
    """

    start: float  # of the side, in the first stage
    progress: Callable[[], float]  # from 0 to 1

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        stage = min(STAGES - 1, int(STAGES * self.progress()))
        shape = batch.images.shape[2:]
        source = (shape[0], shape[1])
        size = tuple(stage_sizes(length, self.start)[stage] for length in shape)
        if size == source:
            return batch
        down, across = (torch.full((len(batch),), new / old) for new, old in zip(size, source))
        matrix = affine(across, 0, 0, down, 0, 0)
        return warped(batch, Warp(matrix, source, (size[0], size[1]), "", WarpKind.RESIZE))
