"""The model card (Mitchell 2019), a bundle's README.md, with the measured metrics."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from saccade.data.sources.data_spec import title_of
from saccade.files import atomic_write
from saccade.models.table import shown_name
from saccade.own import PREFIX, as_own, changed_code
from saccade.report.summary import calibration, epochs, leaks
from saccade.runs.results import Evaluation
from saccade.runs.run import Run
from saccade.tasks.catalogue import TASKS
from saccade.words import pluralize, with_units

RESIZES = {
    "squash": "squashed to the square",
    "crop": "resized by the short side, then cut to the centre",
    "pad": "resized by the long side, then padded to the square",
}


def write_card(run: Run) -> None:
    """Write the README.md of the run's bundle."""
    atomic_write(run.path / "bundle" / "README.md", model_card(run))


def model_card(run: Run) -> str:
    """Markdown; its front matter follows the conventions of model hubs."""
    started, test, p = run.started, run.test, run.bundle.preprocessing
    card = TASKS[test.task].card
    images = {split: sum(counts.values()) for split, counts in started["images"].items()}
    metrics = with_units("\n".join(f"| {name} | {value} |" for name, value in test.rows()))
    answers = f"{len(run.classes)} {card.answers}" if run.classes else card.answers
    source = title_of(started["data"])
    source = f"`{source}`" if "::" in source else source
    source = source if started["data"] else "the handwritten digits that come with scikit-learn"
    trained = pluralize(images["train"], "image")
    classes = _classes(test, started["images"]["train"])
    own = started.get("own", {})
    network = shown_name(run.recipe.model.name)
    given = ""
    if "model.name" in own:
        part = "module" if _is_module(run) else as_own(run.recipe.model.name).written
        given = f", with_={{'model.name': {part}}}"
    return f"""---
tags:
- {card.tag}
library_name: saccade
---

# {network}, {answers}

A network of kind `{network}`, trained on {source}.
{_initial_weights(run)}

On {_test_images(test.n)}, with 95 % intervals:

| metric | value |
|---|---|
{metrics}

## Use

{card.use}

```python
import saccade

saccade.open_bundle("bundle"{given}).predict("image.jpg")
```
{_own_parts(run)}
How good it is on images of yours, in a folder for each class or in a table, says (here and above
`bundle` is the path of this folder)

```
saccade evaluate bundle FOLDER
```

## Input

Images of {p.size} x {p.size} pixels, {"grey" if p.channels == 1 else "colour"},
{RESIZES[p.resize]}, {p.interpolation} and antialiased, EXIF orientation applied;
values 0 to 255, from which the network's first layer makes (x / 255 - mean) / std
with mean {list(p.mean)} and std {list(p.std)}.

## Data

{trained} to train on, {images["val"]} to validate, {images["test"]} to test.

{classes}

## Limits

{_limits(run)}

## Training

{_training(run)}, seed {run.recipe.train.seed}; torch {started["environment"]["torch"]}.
{_commands(run)}
"""


def _own_parts(run: Run) -> str:
    """Where the parts of the author's own come from, which the bundle names and does not hold."""
    own = run.started.get("own")
    if not own:
        return ""
    lines = [
        f"- `{setting}`: `{part['name'].removeprefix(PREFIX)}` of `{part['module']}`"
        + (f", {part['file']}, SHA-256 of its code {part['sha256']}" if "file" in part else "")
        for setting, parts in own.items()
        for part in parts
    ]
    known = [fact for fact in (run.started, *run.events("resumed")) if fact.get("own")]
    lines += [
        f"- from epoch {now['epoch'] + 1} on other code of `{setting}`, SHA-256 {part['sha256']}"
        for before, now in pairwise(known)
        for setting, part in changed_code(before["own"], now["own"])
    ]
    return "\n".join(["", "Its author's own parts, which are not in the bundle:", "", *lines, ""])


def _test_images(n: int) -> str:
    return f"the {n:,} test images" if n != 1 else "the one test image"


def _is_module(run: Run) -> bool:
    """Whether its network was given as a module, with weights, and not as what makes one."""
    parts = run.started.get("own", {}).get("model.name", ())
    return any(part["form"] == "object" for part in parts)


def _initial_weights(run: Run) -> str:
    """The weights it began from, in words."""
    weights, freeze = run.recipe.model.weights, run.recipe.model.freeze
    if weights == "none" and _is_module(run):
        return "It began from the weights that the module came with."
    if weights == "none":
        return "It was trained from scratch: no weights of others are in it."
    name = weights.rstrip("/").rsplit("/", 1)[-1]
    frozen = "" if freeze == "none" else f"; frozen: {freeze}"
    if len(stages := run.recipe.stages) > 1:
        frozen += f"; released in stages: {', '.join(map(str, stages))}"
    return f"It began from the weights `{name}`, whose licence and faults it inherits{frozen}."


def _limits(run: Run) -> str:
    """What the metrics do not promise."""
    lines = [
        "The metrics hold for images like these; for others, measure it as above.",
        "The intervals cover the chance of which images were in the test set, and nothing else.",
        TASKS[run.test.task].card.limits,
        calibration(run),
        *(f"{note[0].upper()}{note[1:]}" for note in leaks(run)),
        *(f"Novelty: {fact['message']}" for fact in run.events("novelty")[-1:]),
        *(f"Fit diagnosis: {fact['message']}." for fact in run.events("fit_diagnosis")[-1:]),
    ]
    return with_units("\n".join(f"- {line}" for line in lines))


def _commands(run: Run) -> str:
    first, *more = (f"`{command}`" for command in run.commands)
    then = f", then {', then '.join(more)}" if more else ""
    return f"The command was {first}{then}."


def _training(run: Run) -> str:
    """How the weights came about, in words."""
    settings, optim = run.recipe.train, run.recipe.optim
    if not run.history:
        return "Fitted in one go, without epochs"
    images = sum(run.started["images"]["train"].values())
    batches = f"batches of {min(int(settings.batch_size), images)}"
    return f"{epochs(run.history)}, {batches}, {optim.name} with a learning rate of {optim.lr}"


def _classes(test: Evaluation, train_images: dict[str, int]) -> str:
    """Support, recall and precision of each class as a table, where there are classes."""
    if not test.per_class:
        return ""
    trained: Counter[str] = Counter()
    for labels, count in train_images.items():
        trained.update(dict.fromkeys(TASKS[test.task].classes_in(labels), count))
    rows = [
        f"| {row.name} | {trained[row.name]} | {row.support} | {row.recall} | {row.precision} |"
        for row in test.per_class
    ]
    head = "| class | training images | support | recall | precision |"
    return with_units("\n".join([head, "|---|---|---|---|---|", *rows]))
