"""Corruptions of a scene: weather, digital ones and small shifts.  Hendrycks 2019, section 3.

Weather is fog, snow, frost and glaring light, drawn.  Departures: clouds are octaves of smooth
noise in place of the diamond-square algorithm; `frost` is drawn from the ridges of such clouds in
place of six photographs, so it is only like frost, and its strengths are ours.  In `fog` the clouds
of all severities have the same grain, and severity 4 at 224 pixels lies between its neighbours.

Digital ones are low contrast, few pixels, JPEG, rubber sheets, loud colours.  Departures: `elastic`
has no affine part, and strengths of ours for the severities in which the original is nothing else;
`saturate` makes colours louder in all five severities, by numbers of ours in the first two, where
the original makes them paler.  `pixelate` is a step coarser at 32 pixels: 30 blocks in place of 32
pixels change no less than 28.

Shifts are the same object a little beside, turned, larger or smaller.  They are not of Hendrycks
2019; strengths are ours.  What appears at the edge repeats the outermost pixel.
"""

from __future__ import annotations

import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from saccade.augmentation.colour import LUMA
from saccade.augmentation.corrupt.optics import convolve, motion_kernels, rand, randn, strength
from saccade.augmentation.geometry import Elastic, centred, rotation, translation
from saccade.augmentation.warp import Warp, WarpKind

STEP = 64  # pixels of the shorter side up to which a step of `translate` is one pixel
TURN = 4.0  # degrees a severity
GROWTH = 1.06  # a severity


