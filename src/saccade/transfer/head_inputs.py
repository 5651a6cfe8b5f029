"""head_inputs: what goes into a network's last layer while the network is used as ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from saccade.layers.neighbours import Neighbours
from saccade.models.weights import classifiers
from saccade.transfer.trunk import PlaceMeans


@contextmanager
def head_inputs(model: nn.Module) -> Iterator[list[Tensor]]:
    """A list that every forward pass in the block adds its features to.  [n,D] each

    Maps are their means over places.  A compiled network runs as it is written, since compiled
    code passes over the hook.
    """
    seen: list[Tensor] = []
    means = PlaceMeans()
    layer = last_layer(model)
    handle = layer.register_forward_pre_hook(lambda _, given: seen.append(means(given[0])))
    try:
        with torch.compiler.set_stance("force_eager"):
            yield seen
    finally:
        handle.remove()


def last_layer(model: nn.Module) -> nn.Module:
    """The last layer with weights, or with pictures that it remembers."""
    banks = [row for row in model.modules() if isinstance(row, Neighbours)]
    return banks[-1] if banks else model.get_submodule(classifiers(model)[0])
