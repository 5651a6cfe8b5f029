"""Digital: low contrast, few pixels, JPEG, rubber sheets, loud colours.  Hendrycks 2019, section 3.

Departures: `elastic` has no affine part (`shift.py` has turns and zooms), and strengths of ours
for the severities in which the original is nothing else; `saturate` makes colours louder in all
five severities, by numbers of ours in the first two, where the original makes them paler.
`pixelate` is a step coarser at 32 pixels: 30 blocks in place of 32 pixels change no less than 28.
"""

from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from saccade.batch import Batch
from saccade.data.augment.elastic import Elastic
from saccade.data.corrupt.strength import strength


def contrast(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Every value nearer to its channel's mean.  [N,C,H,W] -> [N,C,H,W]"""
    kept = strength((0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05), severity, images)
    mean = images.mean((2, 3), keepdim=True)
    return (mean + kept * (images - mean)).clamp_(0, 255)


def pixelate(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Made of fewer pixels, each the mean of its area.  [N,C,H,W] -> [N,C,H,W]"""
    share = strength((0.9, 0.85, 0.8, 0.7, 0.6), (0.6, 0.5, 0.4, 0.3, 0.25), severity, images)
    down, across = (_blocks(side, int(side * share)).to(images) for side in images.shape[2:])
    return down @ images @ across.T


def jpeg(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Compressed by Pillow and read again.  [N,C,H,W] -> [N,C,H,W]"""
    quality = round(strength((80, 65, 58, 50, 40), (25, 18, 15, 10, 7), severity, images))
    pixels = images.round().byte().permute(0, 2, 3, 1).cpu().numpy()
    read = [_reread(one.squeeze(2) if one.shape[2] == 1 else one, quality) for one in pixels]
    return (
        torch.from_numpy(np.stack(read))
        .to(images)
        .view(len(images), *pixels.shape[1:])
        .permute(0, 3, 1, 2)
    )


def elastic(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Every point moved, neighbours alike.  [N,C,H,W] -> [N,C,H,W]

    Theirs multiply uniform noise, smoothed by sigma, with alpha; alpha / (2 sigma sqrt(3 pi)) is
    the deviation in pixels: at severity 5 of ImageNet-C 29.3 / (2 x 2.44 x 3.07) = 1.95.
    """
    small, large = (0.1, 0.15, 0.22, 0.41, 0.54), (0.3, 0.55, 0.81, 1.14, 1.95)
    pixels = strength(small, large, severity, images)
    sigma = strength((1.28,) * 5, (2.44,) * 5, severity, images)
    positions = torch.arange(len(images))
    moved = Elastic(pixels, sigma, "reflect")(Batch(images, positions, positions), generator)
    return moved.images


def saturate(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Colours louder, the brightest channel kept; grey stays grey.  [N,3,H,W] -> [N,3,H,W]"""
    factor = strength((1.1, 1.25, 1.5, 2, 2.5), (1.25, 1.5, 2, 5, 20), severity, images)
    added = (0, 0, 0, 0.1, 0.2)[severity - 1]
    value = images.amax(1, keepdim=True)
    old = (value - images.amin(1, keepdim=True)) / value.clamp(min=1e-6)
    new = torch.where(old > 0, (factor * old + added).clamp(max=1), 0)
    return value - (value - images) * (new / old.clamp(min=1e-6))


def _blocks(length: int, count: int) -> Tensor:
    """What each pixel becomes: the mean of that of `count` equal blocks that its centre lies in.

    -> [length,length]
    """
    edges = torch.linspace(0, length, count + 1)
    pixel = torch.arange(length)
    overlap = torch.minimum(edges[1:, None], pixel + 1.0) - torch.maximum(edges[:-1, None], pixel)
    means = overlap.clamp(min=0) * (count / length)
    return means[torch.bucketize(pixel + 0.5, edges[1:], right=True)]


def _reread(pixels: np.ndarray, quality: int) -> np.ndarray:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "JPEG", quality=quality)
    return np.asarray(Image.open(written))
