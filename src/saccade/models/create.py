"""create_model: a network by its name, and what it takes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import nn

from saccade.classical.catalogue import CLASSICAL, INPUT
from saccade.errors import unknown
from saccade.fetch import Tell, silent
from saccade.models.catalogue import INPUTS, NETWORKS, SEVERAL_LOGITS
from saccade.models.from_timm import PREFIX, timm_input, timm_network
from saccade.models.weights import load_weights, weights_file


def create_model(
    name: str,
    num_classes: int | None = None,
    *,
    weights: str | Path | None = None,
    tell: Tell = silent,
) -> nn.Module:
    """The bare network `name`; its input is what its public weights expect, already normalised.

    Without `num_classes` it has as many as in its paper: 1000 for ImageNet, 10 for digits.
    `weights` is the path of a file, or a tag of weights.toml such as "imagenet", fetched if need
    be; timm's networks ("timm:NAME") have timm's default weights as "imagenet".  `tell` gets lines
    on how the download goes and on what became of the file's tensors.
    """
    wanted = {} if num_classes is None else {"num_classes": num_classes}
    if name.startswith(PREFIX):
        trained = weights == "imagenet"
        network = timm_network(name.removeprefix(PREFIX), **wanted, trained=trained)
        weights = None if trained else weights
    else:
        network = _listed(name)(**wanted)
    if weights is not None:
        tell(str(load_weights(network, weights_file(name, weights, tell=tell))))
    return network


def input_shape(name: str) -> tuple[int, int, int]:
    """Channels, height and width in pixels that the network was designed for."""
    if name.startswith(PREFIX):
        return timm_input(name.removeprefix(PREFIX))
    _listed(name)
    return INPUT if name in CLASSICAL else INPUTS.get(name, (3, 224, 224))


def _listed(name: str) -> Callable[..., nn.Module]:
    networks = {**NETWORKS, **SEVERAL_LOGITS, **CLASSICAL}
    if name not in networks:
        raise unknown("model", name, networks)
    return networks[name]
