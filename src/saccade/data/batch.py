"""Batch: the images and targets that travel together from the loader to the loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic

import torch
from torch import Tensor

from saccade.data.targets import Rows, T


@dataclass(frozen=True)
class Batch(Generic[T]):
    """Images in pixel units, 0 to 255, with their targets.

    Only the network's `Normalize` row knows means and deviations; until there, a pixel is a pixel.
    """

    images: Tensor  # [N,C,H,W] uint8, or float after augmentation; 0 to 255 in both
    targets: T  # of N images: [N] int64 class positions, [N,K] float, or a class of targets.py
    index: Tensor  # [N] int64, position of each image in its split

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Rows) -> Batch[T]:
        """The images of these rows, in their order."""
        return replace(
            self, images=self.images[rows], targets=self.targets[rows], index=self.index[rows]
        )

    def to(self, device: torch.device | str) -> Batch[T]:
        """The batch on `device`, copied without waiting where the memory allows it."""
        return replace(
            self,
            images=self.images.to(device, non_blocking=True),
            targets=self.targets.to(device, non_blocking=True),
            index=self.index.to(device, non_blocking=True),
        )
