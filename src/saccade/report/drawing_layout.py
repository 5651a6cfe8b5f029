"""Layered layout of a network's graph: columns by depth, a lane a branch.

A layer's box is as high as its map, on a scale of square roots, and as wide as it has channels; a
layer without places is a bar as high as it has units; what joins branches is a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from saccade.explain.rows import Row

JOINS = {"add": "+", "mul": "×", "sub": "−", "cat": "", "max": "∨", "maximum": "∨"}
NAME_SIZE = 10  # size of the names over large boxes
SMALL, LARGE = 1.0, 2.9  # scales: inside blocks, and of networks without any


@dataclass
class Node:
    """A layer, a block or a join, and where it stands; lengths in pixels of the drawing."""

    row: Row
    role: str  # convolution, product, pooling, join, gate, block or image
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
        """Its width with the text above and below, in pixels."""
        written = max(text_width(self.words), text_width((self.name,), NAME_SIZE))
        return max(self.width + self.depth, written)

    @property
    def above(self) -> float:
        """The pixels that it takes above its middle."""
        return self.height / 2 + self.depth

    @property
    def below(self) -> float:
        """The pixels that it takes below its middle."""
        return self.height / 2 + (4 + 10 * len(self.words) if self.words else 0)


def text_width(words: Sequence[str], size: float = 9) -> float:
    """The estimated width of the longest of some lines, in pixels."""
    return max((len(word) for word in words), default=0) * size * 0.58


def nodes_of(rows: Sequence[Row], scale: float) -> list[Node]:
    """The rows that are drawn; the others (activations, normalisation) pass on what they read."""
    nodes: list[Node] = []
    drawn = {-1: -1}  # row to node
    for index, row in enumerate(rows):
        reads = tuple(dict.fromkeys(drawn[read] for read in row.reads if read in drawn))
        role = role_of(row, reads)
        if role:
            drawn[index] = len(nodes)
            nodes.append(make_node(row, role, reads or (len(nodes) - 1,), scale))
        else:
            drawn[index] = reads[0] if reads else len(nodes) - 1
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


def make_node(row: Row, role: str, reads: tuple[int, ...], scale: float) -> Node:
    """The node of a row in its role, with the size and the text of its box."""
    if role == "join":
        side = 5.0 if row.kind == "cat" else 13.0
        return Node(row, role, reads, side, side, 0.0)
    width, height, depth = box_size(row.output, scale)
    window = row.kind.partition(" ")[2].replace("x", "×")
    size = "×".join(map(str, row.output)) if scale == LARGE else channels(row.output)
    words = tuple(word for word in (window, size) if word)
    if role == "gate":
        width, height, depth, words = 15.0, 15.0, 0.0, ("gate",)
    name = row.name if scale == LARGE else ""
    return Node(row, role, reads, width, height, depth, words, name)


def same_block(row: Row, other: Row) -> bool:
    """Whether two rows are the same block, made twice."""
    return (row.kind, row.output, row.counts) == (other.kind, other.output, other.counts)


def box_size(output: tuple[int, ...], scale: float) -> tuple[float, float, float]:
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
    """The channels of an output, as text."""
    return str(output[-1] if len(output) == 2 else output[0]) if output else ""


GAP = 15.0  # between columns
LANE = 10.0  # between lanes
PASSAGE = 13.0  # height of a lane that only a shortcut runs along
MAX_PASSAGES = 3  # shortcuts from the input with a lane each; more are arcs


@dataclass(frozen=True)
class Edge:
    """A line from one node to another along `y`; source -1 is the input."""

    source: int
    target: int
    y: float
    over: bool = False  # an arc over what stands between


@dataclass(frozen=True)
class Diagram:
    """Nodes that stand, from x = 0; `y` is the height at which the line comes in and goes out."""

    nodes: list[Node]
    edges: list[Edge]
    width: float
    height: float
    y: float


def layout(nodes: list[Node]) -> Diagram:
    """A graph from left to right: the longest path sets the columns."""
    set_ranks(nodes)
    shortcuts = set_lanes(nodes)
    width = set_x(nodes)
    passages, height = set_y(nodes, shortcuts)
    y = nodes[-1].y if nodes else 0.0
    if len(passages) > MAX_PASSAGES:
        passages = {}
    edges = [
        make_edge(nodes, source, index, passages)
        for index, node in enumerate(nodes)
        for source in node.reads
    ]
    arcs = [rank_distance(nodes, e.source, e.target) for e in edges if e.over]
    if arcs:  # room for arcs over the boxes
        rise = arc_height(max(arcs))
        for node in nodes:
            node.y += rise
        edges = [Edge(e.source, e.target, e.y + rise, e.over) for e in edges]
        height, y = height + rise, y + rise
    return Diagram(nodes, edges, width, height, y)


def arc_height(columns: int) -> float:
    """How far an arc over so many columns rises, in pixels."""
    return 8 + 5.0 * min(columns, 16)


def rank_distance(nodes: list[Node], source: int, target: int) -> int:
    """How many columns lie between the ends of an edge."""
    return nodes[target].rank - (nodes[source].rank if source >= 0 else 0)


def set_ranks(nodes: list[Node]) -> None:
    """Set the column of every node: one more than the farthest of those that it reads."""
    for node in nodes:
        node.rank = 1 + max((nodes[read].rank if read >= 0 else 0) for read in node.reads)


def set_lanes(nodes: list[Node]) -> set[tuple[int, int]]:
    """Each branch in a lane of its own; gives the edges that need a lane without any node."""
    open_lanes: dict[int, int] = {}  # lane to the node that ends it
    shortcuts = set()
    for index, node in enumerate(nodes):
        ends = [lane for lane, last in open_lanes.items() if last in node.reads]
        if node.role == "join":
            node.lane = min(ends, default=0)
        else:
            node.lane = ends[0] if ends else max(open_lanes, default=-1) + 1
        for lane in ends:
            open_lanes.pop(lane)
        open_lanes[node.lane] = index
        for read in node.reads:
            if read < 0 and rank_distance(nodes, read, index) > 1:
                shortcuts.add((read, index))
    return shortcuts


def is_blocked(nodes: list[Node], source: int, target: int) -> bool:
    """Whether a node stands in the lane of the source before the target."""
    lane, first = (nodes[source].lane, nodes[source].rank) if source >= 0 else (0, 0)
    return any(n.lane == lane and first < n.rank < nodes[target].rank for n in nodes)


def set_x(nodes: list[Node]) -> float:
    """Set every x; gives the width."""
    x = GAP
    for rank in range(1, max((node.rank for node in nodes), default=0) + 1):
        column = [node for node in nodes if node.rank == rank]
        width = max(node.full_width for node in column)
        for node in column:
            node.x = x + (width - node.width - node.depth) / 2
        x += width + GAP
    return x


def set_y(nodes: list[Node], shortcuts: set[tuple[int, int]]) -> tuple[dict, float]:
    """Set every y, shortcuts on top; gives the y of each shortcut, and the height of all."""
    passages, y = {}, 0.0
    for shortcut in sorted(shortcuts):
        passages[shortcut] = y + PASSAGE / 2
        y += PASSAGE if len(shortcuts) <= MAX_PASSAGES else 0
    for lane in range(max((node.lane for node in nodes), default=-1) + 1):
        members = [node for node in nodes if node.lane == lane and node.role != "join"]
        above = max((node.above for node in members), default=7.0)
        below = max((node.below for node in members), default=7.0)
        for node in nodes:
            if node.lane == lane:
                node.y = y + above
        y += above + below + LANE
    for node in nodes:
        sources = [nodes[read] for read in node.reads if read >= 0]
        if node.row.kind == "cat" and node.role == "join" and len({s.lane for s in sources}) > 1:
            top, bottom = min(s.y for s in sources), max(s.y for s in sources)
            node.y, node.height = (top + bottom) / 2, bottom - top + 14
    return passages, max(0.0, y - LANE)


def make_edge(nodes: list[Node], source: int, target: int, passages: dict) -> Edge:
    """The edge between two nodes: along a passage, over what is in its way, or straight."""
    if (source, target) in passages:
        return Edge(source, target, passages[source, target])
    over = rank_distance(nodes, source, target) > 1 and is_blocked(nodes, source, target)
    return Edge(source, target, nodes[source if source >= 0 else target].y, over)
