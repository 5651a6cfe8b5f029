"""Filters against SciPy, and the pyramids by what they promise."""

from __future__ import annotations

import scipy.ndimage
import torch
from lectures.filters import (
    box,
    burt,
    filtered,
    gaussian,
    gaussian_pyramid,
    laplacian_pyramid,
    restored,
    sharpening,
    vertical_edge,
)


def test_filtering_is_scipys_correlation_with_edges_repeated():
    x, kernel = torch.randn(2, 3, 7, 8), torch.randn(3, 5)
    found = filtered(x, kernel)
    for n in range(2):
        for c in range(3):
            expected = scipy.ndimage.correlate(x[n, c].numpy(), kernel.numpy(), mode="nearest")
            torch.testing.assert_close(found[n, c], torch.from_numpy(expected))


def test_the_gaussian_is_scipys():
    pulse = torch.zeros(1, 1, 9, 9).double()
    pulse[..., 4, 4] = 1
    expected = scipy.ndimage.gaussian_filter(pulse[0, 0].numpy(), 1.0, radius=2, mode="constant")
    found = filtered(pulse, gaussian(5, 1.0))[0, 0]
    torch.testing.assert_close(found, torch.from_numpy(expected), atol=1e-7, rtol=1e-6)


def test_smoothing_and_sharpening_leave_a_flat_image_as_it_is():
    flat = torch.full((1, 1, 6, 6), 100.0)
    for kernel in (box(3), gaussian(5, 1.0), burt(), sharpening(5, 1.0, 2.0)):
        torch.testing.assert_close(filtered(flat, kernel), flat)


def test_sharpening_overshoots_on_both_sides_of_an_edge():
    edge = torch.cat([torch.zeros(1, 1, 5, 5), torch.ones(1, 1, 5, 5)], 3)
    line = filtered(edge, sharpening(3, 1.0))[0, 0, 2]
    assert line[4] < 0
    assert line[5] > 1
    assert line[0] == 0
    torch.testing.assert_close(line[9], torch.tensor(1.0))


def test_the_edge_detector_sees_vertical_edges_alone():
    square = torch.zeros(1, 1, 6, 6)
    square[..., 2:4, 2:4] = 1
    found = filtered(square, vertical_edge())[0, 0]
    assert found[2].tolist() == [0, 1, 0, -1, 0, 0]
    assert torch.equal(found.sum(1), torch.zeros(6))


def test_a_laplacian_pyramid_gives_the_image_back():
    images = torch.rand(2, 3, 37, 24) * 255
    pyramid = laplacian_pyramid(images, 4)
    assert [tuple(level.shape[2:]) for level in pyramid] == [(37, 24), (19, 12), (10, 6), (5, 3)]
    torch.testing.assert_close(restored(pyramid), images)


def test_a_laplacian_pyramid_of_something_flat_is_empty_but_for_its_top():
    *lost, top = laplacian_pyramid(torch.full((1, 1, 32, 33), 9.0), 3)
    assert all(level.abs().max() < 1e-5 for level in lost)
    torch.testing.assert_close(top, torch.full_like(top, 9.0))


def test_each_level_of_a_gaussian_pyramid_keeps_only_coarser_detail():
    """A checkerboard is gone after one halving, a slope stays."""
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    board = ((rows + columns) % 2).float().view(1, 1, 32, 32)
    assert gaussian_pyramid(board, 2)[1][..., 2:-2, 2:-2].std() < 1e-6
    slope = columns.float().view(1, 1, 32, 32)
    inside = gaussian_pyramid(slope, 2)[1][0, 0, 5, 2:-2]
    torch.testing.assert_close(inside, torch.arange(4.0, 28.0, 2.0))
