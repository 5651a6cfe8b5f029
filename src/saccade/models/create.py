"""Networks by name, and the image sizes that they accept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from saccade.download import Notify, silent
from saccade.errors import UsageError, unknown
from saccade.models.catalogue import CLASSICAL_MODELS, NETWORKS, SEVERAL_LOGITS, Network, Shape
from saccade.models.convert import PREFIX, timm_input, timm_network
from saccade.models.layers.surgery import meta_forward, rows
from saccade.models.own import own_input, own_network, refuse_size
from saccade.models.table import is_table, table_input, table_network
from saccade.models.weights import load_weights, weights_file
from saccade.own import Own


def create_model(
    name: str,
    num_classes: int | None = None,
    *,
    weights: str | Path | None = None,
    notify: Notify = silent,
) -> nn.Module:
    """The bare network `name`, for images normalised as its public weights expect.

    Without `num_classes` it has as many as in its paper: 1000 for ImageNet, 10 for digits.
    `weights` is the path of a file, or a tag of weights.toml such as "imagenet", fetched if need
    be; timm's networks ("timm:NAME") have timm's default weights as "imagenet".  `notify` gets
    lines on the download and on which of the file's tensors were loaded.
    """
    kwargs = {} if num_classes is None else {"num_classes": num_classes}
    if isinstance(name, Own):
        network = own_network(name, num_classes)
    elif is_table(name):
        network = table_network(name, num_classes)
    elif name.startswith(PREFIX):
        pretrained = weights == "imagenet"
        network = timm_network(name.removeprefix(PREFIX), **kwargs, pretrained=pretrained)
        weights = None if pretrained else weights
    else:
        network = _entry(name).make(**kwargs)
    if weights is not None:
        notify(str(load_weights(network, weights_file(name, weights, notify=notify))))
    return network


def input_shape(name: str) -> Shape:
    """Channels, height and width in pixels that the network was designed for."""
    if isinstance(name, Own):
        return own_input(name)
    if is_table(name):
        return table_input(name)
    if name.startswith(PREFIX):
        return timm_input(name.removeprefix(PREFIX))
    return _entry(name).input


def _entry(name: str) -> Network:
    networks = NETWORKS | SEVERAL_LOGITS | CLASSICAL_MODELS
    if name not in networks:
        raise unknown("model", name, networks)
    return networks[name]


def check_size(name: str, height: int, width: int | None = None) -> None:
    """Raise `UsageError` naming the layer that cannot take an image of this size, in pixels.

    Only shapes are computed, on the meta device, and no weights are allocated.
    """
    channels, *designed = input_shape(name)
    size = (height, height if width is None else width)
    if isinstance(name, Own):
        return refuse_size(name, (channels, *size))
    with torch.device("meta"):
        network = create_model(name, 10).eval()
    obstacle = find_obstacle(network, (channels, *size))
    if obstacle is None:
        return None
    hint = f"{name} is made for {designed[0]}x{designed[1]}"
    if obstacle.too_small:
        smallest = _smallest(network, channels, min(size), designed[0])
        hint += f"; the smallest square it takes is {smallest}x{smallest}"
    problem = "is too small for" if obstacle.too_small else "does not fit"
    raise UsageError(f"input {size[0]}x{size[1]} {problem} {name}: {obstacle.message}", hint)


@dataclass(frozen=True)
class Obstacle:
    """Why an image cannot pass through a network."""

    message: str
    too_small: bool


def find_obstacle(network: nn.Module, shape: Shape) -> Obstacle | None:
    """The first layer that cannot take its input for an image of this shape; None if all can."""
    x = torch.empty(2, *shape, device="meta")
    layers = rows(network) if type(network) is nn.Sequential else [("its output", network)]
    for name, row in layers:
        try:
            x = meta_forward(row, x)
        except (RuntimeError, ValueError) as error:
            if "too small" in str(error) or "Kernel size" in str(error):
                return Obstacle(f"{name} would be 0x0", too_small=True)
            if isinstance(row, nn.Linear):
                message = f"{name} takes {row.in_features} numbers and gets {x.shape[-1]}"
                return Obstacle(message, too_small=False)
            return Obstacle(f"{name} does not take {_size_text(x)}", too_small=False)
    return None


def _smallest(network: nn.Module, channels: int, below: int, above: int) -> int:
    """The side of the smallest square that passes, by bisection: `below` does not, `above` does."""
    while above - below > 1:
        middle = (below + above) // 2
        if find_obstacle(network, (channels, middle, middle)) is None:
            above = middle
        else:
            below = middle
    return above


def _size_text(x: Tensor) -> str:
    return "x".join(map(str, x.shape[1:]))
