"""Convolution three ways, in any number of dimensions: pulse by pulse, place by place, as a matrix.

Each takes a signal or image and a kernel and gives their full convolution, whose sides are
those of the image plus those of the kernel less 1.  Deep learning's "convolution" is
`flip_and_filter` without the flip: `cross_correlation`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

FILTERS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def translate_and_scale(x: Tensor, kernel: Tensor) -> Tensor:
    """Sum of copies of x, one a place of the kernel, moved there and scaled by its value."""
    total = x.new_zeros(full_size(x.shape, kernel.shape))
    for place in itertools.product(*map(range, kernel.shape)):
        total[_moved(place, x.shape)] += kernel[place] * x
    return total


def flip_and_filter(x: Tensor, kernel: Tensor) -> Tensor:
    """The flipped kernel laid on every place of x, products summed."""
    return cross_correlation(x, kernel.flip(tuple(range(kernel.dim()))))


def cross_correlation(x: Tensor, kernel: Tensor) -> Tensor:
    """The kernel as it is laid on every place of x that it touches, products summed."""
    padding = [side - 1 for side in kernel.shape]
    return FILTERS[x.dim()](x[None, None], kernel[None, None], padding=padding)[0, 0]


def toeplitz(kernel: Tensor, size: Sequence[int]) -> Tensor:
    """The matrix whose product with a flattened image of this size is the full convolution.

    Column j is the kernel moved to place j: in one dimension every diagonal has one value.
    """
    columns = []
    for place in itertools.product(*map(range, size)):
        column = kernel.new_zeros(full_size(size, kernel.shape))
        column[_moved(place, kernel.shape)] = kernel
        columns.append(column.flatten())
    return torch.stack(columns, 1)


def full_size(size: Sequence[int], kernel_size: Sequence[int]) -> tuple[int, ...]:
    """The sides of a full convolution."""
    return tuple(side + more - 1 for side, more in zip(size, kernel_size))


def _moved(place: Sequence[int], size: Sequence[int]) -> tuple[slice, ...]:
    """The part of a full convolution that something of this size covers from this place on."""
    return tuple(slice(start, start + side) for start, side in zip(place, size))
