"""The report of a run: one HTML file that opens anywhere and asks nothing of the network."""

from __future__ import annotations

from collections.abc import Iterator

from saccade.data.cache import Pictures
from saccade.files import write_whole
from saccade.report.certainty_section import certainty_section
from saccade.report.classes_section import classes_section
from saccade.report.confusion_section import confusion_section
from saccade.report.curves_section import curves_section
from saccade.report.data_section import data_section
from saccade.report.estimates_section import estimates_section
from saccade.report.layer_section import layer_section
from saccade.report.network_section import network_section
from saccade.report.numbers_section import numbers_section
from saccade.report.page import Section, page
from saccade.report.pictures_section import mistakes_section, unsure_section, worst_section
from saccade.report.settings_section import repeat_section, settings_section
from saccade.report.tested import Tested
from saccade.report.verdict import verdict
from saccade.runs import Run


def write_report(run: Run, test_pictures: Pictures) -> None:
    """Write report.html; `test_pictures` are in the order of predictions.csv."""
    write_whole(run.path / "report.html", run_page(run, test_pictures))


def run_page(run: Run, test_pictures: Pictures) -> str:
    """The report as text."""
    tested = Tested.of(run, test_pictures)
    sections = [
        Section("Result", numbers_section(run)),
        Section("How it learned", curves_section(run)),
        *_answers(run, tested),
        Section("Pictures", data_section(run)),
        *_layers(run),
        Section("Network", network_section(run.bundle)),
        Section("Settings", settings_section(run)),
        Section("How to repeat it", repeat_section(run)),
    ]
    return page(run.path.name, sections, lead=verdict(run), footer="Written by saccade.")


def _answers(run: Run, tested: Tested) -> Iterator[Section]:
    """What there is to say of single answers, by the kind of task."""
    if run.test.task == "regression":
        margin = run.events("calibrated")[-1].get("margin")
        yield Section("Numbers said", estimates_section(tested, margin))
    if run.test.task == "classification":
        yield Section("Confusion", confusion_section(run.test, tested))
    if run.test.per_class:
        of = "Class by class" if run.test.task == "classification" else "Label by label"
        yield Section(of, classes_section(run))
    if run.test.task == "classification":
        yield Section("How sure it is", certainty_section(tested))
        yield Section("Most confident mistakes", mistakes_section(tested))
        yield Section("Least sure", unsure_section(tested))
    else:
        yield Section("Worst answers", worst_section(tested))


def _layers(run: Run) -> Iterator[Section]:
    found = layer_section(run.history)
    if found is not None:
        yield Section("Layers", found)
