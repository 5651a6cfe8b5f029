"""Hog beside scikit-image's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.feature import hog as skimage_hog

from saccade.classical.descriptors import HOG, hog


@pytest.mark.parametrize("channels", [1, 3])
def test_blocks_are_those_of_scikit_image(channels: int):
    image = np.random.default_rng(0).random((50, 67, channels))
    expected = skimage_hog(
        image, cells_per_block=(2, 2), channel_axis=2, feature_vector=False, block_norm="L2-Hys"
    )
    rows, columns, *_ = expected.shape
    descriptors = HOG()(torch.from_numpy(image).permute(2, 0, 1)[None])[0]
    expected = expected.reshape(rows, columns, 36)
    np.testing.assert_allclose(descriptors.permute(1, 2, 0).numpy(), expected, atol=1e-7)


def test_a_person_of_64_by_128_pixels_has_3780_numbers():  # Dalal 2005, Section 6
    assert HOG()(torch.rand(1, 1, 128, 64)).numel() == 3780


def test_the_network_takes_the_size_it_is_made_for():
    assert hog(4, input_shape=(3, 64, 48))(torch.rand(2, 3, 64, 48)).shape == (2, 4)
