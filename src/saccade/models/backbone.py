"""Backbones: a network without its last layer, features of inner layers, and its heads.

Heads are the classifiers of a network: the last layer and the auxiliary ones.  `MultiLayerFeatures`
are those of several layers in one forward; `HeadInputRecorder` records what goes into the last
layer while a network is used.
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

AUXILIARY_WEIGHT = 0.3  # of an auxiliary classifier's loss (Szegedy 2014, Section 5)


def all_outputs(output: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The outputs [N,K] of every classifier of a network, the main one first."""
    return output if isinstance(output, tuple) else (output,)


def total_loss(loss: Callable[[Tensor], Tensor], output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The loss of the main classifier plus 0.3 times each auxiliary one's.  [N,K] each -> []"""
    main, *auxiliary = (loss(logits.float()) for logits in all_outputs(output))
    return main + AUXILIARY_WEIGHT * sum(auxiliary)


class GlobalAveragePool(nn.Module):
    """Feature maps averaged over positions, vectors as they are.  [N,C,H,W] or [N,D] -> [N,D]"""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).mean(2) if x.dim() > 2 else x


class MainOutput(nn.Module):
    """The main output of a network whose last layer is the identity.  [N,C,H,W] -> [N,D]"""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return all_outputs(self.network(x))[0].flatten(1)


def head_name(model: nn.Module) -> str:
    """The full name of the last layer; raises `RecipeError` unless it is linear with a bias."""
    names = classifiers(model)
    last = model.get_submodule(names[0]) if names else None
    if isinstance(last, nn.Linear) and last.bias is not None:
        return names[0]
    problem = "it has none" if last is None else f"'{names[0]}' is {last}"
    raise RecipeError(
        f"a head takes the place of a last layer that is fully connected, with a bias; {problem}",
        "take another network, or set model.head=random",
    )


def backbone(model: nn.Module, layer: str = "") -> nn.Module:
    """The network up to and with `layer`, or without its last layer, averaged over positions.

    [N,C,H,W] -> [N,D].  The rows of a chain are shared with `model`; any other network is copied.
    Raises `UsageError` for a layer that the network does not have.
    """
    if type(model) is nn.Sequential:
        if layer:
            return _with_pool(model, _row_index(model, find_layers(model, layer)[-1]) + 1)
        head = head_name(model)
        if head in dict(rows(model)):
            return _with_pool(model, _row_index(model, head))
    if layer:
        raise UsageError(
            f"'{layer}' cannot be read: the network is no chain of layers",
            "leave the layer out for what goes into its last one",
        )
    network = copy.deepcopy(model)
    network.set_submodule(head_name(model), nn.Identity())
    return chain(whole=MainOutput(network), features=GlobalAveragePool())


def _with_pool(model: nn.Sequential, count: int) -> nn.Sequential:
    layers = [row for _, row in rows(model)][:count]
    return nn.Sequential(*layers, GlobalAveragePool())


def _row_index(model: nn.Sequential, path: str) -> int:
    return [name for name, _ in rows(model)].index(path)


EARLIER_LAYERS = 2  # before the last one, compared with it


class MultiLayerFeatures(nn.Module):
    """The averaged features of each of `layers`, concatenated.  [N,C,H,W] -> [N,D1+D2+...]"""

    def __init__(self, network: nn.Sequential, layers: Sequence[str]):
        super().__init__()
        layers_by_name = list(rows(network))
        names = [name for name, _ in layers_by_name]
        self.positions = [names.index(find_layers(network, layer)[-1]) for layer in layers]
        self.rows = nn.ModuleList(row for _, row in layers_by_name[: max(self.positions) + 1])
        self.pool = GlobalAveragePool()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(self._features(x), dim=1)

    def feature_dims(self, size: int) -> list[int]:
        """The dimensions D1, D2, ... of the layers' features for RGB images of `size` pixels."""
        device = next(self.parameters()).device
        with torch.no_grad():
            features = self._features(torch.zeros(1, 3, size, size, device=device))
        return [x.shape[1] for x in features]

    def _features(self, x: Tensor) -> list[Tensor]:
        outputs = {}
        for position, row in enumerate(self.rows):
            x = row(x)
            if position in self.positions:
                outputs[position] = self.pool(x)
        return [outputs[position] for position in self.positions]


