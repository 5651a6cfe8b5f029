"""The rows of a network's table, built from the trace of its forward."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from saccade.explain.cost import Counts, count
from saccade.explain.field import ReceptiveField
from saccade.explain.field_rules import VIEWS
from saccade.explain.graph import Call, Operation, Value
from saccade.explain.receptive_field import receptive_fields
from saccade.explain.tracing import Trace
from saccade.explain.windows import Window, window_of
from saccade.models.layers.historic import RadialBasis

VIEW_OPERATIONS = {*VIEWS, "expand", "clone", "alias", "detach", "_to_copy", "write", "copy_"}


@dataclass(frozen=True)
class Row:
    """A layer, with its counts for one image; a folded block has the sums of its parts."""

    name: str  # where it is in the network: the prefix of its weights
    kind: str
    output: tuple[int, ...]  # channels, height, width
    counts: Counts
    field: ReceptiveField | None = None
    reads: tuple[int, ...] = ()  # rows beside it whose output it takes; -1: what all of them take
    parts: tuple[Row, ...] = ()

    def leaves(self) -> Iterator[Row]:
        """The rows within it that have no parts, or itself."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


def rows_of(trace: Trace) -> tuple[Row, ...]:
    """The network's rows: a chain's or a module's own, each with its parts within."""
    return Table(trace).level(trace.root)


class Table:
    """One pass over a trace; parameters count where they are first used."""

    def __init__(self, trace: Trace):
        self.sizes = {name: p.numel() for name, p in trace.module.named_parameters()}
        self.fields = receptive_fields(trace)
        self.counts: dict[int, Counts] = {}
        used: set[str] = set()
        for operation in trace.root.operations():
            unused = sum(self.sizes.get(name, 0) for name in operation.weights - used)
            used |= operation.weights
            self.counts[id(operation)] = count(operation, self.sizes) + Counts(weights=unused)

    def level(self, call: Call) -> tuple[Row, ...]:
        """The rows directly within a call; an `nn.Sequential` is replaced by its own rows."""
        rows: list[Row] = []
        sources = {value: -1 for value in call.inputs}  # which row a value comes from
        for child in self.unfolded(call):
            operations = [child] if isinstance(child, Operation) else list(child.operations())
            reads = {sources[v] for o in operations for v in o.inputs if v in sources}
            if isinstance(child, Operation) and self.is_view(child):
                sources |= dict.fromkeys(outputs_of(child), max(reads, default=-1))
                continue
            if isinstance(child, Call) and isinstance(child.module, nn.Identity):
                continue
            if not operations and isinstance(child, Call):
                reads = {sources[v] for v in child.inputs if v in sources}
            for operation in operations:
                sources |= dict.fromkeys(outputs_of(operation), len(rows))
            if isinstance(child, Call) and child.output is not None:
                sources[child.output] = len(rows)
            rows.append(self.row(child, call, tuple(sorted(reads))))
        return tuple(rows)

    def unfolded(self, call: Call) -> Iterator[Call | Operation]:
        """The children of a call, groups replaced by theirs unless they are one layer."""
        for child in call.children:
            if isinstance(child, Call) and is_group(child) and not self.is_single_layer(child):
                yield from self.unfolded(child)
            else:
                yield child

    def is_view(self, operation: Operation) -> bool:
        """Whether it only indexes positions in another way, with no weight of its own."""
        return operation.name in VIEW_OPERATIONS and not self.counts[id(operation)].weights

    def is_single_layer(self, call: Call) -> bool:
        """Whether a group is one layer: a convolution with its normalisation and activation."""
        counted = [o for o in call.operations() if self.counts[id(o)].connections]
        return len(counted) == 1 and all(
            not list(child.module.children()) for child in call.children if isinstance(child, Call)
        )

    def row(self, child: Call | Operation, owner: Call, reads: tuple[int, ...]) -> Row:
        """The row of a module call, or of an operation of `owner` itself."""
        if isinstance(child, Operation):
            value, name = child.output, child.name.strip("_")
            path = f"{owner.path}.{name}" if owner.path else name
            kind = kind_of(name, [child])
            return Row(
                path, kind, value.shape[1:], self.counts[id(child)], self.field_of(value), reads
            )
        value = child.output
        layers = [o for o in child.operations() if window_of(o.name, o.arguments)]
        name = type(child.module).__name__
        if is_group(child):
            heads = [c for c in child.children if isinstance(c, Call)]
            name = next(type(c.module).__name__ for c in heads if self.total(c).connections)
        folded = any(isinstance(c, Call) for c in child.children)
        return Row(
            child.path,
            kind_of(name, layers if is_group(child) or not folded else []),
            value.shape[1:] if value else (),
            self.total(child),
            self.field_of(value),
            reads,
            self.level(child) if folded and not is_group(child) else (),
        )

    def field_of(self, value: Value | None) -> ReceptiveField | None:
        """The receptive field of a value; None where it does not depend on the image."""
        return self.fields.get(value) if value else None

    def total(self, call: Call) -> Counts:
        """The sum of a call's operations."""
        counts = Counts()
        for operation in call.operations():
            counts += self.counts[id(operation)]
        if isinstance(call.module, RadialBasis):  # a distance: neither product nor pooling
            units, numbers = call.module.codes.shape
            counts += Counts(units, units * numbers)
        return counts


def outputs_of(operation: Operation) -> Iterator[Value]:
    """The values among an operation's outputs."""
    return (value for value in operation.outputs if value is not None)


def is_group(call: Call) -> bool:
    """Whether a module only runs its children one after the other."""
    return type(call.module).forward is nn.Sequential.forward


def kind_of(name: str, layers: list[Operation]) -> str:
    """The kind of a row, with its window where it has one: `Conv2d 7x7/2`."""
    windows = [w for o in layers if (w := window_of(o.name, o.arguments))]
    if len(windows) != 1:
        return name
    groups = layers[0].arguments.get("groups", 1)
    return f"{name} {window_text(windows[0])}" + (f" g{groups}" if groups > 1 else "")


def window_text(window: Window) -> str:
    """Kernel, stride and dilation where they are not 1: `3x3/2 d2`."""
    text = "x".join(map(str, window.kernel))
    if set(window.stride) != {1}:
        text += f"/{'x'.join(map(str, dict.fromkeys(window.stride)))}"
    if set(window.dilation) != {1}:
        text += f" d{'x'.join(map(str, dict.fromkeys(window.dilation)))}"
    return text
