"""A network as an SVG drawing; heights tell the size of its maps, widths how many there are.

A plain chain is one line of large boxes.  Any other network is drawn in rows, one for each size of
its maps, in the order of the paper's table; a block opens into its branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from typing import NamedTuple

from saccade.explain.anatomy import Anatomy, field_text
from saccade.explain.field import ReceptiveField
from saccade.report.anatomy_table import brief
from saccade.report.drawing_layout import (
    LARGE,
    NAME_SIZE,
    SMALL,
    Diagram,
    Node,
    layout,
    nodes_of,
    same_block,
    text_width,
)
from saccade.report.drawing_shapes import (
    STYLE,
    arrow_head,
    edge_lines,
    node_shapes,
    path,
    rectangle,
    words,
)

MARGIN = 28.0
LABEL_WIDTH = 104.0  # for the sizes to the left of the rows
MAX_WIDTH = 1340.0  # pixels of a line, before it is broken
MIN_WIDTH = 680.0  # as long as title and legend
MAX_REPEATS = 6  # blocks alike that are all drawn; more are drawn once
ITEM_GAP = 20.0  # blocks
HEAD_HEIGHT = 74.0  # title
FOOT_HEIGHT = 44.0  # legend


def svg(*anatomies: Anatomy) -> str:
    """The drawing as the text of a file, for light and dark backgrounds; several below another."""
    drawings = [drawing(anatomy) for anatomy in anatomies]
    width = max(drawn.width for drawn in drawings)
    height = sum(drawn.height for drawn in drawings)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" role="img">',
            f"<title>{escape(' and '.join(anatomy.name for anatomy in anatomies))}</title>"
            f"<style>{STYLE}</style>",
            rectangle(0, 0, width, height, "paper"),
            *below_another(drawings),
            "</svg>\n",
        ]
    )


class Drawing(NamedTuple):
    """One network's shapes, and how much room they take in pixels."""

    shapes: list[str]
    width: float
    height: float


def drawing(anatomy: Anatomy) -> Drawing:
    """The drawing of one network with its heading and legend."""
    large = nodes_of(anatomy.tree, LARGE)
    line = layout(large)
    is_chain = not any(node.role == "block" for node in large)
    fits = line.width < MAX_WIDTH + LABEL_WIDTH
    body, width, height = chain_line(line) if is_chain and fits else stacked_rows(anatomy)
    width = max(width, MIN_WIDTH) + 2 * MARGIN
    height += HEAD_HEIGHT + FOOT_HEIGHT + MARGIN
    shapes = [
        *heading(anatomy),
        f'<g transform="translate({MARGIN:.0f} {HEAD_HEIGHT:.0f})">',
        *body,
        "</g>",
        *legend(large, height - FOOT_HEIGHT / 2),
    ]
    return Drawing(shapes, width, height)


def below_another(drawings: Sequence[Drawing]) -> Iterator[str]:
    """The shapes of all drawings, each below the one before it."""
    top = 0.0
    for drawn in drawings:
        yield from (
            [f'<g transform="translate(0 {top:.1f})">', *drawn.shapes, "</g>"]
            if top
            else drawn.shapes
        )
        top += drawn.height


def heading(anatomy: Anatomy) -> Iterator[str]:
    """The title, and below it input size, weights, multiply-adds and receptive field."""
    without = f" without {', '.join(anatomy.without)}" if anatomy.without else ""
    size = " × ".join(map(str, anatomy.input_size))
    weights = anatomy.total.weights + anatomy.unused
    facts = [f"input {size}", f"{brief(weights)} weights"]
    facts.append(f"{brief(anatomy.total.multiply_adds)} multiply-adds")
    if anatomy.receptive_field:
        facts.append(f"receptive field {pixels(anatomy.receptive_field)}")
    yield words(MARGIN, 36, anatomy.name + without, anchor="start", size=22)
    yield words(MARGIN, 56, "  ·  ".join(facts), "quiet", "start", 12)


def pixels(field: ReceptiveField) -> str:
    """The size of a receptive field, as 483 x 483 px + gate."""
    size, _, gate = field_text(field).partition(" + ")
    return f"{size} px" + (f" + {gate}" if gate else "")


def legend(nodes: Sequence[Node], y: float) -> Iterator[str]:
    """A square of colour and a name for each role that occurs."""
    named = {
        "convolution": "convolution",
        "pooling": "pooling",
        "product": "fully connected",
        "gate": "gate (squeeze-excite)",
    }
    roles = {leaf for node in nodes for leaf in roles_in(node)}
    x = MARGIN
    for role, text in named.items():
        if role in roles:
            yield rectangle(x, y - 9, 10, 10, role, 2)
            yield words(x + 15, y, text, "quiet", "start", 11)
            x += 30 + 6.2 * len(text)
    yield words(x, y, "height: size of the maps · width: number of maps", "quiet", "start", 11)


def roles_in(node: Node) -> set[str]:
    """The roles of a node and of all that its block holds."""
    if node.role != "block":
        return {node.role}
    return set().union(*(roles_in(inner) for inner in nodes_of(node.row.parts, SMALL)), set())


def chain_line(line: Diagram) -> tuple[list[str], float, float]:
    """A chain in one line, each layer's name over it and its size under it."""
    top = max(node.above for node in line.nodes) + 30
    parts = [f'<g transform="translate(0 {top - line.y:.1f})">', *edge_lines(line)]
    for node in line.nodes:
        parts += node_shapes(node)
        middle = node.x + (node.width + node.depth) / 2
        parts.append(words(middle, node.y - node.above - 8, node.name, size=NAME_SIZE))
    parts.append("</g>")
    return parts, line.width, top + max(node.below for node in line.nodes) + 20


