"""Test-time augmentation: the mean prediction over transformed copies of an image.

Krizhevsky 2012, section 4.1, averages ten: five crops and their mirror images.  A prediction that
lies in the plane of the image is moved back from each copy before the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any

import torch
from torch import Tensor

from saccade.augmentation.warp import Warp, WarpKind
from saccade.data.targets import Images, T
from saccade.errors import RecipeError, unknown

TTATransform = tuple[float, float, float, float]
"""Factor and offset in x, then in y, in shares of the side."""


def flips() -> tuple[TTATransform, ...]:
    """The image as it is, and mirrored."""
    return ((1, 0, 1, 0), (-1, 1, 1, 0))


def crops(share: float = 0.875) -> tuple[TTATransform, ...]:
    """Crops of the centre and the four corners, `share` of each side, resized to the whole."""
    rest = 1 - share
    corners = ((rest / 2, rest / 2), (0, 0), (rest, 0), (0, rest), (rest, rest))
    return tuple((1 / share, -x / share, 1 / share, -y / share) for x, y in corners)


def shifts(share: float = 0.0625) -> tuple[TTATransform, ...]:
    """The image as it is, and shifted by `share` of a side each way: 2 pixels of 32."""
    offsets = ((0, 0), (share, 0), (-share, 0), (0, share), (0, -share))
    return tuple((1, x, 1, y) for x, y in offsets)


TTA_TRANSFORMS: dict[str, Callable[..., tuple[TTATransform, ...]]] = {
    "flip": flips,
    "crops": crops,
    "shifts": shifts,
}


def tta_transforms(names: Sequence[str]) -> tuple[TTATransform, ...]:
    """The transforms of `names`, all with all: `crops:0.875` and `flip` are ten, no name is one."""
    transforms: tuple[TTATransform, ...] = ((1, 0, 1, 0),)
    for text in names:
        transforms = tuple(_compose(first, later) for later in _parse(text) for first in transforms)
    return transforms


def averaged(
    predict: Callable[[Tensor], T], images: Tensor, transforms: Sequence[TTATransform]
) -> T:
    """The mean of what `predict` returns for the images under each of one or more transforms.

    Images as predictions, such as the probabilities of each pixel, are moved back; at each pixel
    the mean is over the copies that show it.  Raises `RecipeError` for what has no mean.
    [N,C,H,W] -> of N images
    """
    warps = [_warp(images, transform) for transform in transforms]
    predictions = [predict(warp.images(images)) for warp in warps]
    return _mean(predictions[0], predictions, warps)


@singledispatch
def _mean(first: Any, predictions: Sequence[Any], warps: Sequence[Warp]) -> Any:
    raise RecipeError(
        f"{type(first).__name__} predicted of several transforms have no mean",
        "leave test-time augmentation out",
    )


@_mean.register
def _(first: Tensor, predictions: Sequence[Tensor], warps: Sequence[Warp]) -> Tensor:
    return torch.stack(list(predictions)).mean(dim=0)


@_mean.register
def _(first: Images, predictions: Sequence[Images], warps: Sequence[Warp]) -> Images:
    total = torch.zeros_like(first.values)
    count = torch.zeros_like(first.values[:, :1])
    for prediction, warp in zip(predictions, warps, strict=True):
        inverse = warp.inverted()
        total += prediction.moved(inverse).values
        count += inverse.images(torch.ones_like(count))
    return Images(total / count)


def _warp(images: Tensor, transform: TTATransform) -> Warp:
    height, width = images.shape[2:]
    across, x, down, y = transform
    rows = ((across, 0, x * width), (0, down, y * height), (0, 0, 1))
    matrix = torch.tensor(rows, device=images.device).expand(len(images), 3, 3)
    whole = abs(across) == 1 == abs(down) and x * width % 1 == 0 == y * height % 1
    kind = WarpKind.MOVE if whole else WarpKind.AFFINE
    return Warp(matrix, (height, width), (height, width), "edge", kind)


def _compose(first: TTATransform, later: TTATransform) -> TTATransform:
    (a, x, b, y), (c, p, d, q) = first, later
    return a * c, c * x + p, b * d, d * y + q


def _parse(text: str) -> tuple[TTATransform, ...]:
    name, _, value = text.strip().partition(":")
    if name not in TTA_TRANSFORMS:
        raise unknown("test-time augmentation", name, TTA_TRANSFORMS, RecipeError)
    if not value:
        return TTA_TRANSFORMS[name]()
    try:
        share = float(value)
    except ValueError:
        share = 0.0
    if name == "flip" or not 0 < share < 1:
        raise RecipeError(
            f"test-time augmentation '{text}' is not known",
            "write flip, crops:0.875 or shifts:0.0625",
        )
    return TTA_TRANSFORMS[name](share)
