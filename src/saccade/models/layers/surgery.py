"""Removing layers from a network and adapting the sizes of the others.

Krizhevsky 2012 and Zeiler 2013, Table 3, removed AlexNet's layers to see what each is worth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from saccade.errors import UsageError, unknown
from saccade.models.layers.blocks import chain
from saccade.models.layers.historic import LocallyConnected, SubSampling, TableConv2d
from saccade.words import layer_names

LAYERS = (nn.Conv2d, nn.Linear, TableConv2d, LocallyConnected)


def remove_layers(
    network: nn.Sequential,
    layers: Sequence[str],
    *,
    input_shape: tuple[int, int, int] = (3, 224, 224),
) -> nn.Sequential:
    """The network without `layers`, each removed with the activation, norm and dropout after it.

    A layer is named as its row is ("classifier.4"), or by its number among the convolutions and
    fully connected layers, as AlexNet's paper counts them ("conv3", "fc7"); or all rows of a kind
    are ("ReLU"), where no layer is called so.  Layers that still fit
    are shared with `network`, weights and names included; one whose input has another size now is
    created anew.  `input_shape` is channels, height and width in pixels.  Raises `UsageError` for
    an unknown name, and where the remaining layers do not fit one another.
    """
    image = torch.empty(2, *input_shape, device="meta")
    sizes = _sizes(network, image)
    removed = {
        path
        for layer in layer_names(layers)
        for path in _rows_of_kind(network, layer) or find_layers(network, layer)
    }
    rebuilt, outputs = _rebuild(network, removed | _following(network, removed, sizes), image, "")
    *_, (_, expected) = sizes.values()
    if outputs.shape != expected:
        raise UsageError(
            f"without {', '.join(layers)} the network gives {_size_text(outputs.shape)} numbers "
            f"instead of {_size_text(expected)}",
            "the last layer, which names the classes, has to stay",
        )
    return rebuilt.train(network.training)


def _rows_of_kind(network: nn.Sequential, kind: str) -> list[str]:
    """The rows of a kind, as `saccade show` has it, where no row or group is called so.

    Raises `UsageError` where blocks have such layers inside, which stay with their block.
    """

    def alike(module: nn.Module) -> bool:
        return type(module).__name__.casefold() == kind.casefold()

    found = dict(rows(network))
    if kind in _names_in_table(list(found)) or not any(map(alike, network.modules())):
        return []
    inside = sum(map(alike, network.modules())) - sum(map(alike, found.values()))
    if inside:
        raise UsageError(
            f"{inside} of the layers of kind {kind} are inside of blocks, and only rows can go",
            "name rows; model.activation=identity takes away every activation of a training",
        )
    return [path for path, row in found.items() if alike(row)]


def rows(network: nn.Sequential, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Every row by its full name; groups (`nn.Sequential`) are expanded, blocks are not."""
    for name, row in network.named_children():
        if type(row) is nn.Sequential:
            yield from rows(row, f"{prefix}{name}.")
        else:
            yield prefix + name, row


def find_layers(network: nn.Sequential, layer: str) -> list[str]:
    """The full names of a row, of all rows of a group, or of the layer with a number ("conv3")."""
    paths = [path for path, _ in rows(network)]
    matches = [path for path in paths if path == layer or path.startswith(f"{layer}.")]
    if matches:
        return matches
    numbers = _layer_numbers(network)
    if layer not in numbers:
        like = {*numbers} if re.match(r"(conv|fc)\d", layer) else set()
        raise unknown("layer of this network", layer, _names_in_table(paths) | like)
    return [numbers[layer]]


def _names_in_table(paths: Sequence[str]) -> set[str]:
    """The full names of rows and of the groups that they are in, as `saccade show` has them."""
    parts = [path.split(".") for path in paths]
    return {".".join(names[:count]) for names in parts for count in range(1, len(names) + 1)}


def _layer_numbers(network: nn.Sequential) -> dict[str, str]:
    """ "conv1", "conv2", ..., "fc6", ... to full names, counting the layers with weights from 1."""
    counted = [(path, row) for path, row in rows(network) if isinstance(row, LAYERS)]
    return {
        f"{'fc' if isinstance(row, nn.Linear) else 'conv'}{number}": path
        for number, (path, row) in enumerate(counted, 1)
    }


def _sizes(network: nn.Sequential, x: Tensor) -> dict[str, tuple[torch.Size, torch.Size]]:
    """The input and output size of each row."""
    sizes = {}
    for path, row in rows(network):
        before, x = x.shape, _output(path, row, x)
        sizes[path] = before, x.shape
    return sizes


def _following(
    network: nn.Sequential, layers: set[str], sizes: dict[str, tuple[torch.Size, torch.Size]]
) -> set[str]:
    """The rows after each of these layers, up to one with weights or one that changes the size."""
    following, serving = set(), False
    for path, row in rows(network):
        before, after = sizes[path]
        if isinstance(row, LAYERS):
            serving = path in layers
        elif serving := serving and before == after:
            following.add(path)
    return following


def _rebuild(
    network: nn.Sequential, removed: set[str], x: Tensor, prefix: str
) -> tuple[nn.Sequential, Tensor]:
    """The remaining rows, each adapted to the one before it, and their output."""
    rebuilt: dict[str, nn.Module] = {}
    for name, row in network.named_children():
        path = prefix + name
        if type(row) is nn.Sequential:
            group, x = _rebuild(row, removed, x, f"{path}.")
            if len(group):
                rebuilt[name] = group
        elif path not in removed:
            rebuilt[name] = _adapt(row, x)
            x = _output(path, rebuilt[name], x)
    return chain(**rebuilt), x


def _adapt(row: nn.Module, x: Tensor) -> nn.Module:
    """The row itself where it can take x; a new one of its kind for another number of channels."""
    match row:
        case nn.Conv2d() if row.in_channels != x.shape[1] and x.shape[1] % row.groups == 0:
            copied = ("kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
            kwargs = {name: getattr(row, name) for name in copied} | _factory_kwargs(row)
            return nn.Conv2d(x.shape[1], row.out_channels, **kwargs)
        case nn.Linear() if row.in_features != x.shape[-1]:
            return nn.Linear(x.shape[-1], row.out_features, **_factory_kwargs(row))
        case SubSampling() if len(row.weight) != x.shape[1]:
            return SubSampling(x.shape[1], row.size).to(row.weight)
        case _:
            return row


def _factory_kwargs(row: nn.Conv2d | nn.Linear) -> dict[str, Any]:
    weight = row.weight
    return {"bias": row.bias is not None, "device": weight.device, "dtype": weight.dtype}


@torch.no_grad()
def meta_forward(row: nn.Module, x: Tensor) -> Tensor:
    """The row's output on the meta device; no statistics change.  [N,...] -> [N,...]"""
    tensors = (*row.named_parameters(), *row.named_buffers())
    return functional_call(row, {name: t.to("meta") for name, t in tensors}, (x,))


def _output(path: str, row: nn.Module, x: Tensor) -> Tensor:
    """The row's output on the meta device; raises `UsageError` where it cannot take x."""
    try:
        return meta_forward(row, x)
    except RuntimeError as error:
        raise UsageError(
            f"the network cannot be joined: its layer '{path}' cannot take {_size_text(x.shape)}",
            "convolutions and fully connected layers are made anew for other channels; nothing "
            "else is, and the image has to be of the network's own size",
        ) from error


def _size_text(size: torch.Size) -> str:
    return " x ".join(str(length) for length in size[1:])
