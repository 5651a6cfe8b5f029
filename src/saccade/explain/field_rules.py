"""The rule by which each kind of operation changes a receptive field.

First what mixes positions (products, reductions, concatenation, statistics), then views, which only
index positions in another way, then sliding windows (convolution, pooling, upsampling).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from saccade.explain.field import (
    Factor,
    ReceptiveField,
    axis_size,
    broadcast,
    global_field,
    is_spatial,
    non_spatial,
    reshape_layout,
    resize_axis,
    slice_axis,
    slide_window,
    union,
    union_along,
    upsample_axis,
)
from saccade.explain.graph import Operation, Value
from saccade.explain.windows import ADAPTIVE_POOLS, POOLS, Window, window_of

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


def matmul_rule(
    operation: Operation, output: Value, fields: dict[Value, ReceptiveField]
) -> ReceptiveField:
    """A matrix product reads a whole row of one factor and a whole column of the other."""
    left, right = (operation.arguments[name] for name in PRODUCTS[operation.name])
    factors = []
    if left in fields:
        rows = union_along(fields[left], -1)
        factors.append(replace(rows, layout=(*rows.layout[:-1], *non_spatial(output.shape[-1]))))
    if right in fields:
        columns = union_along(fields[right], -2)
        axes = (*columns.layout[:-2], *non_spatial(output.shape[-2]), columns.layout[-1])
        factors.append(replace(columns, layout=axes))
    rest = [fields[v] for v in operation.inputs if v in fields and v not in (left, right)]
    return union([*factors, *(broadcast(field, output.shape) for field in rest)])


def reduction_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """A sum, a mean or a largest value over some axes, or over all."""
    axes = operation.arguments.get("dim")
    count = len(field.layout)
    axes = range(count) if axes in (None, []) else axes if isinstance(axes, list) else [axes]
    axes = {axis % count for axis in axes}
    for axis in axes:
        field = resize_axis(union_along(field, axis), axis, 1)
    if len(output.shape) == count:
        return field
    layout = tuple(factors for axis, factors in enumerate(field.layout) if axis not in axes)
    return replace(field, layout=layout)


def cat_rule(fields: list[ReceptiveField], output: Value, axis: int) -> ReceptiveField:
    """Branches concatenated along an axis: their union, a global one where the axis is spatial."""
    axis %= len(output.shape)
    if any(is_spatial(field.layout[axis]) for field in fields if field.layout[axis:]):
        return union([global_field(field, output.shape) for field in fields])
    size = output.shape[axis]
    return union([resize_axis(field, axis, size) for field in fields])


def mixing_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Positions of some axes in another order or added up: flip, sort, cumsum."""
    arguments = operation.arguments
    axes = arguments["dims"] if "dims" in arguments else [arguments["dim"]]
    for axis in axes:
        if is_spatial(field.layout[axis]):
            field = replace(union_along(field, axis), exact=False)
        field = resize_axis(field, axis, output.shape[axis])
    return field


def has_statistics(operation: Operation, field: ReceptiveField) -> bool:
    """Whether an operation normalises positions by statistics taken over other positions."""
    name, arguments = operation.name, operation.arguments
    axes: list[int] | range = []
    if name == "native_layer_norm":
        axes = range(-len(arguments["normalized_shape"]), 0)
    elif name == "native_group_norm" or (name == "native_batch_norm" and arguments["training"]):
        axes = range(2, len(field.layout))
    elif name in ("_softmax", "_log_softmax", "_safe_softmax"):
        axes = [arguments["dim"]]
    return any(is_spatial(field.layout[axis]) for axis in axes)


def view_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Axes split or merged: view, reshape, squeeze, unsqueeze."""
    layout = reshape_layout(field.layout, output.shape)
    return replace(field, layout=layout) if layout else global_field(field, output.shape)


def permute_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Axes in another order: permute, transpose, t."""
    order = list(range(len(field.layout)))
    if operation.name == "permute":
        order = operation.arguments["dims"]
    elif len(order) > 1:
        dim0, dim1 = operation.arguments.get("dim0", 0), operation.arguments.get("dim1", 1)
        order[dim0], order[dim1] = order[dim1], order[dim0]
    return replace(field, layout=tuple(field.layout[axis] for axis in order))


def select_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """One position of an axis, which is dropped."""
    axis = operation.arguments["dim"] % len(field.layout)
    index = operation.arguments["index"] % axis_size(field, axis)
    return without_axis(slice_axis(field, axis, index, 1, 1), axis)


def slice_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Every `step`-th position of an axis between two of them."""
    axis = operation.arguments["dim"] % len(field.layout)
    start, count = operation.arguments["start"] or 0, axis_size(field, axis)
    start = max(0, start + count) if start < 0 else min(start, count)
    return slice_axis(field, axis, start, operation.arguments["step"], output.shape[axis])


def split_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """One of the pieces: split, chunk, unbind."""
    axis = operation.arguments["dim"] % len(field.layout)
    before = operation.outputs[: operation.outputs.index(output)]
    if operation.name == "unbind":
        return without_axis(slice_axis(field, axis, len(before), 1, 1), axis)
    start = sum(value.shape[axis] for value in before if value)
    return slice_axis(field, axis, start, 1, output.shape[axis])


def pad_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Padding, given from the last axis backwards: position 0 moves out by what is before it."""
    pad = operation.arguments.get("pad") or operation.arguments["padding"]
    for i, before in enumerate(pad[::2]):
        axis = len(output.shape) - 1 - i
        field = slice_axis(field, axis, -before, 1, output.shape[axis])
    return field


