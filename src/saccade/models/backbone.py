"""Backbone: a network up to its last layer, the features of its rows, and its heads.

Heads are the classifiers of a network, the one at its end and those at its side.  A trunk is a
network less its last layer, or up to a row of it; taps are what several of its rows make of an
image in one pass; `HeadInputs` remembers what goes into the last layer while a network is used.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from saccade.errors import RecipeError, UsageError
from saccade.models.layers.blocks import chain
from saccade.models.layers.historic import KNNClassifier
from saccade.models.layers.surgery import find_layers, rows
from saccade.models.weights import classifiers

AUXILIARY_WEIGHT = 0.3  # weight of the loss of a classifier at the side (Szegedy 2014, Section 5)


def all_outputs(output: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The outputs of every classifier of a network, the one at its end first.  [N,K] each"""
    return output if isinstance(output, tuple) else (output,)


def total_loss(loss: Callable[[Tensor], Tensor], output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The loss of the last classifier and, weighing less, of the side ones.  [N,K] each -> []"""
    first, *sides = (loss(logits.float()) for logits in all_outputs(output))
    return first + AUXILIARY_WEIGHT * sum(sides)


class GlobalAveragePool(nn.Module):
    """Maps as their means over all places; numbers as they are.  [N,C,H,W] or [N,D] -> [N,D]"""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).mean(2) if x.dim() > 2 else x


class MainOutput(nn.Module):
    """The last end of a network whose last layer is taken out.  [N,C,H,W] -> [N,D]"""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return all_outputs(self.network(x))[0].flatten(1)


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


def backbone(model: nn.Module, layer: str = "") -> nn.Module:
    """All rows up to and with `layer`; without it, all before the last layer.

    [N,C,H,W] -> [N,D].  The rows of a chain are shared with `model`; any other network is copied.
    Raises `UsageError` for a layer that the network does not have.
    """
    if type(model) is nn.Sequential:
        if layer:
            return _rows_of(model, _position(model, find_layers(model, layer)[-1]) + 1)
        head = head_name(model)
        if head in dict(rows(model)):
            return _rows_of(model, _position(model, head))
    if layer:
        raise UsageError(
            f"'{layer}' cannot be read: the network is no chain of layers",
            "leave the layer out for what goes into its last one",
        )
    whole = copy.deepcopy(model)
    whole.set_submodule(head_name(model), nn.Identity())
    return chain(whole=MainOutput(whole), features=GlobalAveragePool())


def _rows_of(model: nn.Sequential, count: int) -> nn.Sequential:
    kept = [row for _, row in rows(model)][:count]
    return nn.Sequential(*kept, GlobalAveragePool())


def _position(model: nn.Sequential, path: str) -> int:
    return [name for name, _ in rows(model)].index(path)


EARLIER = 2  # rows before the last one that are looked at, too


class MultiLayerFeatures(nn.Module):
    """The means over places behind each of `layers`, side by side.  [N,C,H,W] -> [N,D1+D2+...]"""

    def __init__(self, network: nn.Sequential, layers: Sequence[str]):
        super().__init__()
        named = list(rows(network))
        names = [name for name, _ in named]
        self.places = [names.index(find_layers(network, layer)[-1]) for layer in layers]
        self.rows = nn.ModuleList(row for _, row in named[: max(self.places) + 1])
        self.means = GlobalAveragePool()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(self._seen(x), dim=1)

    def feature_dims(self, size: int) -> list[int]:
        """How many numbers each layer gives for an image of three colours."""
        place = next(self.parameters()).device
        with torch.no_grad():
            seen = self._seen(torch.zeros(1, 3, size, size, device=place))
        return [x.shape[1] for x in seen]

    def _seen(self, x: Tensor) -> list[Tensor]:
        outputs = {}
        for position, row in enumerate(self.rows):
            x = row(x)
            if position in self.places:
                outputs[position] = self.means(x)
        return [outputs[position] for position in self.places]


def layers_to_compare(network: nn.Module) -> tuple[str, ...]:
    """The row that feeds the last layer, and where only a mean over places follows, earlier ones.

    Raises `UsageError` for a network that is no table.
    """
    if type(network) is not nn.Sequential:
        raise UsageError("only networks of `saccade models` are compared", "name one with --model")
    head = head_name(network)
    names = [name for name, _ in rows(network)]
    fed_by = names[names.index(head) - 1]
    top = list(network.named_children())
    position = [name for name, _ in top].index(head.split(".")[0])
    behind = _tail(top[:position])
    if behind is None:
        return (fed_by,)
    blocks = [name for name, row in top[:behind] if any(True for _ in row.parameters())]
    return (fed_by, *reversed(blocks[-1 - EARLIER : -1]))


def rows_between(network: nn.Module, layer: str) -> tuple[str, ...]:
    """The top rows behind `layer` and before the mean over places."""
    top = list(network.named_children())
    names = [name for name, _ in top]
    position = names.index(head_name(network).split(".")[0])
    return tuple(names[names.index(layer) + 1 : _tail(top[:position])])


def _tail(top: Sequence[tuple[str, nn.Module]]) -> int | None:
    """Where the mean over places stands, if all behind it is flattening and dropout."""
    for k in range(len(top) - 1, -1, -1):
        row = top[k][1]
        if isinstance(row, nn.AdaptiveAvgPool2d) and row.output_size in (1, (1, 1)):
            return k
        if not isinstance(row, nn.Flatten | nn.Dropout):
            return None
    return None


class HeadInputs(nn.Module):
    """A network as it is, and what goes into its last layer in every call.  [N,C,H,W] -> as ever

    All rows are shared with `model`, which is left as it is and may be used by other threads; a
    compiled network runs as it is written.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        path = last_layer(model)
        self.head = Remembering(model.get_submodule(path))
        self.network = _with_layer(model, path, self.head)
        self.training = model.training

    @property
    def features(self) -> list[Tensor]:
        """[n,D] for each call so far; maps are their means over places."""
        return self.head.inputs

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.network(x)


class Remembering(nn.Module):
    """A layer that remembers what goes into it, as `PlaceMeans` gives it.  [N,...] -> [N,K]"""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer
        self.means = GlobalAveragePool()
        self.inputs: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.inputs.append(self.means(x))
        return self.layer(x)


def load_knn(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Where `state` has a bank [M,D] for the last layer, put a row for it in its place."""
    for name in classifiers(model)[:1]:
        if f"{name}.bank" in state:
            bank, answers, k = (state[f"{name}.{part}"] for part in ("bank", "answers", "k"))
            model.set_submodule(name, KNNClassifier(bank, answers, int(k)))


def last_layer(model: nn.Module) -> str:
    """The full name of the last layer with weights, or with images that it remembers."""
    banks = [name for name, row in model.named_modules() if isinstance(row, KNNClassifier)]
    return banks[-1] if banks else classifiers(model)[0]


def _with_layer(model: nn.Module, path: str, layer: nn.Module) -> nn.Module:
    """The network with `layer` at `path`; but for the modules on the way there all are shared."""
    name, _, rest = path.partition(".")
    inner = _with_layer(model.get_submodule(name), rest, layer) if rest else layer
    copied = copy.copy(model)
    copied._modules = {**model._modules, name: inner}
    return copied
