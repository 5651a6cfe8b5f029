"""views: the same pictures seen several ways, for a mean of predictions (test-time augmentation).

Krizhevsky 2012, section 4.1, averages ten: five crops and their mirror images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from saccade.augment.warp import Kind, Warp
from saccade.errors import RecipeError, unknown

Map = tuple[float, float, float, float]  # factor and offset in x, then in y, in shares of the side


def flips() -> tuple[Map, ...]:
    """As it is, and mirrored."""
    return ((1, 0, 1, 0), (-1, 1, 1, 0))


def crops(share: float = 0.875) -> tuple[Map, ...]:
    """The middle and the four corners, `share` of each side, stretched to the whole."""
    rest = 1 - share
    corners = ((rest / 2, rest / 2), (0, 0), (rest, 0), (0, rest), (rest, rest))
    return tuple((1 / share, -x / share, 1 / share, -y / share) for x, y in corners)


def shifts(share: float = 0.0625) -> tuple[Map, ...]:
    """Where it is, and moved by `share` of a side each way: 2 pixels of 32."""
    moves = ((0, 0), (share, 0), (-share, 0), (0, share), (0, -share))
    return tuple((1, x, 1, y) for x, y in moves)


VIEWS: dict[str, Callable[..., tuple[Map, ...]]] = {"flip": flips, "crops": crops, "shifts": shifts}


def views(names: Sequence[str]) -> tuple[Map, ...]:
    """The views that `names` say, all with all: `crops:0.875` and `flip` are ten, none is one."""
    found: tuple[Map, ...] = ((1, 0, 1, 0),)
    for text in names:
        found = tuple(_then(first, later) for later in _parse(text) for first in found)
    return found


def seen(images: Tensor, maps: Sequence[Map], border: str = "edge") -> Iterator[Tensor]:
    """The batch under each map, one after the other, for predictions to be averaged.

    [N,C,H,W] uint8 or floating point -> [N,C,H,W] floating point, `len(maps)` times
    """
    height, width = images.shape[2:]
    for across, x, down, y in maps:
        rows = ((across, 0, x * width), (0, down, y * height), (0, 0, 1))
        matrix = torch.tensor(rows, device=images.device).expand(len(images), 3, 3)
        whole = abs(across) == 1 == abs(down) and x * width % 1 == 0 == y * height % 1
        kind = Kind.MOVE if whole else Kind.AFFINE
        yield Warp(matrix, (height, width), (height, width), border, kind).images(images)


def _then(first: Map, later: Map) -> Map:
    (a, x, b, y), (c, p, d, q) = first, later
    return a * c, c * x + p, b * d, d * y + q


def _parse(text: str) -> tuple[Map, ...]:
    name, _, value = text.strip().partition(":")
    if name not in VIEWS:
        raise unknown("view", name, VIEWS, RecipeError)
    if not value:
        return VIEWS[name]()
    try:
        share = float(value)
    except ValueError:
        share = 0.0
    if name == "flip" or not 0 < share < 1:
        raise RecipeError(
            f"view '{text}' cannot be had", "write flip, crops:0.875 or shifts:0.0625"
        )
    return VIEWS[name](share)
