"""Taps: what several rows of a network make of a picture, in one look."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from saccade.errors import UsageError
from saccade.models.ablation import find, rows
from saccade.transfer.trunk import PlaceMeans, head_name

EARLIER = 2  # rows before the last one that are looked at, too


class Taps(nn.Module):
    """The means over places behind each of `layers`, side by side.  [N,C,H,W] -> [N,D1+D2+...]"""

    def __init__(self, network: nn.Sequential, layers: Sequence[str]):
        super().__init__()
        named = list(rows(network))
        names = [name for name, _ in named]
        self.places = [names.index(find(network, layer)[-1]) for layer in layers]
        self.rows = nn.ModuleList(row for _, row in named[: max(self.places) + 1])
        self.means = PlaceMeans()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(self._seen(x), dim=1)

    def widths(self, size: int) -> list[int]:
        """How many numbers each layer gives for a picture of three colours."""
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
