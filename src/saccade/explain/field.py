"""Receptive fields as affine maps from a tensor's positions to the image's pixels.

Along one axis of the image the unit at position p sees the pixels `start + jump * p + o` for every
offset o of a set: `jump` is the effective stride and `-start` the effective padding of Araujo 2019,
"Computing receptive fields of convolutional neural networks".  The set is an integer, a bit an
offset, so a window is a few shifts, the union of branches is an `or`, and the holes of dilation
stay holes.

A layout says how a step along each axis of a tensor moves in the image.  An axis is a list of
factors, the outermost first: flattening 7 x 7 positions gives one axis of two factors, and viewing
it as 7 x 7 again gives the two axes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, prod


@dataclass(frozen=True)
class Factor:
    """`size` positions along an axis, each `jump` pixels from the one before it."""

    size: int
    jump: tuple[int, int] = (0, 0)  # rows, columns

    @property
    def is_spatial(self) -> bool:
        """Whether its positions see different pixels."""
        return self.jump != (0, 0) and self.size > 1


Axis = tuple[Factor, ...]
Layout = tuple[Axis, ...]


def non_spatial(*sizes: int) -> Layout:
    """Axes, as of channels, along which all positions see the same pixels."""
    return tuple((Factor(size),) for size in sizes)


def is_spatial(axis: Axis) -> bool:
    """Whether positions along the axis see different pixels."""
    return any(factor.is_spatial for factor in axis)


def merge_factors(axis: Axis) -> Axis:
    """The axis in the fewest factors."""
    factors: list[Factor] = []
    for factor in axis:
        if factor.size == 1 and len(axis) > 1:
            continue
        if factors and all(o == i * factor.size for o, i in zip(factors[-1].jump, factor.jump)):
            factor = Factor(factors.pop().size * factor.size, factor.jump)
        factors.append(factor)
    return tuple(factors)


def spatial_layout(layout: Layout) -> tuple[Axis, ...]:
    """The spatial axes of a layout in their fewest factors; () for every other axis."""
    return tuple(merge_factors(axis) if is_spatial(axis) else () for axis in layout)


def reshape_layout(layout: Layout, shape: tuple[int, ...]) -> Layout | None:
    """The layout of a view in another shape; None where a new axis would cut a factor unevenly."""
    rest = list(
        merge_factors(tuple(factor for axis in layout for factor in axis if factor.size > 1))
    )
    axes = []
    for size in shape:
        axis: list[Factor] = []
        while prod(factor.size for factor in axis) < size:
            room = size // prod(factor.size for factor in axis)
            factor = rest.pop(0)
            if factor.size > room:  # the outer part goes here, the inner one to the next axis
                inner, uneven = divmod(factor.size, room)
                if uneven:
                    return None
                rest.insert(0, Factor(inner, factor.jump))
                factor = Factor(room, (factor.jump[0] * inner, factor.jump[1] * inner))
            elif room % factor.size:
                return None
            axis.append(factor)
        axes.append(merge_factors(tuple(axis)) or (Factor(size),))
    return tuple(axes)


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that a tensor's units depend on; pairs are height and width, in pixels."""

    layout: Layout
    start: tuple[int, int] = (0, 0)  # first pixel of position 0; negative in the padding
    mask: tuple[int, int] = (1, 1)  # bit o: the pixel `start + o` is seen
    everywhere: bool = False  # sees all the image, through a branch that is alike at every position
    exact: bool = True  # False: an upper bound, the field may be smaller than its box

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the box, padding included."""
        return self.mask[0].bit_length(), self.mask[1].bit_length()

    @property
    def stride(self) -> tuple[int, int]:
        """The effective stride: pixels between neighbouring positions, 0 where all see the same."""
        return stride_along(self.layout, 0), stride_along(self.layout, 1)

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box of position 0."""
        (top, left), (height, width) = self.start, self.size
        return top + (height - 1) / 2, left + (width - 1) / 2

    @property
    def local(self) -> bool:
        """Whether units at different positions see different pixels."""
        return any(self.stride)

    @property
    def holes(self) -> bool:
        """Whether pixels inside the box are skipped, as dilation does."""
        return any(mask & (mask + 1) for mask in self.mask)

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Top, left, bottom, right (the last two exclusive) of a position; padding included."""
        top = self.start[0] + row * self.stride[0]
        left = self.start[1] + column * self.stride[1]
        return top, left, top + self.size[0], left + self.size[1]


def stride_along(layout: Layout, dim: int) -> int:
    """The effective stride along the image's height (0) or width (1), in pixels."""
    jumps = [factor.jump[dim] for axis in layout for factor in axis if factor.jump[dim]]
    return min(jumps, default=0)


def with_axis(layout: Layout, axis: int, factors: Axis) -> Layout:
    """The layout with one axis replaced."""
    return (*layout[:axis], factors, *layout[axis + 1 :])


def union_of_shifts(mask: int, jump: int, count: int) -> int:
    """The pixels seen from `count` positions, `jump` pixels apart; doubles at each step."""
    covered = 1
    while jump and covered < count:
        step = min(covered, count - covered)
        mask |= mask << (jump * step)
        covered += step
    return mask


def axis_size(field: ReceptiveField, axis: int) -> int:
    """How many positions an axis of the tensor has."""
    return prod(factor.size for factor in field.layout[axis])


