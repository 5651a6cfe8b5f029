"""data_section: what a training learned from, and what was found about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from saccade.data.source import Skipped
from saccade.data.split import SEVERAL
from saccade.report.page import Html, element, folded, join, table
from saccade.runs import Run

SHOWN = 20  # findings
PARTS = ("train", "val", "test")


def data_section(run: Run) -> Html:
    """Notes of the training, unreadable pictures, and the counts of each class."""
    started = run.started
    notes = [*started["notes"], *(fact["note"] for fact in run.events("extended"))]
    return join([findings(notes, run.reported), _counts(run, started["pictures"])])


def findings(notes: Sequence[str], unreadable: Sequence[Skipped]) -> Html:
    """What was found when pictures were read, as a list."""
    notes = [*notes, *(f"unreadable: {s.name} ({s.reason})" for s in unreadable)]
    lead = "What was found when the pictures were read, and what followed from it:"
    parts: list[Html] = [element("p", lead if notes else "Nothing was found wrong.")]
    if notes:
        parts.append(element("ul", *(element("li", note) for note in notes[:SHOWN])))
    if len(notes) > SHOWN:
        more = element("ul", *(element("li", note) for note in notes[SHOWN:]))
        parts.append(folded(f"{len(notes) - SHOWN} more", more))
    return join(parts)


def _counts(run: Run, pictures: dict[str, dict[str, int]]) -> Html:
    sums = [sum(pictures[part].values()) for part in PARTS]
    head = ("", "train", "validation", "test")
    if not run.classes:
        return table(("pictures", *head[1:]), [("all", *sums)])
    carried = {part: carriers(run, pictures[part]) for part in PARTS}
    rows = [(name, *(carried[part][name] for part in PARTS)) for name in run.classes]
    every = table(("class or label", *head[1:]), [*rows, ("all pictures", *sums)])
    return folded(f"{sums[0]:,} + {sums[1]:,} + {sums[2]:,} pictures, class by class", every)


def carriers(run: Run, pictures: dict[str, int]) -> Counter[str]:
    """How many pictures carry each class or label, from counts as the log has them."""
    found: Counter[str] = Counter()
    for label, count in pictures.items():
        several = label.split(SEVERAL) if run.test.task == "labelling" else [label]
        found.update(dict.fromkeys(several, count))
    return found
