"""chain: a network as a table, one named row after the other."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn


def chain(**rows: nn.Module) -> nn.Sequential:
    """The rows as one `nn.Sequential` in the order written; a row's name is its weights' prefix."""
    return nn.Sequential(OrderedDict(rows))
