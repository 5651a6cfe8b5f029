"""Weather: fog, snow, frost and glaring light, drawn.  Hendrycks 2019, section 3.

Departures: clouds are octaves of smooth noise in place of the diamond-square algorithm; `frost` is
drawn from the ridges of such clouds in place of six photographs, so it is only like frost, and its
strengths are ours. In `fog` the clouds of all severities have the same grain, and severity 4 at
224 pixels lies between its neighbours.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.data.corrupt.filtering import filtered, streaks
from saccade.data.corrupt.strength import even, normal, strength

LUMA = (0.299, 0.587, 0.114)  # of red, green, blue in grey


def fog(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Clouds added, the whole dimmed to the range it had.  [N,C,H,W] -> [N,C,H,W]"""
    density = strength((0.2, 0.5, 0.75, 1, 1.5), (1.5, 2, 2.5, 2.75, 3), severity, images)
    decay = strength((2.5,) * 5, (2,) * 5, severity, images)
    brightest = images.amax((1, 2, 3), keepdim=True).clamp(min=1)
    misty = images + 255 * density * clouds(images, decay, generator)
    return (misty * brightest / (brightest + 255 * density)).clamp_(0, 255)


def frost(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Dimmed below bright needles.  [N,C,H,W] -> [N,C,H,W]"""
    kept = strength((1, 1, 0.95, 0.95, 0.95), (1, 0.95, 0.9, 0.9, 0.9), severity, images)
    added = strength((0.2, 0.3, 0.4, 0.5, 0.6), (0.4, 0.6, 0.7, 0.85, 1), severity, images)
    ridges = 1 - (2 * clouds(images, 1.5, generator) - 1).abs()
    return (kept * images + added * 255 * ridges**2).clamp_(0, 255)


def snow(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Flakes that fall in streaks, over a picture made paler.  [N,C,H,W] -> [N,C,H,W]"""
    mean = strength((0.1, 0.1, 0.15, 0.25, 0.3), (0.1, 0.2, 0.55, 0.55, 0.55), severity, images)
    spread = strength((0.2, 0.2, 0.3, 0.3, 0.3), (0.3, 0.3, 0.3, 0.3, 0.3), severity, images)
    zoom = strength((1, 1, 1.75, 2.25, 1.25), (3, 2, 4, 4.5, 2.5), severity, images)
    least = strength((0.6, 0.5, 0.55, 0.6, 0.65), (0.5, 0.5, 0.9, 0.85, 0.85), severity, images)
    length = strength((8, 10, 10, 12, 14), (10, 12, 12, 12, 12), severity, images)  # pixels
    sigma = strength((3, 4, 4, 6, 12), (4, 4, 8, 8, 12), severity, images)  # pixels
    kept = strength((0.95, 0.9, 0.9, 0.85, 0.8), (0.8, 0.7, 0.7, 0.65, 0.55), severity, images)

    count, _, height, width = images.shape
    coarse = (count, 1, max(2, round(height / zoom)), max(2, round(width / zoom)))
    flakes = mean + spread * normal(coarse, generator, images)
    flakes = F.interpolate(flakes, (height, width), mode="bilinear", align_corners=False)
    flakes = torch.where(flakes < least, 0, flakes).clamp(0, 1)
    degrees = -135 + 90 * even((count,), generator, images)  # downwards
    flakes = 255 * filtered(flakes, streaks(round(length), sigma, degrees)).clamp(min=0)
    pale = torch.maximum(images, 1.5 * grey(images) + 127.5)
    return (kept * images + (1 - kept) * pale + flakes + flakes.rot90(2, (2, 3))).clamp_(0, 255)


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
        noise = even((count, 1, cells + 1, cells + 1), generator, images)
        octave = F.interpolate(noise, (height, width), mode="bilinear", align_corners=True)
        total += amplitude * octave
        cells, amplitude = 2 * cells, amplitude / decay
    low, high = total.amin((2, 3), keepdim=True), total.amax((2, 3), keepdim=True)
    return (total - low) / (high - low).clamp(min=1e-6)


def grey(images: Tensor) -> Tensor:
    """[N,C,H,W] -> [N,1,H,W]"""
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
