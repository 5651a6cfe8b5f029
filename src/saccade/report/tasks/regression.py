"""Regression in a report: predicted over true values, and the highest losses."""

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


def sections(bundle: Bundle, test: Evaluation, tested: TestedImages) -> Iterator[Section]:
    """Predicted over true values with the coverage of the margin, then the highest losses."""
    margin = bundle.task.config().get("margin")
    yield Section(
        "Predicted vs. true values", join([predicted_true_chart(tested), _coverage(tested, margin)])
    )
    yield Section("Highest loss", highest_loss_section(tested))


def _coverage(tested: TestedImages, margin: float | None) -> Html | str:
    """How many errors lie within the margin, in which nine in ten were promised."""
    if margin is None:
        return ""
    true, predicted = true_and_predicted(tested)
    within = sum(abs(a - b) <= margin for a, b in zip(true, predicted, strict=True))
    text = f"{within} of {len(true)} lie within the ± {margin:,.4g} that were set on validation."
    return element("p", f"{text} Nine in ten were promised.")
