"""ridge: least squares with a penalty, chosen by leaving each picture out once.

Hoerl & Kennard 1970, "Ridge regression"; what it would say of a picture it had not seen needs no
second fit (Allen 1974, "The relationship between variable selection and data augmentation").
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from saccade.transfer.head import Head, Rotated, as_columns

PENALTIES = tuple(10.0**k for k in range(-3, 8))  # of features with a mean square of 1


def ridge(features: Tensor, targets: Tensor, *, penalties: Sequence[float] = PENALTIES) -> Head:
    """The layer with the least squared error on pictures left out.

    features [N,V,D]: V views of each picture, left out together, the plain one first.
    targets [N] int64 classes, learned as columns of 0 and 1, or [N,K] numbers.
    """
    pictures, views, _ = features.shape
    rotated = Rotated.of(features.flatten(0, 1))
    columns = as_columns(targets)
    mean = columns.mean(dim=0)
    y = (columns - mean).repeat_interleave(views, dim=0)
    spread = rotated.z.square().sum(dim=0)  # [R]
    found = []
    for penalty in penalties:
        weights = (rotated.z.T @ y) / (spread + penalty)[:, None]
        left_out = y - _missed(rotated.z, y, weights, spread + penalty, views)
        error = float((left_out - y).square().mean())
        found.append((error, penalty, weights, left_out))
    error, penalty, weights, left_out = min(found, key=lambda entry: entry[:2])
    plain = left_out.view(pictures, views, -1)[:, 0] + mean
    words = f"ridge, penalty {penalty:g} by leaving each picture out"
    return Head(rotated.linear(weights, mean), words, plain)


def _missed(z: Tensor, y: Tensor, weights: Tensor, divisor: Tensor, views: int) -> Tensor:
    """By how much each picture's views would be missed by a fit without them.  [N*V,K]"""
    n = len(z)
    groups = z.view(n // views, views, -1)
    own = 1 / n + (groups / divisor) @ groups.transpose(1, 2)  # [N,V,V], of the hat matrix
    rest = torch.eye(views, dtype=z.dtype) - own
    residuals = (y - z @ weights).view(n // views, views, -1)
    return torch.linalg.lstsq(rest, residuals).solution.reshape(n, -1)
