"""Sections about results: what was asked for, single answers, images to learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from saccade.metrics.ranking import Selected
from saccade.report.charts import short, ticks
from saccade.report.class_sections import certainty_section, classes_section, confusion_section
from saccade.report.figures import Dot, dot_chart
from saccade.report.page import Html, Section, element, join, pictures, sentence, table, unbroken
from saccade.report.pictures import Tested
from saccade.report.robustness import robustness_section
from saccade.runs.results import Evaluation, Slice, answered, lowest, threshold
from saccade.runs.run import Run


def asked_sections(test: Evaluation) -> Iterator[Section]:
    """Slices, corruptions, and from which confidence on there is an answer."""
    if test.slices:
        yield Section("Slice by slice", _slices(test.slices))
    if test.robustness:
        yield Section("When pictures are worse", robustness_section(test.robustness))
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


DOTS = 400


def estimates_section(tested: Tested, margin: float | None) -> Html:
    """A dot a picture; `margin` is how near nine in ten are said to be."""
    true, said = ([float(cell) for cell in cells] for cells in (tested.labels, tested.answers))
    within = ticks(min(*true, *said), max(*true, *said))
    places = range(len(true))[:: -(-len(true) // DOTS)]
    dots = [
        Dot(true[k], said[k], f"{tested.names[k]}: is {true[k]:g}, said {said[k]:g}")
        for k in places
    ]
    ends = f"from {short(min(true))} to {short(max(true))}"
    chart = dot_chart(
        dots,
        title="Said, over what it is",
        words=f"{len(dots)} pictures, true numbers {ends}; the numbers above say how near.",
        x="what it is",
        y="what was said",
        ends=(within[0], within[-1]),
    )
    parts = [chart]
    if margin is not None:
        near = sum(abs(a - b) <= margin for a, b in zip(true, said, strict=True))
        words = f"{near} of {len(true)} lie within the ± {margin:,.4g} that were set on validation."
        parts.append(element("p", f"{words} Nine in ten were promised."))
    if len(dots) < len(true):
        parts.append(element("p", f"{len(dots)} of {len(true)} are drawn.", class_="note"))
    return join(parts)


# pictures_section: the test pictures from which there is most to learn.


WRONG, UNSURE = 24, 12  # pictures


def mistakes_section(tested: Tested) -> Html:
    """Of a classification: the most confident mistakes."""
    wrong = _ranked(tested.confidences, ~tested.right)
    if not wrong:
        return element("p", "There is none on these pictures.")
    lead = f"{len(wrong)} of {len(tested)} pictures, as the network saw them; the surest first"
    cut = f". The {WRONG} surest are shown, all are in predictions.csv." * (len(wrong) > WRONG)
    cells = [
        tested.figure(k, f"{tested.labels[k]}, taken for {tested.answers[k]} ({tested.sure(k)})")
        for k in wrong[:WRONG]
    ]
    return join([element("p", lead + (cut or ".")), pictures(cells)])


def unsure_section(tested: Tested) -> Html:
    """Of a classification: the pictures whose class was named with the least confidence."""
    places = _ranked(-tested.confidences)[:UNSURE]
    cells = [
        tested.figure(
            k,
            f"{tested.answers[k]} ({tested.sure(k)}), "
            + ("rightly" if tested.right[k] else f"is {tested.labels[k]}"),
        )
        for k in places
    ]
    lead = "Here it hesitated most. More pictures like these teach it most."
    return join([element("p", lead), pictures(cells)])


def worst_section(tested: Tested) -> Html:
    """Of labels or numbers: the pictures with the highest loss."""
    places = _ranked(tested.losses)[:WRONG]
    cells = [
        tested.figure(k, f"is {_named(tested.labels[k])}; said {_named(tested.answers[k])}")
        for k in places
    ]
    lead = "Where the answer was furthest from the truth, as the network saw them; worst first."
    return join([element("p", lead), pictures(cells)])


def _ranked(values: Tensor, among: Tensor | None = None) -> list[int]:
    """Places in falling order, those of `among` only."""
    order = values.argsort(descending=True, stable=True).tolist()
    return order if among is None else [k for k in order if among[k]]


def _named(answer: str) -> str:
    """Labels, or a number, as a person would write them."""
    try:
        return f"{float(answer):,.4g}"
    except ValueError:
        return answer.replace("|", ", ") or "no label"


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
