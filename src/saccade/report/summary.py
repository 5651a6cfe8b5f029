"""The verdict of a run in words, and the sections on its data, settings and environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from saccade.data.item import Skipped
from saccade.metrics.intervals import proportion_interval
from saccade.report.page import Html, element, folded, join, table
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.tasks.catalogue import TASKS
from saccade.words import duration, pluralize, proportion


def verdict(run: Run) -> str:
    """The result with the most frequent mistake, the fit diagnosis, and the training time."""
    seconds = run.events("finished")[-1]["seconds"]
    sentences = [result(run.test)]
    if leaks(run):
        sentences.append("Images of test are like those of training, as below: it may be too good.")
    sentences += [_fit(fact) for fact in run.events("fit_diagnosis")[-1:]]
    return " ".join([*sentences, f"It took {duration(seconds)}."])


def leaks(run: Run) -> list[str]:
    """The notes of a training that tell that test images are not independent of training."""
    signs = ("in another split", " in both ", "as in a series")
    return [note for note in run.started["notes"] if any(sign in note for sign in signs)]


def result(test: Evaluation, where: str = "on the test images") -> str:
    """The primary metric, and the most frequent mistake where there are classes."""
    metric = test.primary
    text = f"{metric} {metric.name} {where}."
    if metric.unit != "%":
        text = f"{metric.name.capitalize()} {metric} {where}."
    return text if not test.confusion else f"{text} {_most_frequent_mistake(test)}"


def epochs(history: Sequence[Mapping[str, Any]]) -> str:
    """How many epochs there were, from the rows of the log, and whether the clock cut one short."""
    text = pluralize(len(history), "epoch")
    last = history[-1]
    if "steps" not in last:
        return text
    which = "the last" if len(history) > 1 else "it"
    return f"{text}, {which} ended by the clock after {last['steps']} of {last['of_steps']} steps"


def calibration(run: Run) -> str:
    """How the predictions were calibrated, in words."""
    facts = run.events("calibration")[-1]
    if facts["note"]:
        return f"Predictions are not calibrated: {facts['note']}."
    text = TASKS[run.test.task].calibration(facts)
    errors = [m for m in run.test.metrics if m.name == "expected calibration error"]
    told = [f"On the test images the expected calibration error is {m}." for m in errors]
    return " ".join([text, *told])


def most_confused(test: Evaluation, count: int = 1) -> list[tuple[int, int, int]]:
    """True class, predicted class and number of the `count` most frequent mistakes."""
    counts = torch.tensor(test.confusion)
    counts.fill_diagonal_(0)
    ordered = counts.flatten().sort(descending=True, stable=True)
    pairs = zip(ordered.indices[:count].tolist(), ordered.values[:count].tolist(), strict=True)
    size = len(counts)
    return [(index // size, index % size, number) for index, number in pairs if number]


def _most_frequent_mistake(test: Evaluation) -> str:
    mistakes = test.n - sum(row[k] for k, row in enumerate(test.confusion))
    if not mistakes:
        return "No mistake on these."
    true, predicted, count = most_confused(test)[0]
    pair = f"“{test.classes[true]}” taken for “{test.classes[predicted]}”"
    if mistakes == 1:
        return f"Its one mistake: {pair}."
    if count == 1:
        return f"Its {mistakes} mistakes are all of different kinds."
    ties = sum(number == count for _, _, number in most_confused(test, test.n)) - 1
    as_often = f", and {pluralize(ties, 'other pair')} as often" if ties else ""
    return f"Most confused classes: {pair}, {count} of {mistakes} mistakes{as_often}."


def _fit(fact: dict[str, str]) -> str:
    """The fit diagnosis as a sentence; the section on the training curves has the values."""
    sentences = {
        "good fit": "It is a good fit.",
        "overfitted": "It is overfitted: it does better on its training images than on others.",
        "underfitted": "It is underfitted: it does not do well on its training images either.",
        "both": "It is underfitted and overfitted at once.",
        "inconclusive": "Whether it is over- or underfitted cannot be told.",
    }
    return sentences[fact["kind"]]


def novelty_text(novelty: Tensor, level: float) -> str:
    """The share of images whose `novelty` [N] is above `level`, in words."""
    beyond, n = int((novelty > level).sum()), len(novelty)
    share = proportion(beyond / n, proportion_interval(beyond, n), n)
    return (
        f"{share} of these images have a novelty above {level:g}: the features that go into the "
        "last layer lie farther from those of the training images than for "
        f"{100 * level:.0f} % of the validation images. The novelty of an "
        "image of none of the classes can be low, and that of an image of a class high, in a new "
        "light, say. With predict --max-novelty the answer above a limit is unknown."
    )


def settings_section(run: Run) -> Html:
    """First the settings that are neither defaults nor without use, then all, folded."""
    rows = [
        (name, setting_text(value), run.origins.get(name, ""))
        for name, value in run.recipe.settings().items()
    ]
    chosen = [row for row in rows if not row[2].startswith(("default", "no use"))]
    head = ("setting", "value", "where it comes from")
    every = folded(f"All {len(rows)} settings", table(head, rows))
    return join([table(head, chosen), every]) if chosen else every


def setting_text(value: object) -> str:
    """The value of a setting as one cell."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def repeat_section(run: Run) -> Html:
    """The command that repeats the run, the files that go with it, and the environment."""
    started = run.started
    note = (
        "The split is in split.csv, the settings are in recipe.toml, the prediction for every test "
        "image is in predictions.csv: all beside the report. The same "
        f"{'command gives' if len(run.commands) == 1 else 'commands, one after the other, give'} "
        "the same weights on the same machine and versions, unless a time limit ended a training."
    )
    environment = started["environment"] | {"device": started["fingerprint"]["device"]}
    return join(
        [
            element("pre", "\n".join(run.commands), tabindex="0"),
            element("p", note),
            environment_table(environment),
        ]
    )


