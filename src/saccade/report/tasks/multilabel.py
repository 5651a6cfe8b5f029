"""Multilabel in a report: label by label with the thresholds, and the worst answers."""

from __future__ import annotations

from collections.abc import Iterator

from saccade.report.answer_sections import classes_section, worst_section
from saccade.report.images import TestedImages
from saccade.report.page import Section
from saccade.runs.results import Evaluation
from saccade.runs.run import Run


def sections(run: Run, test: Evaluation, tested: TestedImages) -> Iterator[Section]:
    """A row a label, then the images with the highest loss."""
    thresholds = run.events("calibration")[-1]["thresholds"]
    if test.per_class:
        yield Section("Label by label", classes_section(test, thresholds))
    yield Section("Worst answers", worst_section(tested))
