"""The rule by which each kind of operation changes a receptive field.

First what mixes places (products, reductions, concatenation, statistics), then views and parts,
which only name places in another way, then sliding windows (convolution, pooling, upsampling).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from saccade.explain.field import (
    Factor,
    ReceptiveField,
    blurred,
    broadcast,
    cut,
    gathered,
    moves,
    places,
    plain,
    regroup,
    resized,
    slid,
    stretched,
    united,
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
def multiplied(
    operation: Operation, output: Value, seen: dict[Value, ReceptiveField]
) -> ReceptiveField:
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


def reduced(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
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


def concatenated(fields: list[ReceptiveField], output: Value, axis: int) -> ReceptiveField:
    """Branches joined along an axis: united where it is channels, blurred where it is places."""
    axis %= len(output.shape)
    if any(moves(field.layout[axis]) for field in fields if field.layout[axis:]):
        return united([blurred(field, output.shape) for field in fields])
    size = output.shape[axis]
    return united([resized(field, axis, size) for field in fields])


def mixed(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Places of some axes in another order or added up."""
    arguments = operation.arguments
    axes = arguments["dims"] if "dims" in arguments else [arguments["dim"]]
    for axis in axes:
        if moves(field.layout[axis]):
            field = replace(gathered(field, axis), exact=False)
        field = resized(field, axis, output.shape[axis])
    return field


def has_statistics(operation: Operation, field: ReceptiveField) -> bool:
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


