"""The receptive field of a tensor's units, and how each kind of layer widens it.

A layout says how a step along each axis of a tensor moves in the image.  An axis is a list of
factors, the outermost first: flattening 7 x 7 places gives one axis of two factors, and viewing it
as 7 x 7 again gives the two axes back.

Along one axis of the image the unit at place p sees the pixels `low + jump * p + o` for every
offset o of a set.  The set is an integer, a bit an offset, so a window is a few shifts, the
union of branches is an `or`, and the holes of dilation stay holes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, prod


@dataclass(frozen=True)
class Factor:
    """`size` places along an axis, each `jump` (rows, columns) pixels from the one before it."""

    size: int
    jump: tuple[int, int] = (0, 0)

    @property
    def moves(self) -> bool:
        return self.jump != (0, 0) and self.size > 1


Axis = tuple[Factor, ...]
Layout = tuple[Axis, ...]


def plain(*sizes: int) -> Layout:
    """Axes along which nothing moves in the image."""
    return tuple((Factor(size),) for size in sizes)


def moves(axis: Axis) -> bool:
    return any(factor.moves for factor in axis)


def tidy(axis: Axis) -> Axis:
    """The same axis in the fewest factors."""
    factors: list[Factor] = []
    for factor in axis:
        if factor.size == 1 and len(axis) > 1:
            continue
        if factors and all(o == i * factor.size for o, i in zip(factors[-1].jump, factor.jump)):
            factor = Factor(factors.pop().size * factor.size, factor.jump)
        factors.append(factor)
    return tuple(factors)


def motion(layout: Layout) -> tuple[Axis, ...]:
    """What of a layout decides where in the image a place lies."""
    return tuple(tidy(axis) if moves(axis) else () for axis in layout)


def regroup(layout: Layout, shape: tuple[int, ...]) -> Layout | None:
    """The layout viewed in another shape; None where a new axis would cut a factor unevenly."""
    rest = list(tidy(tuple(factor for axis in layout for factor in axis if factor.size > 1)))
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
        axes.append(tidy(tuple(axis)) or (Factor(size),))
    return tuple(axes)


@dataclass(frozen=True)
class ReceptiveField:
    """What units see; pairs are height and width, in pixels of the image."""

    layout: Layout
    low: tuple[int, int] = (0, 0)  # first pixel seen at place 0; negative in the padding
    mask: tuple[int, int] = (1, 1)  # bit o: the pixel `low + o` is seen
    everywhere: bool = (
        False  # sees the rest of the image too, through a branch alike at every place
    )
    exact: bool = True  # False: the box holds the field and may be larger

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the box, padding included."""
        return self.mask[0].bit_length(), self.mask[1].bit_length()

    @property
    def stride(self) -> tuple[int, int]:
        """Pixels from one place to the next, 0 where all places see the same."""
        return stride_along(self.layout, 0), stride_along(self.layout, 1)

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the box at place 0."""
        (top, left), (height, width) = self.low, self.size
        return top + (height - 1) / 2, left + (width - 1) / 2

    @property
    def local(self) -> bool:
        """Whether units at different places see different pixels."""
        return any(self.stride)

    @property
    def holes(self) -> bool:
        """Whether pixels inside the box are skipped, as dilation does."""
        return any(mask & (mask + 1) for mask in self.mask)

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Top, left, bottom, right (the last two one past) of a place; padding included."""
        top = self.low[0] + row * self.stride[0]
        left = self.low[1] + column * self.stride[1]
        return top, left, top + self.size[0], left + self.size[1]


def stride_along(layout: Layout, side: int) -> int:
    jumps = [factor.jump[side] for axis in layout for factor in axis if factor.jump[side]]
    return min(jumps, default=0)


def with_axis(layout: Layout, axis: int, factors: Axis) -> Layout:
    return (*layout[:axis], factors, *layout[axis + 1 :])


def spread(mask: int, jump: int, count: int) -> int:
    """What is seen from `count` places, `jump` pixels apart."""
    done = 1
    while jump and done < count:
        step = min(done, count - done)
        mask |= mask << (jump * step)
        done += step
    return mask


def places(field: ReceptiveField, axis: int) -> int:
    """The size of an axis of the tensor."""
    return prod(factor.size for factor in field.layout[axis])


