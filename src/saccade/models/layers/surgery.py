"""A network less some of its layers, its sizes joined again.

Krizhevsky 2012 and Zeiler 2013, Table 3, took AlexNet's layers away to see what each is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from saccade.errors import UsageError, unknown
from saccade.models.layers.blocks import chain
from saccade.models.layers.historic import LocallyConnected, SubSampling, TableConv2d

LAYERS = (nn.Conv2d, nn.Linear, TableConv2d, LocallyConnected)


def remove_layers(
    network: nn.Sequential,
    layers: Sequence[str],
    *,
    input_shape: tuple[int, int, int] = (3, 224, 224),
) -> nn.Sequential:
    """The network less `layers`, each gone with the activation, norm and dropout behind it.

    A layer is named as its row is ("classifier.4"), or by its number among the convolutions and
    fully connected layers, as AlexNet's paper counts them ("conv3", "fc7").  What still fits is
    shared with `network`, weights and names included; a layer whose input has another size now is
    made anew.  Raises `UsageError` for an unknown name, and where the rest cannot be joined.
    """
    image = torch.empty(2, *input_shape, device="meta")
    sizes = _sizes(network, image)
    named = {path for layer in layers for path in find_layers(network, layer)}
    rest, scores = _joined(network, named | _behind(network, named, sizes), image, "")
    *_, (_, expected) = sizes.values()
    if scores.shape != expected:
        raise UsageError(
            f"without {', '.join(layers)} the network gives {_words(scores.shape)} numbers "
            f"instead of {_words(expected)}",
            "the last layer, which names the classes, has to stay",
        )
    return rest.train(network.training)


def rows(network: nn.Sequential, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Every row by its full name, groups unfolded, blocks whole."""
    for name, row in network.named_children():
        if type(row) is nn.Sequential:
            yield from rows(row, f"{prefix}{name}.")
        else:
            yield prefix + name, row


def find_layers(network: nn.Sequential, layer: str) -> list[str]:
    """The full names of the rows that `layer` means: a row's, all of a group's, or a number's."""
    paths = [path for path, _ in rows(network)]
    inside = [path for path in paths if path == layer or path.startswith(f"{layer}.")]
    if inside:
        return inside
    numbers = _numbers(network)
    if layer not in numbers:
        raise unknown("layer of this network", layer, [*paths, *numbers])
    return [numbers[layer]]


def _numbers(network: nn.Sequential) -> dict[str, str]:
    """ "conv1", "conv2", ..., "fc6", ... to full names, counting the layers with weights from 1."""
    counted = [(path, row) for path, row in rows(network) if isinstance(row, LAYERS)]
    return {
        f"{'fc' if isinstance(row, nn.Linear) else 'conv'}{number}": path
        for number, (path, row) in enumerate(counted, 1)
    }


def _sizes(network: nn.Sequential, x: Tensor) -> dict[str, tuple[torch.Size, torch.Size]]:
    """The size that each row takes and the size that it gives."""
    sizes = {}
    for path, row in rows(network):
        before, x = x.shape, _run(path, row, x)
        sizes[path] = before, x.shape
    return sizes


def _behind(
    network: nn.Sequential, layers: set[str], sizes: dict[str, tuple[torch.Size, torch.Size]]
) -> set[str]:
    """The rows that serve these layers: those behind them, up to one that changes the size."""
    found, serving = set(), False
    for path, row in rows(network):
        before, after = sizes[path]
        if isinstance(row, LAYERS):
            serving = path in layers
        elif serving := serving and before == after:
            found.add(path)
    return found


def _joined(
    network: nn.Sequential, gone: set[str], x: Tensor, prefix: str
) -> tuple[nn.Sequential, Tensor]:
    """The rows that stay, each fitted to the one before it, and what they give."""
    kept: dict[str, nn.Module] = {}
    for name, row in network.named_children():
        path = prefix + name
        if type(row) is nn.Sequential:
            group, x = _joined(row, gone, x, f"{path}.")
            if len(group):
                kept[name] = group
        elif path not in gone:
            kept[name] = _fitted(row, x)
            x = _run(path, kept[name], x)
    return chain(**kept), x


def _fitted(row: nn.Module, x: Tensor) -> nn.Module:
    """The row itself where it can take x; a new one of its kind where only the channels differ."""
    match row:
        case nn.Conv2d() if row.in_channels != x.shape[1] and x.shape[1] % row.groups == 0:
            same = ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
            settings = {name: getattr(row, name) for name in same} | _kept(row)
            return nn.Conv2d(x.shape[1], row.out_channels, **settings)
        case nn.Linear() if row.in_features != x.shape[-1]:
            return nn.Linear(x.shape[-1], row.out_features, **_kept(row))
        case SubSampling() if len(row.weight) != x.shape[1]:
            return SubSampling(x.shape[1], row.size).to(row.weight)
        case _:
            return row


def _kept(row: nn.Conv2d | nn.Linear) -> dict[str, Any]:
    weight = row.weight
    return {"bias": row.bias is not None, "device": weight.device, "dtype": weight.dtype}


@torch.no_grad()
def _run(path: str, row: nn.Module, x: Tensor) -> Tensor:
    """What the row makes of x, sizes only: nothing is computed and no statistics move."""
    tensors = (*row.named_parameters(), *row.named_buffers())
    try:
        return functional_call(row, {name: t.to("meta") for name, t in tensors}, (x,))
    except RuntimeError as error:
        raise UsageError(
            f"the network cannot be joined: its layer '{path}' cannot take {_words(x.shape)}",
            "convolutions and fully connected layers are made anew for other channels; nothing "
            "else is, and the image has to be of the network's own size",
        ) from error


def _words(size: torch.Size) -> str:
    return " x ".join(str(side) for side in size[1:])
