"""VGG against torchvision, to the last bit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torchvision

from saccade.models.catalogue import NETWORKS

PARAMETERS = {  # Simonyan 2014, Table 2, in millions: 133, 133, 138, 144; here to the unit
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
}
NAMES = [name + suffix for name in PARAMETERS for suffix in ("", "_bn")]


@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_of_its_weights_are_torchvision_s(name: str, keys: Callable[..., list]):
    with torch.device("meta"):
        assert keys(NETWORKS[name].make()) == keys(torchvision.models.get_model(name))


@pytest.mark.parametrize("name", NAMES)
def test_its_convolutions_are_torchvision_s_to_the_last_bit(name: str, parity: Callable[..., None]):
    theirs = getattr(torchvision.models, name)
    parity(lambda: NETWORKS[name].make().get_submodule("features"), lambda: theirs().features, 32)


def test_the_whole_is_torchvision_s_to_the_last_bit(parity: Callable[..., None]):
    """The fully connected layers are the same in all eight."""
    parity(NETWORKS["vgg11"].make, torchvision.models.vgg11, 32)


@pytest.mark.parametrize(("name", "expected"), PARAMETERS.items())
def test_parameters_are_those_of_table_2(
    name: str, expected: int, parameters: Callable[[str], int]
):
    assert parameters(name) == expected
