"""The shapes of a network's drawing as SVG: boxes, marks, lines, words."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from saccade.report.drawing_layout import JOINS, Diagram, Node, arc_height, rank_distance

STYLE = """
  svg { --paper:#fdfcfa; --ink:#22242a; --quiet:#62656d; --rule:#d3cec4; --block:#f4f2ee;
    --convolution:#3b74b0; --pooling:#cf6f2e; --product:#7b4a9c; --gate:#2f7d5b;
    font-family: ui-sans-serif, system-ui, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; }
  @media (prefers-color-scheme: dark) {
    svg { --paper:#17181b; --ink:#e6e4df; --quiet:#a0a2a8; --rule:#4a4d55; --block:#202226;
      --convolution:#6da4da; --pooling:#eb9a68; --product:#c5a0e0; --gate:#7fc9a4; } }
  .paper { fill: var(--paper) } .block { fill: var(--block); stroke: var(--rule) }
  text { fill: var(--ink) } .quiet { fill: var(--quiet) } .small { font-size: 9px }
  .line { fill: none; stroke: var(--quiet); stroke-width: 1.2 }
  .arc { fill: none; stroke: var(--quiet); stroke-width: .7; opacity: .45 }
  .tip { fill: var(--quiet) } .join { fill: var(--paper); stroke: var(--ink); stroke-width: 1.2 }
  .bar { fill: var(--ink) } .image { fill: var(--quiet) }
  .convolution { fill: var(--convolution) } .pooling { fill: var(--pooling) }
  .product { fill: var(--product) } .gate { fill: var(--gate) }
  .top { fill: #fff; opacity: .45 } .side { fill: #000; opacity: .25 }
"""


def words(x: float, y: float, text: str, kind: str = "", anchor: str = "middle", size: int = 0):
    """A line of text."""
    name = f' class="{kind}"' if kind else ""
    height = f' font-size="{size}"' if size else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{height}{name}>{escape(text)}</text>'
    )


def path(d: str, kind: str = "line") -> str:
    """A path with the commands `d`."""
    return f'<path class="{kind}" d="{d}"/>'


def arrow_head(x: float, y: float) -> str:
    """The head of an arrow that points right, its point at x, y."""
    return path(f"M{x:.1f} {y:.1f} l-5 -2.6 v5.2 z", "tip")


def node_shapes(node: Node) -> Iterator[str]:
    """A node with its words and, under the pointer, its numbers."""
    x, y = node.x, node.y
    yield f"<g><title>{escape(node_title(node))}</title>"
    if node.role == "join" and node.row.kind == "cat":
        yield rectangle(x, y - node.height / 2, node.width, node.height, "bar", 2)
    elif node.role == "join":
        yield f'<circle class="join" cx="{x + node.width / 2:.1f}" cy="{y:.1f}" r="6.5"/>'
        yield words(x + node.width / 2, y + 3.6, JOINS[node.row.kind], size=11)
    elif node.role == "gate":
        half, cx = node.width / 2, x + node.width / 2
        yield path(
            f"M{cx:.1f} {y - half:.1f} l{half} {half} l-{half} {half} l-{half} -{half} z", "gate"
        )
    else:
        yield from cuboid(node)
    for line, word in enumerate(node.words):
        yield words(x + node.width / 2, y + node.height / 2 + 10 + 10 * line, word, "small quiet")
    yield "</g>"


def rectangle(x: float, y: float, width: float, height: float, kind: str, radius: float = 0) -> str:
    """A rectangle, its corners rounded by `radius` pixels."""
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="{radius}"/>'
    )


def cuboid(node: Node) -> Iterator[str]:
    """A box seen a little from above and from the right."""
    x, y, width, height, d = node.x, node.y - node.height / 2, node.width, node.height, node.depth
    role = "convolution" if node.role == "block" else node.role
    yield rectangle(x, y, width, height, role, 1 if d else 2)
    if d:
        top = f"M{x:.1f} {y:.1f} l{d:.1f} -{d:.1f} h{width:.1f} l-{d:.1f} {d:.1f} z"
        side = f"M{x + width:.1f} {y:.1f} l{d:.1f} -{d:.1f} v{height:.1f} l-{d:.1f} {d:.1f} z"
        for shape, shade in ((top, "top"), (side, "side")):
            yield path(shape, role) + path(shape, shade)


def node_title(node: Node) -> str:
    """The tooltip of a node: name, kind, output size, weights, multiply-adds."""
    row = node.row
    size = " x ".join(map(str, row.output))
    counts = f"{row.counts.weights:,} weights, {row.counts.multiply_adds:,} multiply-adds"
    return f"{row.name}: {row.kind}\n{size}\n{counts}"


def edge_lines(diagram: Diagram) -> Iterator[str]:
    """The lines between nodes, from the left edge to the last node."""
    nodes = diagram.nodes
    for edge in diagram.edges:
        target = nodes[edge.target]
        x1, y1 = 0.0, diagram.y
        if edge.source >= 0:
            source = nodes[edge.source]
            x1, y1 = source.x + source.width + source.depth / 2, source.y
        x2, y2 = target.x, target.y
        if target.role == "join" and target.row.kind == "cat":
            y2 = min(max(edge.y, y2 - target.height / 2), y2 + target.height / 2)
        if edge.over:
            yield arc(x1, y1, x2, y2, arc_height(rank_distance(nodes, edge.source, edge.target)))
        else:
            yield bent_line(x1, y1, x2, y2, edge.y)


def arc(x1: float, y1: float, x2: float, y2: float, rise: float) -> str:
    """An arc that rises over what stands between its ends."""
    top = min(y1, y2) - 12 - 1.33 * rise
    return path(
        f"M{x1:.1f} {y1:.1f} C{x1 + 6:.1f} {top:.1f} {x2 - 6:.1f} {top:.1f} {x2:.1f} {y2:.1f}",
        "arc",
    )


def bent_line(x1: float, y1: float, x2: float, y2: float, y: float) -> str:
    """From one point to another, along `y` for most of the way."""
    turn = min(14.0, (x2 - x1) / 2)
    d = f"M{x1:.1f} {y1:.1f}"
    if y != y1:
        d += f" C{x1 + turn / 2:.1f} {y1:.1f} {x1 + turn / 2:.1f} {y:.1f} {x1 + turn:.1f} {y:.1f}"
    d += f" H{x2 - turn if y != y2 else x2:.1f}"
    if y != y2:
        d += f" C{x2 - turn / 2:.1f} {y:.1f} {x2 - turn / 2:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return path(d)
