"""The report sections of each task, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from saccade.report.images import TestedImages
from saccade.report.page import Section
from saccade.report.tasks import classification, counting, multilabel, regression
from saccade.runs.bundle import Bundle
from saccade.runs.results import Evaluation

Sections = Callable[[Bundle, Evaluation, TestedImages], Iterator[Section]]

SECTIONS: dict[str, Sections] = {
    "classification": classification.sections,
    "multilabel": multilabel.sections,
    "regression": regression.sections,
    "counting": counting.sections,
}


def answers_sections(bundle: Bundle, test: Evaluation, tested: TestedImages) -> Iterator[Section]:
    """The sections on the predictions in `tested`, of which `test` has the metrics."""
    return SECTIONS[test.task](bundle, test, tested)
