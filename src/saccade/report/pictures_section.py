"""pictures_section: the test pictures from which there is most to learn."""

from __future__ import annotations

from torch import Tensor

from saccade.report.page import Html, element, join, pictures
from saccade.report.tested import Tested

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
