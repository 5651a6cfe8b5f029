"""What was measured under corruptions, as a section of a report: corruption by severity."""

from __future__ import annotations

from saccade.augment.corrupt.corruptions import meaning
from saccade.report.page import Html, element, folded, join, sentence, table, unbroken
from saccade.runs.results import Robustness


def robustness_section(robustness: Robustness) -> Html:
    """One number under every corruption and severity, and what each corruption does."""
    head, *lines = robustness.rows()
    unit = f", {robustness.clean.unit}" if robustness.clean.unit else ""
    words = (
        "A line is one change made to every picture, from hardly seen (severity 1) to strong "
        "(5). Each number is of the same pictures, its 95 % interval in brackets. Strengths "
        "are those of Hendrycks 2019, by the size of the pictures; the shifts are our own."
    )
    verdict = element("p", sentence(robustness.verdict()))
    lines = [tuple(map(unbroken, line)) for line in lines]
    numbers = table(head, lines, caption=f"{robustness.clean.name}{unit}")
    meanings = [(name, meaning(name)) for name in robustness.corrupted]
    meant = table(("corruption", "what is done to a picture"), meanings)
    note = element("p", words, class_="note")
    return join([verdict, numbers, note, folded("What each of them does", meant)])
