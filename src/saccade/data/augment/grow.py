"""Grow: smaller pictures at first, and the whole size at last.

Progressive resizing: Howard 2018 (fast.ai's entry for DAWNBench), Touvron 2019, "Fixing the
train-test resolution discrepancy"; the stages are those of Tan and Le 2021, "EfficientNetV2",
Algorithm 1: four of equal length whose sizes rise evenly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

from saccade.batch import Batch
from saccade.data.augment.augmentation import Augmentation, as_float

STAGES = 4
LARGE = 128  # pixels of the whole from which sides are multiples of 32; below, of 4


def sizes(whole: int, share: float) -> tuple[int, ...]:
    """The side of each stage in pixels, from about `share` of the whole to the whole."""
    unit = 32 if whole >= LARGE else 4
    first = share * whole
    rising = (first + (whole - first) * k / (STAGES - 1) for k in range(STAGES - 1))
    return *(_stage(side, whole, unit) for side in rising), whole


def _stage(side: float, whole: int, unit: int) -> int:
    if side >= whole:
        return whole
    return min(whole, max(unit, unit * round(side / unit)))


@dataclass(frozen=True)
class Grow(Augmentation):
    """The batch at the size of the stage that the training is in.  [N,C,H,W] -> [N,C,h,w]

    No chance is drawn: the size follows from `done`, the share of the training that is over.
    """

    share: float  # of the side, in the first stage
    done: Callable[[], float]  # from 0 to 1

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        stage = min(STAGES - 1, int(STAGES * self.done()))
        whole = batch.images.shape[2:]
        size = [sizes(side, self.share)[stage] for side in whole]
        if size == list(whole):
            return batch
        images = F.interpolate(as_float(batch.images), size, mode="bilinear", antialias=True)
        return replace(batch, images=images)
