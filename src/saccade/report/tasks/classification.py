"""Classification in a report: confusion, whether probabilities hold, images to learn from."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from saccade.metrics.calibration import equal_count, reliability
from saccade.metrics.intervals import wilson
from saccade.metrics.ranking import risk_coverage
from saccade.report.answer_sections import SHOWN, classes_section, ranked
from saccade.report.charts import Line, line_chart
from saccade.report.figures import NUMBERS, Dot, dot_chart, heat_map
from saccade.report.images import TestedImages
from saccade.report.page import (
    Html,
    Section,
    columns,
    element,
    folded,
    image_grid,
    join,
    table,
    unbroken,
)
from saccade.report.summary import most_confused
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.words import percent, proportion

PAIRS = 10  # most frequent mistakes in the list
DRAWN = 200  # classes, up to which there is a matrix
A_CELL, IN_ALL = 6, 200  # images
UNSURE = 12  # images


def sections(run: Run, test: Evaluation, tested: TestedImages) -> Iterator[Section]:
    """Confusion, class by class, how sure it is, and images from which there is most to learn."""
    level = next((fact["level"] for fact in run.events("novelty")[-1:]), None)
    yield Section("Confusion", confusion_section(test, tested))
    if test.per_class:
        yield Section("Class by class", classes_section(test))
    yield Section("How sure it is", calibration_section(tested, level))
    yield Section("Most confident mistakes", mistakes_section(tested))
    yield Section("Least sure", unsure_section(tested))


def confusion_section(test: Evaluation, tested: TestedImages) -> Html:
    """The pairs most mixed up, the matrix, and the images of each cell that is pointed at."""
    cells = _cells(test, tested)
    links = {pair: f"#{_anchor(*pair)}" for pair in cells}
    matrix = element("p", f"For {len(test.classes)} classes no matrix is drawn.", class_="quiet")
    if len(test.classes) <= DRAWN:
        matrix = heat_map(
            test.confusion,
            test.classes,
            title="Which class was taken for which",
            row_axis="true class",
            column_axis="predicted class; a number leads to its images",
            links=links,
        )
    if len(test.classes) > NUMBERS:
        matrix = folded("The whole matrix", matrix)
    shown = [_images(test, tested, pair, places) for pair, places in cells.items()]
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
        shown = element("a", words, href=link, aria_label=f"{words}: images") if link else words
        rows.append((name, test.classes[taken], shown))
    return table(("class", "taken for", "images"), rows, caption="Most often mixed up")


def _cells(test: Evaluation, tested: TestedImages) -> dict[tuple[int, int], list[int]]:
    """Places of images by true and predicted class: mistakes first, the least right first."""
    position = {name: k for k, name in enumerate(test.classes)}
    found: dict[tuple[int, int], list[int]] = {}
    for place in tested.losses.argsort(descending=True, stable=True).tolist():
        pair = position[tested.labels[place]], position[tested.predictions[place]]
        found.setdefault(pair, []).append(place)
    counts = {pair: (pair[0] != pair[1], len(places)) for pair, places in found.items()}
    kept, room = {}, IN_ALL
    for pair in sorted(found, key=lambda pair: counts[pair], reverse=True):
        some = found[pair][: min(A_CELL, room)]
        room -= len(some)
        if some:
            kept[pair] = some
    return kept


def _images(
    test: Evaluation, tested: TestedImages, pair: tuple[int, int], places: list[int]
) -> Html:
    """Those of one cell; seen only when a link leads to them."""
    true, taken = (test.classes[k] for k in pair)
    count = test.confusion[pair[0]][pair[1]]
    words = f"“{true}” taken for “{taken}”" if true != taken else f"“{true}” found"
    cut = f": {len(places)} of {count}, the worst first" if len(places) < count else ""
    figures = [
        tested.figure(k, f"{tested.labels[k]}, named with {tested.confidence_text(k)}")
        for k in places
    ]
    back = element("p", element("a", "back to the matrix", href="#matrix"), class_="note")
    heading = element("h3", f"{words}{cut}")
    anchor = _anchor(*pair)
    return element(
        "div", heading, image_grid(figures), back, class_="cell", id=anchor, tabindex="-1"
    )


def _anchor(true: int, taken: int) -> str:
    return f"cell-{true}-{taken}"


BINS = 10
POINTS = 100  # of the risk-coverage curve
SHARES = (1.0, 0.9, 0.8, 0.5)  # of the images answered
CERTAINTY_NOTE = (
    "Each dot is a tenth of the images, those about equally sure: how sure the network said it "
    "was, and how many of them are right, with a 95 % interval. Above the line it is right more "
    "often than it says, below it less often."
)


def calibration_section(tested: TestedImages, level: float | None = None) -> Html:
    """Reliability diagram and risk-coverage curve, each with its numbers; who is novel beyond
    `level`.
    """
    parts = [
        element("p", CERTAINTY_NOTE, class_="note"),
        columns(_reliability(tested), _risk(tested)),
    ]
    if tested.novelty is not None and level is not None:
        parts.append(element("p", novelty_text(tested.novelty, level), class_="note"))
    return join(parts)


def _reliability(tested: TestedImages) -> Html:
    ends = equal_count(tested.confidences, BINS)
    bins = reliability(tested.confidences, tested.correct, ends)
    dots = [
        Dot(b.confidence, b.accuracy, _words(b.confidence, b.accuracy, b.n), *b.interval)
        for b in bins
    ]
    chart = dot_chart(
        dots,
        title="Sure, and right",
        words=f"Share right over mean confidence in {len(bins)} bins; the table has the numbers.",
        x="how sure it said it was",
        y="how many of them are right",
        ends=(0.0, 1.0),
        percent=True,
    )
    found = [unbroken(proportion(b.accuracy, b.interval, b.n)) for b in bins]
    rows = [(percent(b.confidence), words) for b, words in zip(bins, found, strict=True)]
    return element("div", chart, folded("As a table", table(("said", "right"), rows)))


def _risk(tested: TestedImages) -> Html:
    curve = risk_coverage(tested.confidences, tested.correct)
    step = max(1, len(tested) // POINTS)
    coverage, risk = curve.coverage.tolist(), curve.risk.tolist()
    line = Line("wrong of those answered", coverage[step - 1 :: step], risk[step - 1 :: step])
    chart = line_chart(
        [line],
        title="Wrong, when only the surest are answered",
        x="share of the images answered",
        y="share wrong",
        percent=True,
        y_range=None if max(risk) else (0.0, 0.1),
    )
    places = [max(1, round(share * len(tested))) for share in SHARES]
    rows = [
        (f"the surest {100 * share:.0f} %", f"{percent(risk[n - 1])} of {n:,}")
        for share, n in zip(SHARES, places, strict=True)
    ]
    return element("div", chart, folded("As a table", table(("answered", "wrong"), rows)))


def _words(confidence: float, accuracy: float, n: int) -> str:
    return f"said {percent(confidence)}, right {percent(accuracy)}, n = {n:,}"


def novelty_text(novelty: Tensor, level: float) -> str:
    """Of images with these novelties [N] the share above `level`."""
    beyond, n = int((novelty > level).sum()), len(novelty)
    return (
        f"{proportion(beyond / n, wilson(beyond, n), n)} of these images lie farther from the "
        f"training images than {100 * level:.0f} % of the validation images, in what goes "
        "into the last layer. An image can be none of the classes and still be near, and one of "
        "a class in a new light far; predict --max-novelty says unknown of the far ones."
    )


def mistakes_section(tested: TestedImages) -> Html:
    """The most confident mistakes."""
    wrong = ranked(tested.confidences, ~tested.correct)
    if not wrong:
        return element("p", "There is none on these images.")
    lead = f"{len(wrong)} of {len(tested)} images, as the network saw them; the surest first"
    cut = f". The {SHOWN} surest are shown, all are in predictions.csv." * (len(wrong) > SHOWN)
    cells = [
        tested.figure(
            k,
            f"{tested.labels[k]}, taken for {tested.predictions[k]} ({tested.confidence_text(k)})",
        )
        for k in wrong[:SHOWN]
    ]
    return join([element("p", lead + (cut or ".")), image_grid(cells)])


def unsure_section(tested: TestedImages) -> Html:
    """The images whose class was named with the least confidence."""
    places = ranked(-tested.confidences)[:UNSURE]
    cells = [
        tested.figure(
            k,
            f"{tested.predictions[k]} ({tested.confidence_text(k)}), "
            + ("rightly" if tested.correct[k] else f"is {tested.labels[k]}"),
        )
        for k in places
    ]
    lead = "Here it hesitated most. More images like these teach it most."
    return join([element("p", lead), image_grid(cells)])
