"""Fields of what mixes places: products, reductions, concatenation, statistics, reordering."""

from __future__ import annotations

from dataclasses import replace

from saccade.analysis.field import Field, blurred, broadcast, gathered, resized, united
from saccade.analysis.graph import Operation, Value
from saccade.analysis.layout import moves, plain

PRODUCTS = {
    "mm": ("self", "mat2"),
    "bmm": ("self", "mat2"),
    "addmm": ("mat1", "mat2"),
    "baddbmm": ("batch1", "batch2"),
}
# fmt: off
REDUCTIONS = {"mean", "sum", "amax", "amin", "max", "min", "prod", "var", "std", "var_mean", "norm",
              "linalg_vector_norm", "logsumexp", "argmax", "argmin", "any", "all"}
MIXES = {"roll", "flip", "cumsum", "cumprod", "sort", "topk", "index_select", "gather"}
# fmt: on


def multiplied(operation: Operation, output: Value, seen: dict[Value, Field]) -> Field:
    """A matrix product reads a whole row of one factor and a whole column of the other."""
    left, right = (operation.arguments[name] for name in PRODUCTS[operation.name])
    fields = []
    if left in seen:
        rows = gathered(seen[left], -1)
        fields.append(replace(rows, layout=(*rows.layout[:-1], *plain(output.shape[-1]))))
    if right in seen:
        columns = gathered(seen[right], -2)
        axes = (*columns.layout[:-2], *plain(output.shape[-2]), columns.layout[-1])
        fields.append(replace(columns, layout=axes))
    rest = [seen[v] for v in operation.inputs if v in seen and v not in (left, right)]
    return united([*fields, *(broadcast(field, output.shape) for field in rest)])


def reduced(field: Field, operation: Operation, output: Value) -> Field:
    """A sum, a mean or a largest value over some axes, or over all."""
    axes = operation.arguments.get("dim")
    count = len(field.layout)
    axes = range(count) if axes in (None, []) else axes if isinstance(axes, list) else [axes]
    axes = {axis % count for axis in axes}
    for axis in axes:
        field = resized(gathered(field, axis), axis, 1)
    if len(output.shape) == count:
        return field
    kept = tuple(factors for axis, factors in enumerate(field.layout) if axis not in axes)
    return replace(field, layout=kept)


def concatenated(fields: list[Field], output: Value, axis: int) -> Field:
    """Branches joined along an axis: united where it is channels, blurred where it is places."""
    axis %= len(output.shape)
    if any(moves(field.layout[axis]) for field in fields if field.layout[axis:]):
        return united([blurred(field, output.shape) for field in fields])
    size = output.shape[axis]
    return united([resized(field, axis, size) for field in fields])


def mixed(field: Field, operation: Operation, output: Value) -> Field:
    """Places of some axes in another order or added up."""
    arguments = operation.arguments
    axes = arguments["dims"] if "dims" in arguments else [arguments["dim"]]
    for axis in axes:
        if moves(field.layout[axis]):
            field = replace(gathered(field, axis), exact=False)
        field = resized(field, axis, output.shape[axis])
    return field


def has_statistics(operation: Operation, field: Field) -> bool:
    """Whether places are normalised by numbers taken over other places."""
    name, arguments = operation.name, operation.arguments
    over: list[int] | range = []
    if name == "native_layer_norm":
        over = range(-len(arguments["normalized_shape"]), 0)
    elif name == "native_group_norm" or (name == "native_batch_norm" and arguments["training"]):
        over = range(2, len(field.layout))
    elif name in ("_softmax", "_log_softmax", "_safe_softmax"):
        over = [arguments["dim"]]
    return any(moves(field.layout[axis]) for axis in over)
