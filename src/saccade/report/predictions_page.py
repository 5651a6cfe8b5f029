"""Predictions as one HTML file: each image small, with its answer and how probable that is.

The page sorts itself by style alone, since no script runs in it.  A page of more images than it
can hold keeps the least certain ones of each answer.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from torch import Tensor

from saccade.report.images import thumbnail
from saccade.report.page import (
    LISTED,
    Html,
    Section,
    element,
    facts,
    folded,
    folded_list,
    image,
    join,
    page,
    path_list,
    table,
)
from saccade.tasks.answers import Answer, Predictions
from saccade.words import percent

BUDGET = 12_000_000  # bytes of images in a page, which they make a third larger
LINES = 3  # of an answer that stand below an image
SORTED = {  # how a page can be sorted: what its answers are, and the orders by their names
    True: (
        ("answer", "by answer"),
        ("least", "least certain first"),
        ("most", "most certain first"),
    ),
    False: (("given", "as given"), ("least", "smallest first"), ("most", "largest first")),
}


@dataclass(frozen=True, order=True)
class Tile:
    """An image of a page; tiles are in the order of certainty, the first one's goes first."""

    sort_value: float
    number: int
    name: str = field(compare=False)
    lines: tuple[str, ...] = field(compare=False)  # of the answer
    encoded: bytes = field(compare=False)


class PredictionsPage:
    """Takes predictions one by one, and makes their page when asked.

    `classes` are those that are answered; without them the answers are numbers.
    """

    def __init__(self, classes: Sequence[str], *, budget: int = BUDGET):
        self.classes, self.has_classes, self.budget = {*classes}, bool(classes), budget
        self.counts: Counter[str] = Counter()  # images by answer
        self.groups: dict[str, list[Tile]] = {}  # by answer; the least certain first
        self.size = 0  # bytes of images

    def take(self, answer: Answer, pixels: Tensor) -> None:
        """Add an image [C,H,W] uint8; where there is no more room, the most certain one goes."""
        group = self._group(answer)
        number = self.counts.total()
        self.counts[group] += 1
        encoded = thumbnail(pixels.permute(1, 2, 0).contiguous().cpu().numpy())
        if not self.has_classes and self.size + len(encoded) > self.budget:
            return
        lines = tuple(str(answer).splitlines()[:LINES])
        tile = Tile(answer.sort_value, number, answer.name, lines, encoded)
        insort(self.groups.setdefault(group, []), tile)
        self.size += len(encoded)
        while self.size > self.budget:
            largest = max(self.groups.values(), key=len)
            self.size -= len(largest.pop().encoded)

    def _group(self, answer: Answer) -> str:
        if not self.has_classes:
            return ""
        none = not answer.predicted_classes
        alike = none and answer.no_class in self.classes  # a class of that name
        return f"{answer.best}, no class" if alike else answer.best

    def html(self, title: str, rest: Predictions, *, ended: str = "") -> str:
        """The whole page; `rest` has what is no answer, `ended` says what ended it early."""
        count = self.counts.total()
        numbers = {"images": f"{count:,}", "not readable": f"{len(rest.unreadable):,}"}
        images = Section("Images", join([self._left_out(), self._sorted()]))
        sections = [Section("Images", join([facts(numbers), images.body]))]
        if self.has_classes:
            numbers["answers"] = f"{len(self.counts):,}"
            sections = [Section("Answers", join([facts(numbers), _counts(self.counts)])), images]
        if rest.unreadable or rest.left_out:
            sections.append(Section("Not read", _unread(rest)))
        lead = f"What a trained network says of {count:,} {'image' if count == 1 else 'images'}"
        lead += ", each as the network sees it."
        return page(title, sections, lead=f"{lead} It ended early: {ended}." if ended else lead)

    def _left_out(self) -> Html | str:
        shown = sum(map(len, self.groups.values()))
        count = self.counts.total()
        if shown == count:
            return ""
        which = "the most certain ones of the most frequent answers are"
        if not self.has_classes:
            which = "the later ones are"
        words = f"{shown:,} of {count:,} images are shown; {which} left out: --csv lists all"
        return element("p", f"{words}.", class_="note")

    def _sorted(self) -> Html:
        """The choice of an order, then all images in that of the groups."""
        tiles = [tile for _, group in self._ordered() for tile in group]
        by_value = sorted(tiles)
        places = {tile.number: place for place, tile in enumerate(by_value)}
        cells: list[object] = []
        for name, group in self._ordered():
            if self.has_classes:
                cells.append(_heading(name, self.counts[name], len(cells)))
            cells += [_cell(t, len(cells) + k, places[t.number]) for k, t in enumerate(group)]
        return element("div", _choice(SORTED[self.has_classes]), _grid(cells), class_="sorted")

    def _ordered(self) -> Iterator[tuple[str, list[Tile]]]:
        """The groups, the largest first, the most certain first; numbers as they were given."""
        if not self.has_classes:
            yield "", sorted(self.groups.get("", []), key=lambda tile: tile.number)
            return
        for name, _ in self.counts.most_common():
            yield name, self.groups[name][::-1]


def _counts(counts: Counter[str]) -> Html:
    total = counts.total()
    rows = [
        (element("a", name, href=f"#{_anchor(name)}"), n, percent(n / total))
        for name, n in counts.most_common(LISTED)
    ]
    listed = table(("answer", "images", "share"), rows)
    if len(rows) <= 12:
        return listed
    return folded(f"{len(counts):,} answers, the most frequent first", listed)


def _anchor(name: str) -> str:
    return f"answer-{name.encode().hex()}"


def _unread(rest: Predictions) -> Html:
    blocks: list[object] = []
    for skipped, noun in ((rest.unreadable, "unreadable images"), (rest.left_out, "left out")):
        if skipped:
            remarks = {s.name: s.reason for s in skipped}
            blocks.append(folded_list(len(skipped), noun, path_list([*remarks], remarks)))
    return join(blocks)


def _choice(orders: Sequence[tuple[str, str]]) -> Html:
    """Radio buttons, the first of them chosen."""
    buttons = [
        element(
            "label",
            Html(f'<input type="radio" name="order" id="order-{name}"{" checked" * (not place)}>'),
            title,
        )
        for place, (name, title) in enumerate(orders)
    ]
    return element("fieldset", element("legend", "Order"), *buttons, class_="choice")


def _grid(cells: Sequence[object]) -> Html:
    return element("div", *cells, class_="images")


def _heading(name: str, count: int, place: int) -> Html:
    words = f"{count:,} {'image' if count == 1 else 'images'}"
    note = element("span", f" {words}", class_="quiet")
    return element("h3", name, note, id=_anchor(name), style=f"--given:{place}")


def _cell(tile: Tile, given: int, place: int) -> Html:
    """An image with its answer; the numbers in its style are its places in the orders."""
    lines = [element("span", line.strip(), class_="line") for line in tile.lines]
    caption = join([*lines, element("span", tile.name, class_="path")])
    shown = image(tile.encoded, f"{tile.name}: {tile.lines[0].strip()}", caption)
    style = escape(f"--given:{given};--least:{place}")
    return Html(shown.replace("<figure>", f'<figure style="{style}">', 1))