def gathered(field: ReceptiveField, axis: int, step: int = 1) -> ReceptiveField:
    """One unit sees what all units along an axis of the tensor see, or every `step`-th of them."""
    axis %= len(field.layout)
    mask = list(field.mask)
    for factor in field.layout[axis]:
        for side, jump in enumerate(factor.jump):
            mask[side] = spread(mask[side], jump * step, -(-factor.size // step))
    layout = with_axis(field.layout, axis, (Factor(places(field, axis)),))
    return replace(field, layout=layout, mask=(mask[0], mask[1]))


def blurred(field: ReceptiveField, shape: tuple[int, ...]) -> ReceptiveField:
    """Every unit may see what any unit sees: for an operation that mixes places in its own way."""
    exact = field.exact and not any(map(moves, field.layout))
    for axis in range(len(field.layout)):
        field = gathered(field, axis)
    return replace(field, layout=plain(*shape), exact=exact)


def cut(field: ReceptiveField, axis: int, start: int, step: int, size: int) -> ReceptiveField:
    """Every `step`-th place along an axis, `size` of them, from `start`."""
    factors = tidy(field.layout[axis])
    if not any(factor.jump != (0, 0) for factor in factors):
        return replace(field, layout=with_axis(field.layout, axis, (Factor(size),)))
    if len(factors) != 1:
        return resized(replace(gathered(field, axis), exact=False), axis, size)
    y, x = factors[-1].jump
    low = field.low[0] + start * y, field.low[1] + start * x
    moved = Factor(size, (y * step, x * step))
    return replace(field, layout=with_axis(field.layout, axis, (moved,)), low=low)


def slid(
    field: ReceptiveField, axis: int, kernel: int, stride: int, padding: int, dilation: int
) -> ReceptiveField:
    """The units of a window along an axis, still counted as the places before it."""
    factors = tidy(field.layout[axis])
    if kernel == 1 or not any(factor.jump != (0, 0) for factor in factors):
        return cut(field, axis, -padding, stride, places(field, axis))
    if len(factors) != 1:
        return replace(gathered(field, axis), exact=False)
    jump = factors[-1].jump
    mask = [spread(m, j * dilation, kernel) for m, j in zip(field.mask, jump)]
    field = replace(field, mask=(mask[0], mask[1]))
    return cut(field, axis, -padding, stride, places(field, axis))


def resized(field: ReceptiveField, axis: int, size: int) -> ReceptiveField:
    """The same motion along an axis, for another number of places."""
    jump = field.layout[axis][-1].jump if len(field.layout[axis]) == 1 else (0, 0)
    return replace(field, layout=with_axis(field.layout, axis, (Factor(size, jump),)))


def stretched(
    field: ReceptiveField, axis: int, size: int, scale: int, before: Fraction, after: Fraction
) -> ReceptiveField:
    """Upsampling: place p reads the places p / scale - before ... p / scale + after.

    A box of one size for all places, so it holds each field and is a little larger than some.
    """
    factors = tidy(field.layout[axis])
    if not moves(factors):
        return replace(field, layout=with_axis(field.layout, axis, (Factor(size),)))
    jump = factors[-1].jump
    if len(factors) != 1 or any(j % scale for j in jump):
        spread_out = replace(gathered(field, axis), exact=False)
        return replace(spread_out, layout=with_axis(field.layout, axis, (Factor(size),)))
    low = [low - ceil(before * j) for low, j in zip(field.low, jump)]
    mask = [
        (1 << (m.bit_length() + ceil(before * j) + max(0, floor(after * j)))) - 1 if j else m
        for m, j in zip(field.mask, jump)
    ]
    moved = Factor(size, (jump[0] // scale, jump[1] // scale))
    return ReceptiveField(
        with_axis(field.layout, axis, (moved,)),
        (low[0], low[1]),
        (mask[0], mask[1]),
        field.everywhere,
        exact=False,
    )


def broadcast(field: ReceptiveField, shape: tuple[int, ...]) -> ReceptiveField:
    """The field of the same units repeated to a larger shape."""
    layout = plain(*shape[: len(shape) - len(field.layout)]) + field.layout
    axes = []
    for axis, size in zip(layout, shape):
        same = prod(factor.size for factor in axis) == size
        axes.append(axis if same else (Factor(size),))
    return replace(field, layout=tuple(axes))


def united(fields: list[ReceptiveField]) -> ReceptiveField:
    """What units see that read several tensors of one shape.

    The tensor whose places move the most is the local part.  One that is the same at all places is
    a gate; one that moves in another way (attention) is a gate too, exact if it moves elsewhere.
    """
    main = max(fields, key=lambda field: sum(map(moves, field.layout)))
    low, mask, gate, exact = main.low, main.mask, main.everywhere, main.exact
    for other in fields:
        gate, exact = gate or other.everywhere, exact and other.exact
        if motion(other.layout) == motion(main.layout):
            start = min(low[0], other.low[0]), min(low[1], other.low[1])
            mask = tuple(
                bits << (first - to) | more << (other_first - to)
                for bits, first, more, other_first, to in zip(
                    mask, low, other.mask, other.low, start
                )
            )
            low = start
        else:
            shared = any(a and b for a, b in zip(motion(other.layout), motion(main.layout)))
            gate, exact = True, exact and not shared
    return ReceptiveField(main.layout, low, (mask[0], mask[1]), gate, exact)
