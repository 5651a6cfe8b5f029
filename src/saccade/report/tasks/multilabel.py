"""Multilabel in a report: metrics by label with thresholds, and the highest losses."""

from __future__ import annotations

from collections.abc import Iterator

from saccade.report.answer_sections import classes_section, highest_loss_section
from saccade.report.images import TestedImages
from saccade.report.page import Section
from saccade.runs.bundle import Bundle
from saccade.runs.results import Evaluation


def sections(bundle: Bundle, test: Evaluation, tested: TestedImages) -> Iterator[Section]:
    """Metrics by label, then the images with the highest loss."""
    thresholds = dict(zip(bundle.classes, bundle.task.config()["thresholds"]))
    if test.per_class:
        yield Section("Metrics by label", classes_section(test, thresholds))
    yield Section("Highest loss", highest_loss_section(tested))
