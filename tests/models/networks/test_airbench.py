"""airbench: its published size, and what its fixed first row does to real images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_images
from torch import nn

from saccade.models.create import create_model
from saccade.models.networks.airbench import VARIANCES, haar, whiten


def test_airbench94_has_the_published_count_of_parameters(parameters: Callable[[str], int]) -> None:
    assert parameters("airbench94") / 1e6 == pytest.approx(1.97, abs=0.005)


def test_the_patterns_are_of_length_one_and_at_right_angles() -> None:
    patterns = haar().flatten(1)
    torch.testing.assert_close(patterns @ patterns.T, torch.eye(12), rtol=0, atol=1e-6)


def test_the_first_row_is_whiter_than_the_pixels_of_a_photograph() -> None:
    """Condition of the covariance, against that of the patches themselves."""
    pixels = torch.tensor(load_sample_images().images[0]).permute(2, 0, 1)[None].float()
    pixels = nn.functional.interpolate(pixels, scale_factor=1 / 8, mode="area")
    pixels = (pixels - pixels.mean((2, 3), keepdim=True)) / pixels.std((2, 3), keepdim=True)
    white = whiten()(pixels)[0, :12].flatten(1).detach()
    raw = nn.functional.unfold(pixels, 2)[0]
    deviations = white.std(1)
    assert deviations.max() / deviations.min() < 10
    assert raw.cov().logdet() < white.cov().logdet() - 10


def test_only_the_shifts_of_the_first_row_are_learned() -> None:
    network = create_model("airbench_narrow", 10)
    frozen = [name for name, weight in network.named_parameters() if not weight.requires_grad]
    assert frozen == ["whiten.weight"]


def test_a_convolution_begins_as_the_identity() -> None:
    network = create_model("airbench_narrow", 10)
    x = torch.randn(2, 24, 8, 8)
    torch.testing.assert_close(network.get_submodule("block1.conv1")(x)[:, :24], x)


def test_variances_are_those_of_cifars_patches(shared_data: Path) -> None:
    pixels = np.load(shared_data / "cifar10_lossless" / "train_first4000.npz")["images"]
    images = torch.tensor(pixels).permute(0, 3, 1, 2).float()
    images = (images - images.mean((0, 2, 3), keepdim=True)) / images.std((0, 2, 3), keepdim=True)
    variances = nn.functional.conv2d(images, haar()).square().mean((0, 2, 3))
    torch.testing.assert_close(variances, torch.tensor(VARIANCES), rtol=0.1, atol=0)
