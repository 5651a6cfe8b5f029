"""Backpropagation of one number, node by node: every value with its error signal.

Rumelhart et al. 1986, "Learning representations by back-propagating errors".  The error signal of a
value is the derivative of the loss with respect to it; where several nodes read a value it is the
sum of what they send back, so that nodes are told in reverse topological order.  A node is a
function as PyTorch code calls it (`x * y`, `F.conv2d`, `F.cross_entropy`), whatever it is made of
itself; links and error signals are those of autograd's graph.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.autograd.graph import Node as Function
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from saccade.errors import UsageError, unknown
from saccade.frame import data_frame
from saccade.words import LineFeeds, aligned

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("node", "operation", "reads", "shape", "value", "error_signal")
SIZES = "a tensor of several numbers is told by its root mean square"


@dataclass(frozen=True, eq=False)
class Node:
    """A value of the forward pass, what made it, and its error signal."""

    name: str  # of the module whose output it is, or of the operation within a module
    operation: str  # "linear", "mul", ...; "input" or "parameter" for what nothing made
    reads: tuple[str, ...]  # nodes that it was made from
    value: Tensor
    error: Tensor  # the derivative of the loss with respect to the value, of the same shape

    def cells(self) -> tuple[str, ...]:
        """Name, operation with what it reads, shape, value and error signal as text."""
        shape = "x".join(map(str, self.value.shape)) or "1"
        return self.name, self.operation, shape, *(f"{_size(t):.4g}" for t in self.tensors)

    def to_dict(self) -> dict[str, Any]:
        """The node as JSON values; of several numbers their root mean square."""
        value, error = map(_size, self.tensors)
        shape = [*self.value.shape]
        return dict(zip(COLUMNS, (self.name, self.operation, [*self.reads], shape, value, error)))

    @property
    def tensors(self) -> tuple[Tensor, Tensor]:
        """Value and error signal, of any shape."""
        return self.value, self.error


@dataclass(frozen=True, repr=False)
class Backpropagation:
    """The nodes in reverse topological order: the loss first, each before all that it reads."""

    nodes: tuple[Node, ...]

    @property
    def loss(self) -> float:
        """The number that was differentiated."""
        return float(self.nodes[0].value)

    def __getitem__(self, name: str) -> Node:
        """The node of a name; raises `UsageError` for one that there is not."""
        nodes = {node.name: node for node in self.nodes}
        if name not in nodes:
            raise unknown("node", name, nodes)
        return nodes[name]

    def to_dict(self) -> dict[str, Any]:
        """The nodes as JSON values."""
        return {"loss": self.loss, "nodes": [node.to_dict() for node in self.nodes]}

    def to_frame(self) -> DataFrame:
        """A row per node, as of `saccade backprop --csv`."""
        return data_frame(self._rows(), COLUMNS)

    def to_csv(self) -> str:
        """A row per node, without the last line's end."""
        out = io.StringIO()
        csv.writer(LineFeeds(out)).writerows([COLUMNS, *self._rows()])
        return out.getvalue().rstrip("\n")

    def _rows(self) -> list[tuple[Any, ...]]:
        rows = (node.to_dict() | {"reads": " ".join(node.reads)} for node in self.nodes)
        return [tuple((row | {"shape": "x".join(map(str, row["shape"]))}).values()) for row in rows]

    def __repr__(self) -> str:
        return f"Backpropagation(loss {self.loss:.4g}, {len(self.nodes)} nodes)"

    def __str__(self) -> str:
        made = {node.name for node in self.nodes if node.operation != "parameter"}
        rows: list[tuple[str, ...]] = [("node", "operation", "shape", "value", "error signal")]
        for node in self.nodes:
            name, operation, *rest = node.cells()
            read = ", ".join(source for source in node.reads if source in made)
            rows.append((name, f"{operation}({read})" if read else operation, *rest))
        return f"{aligned(rows, left=3)}\n({SIZES})"


def backpropagation(
    function: Callable[..., Tensor], module: nn.Module | None = None, /, **inputs: float | Tensor
) -> Backpropagation:
    """Trace a function of `inputs`, tensors of any shape or numbers, that gives one number.

    Nodes that `module`, which the function calls, makes have the names of its parts.  Nothing is
    changed: gradients are in what is returned alone.  Raises `UsageError` where the result is not
    one number that depends on an input or a parameter.
    """
    leaves = {name: _leaf(value) for name, value in inputs.items()}
    recorder = Recorder({id(leaf): name for name, leaf in leaves.items()}, module)
    with torch.enable_grad(), recorder.module_hooks(module), recorder:
        loss = function(**leaves)
    if not isinstance(loss, Tensor) or loss.numel() != 1 or loss.grad_fn is None:
        raise UsageError(
            "only one number that is computed from the inputs can be differentiated",
            "return a loss, such as the mean over a batch",
        )
    recorder.record("loss", loss)
    drafts = [*recorder.drafts.values()]
    errors = torch.autograd.grad(loss, [draft.edge for draft in drafts], allow_unused=True)
    names = _names(drafts)
    nodes = [
        Node(names[d.key], d.operation, tuple(names[k] for k in d.reads), d.value, error)
        for d, error in zip(drafts, errors)
        if error is not None
    ]
    return Backpropagation(tuple(reversed(nodes)))


