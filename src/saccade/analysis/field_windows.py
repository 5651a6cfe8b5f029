"""Fields of sliding windows: convolution, pooling, patches, upsampling."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from saccade.analysis.field import Field, blurred, gathered, places, resized, slid, stretched
from saccade.analysis.graph import Operation, Value
from saccade.analysis.layout import Factor, plain
from saccade.analysis.windows import ADAPTIVE_POOLS, POOLS, Window, window_of


def windowed(field: Field, operation: Operation, output: Value) -> Field:
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


def slid_to(field: Field, axis: int, window: Window, side: int, size: int) -> Field:
    kernel, padding = window.kernel[side], window.padding[side]
    dilation = window.dilation[side]
    if size == 1 and padding == 0 and dilation * (kernel - 1) + 1 == places(field, axis):
        return resized(gathered(field, axis, dilation), axis, 1)
    return resized(slid(field, axis, kernel, window.stride[side], padding, dilation), axis, size)


def adapted(field: Field, operation: Operation, output: Value) -> Field:
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


def patches(field: Field, operation: Operation, output: Value) -> Field:
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


def windows_along(field: Field, operation: Operation, output: Value) -> Field:
    """`Tensor.unfold`: the windows of one axis, the place within them as a new last axis."""
    axis = operation.arguments["dimension"] % len(field.layout)
    size, step = operation.arguments["size"], operation.arguments["step"]
    if len(field.layout[axis]) != 1:
        return blurred(field, output.shape)
    y, x = field.layout[axis][0].jump
    outer = (Factor(output.shape[axis], (y * step, x * step)),)
    layout = (*field.layout[:axis], outer, *field.layout[axis + 1 :], (Factor(size, (y, x)),))
    return replace(field, layout=layout)


def upsampled(field: Field, operation: Operation, output: Value) -> Field:
    reach = Fraction(1 if "bilinear" in operation.name else 0)
    for axis in (2, 3):
        scale, uneven = divmod(output.shape[axis], places(field, axis))
        if uneven:
            return blurred(field, output.shape)
        before = Fraction(scale - 1, scale if not reach else 2 * scale) + reach
        field = stretched(field, axis, output.shape[axis], scale, before, reach)
    return field


def deconvolved(field: Field, operation: Operation, output: Value) -> Field:
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
