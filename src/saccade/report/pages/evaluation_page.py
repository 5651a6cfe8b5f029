"""The report of an evaluation: a trained network on other images, in one HTML file.

What only the run of the network knows is left out where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from saccade.auto.trained import Trained
from saccade.data.sources.data_spec import title_of
from saccade.device import environment
from saccade.metrics.intervals import difference
from saccade.models.table import shown_name
from saccade.report.images import TestedImages
from saccade.report.page import Html, Section, element, join, page, sentence, table
from saccade.report.pages.run_page import metrics_section
from saccade.report.robustness import optional_sections
from saccade.report.summary import calibration, environment_table, findings, result
from saccade.report.tasks.catalogue import answers_sections
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.tasks.catalogue import TASKS

SPLITS = {"train": "training", "val": "validation", "test": "test"}
OWN = {  # the images of the run itself, by their split
    "train": "on the images that it learned from",
    "val": "on its validation images, by which it was calibrated",
    "test": "on its test images",
}


@dataclass(frozen=True)
class EvaluatedData:
    """The images that a run was evaluated on, and the command that repeats it."""

    data: str | None  # None: those of the run itself
    command: str


def evaluation_page(
    network: Trained, test: Evaluation, tested: TestedImages, evaluated: EvaluatedData
) -> str:
    """The report as text; `tested` is in the order in which the images were measured."""
    run, bundle = network.run, network.bundle
    counts, calibrated = _image_counts(run, test, evaluated), calibration(run) if run else ""
    sections = [
        Section("Result", metrics_section(bundle, test, counts, calibrated)),
        *optional_sections(test),
        *answers_sections(bundle, test, tested),
        Section("Images", findings(test.notes, test.unreadable)),
        Section("What was measured", _measured_table(network, test, evaluated)),
        Section("How to repeat it", _repeat(evaluated)),
    ]
    source = (
        f"its {SPLITS[test.split]} images" if evaluated.data is None else title_of(evaluated.data)
    )
    title = f"{network.title} on {source}"
    return page(title, sections, lead=_verdict(run, test, evaluated), footer="Written by saccade.")


def _verdict(run: Run | None, test: Evaluation, evaluated: EvaluatedData) -> str:
    """The result, its caveats, how it compares with the run's own test, the worst corruption."""
    where = OWN[test.split] if evaluated.data is None else f"on {title_of(evaluated.data)}"
    sentences = [
        result(test, where),
        *map(sentence, test.notes),
        *(_against_own_test(run, test, evaluated) if run else ()),
    ]
    if test.robustness and test.robustness.corrupted:
        sentences += [sentence(told)] if (told := test.robustness.hardest()) else []
    return " ".join(sentences)


def _against_own_test(run: Run, test: Evaluation, evaluated: EvaluatedData) -> list[str]:
    """The primary metric beside that of the run's own test, and whether they differ by chance."""
    own = {number.name: number for number in run.test.metrics}.get(test.primary.name)
    if own is None or (evaluated.data is None and test.split == "test"):
        return []
    text = f"On the run's own test images it is {own}"
    if own.interval is None or test.primary.interval is None:
        return [f"{text}."]
    gap = difference(test.primary.value, test.primary.interval, own.value, own.interval)
    verdict = "is more than chance explains" if gap.low > 0 or gap.high < 0 else "may be chance"
    return [f"{text}; the difference {verdict}."]


def _image_counts(run: Run | None, test: Evaluation, evaluated: EvaluatedData) -> dict[str, object]:
    """How many images it was evaluated on, and trained on where that is known."""
    source = "of the run's own" if evaluated.data is None else f"of {title_of(evaluated.data)}"
    counts: dict[str, object] = {"images": (f"{test.n:,}", source)}
    if run:
        trained_on = sum(run.started["images"]["train"].values())
        counts["trained on"] = (f"{trained_on:,}", "images")
    return counts


def _measured_table(network: Trained, test: Evaluation, evaluated: EvaluatedData) -> Html:
    """Network, images and classes."""
    bundle = network.bundle
    source = (
        f"the {SPLITS[test.split]} images of the run itself"
        if evaluated.data is None
        else evaluated.data
    )
    unreadable = f", {len(test.unreadable):,} more could not be read" if test.unreadable else ""
    rows = [
        ("run" if network.run else "bundle", network.name),
        ("network", f"{shown_name(bundle.architecture)}, {bundle.preprocessing.size} pixels"),
        ("images", source),
        ("measured", f"{test.n:,}{unreadable}"),
    ]
    if test.per_class:
        present = sum(row.support > 0 for row in test.per_class)
        answers = TASKS[test.task].card.answers
        rows.append(
            (answers, f"{present} of {len(test.per_class)} have images here, matched by name")
        )
    return table(("what", "which"), rows)


def _repeat(evaluated: EvaluatedData) -> Html:
    note = (
        "The prediction for every image is in predictions.csv, all metrics are in evaluation.json: "
        "both beside the report."
    )
    command = element("pre", evaluated.command, tabindex="0")
    return join([command, element("p", note), environment_table(environment())])