def environment_table(environment: Mapping[str, str]) -> Html:
    """Versions and hardware, folded."""
    return folded("Environment", table(("environment", "value"), list(environment.items())))


MAX_NOTES = 20  # findings
SPLITS = ("train", "val", "test")


def data_section(run: Run) -> Html:
    """Notes of the training, unreadable images, and the counts of each class."""
    started = run.started
    notes = [*started["notes"], *(fact["note"] for fact in run.events("extended"))]
    return join([findings(notes, run.unreadable), _count_table(run, started["images"])])


def findings(notes: Sequence[str], unreadable: Sequence[Skipped]) -> Html:
    """What was found when images were read, as a list."""
    notes = [*notes, *(f"unreadable: {s.name} ({s.reason})" for s in unreadable)]
    lead = "What was found when the images were read, and what followed from it:"
    parts: list[Html] = [element("p", lead if notes else "Nothing was found wrong.")]
    if notes:
        parts.append(element("ul", *(element("li", note) for note in notes[:MAX_NOTES])))
    if len(notes) > MAX_NOTES:
        more = element("ul", *(element("li", note) for note in notes[MAX_NOTES:]))
        parts.append(folded(f"{len(notes) - MAX_NOTES} more", more))
    return join(parts)


def _count_table(run: Run, images: dict[str, dict[str, int]]) -> Html:
    totals = [sum(images[split].values()) for split in SPLITS]
    head = ("", "train", "validation", "test")
    if not run.classes:
        counts_alone = table(("images", *head[1:]), [("all", *totals)])
        return join([element("p", f"{_shares(totals)}."), counts_alone])
    counts = {split: class_counts(run, images[split]) for split in SPLITS}
    rows = [(name, *(counts[split][name] for split in SPLITS)) for name in run.classes]
    every = table(("class or label", *head[1:]), [*rows, ("all images", *totals)])
    return folded(f"{_shares(totals)}, class by class", every)


def _shares(totals: Sequence[int]) -> str:
    """The number of images in each split, and its share of those that are used."""
    shares = [f"{100 * total / max(1, sum(totals)):.1f}" for total in totals]
    images = " + ".join(f"{total:,}" for total in totals)
    return f"{images} images ({' + '.join(shares)} % of those used)"


def class_counts(run: Run, images: dict[str, int]) -> Counter[str]:
    """How many images have each class or label, from the counts of log.jsonl."""
    counts: Counter[str] = Counter()
    for label, count in images.items():
        counts.update(dict.fromkeys(TASKS[run.test.task].classes_in(label), count))
    return counts
