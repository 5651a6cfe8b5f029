"""Words counted in the regions of a pyramid."""

from __future__ import annotations

import torch

from saccade.classical.encode import SpatialPyramid, VisualWords, intervals


def test_each_descriptor_becomes_its_nearest_word():
    row = VisualWords(2, 3)
    row.means.copy_(torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]]))
    x = torch.tensor([[6.0, 1.0], [1.0, 2.0], [4.0, 9.0]]).mT.reshape(1, 2, 1, 1, 3)
    assert row(x).argmax(1).flatten().tolist() == [1, 0, 2]
    assert row(x).sum(1).flatten().tolist() == [1.0, 1.0, 1.0]


def test_the_levels_of_a_pyramid_weigh_as_in_the_paper():
    """Lazebnik 2006, Equation 3 for L = 2: 1/4, 1/4, 1/2; a constant 1 is shared by the regions."""
    means = SpatialPyramid(2)(torch.ones(1, 1, 3, 8, 8))[0]
    expected = [1 / 4] + 4 * [1 / 4 / 4] + 16 * [1 / 2 / 16]
    torch.testing.assert_close(means, torch.tensor(expected))


def test_regions_hold_the_means_of_their_places_row_by_row():
    x = torch.arange(16.0).view(1, 1, 1, 4, 4)
    means = SpatialPyramid(1)(x)[0]
    expected = torch.tensor([7.5 / 2, 2.5 / 8, 4.5 / 8, 10.5 / 8, 12.5 / 8])
    torch.testing.assert_close(means, expected)


def test_regions_of_a_small_grid_are_never_empty():
    assert intervals(2, 3) == [slice(0, 1), slice(0, 2), slice(1, 2)]
    assert intervals(6, 3) == [slice(0, 2), slice(2, 4), slice(4, 6)]
