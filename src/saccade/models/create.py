"""A network by its name, and which images pass through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call

from saccade.errors import UsageError, unknown
from saccade.files import Notify, silent
from saccade.models.catalogue import CLASSICAL_MODELS, NETWORKS, SEVERAL_LOGITS, Network, Shape
from saccade.models.convert import PREFIX, timm_input, timm_network
from saccade.models.weights import load_weights, weights_file


def create_model(
    name: str,
    num_classes: int | None = None,
    *,
    weights: str | Path | None = None,
    notify: Notify = silent,
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
        network = timm_network(name.removeprefix(PREFIX), **wanted, pretrained=trained)
        weights = None if trained else weights
    else:
        network = _listed(name).make(**wanted)
    if weights is not None:
        notify(str(load_weights(network, weights_file(name, weights, notify=notify))))
    return network


def input_shape(name: str) -> Shape:
    """Channels, height and width in pixels that the network was designed for."""
    if name.startswith(PREFIX):
        return timm_input(name.removeprefix(PREFIX))
    return _listed(name).input


def _listed(name: str) -> Network:
    networks = NETWORKS | SEVERAL_LOGITS | CLASSICAL_MODELS
    if name not in networks:
        raise unknown("model", name, networks)
    return networks[name]


def check_size(name: str, height: int, width: int | None = None) -> None:
    """Raise `UsageError` naming the row at which an image of this size, in pixels, ends.

    Nothing is computed: the rows see shapes alone, and no weights are made.
    """
    channels, *designed = input_shape(name)
    size = (height, height if width is None else width)
    with torch.device("meta"):
        network = create_model(name, 10).eval()
    if (found := obstacle(network, (channels, *size))) is None:
        return
    hint = f"{name} is made for {designed[0]}x{designed[1]}"
    if found.too_small:
        least = _smallest(network, channels, min(size), designed[0])
        hint += f"; the smallest square it takes is {least}x{least}"
    fault = "is too small for" if found.too_small else "does not fit"
    raise UsageError(f"input {size[0]}x{size[1]} {fault} {name}: {found.why}", hint)


@dataclass(frozen=True)
class Obstacle:
    """What keeps an image from passing through a network."""

    why: str
    too_small: bool


def obstacle(network: nn.Module, shape: Shape) -> Obstacle | None:
    """The first row that cannot take what an image of this shape has become; None if all can."""
    x = torch.empty(2, *shape, device="meta")
    for name, row in _rows(network):
        try:
            x = _outline(row, x)
        except (RuntimeError, ValueError) as error:
            if "too small" in str(error) or "Kernel size" in str(error):
                return Obstacle(f"{name} would be 0x0", too_small=True)
            if isinstance(row, nn.Linear):
                numbers = f"{name} takes {row.in_features} numbers and gets {x.shape[-1]}"
                return Obstacle(numbers, too_small=False)
            return Obstacle(f"{name} does not take {_by(x)}", too_small=False)
    return None


def _rows(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The layers of nested chains one by one; anything else is one row."""
    if type(network) is not nn.Sequential:
        yield "its output", network
        return
    for name, row in network.named_children():
        if type(row) is nn.Sequential:
            yield from ((f"{name}.{inner}", layer) for inner, layer in _rows(row))
        else:
            yield name, row


def _outline(row: nn.Module, x: Tensor) -> Tensor:
    """The row's output without its numbers; its weights and statistics stay as they are."""
    state = {n: t.to("meta") for n, t in (*row.named_parameters(), *row.named_buffers())}
    return functional_call(row, state, x)


def _smallest(network: nn.Module, channels: int, below: int, above: int) -> int:
    """The smallest square that passes, by halving: `below` does not, `above` does."""
    while above - below > 1:
        middle = (below + above) // 2
        if obstacle(network, (channels, middle, middle)) is None:
            above = middle
        else:
            below = middle
    return above


def _by(x: Tensor) -> str:
    return "x".join(map(str, x.shape[1:]))