def layers_to_compare(network: nn.Module) -> tuple[str, ...]:
    """The row before the last layer, and where only global pooling lies between, earlier ones too.

    Raises `UsageError` for a network that is no table of rows.
    """
    if type(network) is not nn.Sequential:
        raise UsageError("only networks of `saccade models` are compared", "name one with --model")
    head = head_name(network)
    names = [name for name, _ in rows(network)]
    last = names[names.index(head) - 1]
    top = list(network.named_children())
    position = [name for name, _ in top].index(head.split(".")[0])
    pool = _global_pool_index(top[:position])
    if pool is None:
        return (last,)
    blocks = [name for name, row in top[:pool] if any(True for _ in row.parameters())]
    return (last, *reversed(blocks[-1 - EARLIER_LAYERS : -1]))


def rows_between(network: nn.Module, layer: str) -> tuple[str, ...]:
    """The top rows after `layer` and before global pooling."""
    top = list(network.named_children())
    names = [name for name, _ in top]
    position = names.index(head_name(network).split(".")[0])
    return tuple(names[names.index(layer) + 1 : _global_pool_index(top[:position])])


def _global_pool_index(top: Sequence[tuple[str, nn.Module]]) -> int | None:
    """The index of global average pooling, where only flattening and dropout follow it."""
    for k in range(len(top) - 1, -1, -1):
        row = top[k][1]
        if isinstance(row, nn.AdaptiveAvgPool2d) and row.output_size in (1, (1, 1)):
            return k
        if not isinstance(row, nn.Flatten | nn.Dropout):
            return None
    return None


class HeadInputRecorder(nn.Module):
    """A network that records what goes into its last layer.  [N,C,H,W] -> [N,K], or a tuple

    All rows are shared with `model`, which is left as it is and may be used by other threads; a
    compiled network runs as it is written.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        path = last_layer(model)
        self.head = InputRecorder(model.get_submodule(path))
        self.network = _replace_layer(model, path, self.head)
        self.training = model.training

    @property
    def features(self) -> list[Tensor]:
        """[N,D] for each call so far, feature maps averaged over positions."""
        return self.head.inputs

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.network(x)


class InputRecorder(nn.Module):
    """A layer that records its inputs, averaged over positions.  [N,...] -> [N,K]"""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer
        self.pool = GlobalAveragePool()
        self.inputs: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.inputs.append(self.pool(x))
        return self.layer(x)


def load_knn(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Replace the last layer by a kNN classifier where `state` has its bank [M,D]."""
    for name in classifiers(model)[:1]:
        if f"{name}.bank" in state:
            bank, answers, k = (state[f"{name}.{part}"] for part in ("bank", "answers", "k"))
            model.set_submodule(name, KNNClassifier(bank, answers, int(k)))


def has_last_layer(model: nn.Module) -> bool:
    """Whether there is a layer with weights whose inputs are features; not so of every module."""
    return bool(classifiers(model)) or any(isinstance(m, KNNClassifier) for m in model.modules())


def last_layer(model: nn.Module) -> str:
    """The full name of the last layer with weights, or of a kNN classifier."""
    banks = [name for name, row in model.named_modules() if isinstance(row, KNNClassifier)]
    return banks[-1] if banks else classifiers(model)[0]


def _replace_layer(model: nn.Module, path: str, layer: nn.Module) -> nn.Module:
    """The network with `layer` at `path`; all modules but those on the way there are shared."""
    name, _, rest = path.partition(".")
    inner = _replace_layer(model.get_submodule(name), rest, layer) if rest else layer
    clone = copy.copy(model)
    clone._modules = {**model._modules, name: inner}
    return clone
