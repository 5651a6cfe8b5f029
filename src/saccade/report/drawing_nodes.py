"""The nodes of a network's drawing: its layers as boxes, what joins branches as marks.

A box is as high as its map, on a scale of square roots, and as wide as it has channels; a layer
without places is a bar as high as it has units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from saccade.analysis.rows import Row

JOINS = {"add": "+", "mul": "×", "sub": "−", "cat": "", "max": "∨", "maximum": "∨"}
NAME = 10  # size of the names over large boxes
SMALL, LARGE = 1.0, 2.9  # scales: inside blocks, and of networks without any


@dataclass
class Node:
    """A layer, a block or a join, and where it stands; lengths in pixels of the drawing."""

    row: Row
    role: str  # convolution, product, pooling, join, gate, block or picture
    reads: tuple[int, ...]  # nodes beside it, -1 for the input of all
    width: float
    height: float
    depth: float  # of the oblique faces
    words: tuple[str, ...] = ()  # below it
    name: str = ""  # above it
    rank: int = 0
    lane: int = 0
    x: float = 0.0  # left edge
    y: float = 0.0  # middle

    @property
    def full_width(self) -> float:
        written = max(text_width(self.words), text_width((self.name,), NAME))
        return max(self.width + self.depth, written)

    @property
    def above(self) -> float:
        return self.height / 2 + self.depth

    @property
    def below(self) -> float:
        return self.height / 2 + (4 + 10 * len(self.words) if self.words else 0)


def text_width(words: Sequence[str], size: float = 9) -> float:
    return max((len(word) for word in words), default=0) * size * 0.58


def nodes_of(rows: Sequence[Row], scale: float) -> list[Node]:
    """The rows that are drawn; the others (activations, normalisation) pass on what they read."""
    nodes: list[Node] = []
    drawn = {-1: -1}  # row number to node number
    for number, row in enumerate(rows):
        reads = tuple(dict.fromkeys(drawn[read] for read in row.reads if read in drawn))
        role = role_of(row, reads)
        if role:
            drawn[number] = len(nodes)
            nodes.append(node(row, role, reads or (len(nodes) - 1,), scale))
        else:
            drawn[number] = reads[0] if reads else len(nodes) - 1
    return nodes


def role_of(row: Row, reads: tuple[int, ...]) -> str:
    """What a row is in the drawing; empty for one that is left out."""
    if len(reads) > 1 and row.kind in JOINS:
        return "join"
    if row.parts and not row.counts.connections:
        return ""
    if row.kind.startswith(("SqueezeE", "SEModule")):
        return "gate"
    if row.parts:
        return "block"
    if not row.counts.connections:
        return ""
    pooled = len(row.output) == 3 and not row.counts.weights
    if pooled or "Pool" in row.kind or "Sampling" in row.kind:
        return "pooling"
    return "product" if len(row.output) == 1 else "convolution"


def node(row: Row, role: str, reads: tuple[int, ...], scale: float) -> Node:
    if role == "join":
        side = 5.0 if row.kind == "cat" else 13.0
        return Node(row, role, reads, side, side, 0.0)
    width, height, depth = box(row.output, scale)
    window = row.kind.partition(" ")[2].replace("x", "×")
    size = "×".join(map(str, row.output)) if scale == LARGE else channels(row.output)
    words = tuple(word for word in (window, size) if word)
    if role == "gate":
        width, height, depth, words = 15.0, 15.0, 0.0, ("gate",)
    name = row.name if scale == LARGE else ""
    return Node(row, role, reads, width, height, depth, words, name)


def alike(row: Row, other: Row) -> bool:
    """Whether two rows are the same block, made twice."""
    return (row.kind, row.output, row.counts) == (other.kind, other.output, other.counts)


def box(output: tuple[int, ...], scale: float) -> tuple[float, float, float]:
    """Width, height and oblique depth of a map of channels, height and width, or of a vector."""
    if len(output) == 3:
        count, height, width = output
    elif len(output) == 2:  # places, channels
        count, height, width = output[1], round(sqrt(output[0])), round(sqrt(output[0]))
    else:
        count = height = width = output[0] if len(output) == 1 else 1
    if len(output) < 2 or height == width == 1:
        return 4.0 + 2 * scale, 4.0 + 0.75 * scale * sqrt(count), 0.0
    return (
        2 + 1.05 * scale * sqrt(count),
        5.2 * scale * sqrt(height),
        1.5 * scale * sqrt(width),
    )


def channels(output: tuple[int, ...]) -> str:
    return str(output[-1] if len(output) == 2 else output[0]) if output else ""
