"""What a training came to in words, what it learned from, and every setting with its origin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch

from saccade.data.item import Skipped
from saccade.report.page import Html, element, folded, join, table
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.tasks.catalogue import TASKS
from saccade.words import duration


def verdict(run: Run) -> str:
    """The result, the two classes most mixed up, how the network fits, and what it took."""
    seconds = run.events("finished")[-1]["seconds"]
    words = [result(run.test)]
    words += [_fit(fact) for fact in run.events("fit_diagnosis")[-1:]]
    return " ".join([*words, f"Trained in {duration(seconds)}."])


def result(test: Evaluation, where: str = "on images it never saw") -> str:
    """The leading number, and the most frequent mistake where there are classes."""
    leading = test.primary
    words = f"{leading} {leading.name} {where}."
    if leading.unit != "%":
        words = f"{leading.name.capitalize()} {leading} {where}."
    return words if not test.confusion else f"{words} {_mixed_up(test)}"


def calibration(run: Run) -> str:
    """How the answers were calibrated, in words."""
    facts = run.events("calibration")[-1]
    if facts["note"]:
        return f"Answers are as the network gives them: {facts['note']}."
    return TASKS[run.test.task].calibration(facts)


def most_confused(test: Evaluation, count: int = 1) -> list[tuple[int, int, int]]:
    """True class, predicted class and number of the `count` most frequent mistakes."""
    counts = torch.tensor(test.confusion)
    counts.fill_diagonal_(0)
    found = counts.flatten().sort(descending=True, stable=True)
    pairs = zip(found.indices[:count].tolist(), found.values[:count].tolist(), strict=True)
    size = len(counts)
    return [(place // size, place % size, times) for place, times in pairs if times]


def _mixed_up(test: Evaluation) -> str:
    mistakes = test.n - sum(row[k] for k, row in enumerate(test.confusion))
    if not mistakes:
        return "No mistake on these."
    true, taken, count = most_confused(test)[0]
    pair = f"“{test.classes[true]}” taken for “{test.classes[taken]}”"
    if mistakes == 1:
        return f"Its one mistake: {pair}."
    if count == 1:
        return f"Its {mistakes} mistakes are all of different kinds."
    return f"Most often mixed up: {pair}, {count} of {mistakes} mistakes."


def _fit(fact: dict[str, str]) -> str:
    """One word on how it fits; the section on curves has the numbers."""
    said = {
        "fits": "It fits.",
        "overfitted": "It is overfitted: it learned training images by heart.",
        "underfitted": "It is underfitted: it does not do well on its training images either.",
        "both": "It is underfitted and overfitted at once.",
        "cannot tell": "Whether it is over- or underfitted cannot be told from so few images.",
    }
    return said[fact["kind"]]


def settings_section(run: Run) -> Html:
    """Those that something decided first, without defaults and what is of no use; all folded."""
    rows = [
        (name, shown(value), run.origins.get(name, ""))
        for name, value in run.recipe.settings().items()
    ]
    chosen = [row for row in rows if not row[2].startswith(("default", "no use"))]
    head = ("setting", "value", "where it comes from")
    every = folded(f"All {len(rows)} settings", table(head, rows))
    return join([table(head, chosen), every]) if chosen else every


def shown(value: object) -> str:
    """A setting as one cell."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def repeat_section(run: Run) -> Html:
    """The command, the files that go with it, and what it ran on."""
    started = run.started
    words = (
        "The split is in split.csv, the settings are in recipe.toml, what is said of every test "
        "image is in predictions.csv: all beside the report. The same command gives the same "
        "weights on the same machine and versions."
    )
    environment = started["environment"] | {"device": started["fingerprint"]["device"]}
    return join(
        [
            element("pre", started["command"], tabindex="0"),
            element("p", words),
            environment_table(environment),
        ]
    )


def environment_table(found: Mapping[str, str]) -> Html:
    """Versions and hardware, folded."""
    return folded("Environment", table(("environment", "value"), list(found.items())))


SHOWN = 20  # findings
PARTS = ("train", "val", "test")


def data_section(run: Run) -> Html:
    """Notes of the training, unreadable images, and the counts of each class."""
    started = run.started
    notes = [*started["notes"], *(fact["note"] for fact in run.events("extended"))]
    return join([findings(notes, run.unreadable), _counts(run, started["images"])])


def findings(notes: Sequence[str], unreadable: Sequence[Skipped]) -> Html:
    """What was found when images were read, as a list."""
    notes = [*notes, *(f"unreadable: {s.name} ({s.reason})" for s in unreadable)]
    lead = "What was found when the images were read, and what followed from it:"
    parts: list[Html] = [element("p", lead if notes else "Nothing was found wrong.")]
    if notes:
        parts.append(element("ul", *(element("li", note) for note in notes[:SHOWN])))
    if len(notes) > SHOWN:
        more = element("ul", *(element("li", note) for note in notes[SHOWN:]))
        parts.append(folded(f"{len(notes) - SHOWN} more", more))
    return join(parts)


def _counts(run: Run, images: dict[str, dict[str, int]]) -> Html:
    sums = [sum(images[part].values()) for part in PARTS]
    head = ("", "train", "validation", "test")
    if not run.classes:
        return table(("images", *head[1:]), [("all", *sums)])
    carried = {part: carriers(run, images[part]) for part in PARTS}
    rows = [(name, *(carried[part][name] for part in PARTS)) for name in run.classes]
    every = table(("class or label", *head[1:]), [*rows, ("all images", *sums)])
    return folded(f"{sums[0]:,} + {sums[1]:,} + {sums[2]:,} images, class by class", every)


def carriers(run: Run, images: dict[str, int]) -> Counter[str]:
    """How many images carry each class or label, from counts as the log has them."""
    found: Counter[str] = Counter()
    for label, count in images.items():
        found.update(dict.fromkeys(TASKS[run.test.task].classes_in(label), count))
    return found
