"""Sections that an evaluation has on request: slices, corruptions, a confidence threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from saccade.augmentation.corrupt.corruptions import meaning
from saccade.metrics.selective import MeasuredSets, SelectedThreshold
from saccade.report.page import Html, Section, element, folded, join, sentence, table, unbroken
from saccade.runs.results import (
    Evaluation,
    Robustness,
    Slice,
    lowest_slice,
)


def optional_sections(test: Evaluation) -> Iterator[Section]:
    """Metrics by slice, robustness to corruptions, selective prediction."""
    if test.slices:
        yield Section("Metrics by slice", _slices(test.slices))
    if test.robustness:
        yield Section("Robustness to corruptions", robustness_section(test.robustness))
    if test.selected:
        yield Section("Selective prediction (confidence threshold)", _threshold(test.selected))
    if test.sets:
        yield Section("Prediction sets", _sets(test.sets))


def robustness_section(robustness: Robustness) -> Html:
    """The primary metric under every corruption and severity, and what each corruption does."""
    head, *lines = robustness.rows()
    unit = f", {robustness.clean.unit}" if robustness.clean.unit else ""
    text = (
        "A line is one change made to every image, from hardly seen (severity 1) to strong "
        "(5). Each value is of the same images, its 95 % interval in brackets. Strengths "
        "are those of Hendrycks 2019, by the size of the images; the shifts are our own."
    )
    verdict = element("p", sentence(robustness.verdict()))
    lines = [tuple(map(unbroken, line)) for line in lines]
    scores = table(head, lines, caption=f"{robustness.clean.name}{unit}")
    meanings = [(name, meaning(name)) for name in robustness.corrupted]
    explained = table(("corruption", "what is done to an image"), meanings)
    note = element("p", text, class_="note")
    return join([verdict, scores, note, folded("What each of them does", explained)])


def _slices(slices: Sequence[Slice]) -> Html:
    """A row a slice, and which is the lowest."""
    head = ("slice", "images", f"{slices[0].metric.name}, 95 % interval")
    rows = [(one.name, one.metric.n, unbroken(one.metric)) for one in slices]
    words = lowest_slice(slices)
    return join([table(head, rows), element("p", sentence(words)) if words else ""])


def _threshold(selected: SelectedThreshold) -> Html:
    """What the threshold does where it was chosen, and on the images measured."""
    lead = element("p", sentence(selected.summary))
    rows = [
        ("validation, on which it was chosen", str(selected.on_validation)),
        ("these images", str(selected.on_these)),
    ]
    return join([lead, table(("images", "coverage and precision"), rows)])


def _sets(measured: MeasuredSets) -> Html:
    """How often the sets hold the class on these images, and how large they are."""
    lead = element("p", sentence(measured.summary))
    values = (measured.held, measured.size, measured.single)
    rows = [(value.name, str(value)) for value in values]
    note = (
        f"From {measured.n_validation:,} validation images (split conformal prediction): on "
        "average over such draws the share holds for images like these, whatever the network."
    )
    effects = table(("on these images", "value, 95 % interval"), rows)
    return join([lead, effects, element("p", note, class_="note")])
