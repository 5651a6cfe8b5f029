"""numbers_section: the result at a glance, and every number with its interval."""

from __future__ import annotations

from collections.abc import Mapping

from saccade.metrics.measured import Number
from saccade.report.page import Html, element, facts, folded, join, table, unbroken
from saccade.results import BRIEF, Evaluation
from saccade.runs import Run

HEAD = ("number", "value, 95 % interval", "without looking", "interval by")


def numbers_section(run: Run, test: Evaluation, about: Mapping[str, object]) -> Html:
    """The first numbers of `test` and `about` large, all folded, and how they are to be read."""
    shown = {
        **{number.name: _split_words(number) for number in test.numbers[:BRIEF]},
        "network": (run.recipe.model.name, f"{run.recipe.data.size} pixels"),
        **about,
    }
    words = (
        "An interval says how far the number may lie from that on all pictures like these, in 95 "
        "of 100 cases. It covers the chance by which these were the ones to be tested, not "
        "pictures of another kind. “Without looking” is what one gets who never sees a picture."
    )
    every = folded(f"All {len(test.numbers)} numbers", all_numbers(test))
    parts = [facts(shown), element("p", words, class_="note"), every]
    return join([*parts, element("p", calibration(run), class_="note")])


def all_numbers(test: Evaluation) -> Html:
    """A row a number."""
    rows = [
        (n.name, unbroken(n), n.against().removesuffix(" without looking"), n.method)
        for n in test.numbers
    ]
    return table(HEAD, rows)


def calibration(run: Run) -> str:
    """How the answers were calibrated, in words."""
    fact = run.events("calibrated")[-1]
    if "temperature" in fact and not fact["note"]:
        temperature = f"temperature {fact['temperature']:.2f}, from validation"
        return f"Probabilities are calibrated: {temperature}."
    if "thresholds" in fact:
        return "From which probability on a label is given was chosen on validation, by F1."
    if "margin" in fact:
        return f"Nine in ten of the validation pictures lie within ± {fact['margin']:,.4g}."
    return f"Answers are as the network gives them: {fact['note']}."


def _split_words(number: Number) -> tuple[str, str]:
    """The number, and its interval with what one gets without looking."""
    value, _, rest = str(number).partition(" (")
    against = f"; {number.against()}" if number.against() else ""
    return value, (rest.rstrip(")") + against).replace("n = ", "n\u00a0=\u00a0")
