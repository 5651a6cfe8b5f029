"""Means and deviations of colours, counted by hand."""

from __future__ import annotations

import torch

from saccade.classical.descriptors import ColourStatistics, DenseSift, grid_points


def slowly(image: torch.Tensor, y: int, x: int, cell: int) -> torch.Tensor:
    """The 96 numbers of one patch, pixel by pixel; pixels outside are the nearest inside."""
    _, height, width = image.shape
    numbers = []
    for row in range(-2, 2):
        for column in range(-2, 2):
            ys = [min(max(y + row * cell + k, 0), height - 1) for k in range(cell)]
            xs = [min(max(x + column * cell + k, 0), width - 1) for k in range(cell)]
            pixels = image[:, ys][:, :, xs].flatten(1)
            numbers += [pixels.mean(1), pixels.std(1, correction=0)]
    return torch.cat(numbers)


def test_each_cell_has_the_mean_and_the_deviation_of_its_colours():
    image = torch.rand(3, 21, 30, generator=torch.Generator().manual_seed(0))
    descriptors = ColourStatistics((3, 5), 6)(image[None])[0]
    for scale, cell in enumerate((3, 5)):
        for row, y in enumerate(grid_points(21, 6, image).tolist()):
            for column, x in enumerate(grid_points(30, 6, image).tolist()):
                expected = slowly(image, y, x, cell)
                torch.testing.assert_close(
                    descriptors[:, scale, row, column], expected, atol=1e-3, rtol=1e-3
                )


def test_the_grid_is_that_of_sift():
    image = torch.rand(1, 3, 37, 50)
    assert ColourStatistics()(image).shape[2:] == DenseSift()(image[:, :1]).shape[2:]
