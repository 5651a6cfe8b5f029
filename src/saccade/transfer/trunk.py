"""Trunk: a network less its last layer, or up to a row of it; what features come out of."""

from __future__ import annotations

import copy

from torch import Tensor, nn

from saccade.errors import RecipeError, UsageError
from saccade.layers.chain import chain
from saccade.models.ablation import find, rows
from saccade.models.weights import classifiers
from saccade.tasks.heads import heads


class PlaceMeans(nn.Module):
    """Maps as their means over all places; numbers as they are.  [N,C,H,W] or [N,D] -> [N,D]"""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).mean(2) if x.dim() > 2 else x


class FirstOf(nn.Module):
    """What a network with several ends says at the last one, its last layer taken out."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return heads(self.network(x))[0].flatten(1)


def head_name(model: nn.Module) -> str:
    """The full name of the last layer; raises `RecipeError` if it is not fully connected."""
    names = classifiers(model)
    last = model.get_submodule(names[0]) if names else None
    if isinstance(last, nn.Linear) and last.bias is not None:
        return names[0]
    found = "it has none" if last is None else f"'{names[0]}' is {last}"
    raise RecipeError(
        f"a head takes the place of a last layer that is fully connected, with a bias; {found}",
        "take another network, or set model.head=fresh",
    )


def trunk(model: nn.Module, layer: str = "") -> nn.Module:
    """All rows up to and with `layer`; without it, all before the last layer.

    [N,C,H,W] -> [N,D].  The rows of a chain are shared with `model`; any other network is copied.
    Raises `UsageError` for a layer that the network does not have.
    """
    if type(model) is nn.Sequential:
        if layer:
            return _rows_of(model, _position(model, find(model, layer)[-1]) + 1)
        head = head_name(model)
        if head in dict(rows(model)):
            return _rows_of(model, _position(model, head))
    if layer:
        raise UsageError(
            f"'{layer}' cannot be looked into: the network is no table of rows",
            "leave the layer out for what goes into its last one",
        )
    whole = copy.deepcopy(model)
    whole.set_submodule(head_name(model), nn.Identity())
    return chain(whole=FirstOf(whole), features=PlaceMeans())


def _rows_of(model: nn.Sequential, count: int) -> nn.Sequential:
    kept = [row for _, row in rows(model)][:count]
    return nn.Sequential(*kept, PlaceMeans())


def _position(model: nn.Sequential, path: str) -> int:
    return [name for name, _ in rows(model)].index(path)
