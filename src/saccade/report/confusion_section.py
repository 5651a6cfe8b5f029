"""confusion_section: which class was taken for which; each cell leads to its pictures."""

from __future__ import annotations

from saccade.report.heat_map import NUMBERS, heat_map
from saccade.report.page import Html, element, folded, join, pictures, table
from saccade.report.tested import Tested
from saccade.report.verdict import most_confused
from saccade.results import Evaluation

PAIRS = 10  # most frequent mistakes in the list
DRAWN = 200  # classes, up to which there is a matrix
A_CELL, IN_ALL = 6, 200  # pictures


def confusion_section(test: Evaluation, tested: Tested) -> Html:
    """The pairs most mixed up, the matrix, and the pictures of each cell that is pointed at."""
    cells = _cells(test, tested)
    links = {pair: f"#{_anchor(*pair)}" for pair in cells}
    matrix = element("p", f"For {len(test.classes)} classes no matrix is drawn.", class_="quiet")
    if len(test.classes) <= DRAWN:
        matrix = heat_map(
            test.confusion,
            test.classes,
            title="Which class was taken for which",
            row_axis="true class",
            column_axis="predicted class; a number leads to its pictures",
            links=links,
        )
    if len(test.classes) > NUMBERS:
        matrix = folded("The whole matrix", matrix)
    shown = [_pictures(test, tested, pair, places) for pair, places in cells.items()]
    drawn = element("div", matrix, id="matrix")
    return join([_pairs(test, links), drawn, *shown])


def _pairs(test: Evaluation, links: dict[tuple[int, int], str]) -> Html:
    found = most_confused(test, PAIRS)
    if not found:
        return element("p", "Nothing was mixed up.")
    rows = []
    for true, taken, count in found:
        name, link = test.classes[true], links.get((true, taken))
        words = f"{count} of {sum(test.confusion[true])}"
        shown = element("a", words, href=link, aria_label=f"{words}: pictures") if link else words
        rows.append((name, test.classes[taken], shown))
    return table(("class", "taken for", "pictures"), rows, caption="Most often mixed up")


def _cells(test: Evaluation, tested: Tested) -> dict[tuple[int, int], list[int]]:
    """Places of pictures by true and predicted class: mistakes first, the least right first."""
    position = {name: k for k, name in enumerate(test.classes)}
    found: dict[tuple[int, int], list[int]] = {}
    for place in tested.losses.argsort(descending=True, stable=True).tolist():
        pair = position[tested.labels[place]], position[tested.answers[place]]
        found.setdefault(pair, []).append(place)
    counts = {pair: (pair[0] != pair[1], len(places)) for pair, places in found.items()}
    kept, room = {}, IN_ALL
    for pair in sorted(found, key=lambda pair: counts[pair], reverse=True):
        some = found[pair][: min(A_CELL, room)]
        room -= len(some)
        if some:
            kept[pair] = some
    return kept


def _pictures(test: Evaluation, tested: Tested, pair: tuple[int, int], places: list[int]) -> Html:
    """Those of one cell; seen only when a link leads to them."""
    true, taken = (test.classes[k] for k in pair)
    count = test.confusion[pair[0]][pair[1]]
    words = f"“{true}” taken for “{taken}”" if true != taken else f"“{true}” found"
    cut = f": {len(places)} of {count}, the worst first" if len(places) < count else ""
    figures = [tested.figure(k, f"{tested.labels[k]}, named with {tested.sure(k)}") for k in places]
    back = element("p", element("a", "back to the matrix", href="#matrix"), class_="note")
    heading = element("h3", f"{words}{cut}")
    anchor = _anchor(*pair)
    return element("div", heading, pictures(figures), back, class_="cell", id=anchor, tabindex="-1")


def _anchor(true: int, taken: int) -> str:
    return f"cell-{true}-{taken}"
