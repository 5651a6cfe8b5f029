"""Strengths of corruptions: five severities, tabled for two sizes of picture.

Hendrycks and Dietterich 2019, "Benchmarking neural network robustness to common corruptions and
perturbations", publish two sets: CIFAR-10-C at 32 pixels, ImageNet-C at 224.  The numbers here are
those of its code unless a function says otherwise.  A picture between the two sizes gets a number
between the two, by the logarithm of its shorter side; a smaller one that of 32, a larger that of
224.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

import torch
from torch import Tensor

SMALL, LARGE = 32, 224  # pixels
SEVERITIES = (1, 2, 3, 4, 5)

Corrupt = Callable[[Tensor, int, torch.Generator], Tensor]
"""[N,C,H,W] float of 0 to 255, severity 1 to 5, generator -> the same shape and range"""


def strength(
    at_small: Sequence[float], at_large: Sequence[float], severity: int, images: Tensor
) -> float:
    """The number of this severity at the pictures' size; between the two sets a weighted mean.

    The mean is a geometric one, as strengths are ratios, unless a number is 0.
    """
    small, large = at_small[severity - 1], at_large[severity - 1]
    side = min(max(min(images.shape[2:]), SMALL), LARGE)
    share = log(side / SMALL) / log(LARGE / SMALL)
    if small * large == 0:
        return (1 - share) * small + share * large
    return small ** (1 - share) * large**share


def normal(shape: Sequence[int], generator: torch.Generator, like: Tensor) -> Tensor:
    """Normally distributed numbers, of the device and type of `like`."""
    return torch.randn(tuple(shape), generator=generator, device=generator.device).to(like)


def even(shape: Sequence[int], generator: torch.Generator, like: Tensor) -> Tensor:
    """Numbers from 0 to 1, of the device and type of `like`."""
    return torch.rand(tuple(shape), generator=generator, device=generator.device).to(like)
