"""measure: a trained network on labelled images, its own held-out ones or others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from saccade.augmentation.corrupt.corruptions import names
from saccade.augmentation.corrupt.optics import SEVERITIES
from saccade.augmentation.tta import TTATransform, tta_transforms
from saccade.command import Command
from saccade.data.classes import missing_note
from saccade.data.item import Item
from saccade.data.sources import open_source
from saccade.data.splits import read_split
from saccade.engine.evaluate import EvaluationOutputs
from saccade.errors import DataError, UsageError
from saccade.evaluation.readable import (
    EvaluationSet,
    ThresholdTarget,
    refuse_without_confidence,
    select_threshold,
    slice_of_each,
    slices,
    trained_on,
)
from saccade.files import atomic_write
from saccade.metrics.ranking import SelectedThreshold
from saccade.progress import counting
from saccade.report.images import TestedImages
from saccade.report.pages.evaluation_page import EvaluatedData, evaluation_page
from saccade.runs.bundle import Bundle, save_min_confidence
from saccade.runs.results import Evaluation, Robustness
from saccade.runs.run import Run, write_predictions

FILES = ("predictions.csv", "evaluation.json", "report.html")  # of the folder of an evaluation


@dataclass(frozen=True)
class EvaluationOptions:
    """What is to be told besides the numbers of all images."""

    tta: str = ""  # test-time augmentation: what to take the mean over, as in "crops flip"
    by: str = ""  # what makes slices
    corrupt: str = ""  # names and families of corruptions, or all
    threshold_target: ThresholdTarget | None = None
    out: Path | None = None  # a folder, or a .csv file for the predictions alone

    def validate(self) -> None:
        """Raise `UsageError` for what is there already."""
        for path in self.files:
            if path.exists():
                raise UsageError(f"'{path}' exists", "take another --out, or remove it")

    @property
    def files(self) -> tuple[Path, ...]:
        """What to write: the predictions, in a folder the numbers and the report too."""
        if self.out is None:
            return ()
        if self.out.suffix.lower() == ".csv":
            return (self.out,)
        return tuple(self.out / name for name in FILES)

    def command(self, run: Run, data: str | Path | None, split: str) -> str:
        """What a person types for it."""
        options = {"split": "" if split == "test" else split, "by": self.by, "out": self.out}
        if self.threshold_target:
            options |= {
                self.threshold_target.criterion: self.threshold_target.target,
                "save": self.threshold_target.save,
            }
            return str(Command.of("tune-threshold", run.path, data, **options))
        options |= {"tta": self.tta, "corrupt": self.corrupt}
        return str(Command.of("evaluate", run.path, data, **options))


DEFAULT_OPTIONS = EvaluationOptions()


def measure(
    run: Run, data: str | Path | None, split: str, wanted: EvaluationOptions = DEFAULT_OPTIONS
) -> Evaluation:
    """Evaluate the run's bundle on `data`, or on a split of its own images."""
    wanted.validate()
    bundle, maps = run.bundle, tta_transforms(_words(wanted.tta)) if wanted.tta else ()
    corruptions = _corruptions(wanted.corrupt, bundle)
    if wanted.threshold_target:
        refuse_without_confidence(bundle.task)
    items = _own(run, split) if data is None else _given(data, split)
    place = run.started["data"] if data is None else str(data)
    parts = slice_of_each(items, wanted.by, place) if wanted.by else {}
    ready = EvaluationSet.of(items, bundle)
    learned = 0 if data is None else trained_on(run, ready.items)
    found = ready.evaluate(bundle, maps)
    measured = bundle.task.metric().measured(found.rows, ready.groups)
    evaluation = replace(
        Evaluation.of(split, bundle.task.kind, measured),
        notes=(*_notes(ready.items, bundle, learned), *_mean_note(len(maps))),
        unreadable=ready.failed,
        slices=slices(bundle.task, found, ready, parts, measured.metrics[0].name),
        robustness=_corrupted(bundle, ready, corruptions, maps) if corruptions else None,
        selected=_selected(run, wanted.threshold_target, found)
        if wanted.threshold_target
        else None,
    )
    if wanted.files:
        write_predictions(wanted.files[0], ready.items, bundle.task, found)
    if wanted.files[1:]:
        asked = EvaluatedData(None if data is None else str(data), wanted.command(run, data, split))
        _write_folder(wanted.files, run, evaluation, ready, asked)
    return evaluation


def _notes(items: Sequence[Item], bundle: Bundle, learned: int) -> Iterator[str]:
    """What of the images makes numbers say less than they seem to."""
    yield from missing_note(items, bundle.classes, "the data")
    if learned:
        yield (
            f"the run was trained on {learned:,} of these {len(items):,} images: "
            "on these the numbers are too good"
        )


def _mean_note(count: int) -> tuple[str, ...]:
    return (
        (f"test-time augmentation: each prediction is the mean over {count} transforms",)
        if count > 1
        else ()
    )


def _words(text: str) -> list[str]:
    """Names with spaces or commas between them."""
    return text.replace(",", " ").split()


def _corruptions(wanted: str, bundle: Bundle) -> tuple[str, ...]:
    return names(bundle.preprocessing.channels, " ".join(_words(wanted))) if wanted else ()


def _corrupted(
    bundle: Bundle, ready: EvaluationSet, corruptions: Sequence[str], maps: Sequence[TTATransform]
) -> Robustness:
    measurements, total = [], 1 + len(corruptions) * len(SEVERITIES)
    with counting("corrupting") as progress:
        for done, measurement in enumerate(ready.robustness(bundle, corruptions, maps), 1):
            measurements.append(measurement)
            progress(done, total)
    return Robustness.of(measurements)


def _selected(run: Run, wish: ThresholdTarget, found: EvaluationOutputs) -> SelectedThreshold:
    """The threshold for `wish`, chosen on the run's own validation images; kept if wished."""
    val = EvaluationSet.of(_own(run, "val"), run.bundle).evaluate(run.bundle)
    chosen = select_threshold(wish, val, found)
    if wish.save:
        save_min_confidence(run.path / "bundle", chosen.on_validation.value)
    return chosen


def _write_folder(
    files: Sequence[Path],
    run: Run,
    evaluation: Evaluation,
    ready: EvaluationSet,
    asked: EvaluatedData,
) -> None:
    """The numbers and the report, beside the predictions that are there already."""
    predictions, numbers, report = files
    text = json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False)
    atomic_write(numbers, f"{text}\n")
    tested = TestedImages.read(predictions, ready.images)
    atomic_write(report, evaluation_page(run, evaluation, tested, asked))


def _own(run: Run, split: str) -> Sequence[Item]:
    parts = ("train", "val", "test")
    if split not in parts:
        raise UsageError(f"no split is called '{split}'", f"there are {', '.join(parts)}")
    source = open_source(run.started["data"])
    return getattr(read_split(run.path / "split.csv", source), split)


def _given(data: str | Path, split: str) -> Sequence[Item]:
    source = open_source(data)
    if source.splits == ("all",):
        return source.read("all")
    if split not in source.splits:
        there = ", ".join(source.splits)
        raise DataError(f"'{data}' has no split {split}", f"name one of {there} with --split")
    return source.read(split)
