"""Grey: how light a picture is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)


class Grey(nn.Module):
    """[N,3,H,W] -> [N,1,H,W]

    Departure: the channels come normalised, each by its own mean and deviation, so that the shares
    are not quite those of luma.
    """

    luma: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("luma", torch.tensor(LUMA).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.luma).sum(1, keepdim=True)
