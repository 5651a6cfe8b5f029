"""CIFAR ResNets: the paper's numbers, the public weights, the shortcut without weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from saccade.errors import UsageError
from saccade.models.catalogue import NETWORKS
from saccade.models.create import create_model
from saccade.models.layers.blocks import normalized, padding
from saccade.models.networks.resnet_cifar import cifar_resnet
from saccade.models.weights import weights_entry

DEPTHS = [20, 32, 44, 56, 110]


@pytest.mark.parametrize(
    "depth, millions", [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)]
)
def test_parameters_are_those_of_the_paper_s_table_6(
    depth: int, millions: float, parameters: Callable[[str], int]
):
    digits = 1 if depth == 110 else 2
    assert round(parameters(f"cifar_resnet{depth}") / 1e6, digits) == millions


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_plain_network_has_exactly_as_many_parameters(
    depth: int, parameters: Callable[[str], int]
):
    """Section 4.2: with option A the two kinds agree in depth, width and parameters."""
    assert parameters(f"cifar_plain{depth}") == parameters(f"cifar_resnet{depth}")


@pytest.mark.parametrize("depth", DEPTHS)
def test_depth_counts_the_weight_layers(depth: int):
    with torch.device("meta"):
        state = NETWORKS[f"cifar_resnet{depth}"].make().state_dict()
    assert sum(value.dim() > 1 for value in state.values()) == depth


def test_the_padded_shortcut_takes_every_second_place_between_two_halves_of_zeros():
    x = torch.arange(2 * 2 * 4 * 4.0).view(2, 2, 4, 4)
    y = padding(2, 4, 2)(x)
    assert y.shape == (2, 4, 2, 2)
    for n in range(2):
        for row in range(2):
            for column in range(2):
                expected = [x[n, c, 2 * row, 2 * column].item() for c in range(2)]
                assert y[n, :, row, column].tolist() == [0, *expected, 0]


def test_the_shortcut_is_the_identity_where_the_shape_stays():
    x = torch.randn(1, 3, 2, 2)
    assert padding(3, 3, 1)(x) is x


def test_a_depth_that_is_not_6n_plus_2_is_refused():
    with pytest.raises(UsageError, match="the nearest is 20"):
        cifar_resnet(21)


@pytest.mark.parametrize(
    "depth, digest", [(20, "12fca82f"), (32, "d509ac18"), (44, "014dd654"), (56, "4bfd9763")]
)
def test_the_public_weights_recognise_cifar(depth: int, digest: str, shared_data: Path):
    name = f"cifar_resnet{depth}"
    file = shared_data / "weights" / f"cifar10_resnet{depth}-{digest}.th"
    facts = weights_entry(name, "cifar10")
    model = normalized(create_model(name, weights=file), facts.mean, facts.std).eval()
    data = np.load(shared_data / "cifar10_lossless" / "train_first4000.npz")
    images = torch.from_numpy(data["images"][:200]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        answers = model(images).argmax(1)
    assert (answers == torch.from_numpy(data["labels"][:200])).float().mean() >= 0.99


def test_its_weights_have_the_public_names_in_their_order(shared_data: Path):
    file = shared_data / "weights" / "cifar10_resnet20-12fca82f.th"
    saved = torch.load(file, map_location="cpu", weights_only=True)["state_dict"]
    ours = [key for key in cifar_resnet(20).state_dict() if not key.endswith("tracked")]
    assert ours == [key.removeprefix("module.") for key in saved]
