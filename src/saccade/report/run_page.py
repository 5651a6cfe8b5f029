"""The report of a run: one HTML file that opens anywhere and asks nothing of the network."""

from __future__ import annotations

from collections.abc import Iterator

from saccade.data.cache import Pictures
from saccade.files import write_whole
from saccade.report.answers_sections import answers_sections
from saccade.report.curves_section import curves_section
from saccade.report.data_section import data_section
from saccade.report.layer_section import layer_section
from saccade.report.network_section import network_section
from saccade.report.numbers_section import numbers_section
from saccade.report.page import Section, page
from saccade.report.settings_section import repeat_section, settings_section
from saccade.report.tested import Tested
from saccade.report.verdict import duration, verdict
from saccade.runs import Run


def write_report(run: Run, test_pictures: Pictures) -> None:
    """Write report.html; `test_pictures` are in the order of predictions.csv."""
    write_whole(run.path / "report.html", run_page(run, test_pictures))


def run_page(run: Run, test_pictures: Pictures) -> str:
    """The report as text."""
    tested = Tested.read(run.path / "predictions.csv", test_pictures)
    sections = [
        Section("Result", numbers_section(run, run.test, _training(run))),
        Section("How it learned", curves_section(run)),
        *answers_sections(run, run.test, tested),
        Section("Pictures", data_section(run)),
        *_layers(run),
        Section("Network", network_section(run.bundle)),
        Section("Settings", settings_section(run)),
        Section("How to repeat it", repeat_section(run)),
    ]
    return page(run.path.name, sections, lead=verdict(run), footer="Written by saccade.")


def _training(run: Run) -> dict[str, object]:
    """What it learned from, and how long."""
    epochs = f"{len(run.history)} epochs" if run.history else "fitted in one go"
    return {
        "pictures": (f"{sum(run.started['pictures']['train'].values()):,}", "to train on"),
        "took": (duration(run.events("finished")[-1]["seconds"]), epochs),
    }


def _layers(run: Run) -> Iterator[Section]:
    found = layer_section(run.history)
    if found is not None:
        yield Section("Layers", found)
