"""DenseNet beside torchvision's, its paper's numbers, and real weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from saccade.errors import UsageError
from saccade.models.catalogue import NETWORKS
from saccade.models.create import create_model
from saccade.models.networks.densenet import cifar_densenet, cifar_densenet_bc


@pytest.mark.parametrize("name", ["densenet121", "densenet169", "densenet201", "densenet161"])
def test_it_is_torchvision_s_to_the_last_bit(name: str, parity: Callable[..., None]):
    parity(NETWORKS[name].make, getattr(torchvision.models, name), 32)


def test_densenet121_has_the_published_parameters_and_multiply_adds(
    parameters: Callable[[str], int], gigamacs: Callable[[str], float]
):
    assert parameters("densenet121") == 7_978_856
    assert gigamacs("densenet121") == pytest.approx(2.834, abs=5e-4)


@pytest.mark.parametrize(
    "name, millions",  # Huang 2016, Table 2
    [
        ("cifar_densenet_40_12", 1.0),
        ("cifar_densenet_100_12", 7.0),
        ("cifar_densenet_100_24", 27.2),
        ("cifar_densenet_bc_100_12", 0.8),
        ("cifar_densenet_bc_250_24", 15.3),
        ("cifar_densenet_bc_190_40", 25.6),
    ],
)
def test_parameters_are_those_of_the_paper_s_table(
    name: str, millions: float, parameters: Callable[[str], int]
):
    assert parameters(name) / 1e6 == pytest.approx(millions, abs=0.05)


def test_a_layer_passes_its_input_on_and_adds_growth_channels():
    torch.manual_seed(0)
    block = cifar_densenet(7, 12).get_submodule("features.denseblock1")
    x = torch.randn(2, 16, 8, 8)
    y = block(x)
    assert y.shape == (2, 28, 8, 8)
    assert torch.equal(y[:, :16], x)


@pytest.mark.parametrize("make, depth", [(cifar_densenet, 41), (cifar_densenet_bc, 42)])
def test_a_depth_that_cannot_be_is_refused_with_the_nearest_that_can(make, depth: int):
    with pytest.raises(UsageError, match="the nearest is 40"):
        make(depth, 12)


def test_the_fast_one_recognises_cifar_with_its_public_weights(shared_data: Path):
    file = shared_data / "weights" / "densenet_fast_40_12_cifar10.npz"
    network = create_model("densenet_fast_40_12", weights=file).eval()
    data = np.load(shared_data / "cifar10_lossless" / "train_first4000.npz")
    images = torch.from_numpy(data["images"][:100]).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        answers = network(images).argmax(1)
    assert (answers == torch.from_numpy(data["labels"][:100])).float().mean() > 0.9