@dataclass
class Item:
    """A block or a layer in a row."""

    diagram: Diagram
    name: str
    framed: bool
    x: float = 0.0
    leads_on: bool = True  # something comes after it
    times: int = 1  # how often it stands there, one after the other

    @property
    def width(self) -> float:
        """Its width in pixels, that of its name at least."""
        name = text_width([self.name]) + (40 if self.times > 1 else 8)
        return max(self.diagram.width + (8 if self.times > 1 else 0), name)


@dataclass
class LayoutRow:
    """Items side by side whose maps have one size."""

    label: str
    items: list[Item] = field(default_factory=list)

    @property
    def above(self) -> float:
        """The pixels that it takes above its axis."""
        return max(item.diagram.y + (30 if item.framed else 14) for item in self.items)

    @property
    def below(self) -> float:
        """The pixels that it takes below its axis."""
        return max(
            item.diagram.height - item.diagram.y + (8 if item.framed else 0) for item in self.items
        )


def stacked_rows(anatomy: Anatomy) -> tuple[list[str], float, float]:
    """The shapes of all rows, one below the other, with their width and height in pixels."""
    nodes = nodes_of(anatomy.tree, 1.35 * SMALL)
    lines: list[LayoutRow] = []
    for label, members in groupby(nodes, key=lambda node: size_of(node)):
        lines += wrapped(label, list(items_of(list(members))))
    lines[-1].items[-1].leads_on = False
    parts, y, width = [], 0.0, 0.0
    ends: list[tuple[float, float]] = []
    for index, row in enumerate(lines):
        axis = y + row.above
        first, last = row.items[0], row.items[-1]
        if index:
            parts.append(row_connector(*ends[-1], LABEL_WIDTH + first.x, axis, y - 9))
        parts += row_shapes(row, axis)
        if index == 0 or lines[index - 1].label != row.label:
            parts.append(words(0, axis + 5, row.label, "quiet", "start", 14))
        end = LABEL_WIDTH + last.x + last.diagram.width
        ends.append((end, axis))
        width = max(width, end + 16, LABEL_WIDTH + last.x + last.width)
        y = axis + row.below + 30
    return parts, width, y - 30


def size_of(node: Node) -> str:
    """The height and width of a map, as the label of its row."""
    output = node.row.output
    if len(output) == 3 and output[1:] != (1, 1):
        return f"{output[1]} × {output[2]}"
    return "1 × 1" if len(output) != 2 else f"{output[0]} places"


def items_of(nodes: list[Node]) -> Iterator[Item]:
    """An item a node, and one for a long run of the same block."""
    start = 0
    while start < len(nodes):
        end = start + 1
        while end < len(nodes) and same_block(nodes[start].row, nodes[end].row):
            end += 1
        if end - start <= MAX_REPEATS:
            end = start + 1
        item = item_of(nodes[start])
        if end - start > 1:
            item.name += f" … {short(nodes[end - 1].row.name)}"
            item.times = end - start
        yield item
        start = end


def short(name: str) -> str:
    """The end of a name: its last word, and the one before it if that is a number."""
    parts = name.split(".")
    return ".".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]


def item_of(node: Node) -> Item:
    """A block with its inner layers laid out, or a layer alone."""
    if node.role == "block":
        inner = nodes_of(node.row.parts, SMALL)
        if inner:
            return Item(layout(inner), short(node.row.name), framed=True)
    node.reads = (-1,)
    return Item(layout([node]), short(node.row.name), framed=False)


def wrapped(label: str, items: list[Item]) -> Iterator[LayoutRow]:
    """The items in as many lines as they need."""
    row, x = LayoutRow(label), 0.0
    for item in items:
        if row.items and x + item.width > MAX_WIDTH:
            yield row
            row, x = LayoutRow(label), 0.0
        item.x = x
        row.items.append(item)
        x += item.width + ITEM_GAP
    yield row


def row_shapes(row: LayoutRow, axis: float) -> Iterator[str]:
    """The items of a line and the arrows between them."""
    for index, item in enumerate(row.items):
        left, top = LABEL_WIDTH + item.x, axis - item.diagram.y
        if index:
            before = row.items[index - 1]
            start = LABEL_WIDTH + before.x + before.diagram.width
            yield path(f"M{start:.1f} {axis:.1f} H{left:.1f}")
        if item.framed:
            for sheet in reversed(range(min(item.times, 3))):
                shape = (item.diagram.width, item.diagram.height + 14)
                yield rectangle(left + 4 * sheet, top - 8 - 4 * sheet, *shape, "block", 7)
        lift = 13 + (8 if item.times > 1 else 0) if item.framed else 4
        times = f"   × {item.times}" if item.times > 1 else ""
        yield words(left + 4, top - lift, item.name + times, "small", "start")
        yield f'<g transform="translate({left:.1f} {top:.1f})">'
        yield from edge_lines(item.diagram)
        if item.leads_on:
            last = item.diagram.nodes[-1]
            leaves = last.x + last.width + last.depth / 2
            yield path(f"M{leaves:.1f} {last.y:.1f} H{item.diagram.width:.1f}")
        for node in item.diagram.nodes:
            yield from node_shapes(node)
        yield "</g>"


def row_connector(x1: float, y1: float, x2: float, y2: float, between: float) -> str:
    """The line from the end of one row to the start of the next."""
    left = x2 - 12
    return path(
        f"M{x1:.1f} {y1:.1f} h4 q8 0 8 8 V{between - 8:.1f} q0 8 -8 8 "
        f"H{left + 4:.1f} q-8 0 -8 8 V{y2 - 8:.1f} q0 8 8 8 H{x2 - 1:.1f}"
    ) + arrow_head(x2, y2)