Key = tuple[Function, int]  # a function of autograd's graph, and which of its outputs


@dataclass
class Draft:
    """A node that is being recorded, before it has its error signal and a name of its own."""

    edge: GradientEdge
    operation: str
    name: str
    reads: tuple[Key, ...]
    value: Tensor

    @property
    def key(self) -> Key:
        """Where it is in autograd's graph."""
        return self.edge.node, self.edge.output_nr


class Recorder(TorchFunctionMode):
    """Records every function that makes a differentiable tensor, in topological order."""

    def __init__(self, inputs: dict[int, str], module: nn.Module | None):
        super().__init__()
        named = module.named_parameters() if module is not None else ()
        self.inputs = inputs  # names by identity
        self.parameters = {id(parameter): name for name, parameter in named}
        self.drafts: dict[Key, Draft] = {}
        self.paths: list[str] = []  # of the modules that are running

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func.__name__
        if name == "__get__":  # of a property: x.T
            name = func.__self__.__name__
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self.record(name.strip("_"), tensor)
        return result

    def record(self, operation: str, tensor: Tensor) -> Draft | None:
        """Record a tensor with what it reads; the one that there is; None for a constant."""
        if tensor.grad_fn is None:
            return None
        edge = get_gradient_edge(tensor)
        if (key := (edge.node, edge.output_nr)) not in self.drafts:
            reads = tuple(dict.fromkeys(self.sources(edge.node)))
            name = ".".join(filter(None, (*self.paths[-1:], operation)))
            self.drafts[key] = Draft(edge, operation, name, reads, tensor.detach().clone())
        return self.drafts[key]

    def sources(self, function: Function) -> Iterator[Key]:
        """The nodes that a function of the graph reads, new leaves among them."""
        for source, number in function.next_functions:
            if source is None:
                continue
            leaf = getattr(source, "variable", None)
            if (source, number) not in self.drafts and leaf is not None:
                self.record_leaf(GradientEdge(source, number), leaf)
            if (source, number) in self.drafts:
                yield source, number
            else:
                yield from self.sources(source)

    def record_leaf(self, edge: GradientEdge, tensor: Tensor) -> None:
        """Record what no function made: an input, or a parameter."""
        kind = "input" if id(tensor) in self.inputs else "parameter"
        name = (self.inputs | self.parameters).get(id(tensor), kind)
        draft = Draft(edge, kind, name, (), tensor.detach().clone())
        self.drafts[draft.key] = draft

    @contextmanager
    def module_hooks(self, module: nn.Module | None) -> Iterator[None]:
        """Hooks on the module and its parts, for the time of one forward."""
        with ExitStack() as stack:
            for path, part in module.named_modules() if module is not None else ():
                stack.enter_context(part.register_forward_pre_hook(self.enter(path)))
                stack.enter_context(part.register_forward_hook(self.leave))
            yield

    def enter(self, path: str) -> Callable[[nn.Module, tuple], None]:
        """A forward pre-hook that opens the call of the module at `path`."""
        return lambda module, inputs: self.paths.append(path)

    def leave(self, module: nn.Module, inputs: tuple, output: object) -> None:
        """A forward hook that closes the innermost call and gives its name to what it made."""
        path, operation = self.paths[-1], type(module).__name__
        draft = self.record(operation, output) if isinstance(output, Tensor) else None
        if draft is not None and draft.name == f"{path}.{draft.operation}":
            draft.name = path
        self.paths.pop()


def _leaf(value: float | Tensor) -> Tensor:
    """An input to differentiate by; whole numbers, such as targets, stay as they are."""
    if not isinstance(value, Tensor):
        value = torch.tensor(float(value), dtype=torch.float64)
    return value.detach().clone().requires_grad_(value.is_floating_point())


def _names(drafts: list[Draft]) -> dict[Key, str]:
    """A name for each, those that come again with a number as in torch.fx: mul, mul_1, mul_2."""
    names: dict[Key, str] = {}
    taken: set[str] = set()
    for draft in drafts:
        name, number = draft.name, 0
        while name in taken:
            number += 1
            name = f"{draft.name}_{number}"
        taken.add(name)
        names[draft.key] = name
    return names


def _size(tensor: Tensor) -> float:
    """A number itself; of several their root mean square."""
    return float(tensor) if tensor.numel() == 1 else float(tensor.double().square().mean().sqrt())
