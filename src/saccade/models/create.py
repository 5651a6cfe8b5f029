"""create_model: a network of the catalogue by its name."""

from __future__ import annotations

from torch import nn

from saccade.errors import unknown
from saccade.models.catalogue import INPUTS, NETWORKS


def create_model(name: str, num_classes: int = 1000) -> nn.Sequential:
    """The bare network `name`; its input is what its public weights expect, already normalised."""
    if name not in NETWORKS:
        raise unknown("model", name, NETWORKS)
    return NETWORKS[name](num_classes=num_classes)


def input_shape(name: str) -> tuple[int, int, int]:
    """Channels, height and width in pixels that the network was designed for."""
    if name not in NETWORKS:
        raise unknown("model", name, NETWORKS)
    return INPUTS.get(name, (3, 224, 224))