def without_axis(field: ReceptiveField, axis: int) -> ReceptiveField:
    """The field with one axis of the tensor dropped."""
    return replace(field, layout=field.layout[:axis] + field.layout[axis + 1 :])


VIEWS = {
    **dict.fromkeys(("view", "_unsafe_view", "unsqueeze", "squeeze", "_reshape_alias"), view_rule),
    **dict.fromkeys(("permute", "transpose", "t"), permute_rule),
    "select": select_rule,
    "slice": slice_rule,
    **dict.fromkeys(("split", "split_with_sizes", "unbind"), split_rule),
    **dict.fromkeys(("constant_pad_nd", "reflection_pad2d", "replication_pad2d"), pad_rule),
}


def window_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Convolution and pooling; a window over the whole axis leaves one position."""
    if operation.arguments.get("transposed"):
        return conv_transpose_rule(field, operation, output)
    window = window_of(operation.name, operation.arguments)
    assert window is not None
    first = len(output.shape) - len(window.kernel)
    for dim, size in enumerate(window.output):
        field = slide_to_size(field, first + dim, window, dim, size)
    if operation.name == "convolution":
        return replace(field, layout=(*non_spatial(*output.shape[:2]), *field.layout[2:]))
    return field


def slide_to_size(
    field: ReceptiveField, axis: int, window: Window, dim: int, size: int
) -> ReceptiveField:
    """The window's dimension `dim` slid along an axis, of which `size` positions come out."""
    kernel, stride = window.kernel[dim], window.stride[dim]
    padding, dilation = window.padding[dim], window.dilation[dim]
    if size == 1 and padding == 0 and dilation * (kernel - 1) + 1 == axis_size(field, axis):
        return resize_axis(union_along(field, axis, dilation), axis, 1)
    return resize_axis(slide_window(field, axis, kernel, stride, padding, dilation), axis, size)


def adaptive_pool_rule(
    field: ReceptiveField, operation: Operation, output: Value
) -> ReceptiveField:
    """Pooling to a given size, whose windows are alike where the sizes divide."""
    for axis in range(len(output.shape) - ADAPTIVE_POOLS[operation.name], len(output.shape)):
        count, size = axis_size(field, axis), output.shape[axis]
        if size == 1:
            field = resize_axis(union_along(field, axis), axis, 1)
        elif count % size == 0:
            field = resize_axis(
                slide_window(field, axis, count // size, count // size, 0, 1), axis, size
            )
        else:
            field = resize_axis(replace(union_along(field, axis), exact=False), axis, size)
    return field


def im2col_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """im2col (`nn.Unfold`): an axis of positions within each window, and one of the windows."""
    window = window_of(operation.name, operation.arguments)
    assert window is not None
    within = [Factor(field.layout[1][0].size)]
    across = []
    start = list(field.start)
    for dim, axis in enumerate((2, 3)):
        (factor,) = field.layout[axis] if len(field.layout[axis]) == 1 else (None,)
        if factor is None:
            return global_field(field, output.shape)
        y, x = factor.jump
        dilation, stride = window.dilation[dim], window.stride[dim]
        start = [start[0] - window.padding[dim] * y, start[1] - window.padding[dim] * x]
        within.append(Factor(window.kernel[dim], (y * dilation, x * dilation)))
        across.append(Factor(window.output[dim], (y * stride, x * stride)))
    layout = (*non_spatial(output.shape[0]), tuple(within), tuple(across))
    return replace(field, layout=layout, start=(start[0], start[1]))


def unfold_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """`Tensor.unfold`: the windows of one axis, the position within them as a new last axis."""
    axis = operation.arguments["dimension"] % len(field.layout)
    size, step = operation.arguments["size"], operation.arguments["step"]
    if len(field.layout[axis]) != 1:
        return global_field(field, output.shape)
    y, x = field.layout[axis][0].jump
    outer = (Factor(output.shape[axis], (y * step, x * step)),)
    layout = (*field.layout[:axis], outer, *field.layout[axis + 1 :], (Factor(size, (y, x)),))
    return replace(field, layout=layout)


def upsample_rule(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Nearest and bilinear upsampling by a whole factor."""
    reach = Fraction(1 if "bilinear" in operation.name else 0)
    for axis in (2, 3):
        scale, uneven = divmod(output.shape[axis], axis_size(field, axis))
        if uneven:
            return global_field(field, output.shape)
        before = Fraction(scale - 1, scale if not reach else 2 * scale) + reach
        field = upsample_axis(field, axis, output.shape[axis], scale, before, reach)
    return field


def conv_transpose_rule(
    field: ReceptiveField, operation: Operation, output: Value
) -> ReceptiveField:
    """Transposed convolution: a position reads those whose window covers it."""
    arguments = operation.arguments
    kernel = arguments["weight"].shape[2:]
    for dim, size in enumerate(output.shape[2:]):
        scale, padding = arguments["stride"][dim], arguments["padding"][dim]
        reach = arguments["dilation"][dim] * (kernel[dim] - 1)
        before, after = Fraction(reach - padding, scale), Fraction(padding, scale)
        field = upsample_axis(field, 2 + dim, size, scale, before, after)
    return replace(field, layout=(*non_spatial(*output.shape[:2]), *field.layout[2:]))


WINDOWS = {
    **dict.fromkeys(("convolution", *POOLS), window_rule),
    **dict.fromkeys(ADAPTIVE_POOLS, adaptive_pool_rule),
    **dict.fromkeys(("upsample_nearest2d", "upsample_bilinear2d"), upsample_rule),
    "im2col": im2col_rule,
    "unfold": unfold_rule,
}
