"""How a step along each axis of a tensor moves in the picture, kept through views and permutes.

An axis is a list of factors, the outermost first: flattening 7 x 7 places gives one axis of two
factors, and viewing it as 7 x 7 again gives the two axes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod


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
    """Axes along which nothing moves in the picture."""
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
    """What of a layout decides where in the picture a place lies."""
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
