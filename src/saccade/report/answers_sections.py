"""answers_sections: what there is to say of single answers, by the kind of task."""

from __future__ import annotations

from collections.abc import Iterator

from saccade.report.certainty_section import certainty_section
from saccade.report.classes_section import classes_section
from saccade.report.confusion_section import confusion_section
from saccade.report.estimates_section import estimates_section
from saccade.report.page import Section
from saccade.report.pictures_section import mistakes_section, unsure_section, worst_section
from saccade.report.tested import Tested
from saccade.results import Evaluation
from saccade.runs import Run


def answers_sections(run: Run, test: Evaluation, tested: Tested) -> Iterator[Section]:
    """Those of the pictures in `tested`, of which `test` has the numbers."""
    calibrated = run.events("calibrated")[-1]
    if test.task == "regression":
        yield Section("Numbers said", estimates_section(tested, calibrated.get("margin")))
    if test.task == "classification":
        yield Section("Confusion", confusion_section(test, tested))
    if test.per_class:
        of = "Class by class" if test.task == "classification" else "Label by label"
        yield Section(of, classes_section(test, calibrated.get("thresholds", {})))
    if test.task == "classification":
        level = next((fact["level"] for fact in run.events("novelty")[-1:]), None)
        yield Section("How sure it is", certainty_section(tested, level))
        yield Section("Most confident mistakes", mistakes_section(tested))
        yield Section("Least sure", unsure_section(tested))
    else:
        yield Section("Worst answers", worst_section(tested))
