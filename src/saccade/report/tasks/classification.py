"""Classification in a report: confusion matrix, calibration, and the images to look at."""

from __future__ import annotations

from collections.abc import Iterator

from saccade.metrics.calibration import equal_count, reliability
from saccade.metrics.selective import risk_coverage
from saccade.report.answer_sections import SHOWN, classes_section, ranked
from saccade.report.charts import Line, line_chart
from saccade.report.figures import MAX_NUMBERED, Dot, heat_map, scatter_plot
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
from saccade.report.summary import most_confused, novelty_text
from saccade.runs.bundle import Bundle
from saccade.runs.results import Evaluation
from saccade.words import percent, proportion

PAIRS = 10  # most frequent mistakes in the list
MAX_MATRIX = 200  # classes, up to which there is a matrix
PER_CELL, ALL_CELLS = 6, 200  # images
LOWEST = 12  # images


def sections(bundle: Bundle, test: Evaluation, tested: TestedImages) -> Iterator[Section]:
    """Confusion matrix, metrics by class, calibration, confident mistakes, lowest confidence."""
    level = None if bundle.novelty is None else bundle.novelty.level
    yield Section("Confusion matrix", confusion_section(test, tested))
    if test.per_class:
        yield Section("Metrics by class", classes_section(test))
    yield Section("Calibration", calibration_section(tested, level))
    yield Section("Most confident mistakes", mistakes_section(tested))
    yield Section("Lowest confidence", lowest_confidence_section(tested))


def confusion_section(test: Evaluation, tested: TestedImages) -> Html:
    """The most confused classes, the matrix, and the images of each of its cells."""
    cells = _cells(test, tested)
    links = {pair: f"#{_anchor(*pair)}" for pair in cells}
    matrix = element("p", f"For {len(test.classes)} classes no matrix is drawn.", class_="quiet")
    if len(test.classes) <= MAX_MATRIX:
        matrix = heat_map(
            test.confusion,
            test.classes,
            title="Confusion matrix",
            row_axis="true class",
            column_axis="predicted class; a count leads to its images",
            links=links,
        )
    if len(test.classes) > MAX_NUMBERED:
        matrix = folded("The whole matrix", matrix)
    images = [_images(test, tested, pair, indices) for pair, indices in cells.items()]
    figure = element("div", matrix, id="matrix")
    return join([_pairs(test, links), figure, *images])


def _pairs(test: Evaluation, links: dict[tuple[int, int], str]) -> Html:
    pairs = most_confused(test, PAIRS)
    if not pairs:
        return element("p", "No class was confused with another.")
    rows = []
    for true, predicted, count in pairs:
        name, link = test.classes[true], links.get((true, predicted))
        label = f"{count} of {sum(test.confusion[true])}"
        cell = element("a", label, href=link, aria_label=f"{label}: images") if link else label
        rows.append((name, test.classes[predicted], cell))
    return table(("true class", "predicted class", "images"), rows, caption="Most confused classes")


def _cells(test: Evaluation, tested: TestedImages) -> dict[tuple[int, int], list[int]]:
    """Indices of images by true and predicted class: mistakes first, highest loss first."""
    position = {name: k for k, name in enumerate(test.classes)}
    members: dict[tuple[int, int], list[int]] = {}
    for index in tested.losses.argsort(descending=True, stable=True).tolist():
        pair = position[tested.labels[index]], position[tested.predictions[index]]
        members.setdefault(pair, []).append(index)
    order = {pair: (pair[0] != pair[1], len(indices)) for pair, indices in members.items()}
    shown, left = {}, ALL_CELLS
    for pair in sorted(members, key=lambda pair: order[pair], reverse=True):
        some = members[pair][: min(PER_CELL, left)]
        left -= len(some)
        if some:
            shown[pair] = some
    return shown


def _images(
    test: Evaluation, tested: TestedImages, pair: tuple[int, int], indices: list[int]
) -> Html:
    """The images of one cell, hidden until a link leads to them."""
    true, predicted = (test.classes[k] for k in pair)
    count = test.confusion[pair[0]][pair[1]]
    title = (
        f"“{true}” taken for “{predicted}”"
        if true != predicted
        else f"“{true}” predicted correctly"
    )
    limit = f": {len(indices)} of {count}, the highest loss first" if len(indices) < count else ""
    figures = [
        tested.figure(k, f"{tested.labels[k]}, confidence {tested.confidence_text(k)}")
        for k in indices
    ]
    back = element("p", element("a", "back to the matrix", href="#matrix"), class_="note")
    heading = element("h3", f"{title}{limit}")
    anchor = _anchor(*pair)
    return element(
        "div", heading, image_grid(figures), back, class_="cell", id=anchor, tabindex="-1"
    )


