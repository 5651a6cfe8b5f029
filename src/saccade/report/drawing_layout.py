"""Where the nodes of a drawing stand: columns by depth, a lane a branch."""

from __future__ import annotations

from dataclasses import dataclass

from saccade.report.drawing_nodes import Node

GAP = 15.0  # between columns
LANE = 10.0  # between lanes
PASSAGE = 13.0  # height of a lane that only a shortcut runs along
MOST = 3  # shortcuts from the input with a lane each; more are arcs


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


def arranged(nodes: list[Node]) -> Diagram:
    """A graph from left to right: the longest way sets the columns."""
    ranked(nodes)
    shortcuts = laned(nodes)
    width = columned(nodes)
    passages, height = stacked(nodes, shortcuts)
    y = nodes[-1].y if nodes else 0.0
    if len(passages) > MOST:
        passages = {}
    edges = [
        edge(nodes, source, number, passages)
        for number, node in enumerate(nodes)
        for source in node.reads
    ]
    arcs = [ranks(nodes, e.source, e.target) for e in edges if e.over]
    if arcs:  # room for arcs over the boxes
        rise = arc_height(max(arcs))
        for node in nodes:
            node.y += rise
        edges = [Edge(e.source, e.target, e.y + rise, e.over) for e in edges]
        height, y = height + rise, y + rise
    return Diagram(nodes, edges, width, height, y)


def arc_height(ranks: int) -> float:
    return 8 + 5.0 * min(ranks, 16)


def ranks(nodes: list[Node], source: int, target: int) -> int:
    """How many columns lie between the ends of an edge."""
    return nodes[target].rank - (nodes[source].rank if source >= 0 else 0)


def ranked(nodes: list[Node]) -> None:
    for node in nodes:
        node.rank = 1 + max((nodes[read].rank if read >= 0 else 0) for read in node.reads)


def laned(nodes: list[Node]) -> set[tuple[int, int]]:
    """Each branch in a lane of its own; gives the edges that need a lane without any node."""
    taken: dict[int, int] = {}  # lane to the node that ends it
    shortcuts = set()
    for number, node in enumerate(nodes):
        ends = [lane for lane, last in taken.items() if last in node.reads]
        if node.role == "join":
            node.lane = min(ends, default=0)
        else:
            node.lane = ends[0] if ends else max(taken, default=-1) + 1
        for lane in ends:
            taken.pop(lane)
        taken[node.lane] = number
        for read in node.reads:
            if read < 0 and ranks(nodes, read, number) > 1:
                shortcuts.add((read, number))
    return shortcuts


def between(nodes: list[Node], source: int, target: int) -> bool:
    """Whether a node stands in the lane of the source before the target."""
    lane, first = (nodes[source].lane, nodes[source].rank) if source >= 0 else (0, 0)
    return any(n.lane == lane and first < n.rank < nodes[target].rank for n in nodes)


def columned(nodes: list[Node]) -> float:
    """Set every x; gives the width."""
    x = GAP
    for rank in range(1, max((node.rank for node in nodes), default=0) + 1):
        column = [node for node in nodes if node.rank == rank]
        width = max(node.full_width for node in column)
        for node in column:
            node.x = x + (width - node.width - node.depth) / 2
        x += width + GAP
    return x


def stacked(nodes: list[Node], shortcuts: set[tuple[int, int]]) -> tuple[dict, float]:
    """Set every y, shortcuts on top; gives the y of each shortcut, and the height of all."""
    passages, y = {}, 0.0
    for shortcut in sorted(shortcuts):
        passages[shortcut] = y + PASSAGE / 2
        y += PASSAGE if len(shortcuts) <= MOST else 0
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


def edge(nodes: list[Node], source: int, target: int, passages: dict) -> Edge:
    if (source, target) in passages:
        return Edge(source, target, passages[source, target])
    over = ranks(nodes, source, target) > 1 and between(nodes, source, target)
    return Edge(source, target, nodes[source if source >= 0 else target].y, over)
