"""ColourStatistics: Perronnin, Sánchez, Mensink 2010, "Improving the Fisher Kernel", Section 4.

Mean and standard deviation of each colour in 4 x 4 cells of a patch: 96 numbers beside SIFT's 128.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from saccade.classical.grid import centres, gathered, window_sums

CELLS = 4  # along each side of a patch


class ColourStatistics(nn.Module):
    """Each grid point's colours at each scale, on the grid of `DenseSift`.

    [N,3,H,W] -> [N,96,scales,rows,columns], in the order row of the cell, column of the cell,
    means, deviations.  Beyond the border a picture goes on as its last pixel.
    """

    def __init__(self, cells: tuple[int, ...] = (4, 6, 8, 10), step: int = 4) -> None:
        super().__init__()
        self.cells = cells  # pixels of a cell's side, one a scale
        self.step = step  # pixels between two grid points

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self._at(x, cell) for cell in self.cells], dim=2)

    def _at(self, x: Tensor, cell: int) -> Tensor:
        """One scale.  [N,3,H,W] -> [N,96,rows,columns]"""
        height, width = (averages(n, self.step, cell, x) for n in x.shape[-2:])
        mean = window_sums(x, height, width)
        square = window_sums(x * x, height, width)
        both = torch.cat([mean, (square - mean * mean).clamp_min(0).sqrt()], dim=1)
        both = both.unflatten(3, (-1, CELLS)).unflatten(2, (-1, CELLS))
        return both.permute(0, 3, 5, 1, 2, 4).flatten(1, 3)

    def extra_repr(self) -> str:
        return f"cells={self.cells}, step={self.step}"


def averages(pixels: int, step: int, cell: int, like: Tensor) -> Tensor:
    """The matrix that averages over the four cells of each grid point.  [points*4,pixels]"""
    starts = centres(pixels, step, like)[:, None] + torch.arange(
        -2 * cell, 2 * cell, cell, device=like.device
    )
    inside = torch.arange(cell, device=like.device)
    places = (starts.reshape(-1, 1) + inside).clamp(0, pixels - 1)
    return gathered(places, like.new_full(places.shape, 1 / cell), pixels)
