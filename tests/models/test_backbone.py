"""What goes into the last layer, seen while a network is used."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from saccade.models.backbone import head_inputs, heads, last_layer
from saccade.models.create import create_model
from saccade.models.layers.historic import Neighbours

NETWORKS = {
    "lenet5": (1, 32),
    "logistic_regression": (1, 28),
    "resnet18_small": (3, 32),
    "googlenet_2014": (3, 64),  # classifiers at its side while it learns
    "timm:resnet10t": (3, 64),  # no table
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_last_layer_makes_of_them_what_the_network_says(name: str) -> None:
    channels, size = NETWORKS[name]
    model = create_model(name, num_classes=4).eval()
    x = torch.rand(3, channels, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        with head_inputs(model) as seen:
            said = heads(model(x))[0]
            again = heads(model(x[:1]))[0]
        head = last_layer(model)  # whose hook is gone
        assert isinstance(head, nn.Linear) and head.out_features == 4
        first, second = seen
        torch.testing.assert_close(head(first), said, rtol=0, atol=0)
        torch.testing.assert_close(head(second), again, rtol=0, atol=0)
    assert len(seen) == 2


def test_maps_are_seen_as_their_means_over_places() -> None:
    model = nn.Sequential(nn.Identity(), nn.Conv2d(2, 3, 1), nn.AdaptiveAvgPool2d(1))
    x = torch.arange(16.0).view(1, 2, 2, 4)
    with head_inputs(model) as seen:
        model(x)
    assert seen[0].tolist() == [[3.5, 11.5]]


def test_a_row_of_remembered_pictures_is_a_last_layer_too() -> None:
    row = Neighbours(torch.eye(3), torch.eye(3), 1)
    model = nn.Sequential(nn.Linear(2, 3), row)
    assert last_layer(model) is row


def test_a_compiled_network_is_looked_into_as_well() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    model.compile(backend="eager")
    x = torch.ones(1, 2)
    said = model(x)
    with head_inputs(model) as seen:
        torch.testing.assert_close(model(x), said)
    torch.testing.assert_close(seen[0], model[0](x))
