"""Batch: the pictures and targets that travel together from the loader to the loss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Pictures in pixel units, 0 to 255, with what is to be said of each.

    Only the network's `Normalize` row knows means and deviations; until there, a pixel is a pixel.
    """

    images: Tensor  # [N,C,H,W] uint8, or float after augmentation; 0 to 255 in both
    targets: Tensor  # [N] int64 class positions; [N,K] float class shares, labels or numbers
    index: Tensor  # [N] int64, position of each picture in its split

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on `device`, copied without waiting where the memory allows it."""
        return replace(
            self,
            images=self.images.to(device, non_blocking=True),
            targets=self.targets.to(device, non_blocking=True),
            index=self.index.to(device, non_blocking=True),
        )
