"""certainty_section: whether probabilities hold, and what is gained by saying "unknown"."""

from __future__ import annotations

from saccade.metrics.reliability import equal_count, reliability
from saccade.metrics.selective import risk_coverage
from saccade.report.charts import Line, line_chart
from saccade.report.dots import Dot, dot_chart
from saccade.report.novelty_words import novelty_words
from saccade.report.page import Html, columns, element, folded, join, table, unbroken
from saccade.report.tested import Tested
from saccade.results import percent, proportion

BINS = 10
POINTS = 100  # of the risk-coverage curve
SHARES = (1.0, 0.9, 0.8, 0.5)  # of the pictures answered

NOTE = (
    "Each dot is a tenth of the pictures, those about equally sure: how sure the network said it "
    "was, and how many of them are right, with a 95 % interval. Above the line it is right more "
    "often than it says, below it less often."
)


def certainty_section(tested: Tested, level: float | None = None) -> Html:
    """Reliability diagram and risk-coverage curve, each with its numbers; who is novel beyond
    `level`.
    """
    parts = [element("p", NOTE, class_="note"), columns(_reliability(tested), _risk(tested))]
    if tested.novelty is not None and level is not None:
        parts.append(element("p", novelty_words(tested.novelty, level), class_="note"))
    return join(parts)


def _reliability(tested: Tested) -> Html:
    ends = equal_count(tested.confidences, BINS)
    bins = reliability(tested.confidences, tested.right, ends)
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


def _risk(tested: Tested) -> Html:
    curve = risk_coverage(tested.confidences, tested.right)
    step = max(1, len(tested) // POINTS)
    coverage, risk = curve.coverage.tolist(), curve.risk.tolist()
    line = Line("wrong of those answered", coverage[step - 1 :: step], risk[step - 1 :: step])
    chart = line_chart(
        [line],
        title="Wrong, when only the surest are answered",
        x="share of the pictures answered",
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
