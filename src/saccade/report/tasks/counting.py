"""Counting in a report: predicted over true counts, and the images with the highest loss."""

from __future__ import annotations

from collections.abc import Iterator

from saccade.report.answer_sections import (
    highest_loss_section,
    predicted_true_chart,
    true_and_predicted,
)
from saccade.report.images import TestedImages
from saccade.report.page import Html, Section, element, join
from saccade.runs.bundle import Bundle
from saccade.runs.results import Evaluation
from saccade.tasks.counting import bounds


def sections(bundle: Bundle, test: Evaluation, tested: TestedImages) -> Iterator[Section]:
    """Predicted over true counts with the coverage of the bounds, then the highest losses."""
    margin = bundle.task.config().get("root_margin")
    yield Section(
        "Predicted vs. true counts", join([predicted_true_chart(tested), _coverage(tested, margin)])
    )
    yield Section("Highest loss", highest_loss_section(tested))


def _coverage(tested: TestedImages, root_margin: float | None) -> Html | str:
    """How many counts lie within the bounds, in which nine in ten were promised."""
    if root_margin is None:
        return ""
    true, predicted = true_and_predicted(tested)
    ends = [bounds(value, root_margin) for value in predicted]
    within = sum(low <= count <= high for count, (low, high) in zip(true, ends, strict=True))
    text = f"{within} of {len(true)} lie within the bounds that were set on validation."
    return element("p", f"{text} Nine in ten were promised.")
