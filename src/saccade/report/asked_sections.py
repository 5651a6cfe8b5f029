"""asked_sections: what an evaluation has only where it was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from saccade.metrics.selective import Selected
from saccade.report.page import Html, Section, element, join, sentence, table, unbroken
from saccade.results import Evaluation, Slice, answered, lowest, threshold


def asked_sections(test: Evaluation) -> Iterator[Section]:
    """Slices, corruptions, and from which confidence on there is an answer."""
    if test.slices:
        yield Section("Slice by slice", _slices(test.slices))
    if test.robustness:
        yield Section("When pictures are worse", test.robustness.section())
    if test.selected:
        yield Section("Saying “unknown”", _threshold(test.selected))


def _slices(slices: Sequence[Slice]) -> Html:
    """A row a slice, and which is the lowest."""
    head = ("slice", "pictures", f"{slices[0].number.name}, 95 % interval")
    rows = [(one.name, one.number.n, unbroken(one.number)) for one in slices]
    words = lowest(slices)
    return join([table(head, rows), element("p", sentence(words)) if words else ""])


def _threshold(selected: Selected) -> Html:
    """What the threshold does where it was chosen, and on the pictures measured."""
    lead = element("p", sentence(threshold(selected)))
    rows = [
        ("validation, on which it was chosen", answered(selected.chosen)),
        ("these pictures", answered(selected.held)),
    ]
    note = "Believe the second line: on the first the threshold was chosen to look so."
    found = table(("pictures", "what the threshold does"), rows)
    return join([lead, found, element("p", note, class_="note")])