def fog(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Clouds added, the whole dimmed to the range it had.  [N,C,H,W] -> [N,C,H,W]"""
    density = strength((0.2, 0.5, 0.75, 1, 1.5), (1.5, 2, 2.5, 2.75, 3), severity, images)
    decay = strength((2.5,) * 5, (2,) * 5, severity, images)
    brightest = images.amax((1, 2, 3), keepdim=True).clamp(min=1)
    misty = images + 255 * density * clouds(images, decay, generator)
    return (misty * brightest / (brightest + 255 * density)).clamp_(0, 255)


def frost(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Dimmed below bright needles.  [N,C,H,W] -> [N,C,H,W]"""
    weight = strength((1, 1, 0.95, 0.95, 0.95), (1, 0.95, 0.9, 0.9, 0.9), severity, images)
    added = strength((0.2, 0.3, 0.4, 0.5, 0.6), (0.4, 0.6, 0.7, 0.85, 1), severity, images)
    ridges = 1 - (2 * clouds(images, 1.5, generator) - 1).abs()
    return (weight * images + added * 255 * ridges**2).clamp_(0, 255)


def snow(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Flakes that fall in streaks, over an image made paler.  [N,C,H,W] -> [N,C,H,W]"""
    mean = strength((0.1, 0.1, 0.15, 0.25, 0.3), (0.1, 0.2, 0.55, 0.55, 0.55), severity, images)
    spread = strength((0.2, 0.2, 0.3, 0.3, 0.3), (0.3, 0.3, 0.3, 0.3, 0.3), severity, images)
    zoom = strength((1, 1, 1.75, 2.25, 1.25), (3, 2, 4, 4.5, 2.5), severity, images)
    threshold = strength((0.6, 0.5, 0.55, 0.6, 0.65), (0.5, 0.5, 0.9, 0.85, 0.85), severity, images)
    length = strength((8, 10, 10, 12, 14), (10, 12, 12, 12, 12), severity, images)  # pixels
    sigma = strength((3, 4, 4, 6, 12), (4, 4, 8, 8, 12), severity, images)  # pixels
    weight = strength((0.95, 0.9, 0.9, 0.85, 0.8), (0.8, 0.7, 0.7, 0.65, 0.55), severity, images)

    count, _, height, width = images.shape
    coarse = (count, 1, max(2, round(height / zoom)), max(2, round(width / zoom)))
    flakes = mean + spread * randn(coarse, generator, images)
    flakes = F.interpolate(flakes, (height, width), mode="bilinear", align_corners=False)
    flakes = torch.where(flakes < threshold, 0, flakes).clamp(0, 1)
    degrees = -135 + 90 * rand((count,), generator, images)  # downwards
    flakes = 255 * convolve(flakes, motion_kernels(round(length), sigma, degrees)).clamp(min=0)
    pale = torch.maximum(images, 1.5 * grey(images) + 127.5)
    return (weight * images + (1 - weight) * pale + flakes + flakes.rot90(2, (2, 3))).clamp_(0, 255)


def brightness(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """The brightest channel raised; hue, saturation as they were.  [N,C,H,W] -> [N,C,H,W]"""
    small, large = (0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5)
    value = images.amax(1, keepdim=True)
    lighter = (value + 255 * strength(small, large, severity, images)).clamp(max=255)
    return torch.where(value > 0, images * (lighter / value.clamp(min=1e-6)), lighter)


def clouds(images: Tensor, decay: float, generator: torch.Generator) -> Tensor:
    """Smooth noise of all sizes, each half as large one weaker by `decay`.  -> [N,1,H,W], 0 to 1"""
    count, _, height, width = images.shape
    total, cells, amplitude = images.new_zeros(count, 1, height, width), 2, 1.0
    while cells <= min(height, width):
        noise = rand((count, 1, cells + 1, cells + 1), generator, images)
        octave = F.interpolate(noise, (height, width), mode="bilinear", align_corners=True)
        total += amplitude * octave
        cells, amplitude = 2 * cells, amplitude / decay
    low, high = total.amin((2, 3), keepdim=True), total.amax((2, 3), keepdim=True)
    return (total - low) / (high - low).clamp(min=1e-6)


def grey(images: Tensor) -> Tensor:
    """The luma of images in colour, those of one channel as they are.  [N,C,H,W] -> [N,1,H,W]"""
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def contrast(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Every value nearer to its channel's mean.  [N,C,H,W] -> [N,C,H,W]"""
    weight = strength((0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05), severity, images)
    mean = images.mean((2, 3), keepdim=True)
    return (mean + weight * (images - mean)).clamp_(0, 255)


def pixelate(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Made of fewer pixels, each the mean of its area.  [N,C,H,W] -> [N,C,H,W]"""
    share = strength((0.9, 0.85, 0.8, 0.7, 0.6), (0.6, 0.5, 0.4, 0.3, 0.25), severity, images)
    down, across = (_blocks(length, int(length * share)).to(images) for length in images.shape[2:])
    return down @ images @ across.T


def jpeg(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Compressed by Pillow and read again.  [N,C,H,W] -> [N,C,H,W]"""
    quality = round(strength((80, 65, 58, 50, 40), (25, 18, 15, 10, 7), severity, images))
    pixels = images.round().byte().permute(0, 2, 3, 1).cpu().numpy()
    decoded = [
        _jpeg_round_trip(image.squeeze(2) if image.shape[2] == 1 else image, quality)
        for image in pixels
    ]
    return (
        torch.from_numpy(np.stack(decoded))
        .to(images)
        .view(len(images), *pixels.shape[1:])
        .permute(0, 3, 1, 2)
    )


def saturate(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Colours louder, the brightest channel kept; grey stays grey.  [N,3,H,W] -> [N,3,H,W]"""
    factor = strength((1.1, 1.25, 1.5, 2, 2.5), (1.25, 1.5, 2, 5, 20), severity, images)
    added = (0, 0, 0, 0.1, 0.2)[severity - 1]
    value = images.amax(1, keepdim=True)
    old = (value - images.amin(1, keepdim=True)) / value.clamp(min=1e-6)
    new = torch.where(old > 0, (factor * old + added).clamp(max=1), 0)
    return value - (value - images) * (new / old.clamp(min=1e-6))


def elastic(images: Tensor, severity: int, generator: torch.Generator) -> Warp:
    """Every point moved, neighbours alike.  [N,C,H,W] -> N maps

    Theirs multiply uniform noise, smoothed by sigma, with alpha; alpha / (2 sigma sqrt(3 pi)) is
    the deviation in pixels: at severity 5 of ImageNet-C 29.3 / (2 x 2.44 x 3.07) = 1.95.
    """
    small, large = (0.1, 0.15, 0.22, 0.41, 0.54), (0.3, 0.55, 0.81, 1.14, 1.95)
    pixels = strength(small, large, severity, images)
    sigma = strength((1.28,) * 5, (2.44,) * 5, severity, images)
    return Elastic(pixels, sigma, "reflect").warp(len(images), _size(images), generator)


def translate(images: Tensor, severity: int, generator: torch.Generator) -> Warp:
    """Moved by whole steps of a pixel, of side / 64 in large images, in one of eight directions.

    [N,C,H,W] -> N maps
    """
    step = severity * max(1, round(min(images.shape[2:]) / STEP))
    angle = (8 * rand((len(images),), generator, images)).floor() * (math.pi / 4)
    across, down = (step * direction.round() for direction in (angle.cos(), angle.sin()))
    return _warp(images, translation(across, down), WarpKind.MOVE)


def turn(images: Tensor, severity: int, generator: torch.Generator) -> Warp:
    """Turned about the middle by 4 degrees a severity, to either side.  [N,C,H,W] -> N maps"""
    sign = _random_sign(images, generator)
    return _warp(images, rotation(TURN * severity * sign, _size(images)), WarpKind.AFFINE)


def scale(images: Tensor, severity: int, generator: torch.Generator) -> Warp:
    """Larger or smaller by 6 % a severity.  [N,C,H,W] -> N maps"""
    zoom = GROWTH ** (severity * _random_sign(images, generator))
    return _warp(images, centred(zoom, 0, 0, zoom, _size(images)), WarpKind.AFFINE)


def _warp(images: Tensor, matrix: Tensor, kind: WarpKind) -> Warp:
    return Warp(matrix.to(images), _size(images), _size(images), kind=kind)


def _random_sign(images: Tensor, generator: torch.Generator) -> Tensor:
    """1 or -1 for each image.  -> [N]"""
    return 2 * (rand((len(images),), generator, images) < 0.5).to(images) - 1


def _size(images: Tensor) -> tuple[int, int]:
    return images.shape[2], images.shape[3]


def _blocks(length: int, count: int) -> Tensor:
    """What each pixel becomes: the mean of that of `count` equal blocks that its centre lies in.

    -> [length,length]
    """
    edges = torch.linspace(0, length, count + 1)
    pixel = torch.arange(length)
    overlap = torch.minimum(edges[1:, None], pixel + 1.0) - torch.maximum(edges[:-1, None], pixel)
    means = overlap.clamp(min=0) * (count / length)
    return means[torch.bucketize(pixel + 0.5, edges[1:], right=True)]


def _jpeg_round_trip(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))
