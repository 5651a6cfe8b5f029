"""The report of an evaluation: a trained network on other images, in one HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from saccade.device import environment
from saccade.metrics.intervals import difference
from saccade.report.images import TestedImages
from saccade.report.page import Html, Section, element, join, page, sentence, table
from saccade.report.pages.run_page import numbers_section
from saccade.report.robustness import optional_sections
from saccade.report.summary import environment_table, findings, result
from saccade.report.tasks.catalogue import answers_sections
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.tasks.catalogue import TASKS

SPLITS = {"train": "training", "val": "validation", "test": "test"}
OWN = {  # the images of the run itself, by their split
    "train": "on the images that it learned from",
    "val": "on its validation images, by which it was calibrated",
    "test": "on its test images, which it never saw",
}


@dataclass(frozen=True)
class EvaluatedData:
    """Whose images a run was measured on, and the command that does it again."""

    data: str | None  # None: those of the run itself
    command: str


def evaluation_page(run: Run, test: Evaluation, tested: TestedImages, asked: EvaluatedData) -> str:
    """The report as text; `tested` is in the order in which the images were measured."""
    sections = [
        Section("Result", numbers_section(run, test, _beside(run, test, asked))),
        *optional_sections(test),
        *answers_sections(run, test, tested),
        Section("Images", findings(test.notes, test.unreadable)),
        Section("What was measured", _what(run, test, asked)),
        Section("How to repeat it", _repeat(asked)),
    ]
    place = f"its {SPLITS[test.split]} images" if asked.data is None else Path(asked.data).name
    title = f"{run.path.name} on {place}"
    return page(title, sections, lead=_verdict(run, test, asked), footer="Written by saccade.")


def _verdict(run: Run, test: Evaluation, asked: EvaluatedData) -> str:
    """The result, what stands against it, whether it is that of the own test; what is hardest."""
    where = OWN[test.split] if asked.data is None else f"on {Path(asked.data).name}"
    words = [result(test, where), *map(sentence, test.notes), *_compared(run, test, asked)]
    if test.robustness and test.robustness.corrupted:
        words.append(f"Of the corruptions {test.robustness.worst()} is the hardest.")
    return " ".join(words)


def _compared(run: Run, test: Evaluation, asked: EvaluatedData) -> list[str]:
    """The leading number beside that of the run's own test, and if they differ beyond chance."""
    own = {number.name: number for number in run.test.metrics}.get(test.primary.name)
    if own is None or (asked.data is None and test.split == "test"):
        return []
    words = f"On the run's own test images it is {own}"
    if own.interval is None or test.primary.interval is None:
        return [f"{words}."]
    gap = difference(test.primary.value, test.primary.interval, own.value, own.interval)
    apart = "is more than chance explains" if gap.low > 0 or gap.high < 0 else "may be chance"
    return [f"{words}; the difference {apart}."]


def _beside(run: Run, test: Evaluation, asked: EvaluatedData) -> dict[str, object]:
    """What stands beside the numbers."""
    mine = "of the run's own" if asked.data is None else f"of {Path(asked.data).name}"
    learned = sum(run.started["images"]["train"].values())
    return {
        "images": (f"{test.n:,}", mine),
        "trained on": (f"{learned:,}", "images"),
    }


def _what(run: Run, test: Evaluation, asked: EvaluatedData) -> Html:
    """Network, images and classes."""
    where = (
        f"the {SPLITS[test.split]} images of the run itself" if asked.data is None else asked.data
    )
    unread = f", {len(test.unreadable):,} more could not be read" if test.unreadable else ""
    rows = [
        ("run", str(run.path)),
        ("network", f"{run.recipe.model.name}, {run.recipe.data.size} pixels"),
        ("images", where),
        ("measured", f"{test.n:,}{unread}"),
    ]
    if test.per_class:
        there = sum(row.support > 0 for row in test.per_class)
        of = TASKS[test.task].card.answers
        rows.append((of, f"{there} of {len(test.per_class)} have images here, matched by name"))
    return table(("what", "which"), rows)


def _repeat(asked: EvaluatedData) -> Html:
    words = (
        "What is said of every image is in predictions.csv, all numbers are in evaluation.json: "
        "both beside the report."
    )
    command = element("pre", asked.command, tabindex="0")
    return join([command, element("p", words), environment_table(environment())])
