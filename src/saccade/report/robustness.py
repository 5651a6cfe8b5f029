"""What an evaluation has only where it was asked for: slices, corruptions, a threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from saccade.augmentation.corrupt.corruptions import meaning
from saccade.metrics.ranking import SelectedThreshold
from saccade.report.page import Html, Section, element, folded, join, sentence, table, unbroken
from saccade.runs.results import (
    Evaluation,
    Robustness,
    Slice,
    coverage_text,
    lowest_slice,
    threshold_text,
)


def optional_sections(test: Evaluation) -> Iterator[Section]:
    """Slices, corruptions, and from which confidence on there is an answer."""
    if test.slices:
        yield Section("Slice by slice", _slices(test.slices))
    if test.robustness:
        yield Section("When images are worse", robustness_section(test.robustness))
    if test.selected:
        yield Section("Saying “unknown”", _threshold(test.selected))


def robustness_section(robustness: Robustness) -> Html:
    """One number under every corruption and severity, and what each corruption does."""
    head, *lines = robustness.rows()
    unit = f", {robustness.clean.unit}" if robustness.clean.unit else ""
    words = (
        "A line is one change made to every image, from hardly seen (severity 1) to strong "
        "(5). Each number is of the same images, its 95 % interval in brackets. Strengths "
        "are those of Hendrycks 2019, by the size of the images; the shifts are our own."
    )
    verdict = element("p", sentence(robustness.verdict()))
    lines = [tuple(map(unbroken, line)) for line in lines]
    numbers = table(head, lines, caption=f"{robustness.clean.name}{unit}")
    meanings = [(name, meaning(name)) for name in robustness.corrupted]
    meant = table(("corruption", "what is done to an image"), meanings)
    note = element("p", words, class_="note")
    return join([verdict, numbers, note, folded("What each of them does", meant)])


def _slices(slices: Sequence[Slice]) -> Html:
    """A row a slice, and which is the lowest."""
    head = ("slice", "images", f"{slices[0].metric.name}, 95 % interval")
    rows = [(one.name, one.metric.n, unbroken(one.metric)) for one in slices]
    words = lowest_slice(slices)
    return join([table(head, rows), element("p", sentence(words)) if words else ""])


def _threshold(selected: SelectedThreshold) -> Html:
    """What the threshold does where it was chosen, and on the images measured."""
    lead = element("p", sentence(threshold_text(selected)))
    rows = [
        ("validation, on which it was chosen", coverage_text(selected.on_validation)),
        ("these images", coverage_text(selected.on_these)),
    ]
    note = "Believe the second line: on the first the threshold was chosen to look so."
    found = table(("images", "what the threshold does"), rows)
    return join([lead, found, element("p", note, class_="note")])
