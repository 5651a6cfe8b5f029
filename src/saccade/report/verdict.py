"""verdict: what a training came to, in words."""

from __future__ import annotations

import torch

from saccade.results import Evaluation
from saccade.runs import Run


def verdict(run: Run) -> str:
    """The result, the two classes most mixed up, how the network fits, and what it took."""
    seconds = run.events("finished")[-1]["seconds"]
    words = [result(run.test)]
    words += [_fit(fact) for fact in run.events("judgement")[-1:]]
    return " ".join([*words, f"Trained in {duration(seconds)}."])


def result(test: Evaluation, where: str = "on pictures it never saw") -> str:
    """The leading number, and the most frequent mistake where there are classes."""
    words = f"{test.leading} {test.leading.name} {where}."
    if test.task == "regression":
        words = f"{test.leading.name.capitalize()} {test.leading} {where}."
    return words if not test.confusion else f"{words} {_mixed_up(test)}"


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
        "overfitted": "It is overfitted: it learned training pictures by heart.",
        "underfitted": "It is underfitted: it does not do well on its training pictures either.",
        "both": "It is underfitted and overfitted at once.",
        "cannot tell": "Whether it is over- or underfitted cannot be told from so few pictures.",
    }
    return said[fact["kind"]]


def duration(seconds: float) -> str:
    """41 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
