"""The graph of one forward: values, the operations between them, and the module calls around.

Batch normalisation and ReLU give their shapes on the meta device in one step each: PyTorch finds
them through decompositions in Python of up to 15 operations, which took three quarters of the time
of a trace of a large network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


@dataclass(frozen=True)
class Value:
    """A tensor of the forward: what it depends on, without its numbers."""

    index: int
    shape: tuple[int, ...]
    depends_on_image: bool = False
    weights: frozenset[str] = frozenset()  # parameters and buffers it is made of, without the image

    @property
    def numel(self) -> int:
        """The number of elements."""
        return torch.Size(self.shape).numel()


@dataclass(frozen=True, eq=False)
class Operation:
    """One call of the dispatcher that reads the image, by argument name; Values for tensors."""

    name: str  # "convolution", "add_", ...
    arguments: dict[str, Any]
    outputs: tuple[Value | None, ...]

    @property
    def inputs(self) -> list[Value]:
        """The values among its arguments."""
        return [leaf for leaf in tree_leaves(self.arguments) if isinstance(leaf, Value)]

    @property
    def weights(self) -> frozenset[str]:
        """The names of the parameters and buffers that it reads."""
        return frozenset().union(*(value.weights for value in self.inputs))

    @property
    def output(self) -> Value:
        """The first value that it gives."""
        return next(value for value in self.outputs if value is not None)


@dataclass(eq=False)
class Call:
    """One call of a module: its calls of other modules and its own operations, in order."""

    path: str
    module: nn.Module
    children: list[Call | Operation] = field(default_factory=list)
    inputs: tuple[Value, ...] = ()
    output: Value | None = None

    def operations(self) -> Iterator[Operation]:
        """Every operation of this call and of the calls within it, in order."""
        for child in self.children:
            if isinstance(child, Operation):
                yield child
            else:
                yield from child.operations()


ATEN = torch.ops.aten


def shapes_of(func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """The result of an operation on the meta device: tensors with shapes but no values."""
    if not args or not getattr(args[0], "is_meta", False):
        return func(*args, **kwargs)
    if func is ATEN.relu.default:
        return torch.empty_like(args[0])
    if func is ATEN.relu_.default:
        return args[0]
    if func is ATEN.native_batch_norm.default:
        saved = args[0].shape[1] if args[5] else 0  # training keeps the batch's statistics
        return torch.empty_like(args[0]), args[0].new_empty(saved), args[0].new_empty(saved)
    return func(*args, **kwargs)


class Shapes(TorchDispatchMode):
    """Speeds up a forward on the meta device, with `shapes_of` for each operation."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return shapes_of(func, args, kwargs or {})
