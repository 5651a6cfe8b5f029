"""Mixup and CutMix: two images in one, and their targets in the same proportion.

Only targets that are a plain tensor can be mixed; masks, boxes and captions are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.augmentation.augmentation import Augmentation, as_float, check_range, uniform
from saccade.augmentation.filters import rectangles
from saccade.data.batch import Batch
from saccade.data.targets import Targets
from saccade.errors import RecipeError


@dataclass(frozen=True)
class Mixup(Augmentation):
    """Convex combinations of two images.  Zhang 2017, equation 1 and section 3.

    Every image draws its own weight from Beta(alpha, alpha), where the authors' code draws one
    for the batch.  Targets become [N,K] floating point.
    """

    alpha: float = 0.2  # near 0 one image dominates; 1 is uniform
    classes: int = 0  # how many there are; needed where targets are class positions

    def __post_init__(self) -> None:
        check_range(self, "alpha", 0.01, 1)

    @property
    def mixes(self) -> bool:
        return True

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        targets = shares(batch.targets, self.classes)
        other = _permutation(len(targets), generator)
        share = beta(self.alpha, len(targets), generator)
        return mixup(replace(batch, targets=targets), other, share)


@dataclass(frozen=True)
class CutMix(Augmentation):
    """A rectangle of one image pasted over another.  Yun 2019, section 3.1.

    Its area is drawn from Beta(alpha, alpha); what the image's edge cuts off is not counted.
    Every image draws its own.  Targets become [N,K] floating point.
    """

    alpha: float = 1.0  # 1: uniform, as in the paper
    classes: int = 0  # how many there are; needed where targets are class positions

    def __post_init__(self) -> None:
        check_range(self, "alpha", 0.01, 1)

    @property
    def mixes(self) -> bool:
        return True

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        targets = shares(batch.targets, self.classes)
        count, (height, width) = len(targets), batch.images.shape[2:]
        other = _permutation(count, generator)
        side = (1 - beta(self.alpha, count, generator)).sqrt()
        y, x = uniform(count, 0, height, generator), uniform(count, 0, width, generator)
        h, w = height * side / 2, width * side / 2
        boxes = torch.stack((x - w, y - h, x + w, y + h), dim=1).round()
        return cutmix(replace(batch, targets=targets), other, boxes)


def mixup(batch: Batch, other: Tensor, share: Tensor) -> Batch:
    """`share` of each image and target, 1 - `share` of the image `other`.  [N] int64, [N]"""
    images, targets = as_float(batch.images), batch.targets
    other, share = other.to(images.device), share.to(images)
    image_share = share.view(-1, 1, 1, 1)
    target_share = share.view(-1, *[1] * (targets.ndim - 1)).to(targets)
    return replace(
        batch,
        images=torch.lerp(images[other], images, image_share),
        targets=torch.lerp(targets[other], targets, target_share),
    )


def cutmix(batch: Batch, other: Tensor, boxes: Tensor) -> Batch:
    """Inside its box x0, y0, x1, y1 each image shows the image `other`.  [N] int64, [N,4] pixels"""
    images, targets = as_float(batch.images), batch.targets
    other = other.to(images.device)
    mask = rectangles(boxes.to(images.device), (images.shape[2], images.shape[3]))
    share = 1 - mask.float().mean((1, 2))
    target_share = share.view(-1, *[1] * (targets.ndim - 1)).to(targets)
    return replace(
        batch,
        images=torch.where(mask[:, None], images[other], images),
        targets=torch.lerp(targets[other], targets, target_share),
    )


def shares(targets: Targets, classes: int) -> Tensor:
    """Class positions as one-hot vectors; floating-point targets stay as they are.

    [N] int64 -> [N,classes].  Raises `RecipeError` for targets that are no plain tensor.
    """
    if not isinstance(targets, Tensor):
        raise RecipeError(
            f"mixup and cutmix cannot mix what these images carry: {type(targets).__name__}",
            "leave them out of data.augment; what moves images or changes colours can stay",
        )
    if targets.is_floating_point():
        return targets
    if classes < 1:
        raise RecipeError(
            "mixing images needs to know how many classes there are",
            "give classes: Mixup(classes=10), or 'mixup:0.2,classes=10'",
        )
    return F.one_hot(targets, classes).float()


def beta(alpha: float, count: int, generator: torch.Generator) -> Tensor:
    """Draws from Beta(alpha, alpha) for alpha up to 1, one per image.  -> [N]

    Johnk 1964: of uniform u and v, u^(1/alpha) / (u^(1/alpha) + v^(1/alpha)) wherever that sum is
    at most 1, which is every second time at least; in logarithms, for alpha near 0.
    """
    tries = torch.rand(32, 2, count, generator=generator, device=generator.device)
    first, second = (tries.log() / alpha).unbind(1)
    accepted = (torch.logaddexp(first, second) <= 0).int().argmax(0, keepdim=True)
    return torch.sigmoid(first - second).gather(0, accepted)[0]


def _permutation(count: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(count, generator=generator, device=generator.device)