def _anchor(true: int, predicted: int) -> str:
    return f"cell-{true}-{predicted}"


BINS = 10
POINTS = 100  # of the risk-coverage curve
SHARES = (1.0, 0.9, 0.8, 0.5)  # of the images answered
RELIABILITY_NOTE = (
    "Each dot is of images of about equal confidence: their mean confidence, and their accuracy "
    "with a 95 % interval. Above the line the network was right more often than "
    "it was confident, below it less often."
)


def calibration_section(tested: TestedImages, level: float | None = None) -> Html:
    """Reliability diagram (Guo 2017), risk-coverage curve (Geifman 2019), novelty over `level`."""
    parts = [
        element("p", RELIABILITY_NOTE, class_="note"),
        columns(_reliability(tested), _risk(tested)),
    ]
    if tested.novelty is not None and level is not None:
        parts.append(element("p", novelty_text(tested.novelty, level), class_="note"))
    return join(parts)


def _reliability(tested: TestedImages) -> Html:
    ends = equal_count(tested.confidences, BINS)
    bins = reliability(tested.confidences, tested.correct, ends)
    dots = [
        Dot(b.confidence, b.accuracy, _bin_text(b.confidence, b.accuracy, b.n), *b.interval)
        for b in bins
    ]
    chart = scatter_plot(
        dots,
        title="Reliability diagram",
        description=f"Accuracy over mean confidence in {len(bins)} bins; the table has the values.",
        x="confidence",
        y="accuracy",
        ends=(0.0, 1.0),
        percent=True,
    )
    accuracies = [unbroken(proportion(b.accuracy, b.interval, b.n)) for b in bins]
    rows = [(percent(b.confidence), accuracy) for b, accuracy in zip(bins, accuracies, strict=True)]
    return element("div", chart, folded("As a table", table(("confidence", "accuracy"), rows)))


def _risk(tested: TestedImages) -> Html:
    curve = risk_coverage(tested.confidences, tested.correct)
    step = max(1, len(tested) // POINTS)
    coverage, risk = curve.coverage.tolist(), curve.risk.tolist()
    shown = [100 * share for share in coverage[step - 1 :: step]]
    line = Line("risk of the images answered", shown, risk[step - 1 :: step])
    chart = line_chart(
        [line],
        title="Risk-coverage curve",
        x="coverage: % of the images answered, the most confident ones",
        y="risk: error rate",
        percent=True,
        y_range=None if max(risk) else (0.0, 0.1),
    )
    counts = [max(1, round(share * len(tested))) for share in SHARES]
    rows = [
        (f"{100 * share:.0f} %", f"{percent(risk[n - 1])} of {n:,}")
        for share, n in zip(SHARES, counts, strict=True)
    ]
    return element(
        "div", chart, folded("As a table", table(("coverage", "risk (error rate)"), rows))
    )


def _bin_text(confidence: float, accuracy: float, n: int) -> str:
    return f"confidence {percent(confidence)}, accuracy {percent(accuracy)}, n = {n:,}"


def mistakes_section(tested: TestedImages) -> Html:
    """The most confident mistakes."""
    wrong = ranked(tested.confidences, ~tested.correct)
    if not wrong:
        return element("p", "There is none on these images.")
    lead = (
        f"{len(wrong)} of {len(tested)} images, as the network saw them; the most confident first"
    )
    limit = f". The first {SHOWN} are shown, all are in predictions.csv." * (len(wrong) > SHOWN)
    cells = [
        tested.figure(k, f"true {tested.labels[k]}, predicted {_prediction_text(tested, k)}")
        for k in wrong[:SHOWN]
    ]
    return join([element("p", lead + (limit or ".")), image_grid(cells)])


def lowest_confidence_section(tested: TestedImages) -> Html:
    """The images whose class was predicted with the lowest confidence."""
    indices = ranked(-tested.confidences)[:LOWEST]
    cells = [
        tested.figure(
            k,
            f"predicted {_prediction_text(tested, k)}, "
            + ("correct" if tested.correct[k] else f"true {tested.labels[k]}"),
        )
        for k in indices
    ]
    lead = "The least confident predictions. More images like these teach it most."
    return join([element("p", lead), image_grid(cells)])


def _prediction_text(tested: TestedImages, index: int) -> str:
    """The predicted class of one image, and the confidence."""
    return f"{tested.predictions[index]} ({tested.confidence_text(index)})"
