"""Fields of views and parts: nothing is computed, places are only named in another way."""

from __future__ import annotations

from dataclasses import replace

from saccade.analysis.field import Field, blurred, cut, places
from saccade.analysis.graph import Operation, Value
from saccade.analysis.layout import regroup


def viewed(field: Field, operation: Operation, output: Value) -> Field:
    layout = regroup(field.layout, output.shape)
    return replace(field, layout=layout) if layout else blurred(field, output.shape)


def turned(field: Field, operation: Operation, output: Value) -> Field:
    """Axes in another order: permute, transpose, t."""
    order = list(range(len(field.layout)))
    if operation.name == "permute":
        order = operation.arguments["dims"]
    elif len(order) > 1:
        one, other = operation.arguments.get("dim0", 0), operation.arguments.get("dim1", 1)
        order[one], order[other] = order[other], order[one]
    return replace(field, layout=tuple(field.layout[axis] for axis in order))


def selected(field: Field, operation: Operation, output: Value) -> Field:
    axis = operation.arguments["dim"] % len(field.layout)
    index = operation.arguments["index"] % places(field, axis)
    return without_axis(cut(field, axis, index, 1, 1), axis)


def sliced(field: Field, operation: Operation, output: Value) -> Field:
    axis = operation.arguments["dim"] % len(field.layout)
    start, count = operation.arguments["start"] or 0, places(field, axis)
    start = max(0, start + count) if start < 0 else min(start, count)
    return cut(field, axis, start, operation.arguments["step"], output.shape[axis])


def split(field: Field, operation: Operation, output: Value) -> Field:
    """One of the pieces: split, chunk, unbind."""
    axis = operation.arguments["dim"] % len(field.layout)
    before = operation.outputs[: operation.outputs.index(output)]
    if operation.name == "unbind":
        return without_axis(cut(field, axis, len(before), 1, 1), axis)
    start = sum(value.shape[axis] for value in before if value)
    return cut(field, axis, start, 1, output.shape[axis])


def padded(field: Field, operation: Operation, output: Value) -> Field:
    pad = operation.arguments.get("pad") or operation.arguments["padding"]
    for side, before in enumerate(pad[::2]):
        axis = len(output.shape) - 1 - side
        field = cut(field, axis, -before, 1, output.shape[axis])
    return field


def without_axis(field: Field, axis: int) -> Field:
    return replace(field, layout=field.layout[:axis] + field.layout[axis + 1 :])


VIEWS = {
    **dict.fromkeys(("view", "_unsafe_view", "unsqueeze", "squeeze", "_reshape_alias"), viewed),
    **dict.fromkeys(("permute", "transpose", "t"), turned),
    "select": selected,
    "slice": sliced,
    **dict.fromkeys(("split", "split_with_sizes", "unbind"), split),
    **dict.fromkeys(("constant_pad_nd", "reflection_pad2d", "replication_pad2d"), padded),
}