def viewed(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    layout = regroup(field.layout, output.shape)
    return replace(field, layout=layout) if layout else blurred(field, output.shape)


def turned(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Axes in another order: permute, transpose, t."""
    order = list(range(len(field.layout)))
    if operation.name == "permute":
        order = operation.arguments["dims"]
    elif len(order) > 1:
        one, other = operation.arguments.get("dim0", 0), operation.arguments.get("dim1", 1)
        order[one], order[other] = order[other], order[one]
    return replace(field, layout=tuple(field.layout[axis] for axis in order))


def selected(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    axis = operation.arguments["dim"] % len(field.layout)
    index = operation.arguments["index"] % places(field, axis)
    return without_axis(cut(field, axis, index, 1, 1), axis)


def sliced(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    axis = operation.arguments["dim"] % len(field.layout)
    start, count = operation.arguments["start"] or 0, places(field, axis)
    start = max(0, start + count) if start < 0 else min(start, count)
    return cut(field, axis, start, operation.arguments["step"], output.shape[axis])


def split(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """One of the pieces: split, chunk, unbind."""
    axis = operation.arguments["dim"] % len(field.layout)
    before = operation.outputs[: operation.outputs.index(output)]
    if operation.name == "unbind":
        return without_axis(cut(field, axis, len(before), 1, 1), axis)
    start = sum(value.shape[axis] for value in before if value)
    return cut(field, axis, start, 1, output.shape[axis])


def padded(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    pad = operation.arguments.get("pad") or operation.arguments["padding"]
    for side, before in enumerate(pad[::2]):
        axis = len(output.shape) - 1 - side
        field = cut(field, axis, -before, 1, output.shape[axis])
    return field


def without_axis(field: ReceptiveField, axis: int) -> ReceptiveField:
    return replace(field, layout=field.layout[:axis] + field.layout[axis + 1 :])


VIEWS = {
    **dict.fromkeys(("view", "_unsafe_view", "unsqueeze", "squeeze", "_reshape_alias"), viewed),
    **dict.fromkeys(("permute", "transpose", "t"), turned),
    "select": selected,
    "slice": sliced,
    **dict.fromkeys(("split", "split_with_sizes", "unbind"), split),
    **dict.fromkeys(("constant_pad_nd", "reflection_pad2d", "replication_pad2d"), padded),
}


def windowed(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Convolution and pooling; a window over the whole axis leaves no place."""
    if operation.arguments.get("transposed"):
        return deconvolved(field, operation, output)
    window = window_of(operation.name, operation.arguments)
    assert window is not None
    first = len(output.shape) - len(window.kernel)
    for side, size in enumerate(window.output):
        field = slid_to(field, first + side, window, side, size)
    if operation.name == "convolution":
        return replace(field, layout=(*plain(*output.shape[:2]), *field.layout[2:]))
    return field


def slid_to(
    field: ReceptiveField, axis: int, window: Window, side: int, size: int
) -> ReceptiveField:
    kernel, padding = window.kernel[side], window.padding[side]
    dilation = window.dilation[side]
    if size == 1 and padding == 0 and dilation * (kernel - 1) + 1 == places(field, axis):
        return resized(gathered(field, axis, dilation), axis, 1)
    return resized(slid(field, axis, kernel, window.stride[side], padding, dilation), axis, size)


def adapted(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Pooling to a given size, whose windows are alike where the sizes divide."""
    for axis in range(len(output.shape) - ADAPTIVE_POOLS[operation.name], len(output.shape)):
        count, size = places(field, axis), output.shape[axis]
        if size == 1:
            field = resized(gathered(field, axis), axis, 1)
        elif count % size == 0:
            field = resized(slid(field, axis, count // size, count // size, 0, 1), axis, size)
        else:
            field = resized(replace(gathered(field, axis), exact=False), axis, size)
    return field


def patches(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Windows side by side (im2col): an axis of what is within each, and one of their places."""
    window = window_of(operation.name, operation.arguments)
    assert window is not None
    within = [Factor(field.layout[1][0].size)]
    across = []
    low = list(field.low)
    for side, axis in enumerate((2, 3)):
        (factor,) = field.layout[axis] if len(field.layout[axis]) == 1 else (None,)
        if factor is None:
            return blurred(field, output.shape)
        y, x = factor.jump
        step, stride = window.dilation[side], window.stride[side]
        low[0], low[1] = low[0] - window.padding[side] * y, low[1] - window.padding[side] * x
        within.append(Factor(window.kernel[side], (y * step, x * step)))
        across.append(Factor(window.output[side], (y * stride, x * stride)))
    layout = (*plain(output.shape[0]), tuple(within), tuple(across))
    return replace(field, layout=layout, low=(low[0], low[1]))


def windows_along(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """`Tensor.unfold`: the windows of one axis, the place within them as a new last axis."""
    axis = operation.arguments["dimension"] % len(field.layout)
    size, step = operation.arguments["size"], operation.arguments["step"]
    if len(field.layout[axis]) != 1:
        return blurred(field, output.shape)
    y, x = field.layout[axis][0].jump
    outer = (Factor(output.shape[axis], (y * step, x * step)),)
    layout = (*field.layout[:axis], outer, *field.layout[axis + 1 :], (Factor(size, (y, x)),))
    return replace(field, layout=layout)


def upsampled(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    reach = Fraction(1 if "bilinear" in operation.name else 0)
    for axis in (2, 3):
        scale, uneven = divmod(output.shape[axis], places(field, axis))
        if uneven:
            return blurred(field, output.shape)
        before = Fraction(scale - 1, scale if not reach else 2 * scale) + reach
        field = stretched(field, axis, output.shape[axis], scale, before, reach)
    return field


def deconvolved(field: ReceptiveField, operation: Operation, output: Value) -> ReceptiveField:
    """Transposed convolution: a place reads those whose window covers it."""
    arguments = operation.arguments
    kernel = arguments["weight"].shape[2:]
    for side, size in enumerate(output.shape[2:]):
        scale, padding = arguments["stride"][side], arguments["padding"][side]
        reach = arguments["dilation"][side] * (kernel[side] - 1)
        before, after = Fraction(reach - padding, scale), Fraction(padding, scale)
        field = stretched(field, 2 + side, size, scale, before, after)
    return replace(field, layout=(*plain(*output.shape[:2]), *field.layout[2:]))


WINDOWS = {
    **dict.fromkeys(("convolution", *POOLS), windowed),
    **dict.fromkeys(ADAPTIVE_POOLS, adapted),
    **dict.fromkeys(("upsample_nearest2d", "upsample_bilinear2d"), upsampled),
    "im2col": patches,
    "unfold": windows_along,
}
