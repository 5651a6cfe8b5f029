"""Noise: few photons, a warm sensor, broken bits.  Hendrycks 2019, section 3."""

from __future__ import annotations

import torch
from torch import Tensor

from saccade.data.corrupt.strength import even, normal, strength


def gaussian_noise(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """A normal number added to every value, as in low light.  [N,C,H,W] -> [N,C,H,W]"""
    small, large = (0.04, 0.06, 0.08, 0.09, 0.10), (0.08, 0.12, 0.18, 0.26, 0.38)
    deviation = 255 * strength(small, large, severity, images)
    return (images + deviation * normal(images.shape, generator, images)).clamp_(0, 255)


def shot_noise(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """As many photons as chance lets arrive; white is `photons` of them.  [N,C,H,W] -> [N,C,H,W]"""
    photons = strength((500, 250, 100, 75, 50), (60, 25, 12, 5, 3), severity, images)
    expected = (images * (photons / 255)).to(generator.device)
    arrived = torch.poisson(expected, generator=generator).to(images)
    return (arrived * (255 / photons)).clamp_(0, 255)


def impulse_noise(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """A share of the values black or white, as from broken bits.  [N,C,H,W] -> [N,C,H,W]"""
    small, large = (0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27)
    share = strength(small, large, severity, images)
    draw = even(images.shape, generator, images)
    salted = torch.where(draw > 1 - share / 2, 255.0, images)
    return torch.where(draw < share / 2, 0.0, salted)


def speckle_noise(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Noise in proportion to the value it is added to.  [N,C,H,W] -> [N,C,H,W]"""
    small, large = (0.06, 0.1, 0.12, 0.16, 0.2), (0.15, 0.2, 0.35, 0.45, 0.6)
    deviation = strength(small, large, severity, images)
    return (images + images * deviation * normal(images.shape, generator, images)).clamp_(0, 255)
