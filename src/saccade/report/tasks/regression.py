"""Regression in a report: what was predicted over what is true, and the worst answers."""

from __future__ import annotations

from collections.abc import Iterator

from saccade.report.answer_sections import numbers_chart, numbers_of, worst_section
from saccade.report.images import TestedImages
from saccade.report.page import Html, Section, element, join
from saccade.runs.results import Evaluation
from saccade.runs.run import Run


def sections(run: Run, test: Evaluation, tested: TestedImages) -> Iterator[Section]:
    """A chart of all numbers, then the images with the highest loss."""
    margin = run.events("calibration")[-1].get("margin")
    yield Section("Numbers said", join([numbers_chart(tested), _covered(tested, margin)]))
    yield Section("Worst answers", worst_section(tested))


def _covered(tested: TestedImages, margin: float | None) -> Html | str:
    """How many lie as near as nine in ten were promised to."""
    if margin is None:
        return ""
    true, predicted = numbers_of(tested)
    near = sum(abs(a - b) <= margin for a, b in zip(true, predicted, strict=True))
    words = f"{near} of {len(true)} lie within the ± {margin:,.4g} that were set on validation."
    return element("p", f"{words} Nine in ten were promised.")
