"""DenseSift beside OpenCV's SIFT at the same points, sizes and angle.

OpenCV gives whole numbers up to 255, 512 times a descriptor of length 1; half a unit of the
difference is its rounding.  Where nothing changes but by rounding, OpenCV stretches that to length
1 and ours stays near 0: such patches are left out, and tested apart.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from saccade.classical.descriptors import DenseSift, blur_sigma, grid_points

TOLERANCE = 0.75  # of 512: half a unit of rounding, and the angles that OpenCV approximates
STEP = 4


def opencv(pixels: NDArray[np.uint8], cell: float) -> NDArray:
    """[H,W] -> [points,128], upright, cells of `cell` pixels; `sigma` is the blur in all."""
    down, along = (grid_points(n, STEP, torch.empty(0)).tolist() for n in pixels.shape)
    points = [cv2.KeyPoint(float(x), float(y), cell / 1.5, 0.0) for y in down for x in along]
    blurred = (blur_sigma(cell) ** 2 + 0.25) ** 0.5
    descriptors = cv2.SIFT.create(sigma=blurred).compute(pixels, points)[1]
    return np.asarray(descriptors)


def apart(pixels: NDArray[np.uint8], cell: int) -> tuple[float, float]:
    """The largest difference, and the share of patches in which something changes."""
    descriptors = DenseSift((cell,), STEP)(torch.from_numpy(pixels)[None, None] / 255)
    descriptors = descriptors[0].flatten(1).mT
    mask = (descriptors.norm(dim=1) > 0.99).numpy()
    ours = (512 * descriptors).clamp_max(255).numpy()
    return np.abs(ours - opencv(pixels, cell))[mask].max(), mask.mean()


def disc(height: int, width: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    return np.where((y - 20) ** 2 + (x - 30) ** 2 < 250, 200, 40).astype(np.uint8)


@pytest.mark.parametrize("cell", [3, 4, 6, 8, 10])
def test_descriptors_of_drawn_images_are_those_of_opencv(cell: int):
    noise = np.random.default_rng(0).integers(0, 256, (50, 61), dtype=np.uint8)
    ramp = np.tile(np.arange(0, 244, 4, dtype=np.uint8), (50, 1))
    for pixels, least in ((noise, 1.0), (ramp, 1.0), (disc(50, 61), 0.4)):
        difference, share = apart(pixels, cell)
        assert difference < TOLERANCE
        assert share >= least


@pytest.mark.parametrize("cell", [4, 10])
def test_descriptors_of_photographs_are_those_of_opencv(shared_data: Path, cell: int):
    files = sorted((shared_data / "imagenet_samples").rglob("*.JPEG"))[::100]
    assert len(files) >= 5
    for file in files:
        pixels = np.asarray(Image.open(file).convert("L").resize((140, 96))).copy()
        difference, share = apart(pixels, cell)
        assert difference < TOLERANCE
        assert share > 0.75


def test_every_scale_has_the_same_grid_over_the_whole_image():
    assert DenseSift((4, 8, 12), 8)(torch.rand(2, 1, 64, 40)).shape == (2, 128, 3, 8, 5)
    assert grid_points(64, 8, torch.empty(0)).tolist() == [3, 11, 19, 27, 35, 43, 51, 59]


def test_light_and_contrast_change_no_descriptor():
    image = torch.rand(1, 1, 48, 48)
    torch.testing.assert_close(DenseSift()(image), DenseSift()(30 * image + 7))


def test_a_patch_in_which_nothing_changes_is_all_zero():
    assert DenseSift()(torch.full((1, 1, 40, 40), 0.7)).abs().max() < 1e-2
    assert not DenseSift()(torch.zeros(1, 1, 1, 5)).any()
