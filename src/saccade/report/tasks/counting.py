"""Counting in a report: what was counted over what is there, and the worst answers."""

from __future__ import annotations

from collections.abc import Iterator

from saccade.report.answer_sections import numbers_chart, numbers_of, worst_section
from saccade.report.images import TestedImages
from saccade.report.page import Html, Section, element, join
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.tasks.counting import bounds


def sections(run: Run, test: Evaluation, tested: TestedImages) -> Iterator[Section]:
    """A chart of all counts, then the images with the highest loss."""
    margin = run.events("calibration")[-1].get("root_margin")
    yield Section("Counts", join([numbers_chart(tested), _covered(tested, margin)]))
    yield Section("Worst answers", worst_section(tested))


def _covered(tested: TestedImages, root_margin: float | None) -> Html | str:
    """How many lie within the bounds in which nine in ten were promised."""
    if root_margin is None:
        return ""
    true, predicted = numbers_of(tested)
    ends = [bounds(value, root_margin) for value in predicted]
    within = sum(low <= count <= high for count, (low, high) in zip(true, ends, strict=True))
    words = f"{within} of {len(true)} lie within the bounds that were set on validation."
    return element("p", f"{words} Nine in ten were promised.")