def union_along(field: ReceptiveField, axis: int, step: int = 1) -> ReceptiveField:
    """One unit sees what all units along an axis of the tensor see, or every `step`-th of them."""
    axis %= len(field.layout)
    mask = list(field.mask)
    for factor in field.layout[axis]:
        for dim, jump in enumerate(factor.jump):
            mask[dim] = union_of_shifts(mask[dim], jump * step, -(-factor.size // step))
    layout = with_axis(field.layout, axis, (Factor(axis_size(field, axis)),))
    return replace(field, layout=layout, mask=(mask[0], mask[1]))


def global_field(field: ReceptiveField, shape: tuple[int, ...]) -> ReceptiveField:
    """Every unit may see what any unit sees: an upper bound for any mixing of positions."""
    exact = field.exact and not any(map(is_spatial, field.layout))
    for axis in range(len(field.layout)):
        field = union_along(field, axis)
    return replace(field, layout=non_spatial(*shape), exact=exact)


def slice_axis(
    field: ReceptiveField, axis: int, start: int, step: int, size: int
) -> ReceptiveField:
    """Every `step`-th position along an axis, `size` of them, from `start`."""
    factors = merge_factors(field.layout[axis])
    if not any(factor.jump != (0, 0) for factor in factors):
        return replace(field, layout=with_axis(field.layout, axis, (Factor(size),)))
    if len(factors) != 1:
        return resize_axis(replace(union_along(field, axis), exact=False), axis, size)
    y, x = factors[-1].jump
    first_pixel = field.start[0] + start * y, field.start[1] + start * x
    strided = Factor(size, (y * step, x * step))
    return replace(field, layout=with_axis(field.layout, axis, (strided,)), start=first_pixel)


def slide_window(
    field: ReceptiveField, axis: int, kernel: int, stride: int, padding: int, dilation: int
) -> ReceptiveField:
    """A sliding window along an axis, whose size is left that of its input."""
    factors = merge_factors(field.layout[axis])
    if kernel == 1 or not any(factor.jump != (0, 0) for factor in factors):
        return slice_axis(field, axis, -padding, stride, axis_size(field, axis))
    if len(factors) != 1:
        return replace(union_along(field, axis), exact=False)
    jump = factors[-1].jump
    mask = [union_of_shifts(m, j * dilation, kernel) for m, j in zip(field.mask, jump)]
    field = replace(field, mask=(mask[0], mask[1]))
    return slice_axis(field, axis, -padding, stride, axis_size(field, axis))


def resize_axis(field: ReceptiveField, axis: int, size: int) -> ReceptiveField:
    """The axis with the same jump and another number of positions."""
    jump = field.layout[axis][-1].jump if len(field.layout[axis]) == 1 else (0, 0)
    return replace(field, layout=with_axis(field.layout, axis, (Factor(size, jump),)))


def upsample_axis(
    field: ReceptiveField, axis: int, size: int, scale: int, before: Fraction, after: Fraction
) -> ReceptiveField:
    """Upsampling: position p reads the positions p / scale - before ... p / scale + after.

    All positions get a box of one size, an upper bound that is a little too large for some.
    """
    factors = merge_factors(field.layout[axis])
    if not is_spatial(factors):
        return replace(field, layout=with_axis(field.layout, axis, (Factor(size),)))
    jump = factors[-1].jump
    if len(factors) != 1 or any(j % scale for j in jump):
        field = replace(union_along(field, axis), exact=False)
        return replace(field, layout=with_axis(field.layout, axis, (Factor(size),)))
    start = [first - ceil(before * j) for first, j in zip(field.start, jump)]
    mask = [
        (1 << (m.bit_length() + ceil(before * j) + max(0, floor(after * j)))) - 1 if j else m
        for m, j in zip(field.mask, jump)
    ]
    denser = Factor(size, (jump[0] // scale, jump[1] // scale))
    return ReceptiveField(
        with_axis(field.layout, axis, (denser,)),
        (start[0], start[1]),
        (mask[0], mask[1]),
        field.everywhere,
        exact=False,
    )


def broadcast(field: ReceptiveField, shape: tuple[int, ...]) -> ReceptiveField:
    """The field of the units broadcast to a larger shape."""
    layout = non_spatial(*shape[: len(shape) - len(field.layout)]) + field.layout
    axes = []
    for axis, size in zip(layout, shape):
        same = prod(factor.size for factor in axis) == size
        axes.append(axis if same else (Factor(size),))
    return replace(field, layout=tuple(axes))


def union(fields: list[ReceptiveField]) -> ReceptiveField:
    """The field of units that read several tensors of one shape.

    The tensor with the most spatial axes is the local part.  One that is the same at all positions
    is a gate; so is one with other spatial axes (attention), exact where they share none.
    """
    main = max(fields, key=lambda field: sum(map(is_spatial, field.layout)))
    start, mask, gate, exact = main.start, main.mask, main.everywhere, main.exact
    for other in fields:
        gate, exact = gate or other.everywhere, exact and other.exact
        if spatial_layout(other.layout) == spatial_layout(main.layout):
            first = min(start[0], other.start[0]), min(start[1], other.start[1])
            mask = tuple(
                bits << (own - to) | other_bits << (other_own - to)
                for bits, own, other_bits, other_own, to in zip(
                    mask, start, other.mask, other.start, first
                )
            )
            start = first
        else:
            shared = any(
                a and b for a, b in zip(spatial_layout(other.layout), spatial_layout(main.layout))
            )
            gate, exact = True, exact and not shared
    return ReceptiveField(main.layout, start, (mask[0], mask[1]), gate, exact)
