"""Evaluation of a trained network on labelled images: its own splits, or other data."""

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
from saccade.data.doctor.doctor import cache_file_of
from saccade.data.item import Item
from saccade.data.pool import stretched_note
from saccade.data.sources import open_source
from saccade.engine.evaluate import EvaluationOutputs
from saccade.errors import DataError, UsageError
from saccade.evaluation.evaluation_set import (
    EvaluationSet,
    ThresholdTarget,
    refuse_without_confidence,
    select_threshold,
    slice_of_each,
    slices,
)
from saccade.files import disk_errors, refuse_to_replace, refuse_unwritable, write_output
from saccade.metrics.ranking import SelectedThreshold
from saccade.progress import progress_bar, say
from saccade.report.images import TestedImages
from saccade.report.pages.evaluation_page import EvaluatedData, evaluation_page
from saccade.runs.bundle import Bundle, save_min_confidence
from saccade.runs.images import change_note, move, split_of, training_overlap
from saccade.runs.predictions import write_predictions
from saccade.runs.results import Evaluation, Robustness
from saccade.runs.run import Run
from saccade.words import defined

FILES = ("predictions.csv", "evaluation.json", "report.html")  # of the folder of an evaluation


@dataclass(frozen=True)
class EvaluationOptions:
    """The options of an evaluation, besides the metrics of all images."""

    tta: str = ""  # test-time augmentation: transforms to average over, as in "crops flip"
    by: str = ""  # grouping into slices, as of `slice_of_each`
    corrupt: str = ""  # names and families of corruptions, or all
    threshold_target: ThresholdTarget | None = None
    out: Path | None = None  # a folder, or a .csv file for the predictions alone
    own_data: str | Path | None = None  # where the run's own images lie now

    def validate(self) -> None:
        """Raise `UsageError` for an output file that exists, as `refuse_to_replace`."""
        refuse_to_replace(*self.files)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files to write: the predictions, and in a folder the metrics and the report too."""
        if self.out is None:
            return ()
        if self.out.suffix.lower() == ".csv":
            return (self.out,)
        return tuple(self.out / name for name in FILES)

    def command(self, run: Run, data: str | Path | None, split: str) -> str:
        """The command line of this evaluation."""
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
    path: str | Path,
    data: str | Path | None,
    split: str,
    options: EvaluationOptions = DEFAULT_OPTIONS,
) -> Evaluation:
    """Evaluate the bundle of the run at `path` on `data`, or on a split of the run's own images.

    A bundle without its run is evaluated on `data`.
    """
    options.validate()
    if (Path(path) / "config.json").is_file():
        return _measure_bundle(Bundle.load(Path(path)), data, split, options)
    run = Run.open(path)
    if options.own_data is not None:
        move(run, options.own_data)
    bundle, tta = run.bundle, _transforms(options.tta)
    corruptions = _corruptions(options.corrupt, bundle)
    if options.threshold_target:
        refuse_without_confidence(bundle.task)
        if options.threshold_target.save:
            refuse_unwritable(run.path / "bundle" / "config.json")
    since: tuple[str, ...] = ()
    if data is None:
        items, since = _run_items(run, split)
    else:
        items = _data_items(data, split)
    source = run.data if data is None else str(data)
    slice_names = slice_of_each(items, options.by, source) if options.by else {}
    evaluation_set = EvaluationSet.of(items, bundle)
    overlap = (0, 0)
    if data is not None:
        overlap = training_overlap(run, evaluation_set.items, cache_file_of(data))
    outputs = evaluation_set.evaluate(bundle, tta)
    report = bundle.task.metric().report(outputs.rows, evaluation_set.groups)
    evaluation = replace(
        Evaluation.of(split, bundle.task.kind, report),
        notes=(
            *_notes(evaluation_set.items, bundle, overlap),
            *since,
            *(change_note(run, evaluation_set.items) if data is None else ()),
            *_tta_note(len(tta)),
        ),
        unreadable=evaluation_set.failed,
        slices=slices(bundle.task, outputs, evaluation_set, slice_names, report.metrics[0].name),
        robustness=_robustness(bundle, evaluation_set, corruptions, tta) if corruptions else None,
        selected=_selected_threshold(run, options.threshold_target, outputs)
        if options.threshold_target
        else None,
    )
    if options.files:
        with disk_errors(options.files[0]):
            write_predictions(options.files[0], evaluation_set.items, bundle.task, outputs)
    if options.files[1:]:
        evaluated = EvaluatedData(
            None if data is None else str(data), options.command(run, data, split)
        )
        _write_folder(options.files, run, evaluation, evaluation_set, evaluated)
    return evaluation


def _measure_bundle(
    bundle: Bundle, data: str | Path | None, split: str, options: EvaluationOptions
) -> Evaluation:
    """Evaluate a bundle without its run, which knows neither images of its own nor a report."""
    if data is None:
        raise UsageError(
            "a bundle has no images of its own", "name some: saccade evaluate BUNDLE DATA"
        )
    if options.threshold_target or options.own_data is not None or options.files[1:]:
        raise UsageError(
            "a bundle alone has no validation images and no report", "name the run, or a .csv file"
        )
    tta = _transforms(options.tta)
    corruptions = _corruptions(options.corrupt, bundle)
    items = _data_items(data, split)
    slice_names = slice_of_each(items, options.by, str(data)) if options.by else {}
    evaluation_set = EvaluationSet.of(items, bundle)
    outputs = evaluation_set.evaluate(bundle, tta)
    report = bundle.task.metric().report(outputs.rows, evaluation_set.groups)
    if options.files:
        with disk_errors(options.files[0]):
            write_predictions(options.files[0], evaluation_set.items, bundle.task, outputs)
    return replace(
        Evaluation.of(split, bundle.task.kind, report),
        notes=(
            *missing_note(evaluation_set.items, bundle.classes, "the data"),
            "which images the network was trained on only its run knows",
            *_tta_note(len(tta)),
        ),
        unreadable=evaluation_set.failed,
        slices=slices(bundle.task, outputs, evaluation_set, slice_names, report.metrics[0].name),
        robustness=_robustness(bundle, evaluation_set, corruptions, tta) if corruptions else None,
    )


def _notes(items: Sequence[Item], bundle: Bundle, overlap: tuple[int, int]) -> Iterator[str]:
    """Notes on missing classes, and on images that the run was trained on."""
    yield from missing_note(items, bundle.classes, "the data")
    yield from stretched_note(items, bundle.preprocessing)
    same, near = overlap
    trained = [f"{same:,}"] if same else []
    if near:
        trained.append(f"images that look like {near:,}")
    if trained:
        yield (
            f"the run was trained on {' and on '.join(trained)} of these {len(items):,} images: "
            f"on these the numbers {'may be' if near else 'are'} too good"
        )


def _tta_note(count: int) -> tuple[str, ...]:
    return (
        (f"test-time augmentation: each prediction is the mean over {count} transforms",)
        if count > 1
        else ()
    )


def _split_names(option: str, text: str) -> list[str]:
    """Names with spaces or commas between them; raises `UsageError` for text without any."""
    names = text.replace(",", " ").split()
    if text and not names:
        raise UsageError(f"{option} '{text}' names nothing", f"leave out {option}")
    return names


def _transforms(text: str) -> tuple[TTATransform, ...]:
    return tta_transforms(_split_names("--tta", text)) if text else ()


def _corruptions(text: str, bundle: Bundle) -> tuple[str, ...]:
    named = _split_names("--corrupt", text)
    return names(bundle.preprocessing.channels, " ".join(named)) if named else ()


def _robustness(
    bundle: Bundle,
    evaluation_set: EvaluationSet,
    corruptions: Sequence[str],
    tta: Sequence[TTATransform],
) -> Robustness:
    measurements, total = [], 1 + len(corruptions) * len(SEVERITIES)
    with progress_bar("corrupting") as progress:
        for done, measurement in enumerate(evaluation_set.robustness(bundle, corruptions, tta), 1):
            measurements.append(measurement)
            progress(done, total)
    return Robustness.of(measurements)


def _selected_threshold(
    run: Run, target: ThresholdTarget, outputs: EvaluationOutputs
) -> SelectedThreshold:
    """The threshold for `target`, chosen on the run's validation images; saved where asked."""
    val = EvaluationSet.of(_run_items(run, "val")[0], run.bundle).evaluate(run.bundle)
    selected = select_threshold(target, val, outputs)
    if target.save:
        save_min_confidence(run.path / "bundle", selected.on_validation.value)
        say(f"saved in {run.path / 'bundle'}: it says unknown below this confidence from now on")
    return selected


def _write_folder(
    files: Sequence[Path],
    run: Run,
    evaluation: Evaluation,
    evaluation_set: EvaluationSet,
    evaluated: EvaluatedData,
) -> None:
    """Write the metrics and the report; the predictions are written already."""
    predictions, metrics, report = files
    text = json.dumps(defined(evaluation.to_dict()), indent=2, ensure_ascii=False)
    write_output(metrics, f"{text}\n")
    tested = TestedImages.read(predictions, evaluation_set.images)
    write_output(report, evaluation_page(run, evaluation, tested, evaluated))


def _run_items(run: Run, split: str) -> tuple[Sequence[Item], tuple[str, ...]]:
    """The images of a split of the run, and what has changed in its data since."""
    splits = ("train", "val", "test")
    if split not in splits:
        raise UsageError(f"no split is called '{split}'", f"there are {', '.join(splits)}")
    division = split_of(run)
    return getattr(division, split), division.notes


def _data_items(data: str | Path, split: str) -> Sequence[Item]:
    source = open_source(data)
    if source.splits == ("all",):
        if split != "test":
            what = f"'{data}' is not divided, and has no split '{split}'"
            raise UsageError(what, "leave out --split")
        return source.read("all")
    if split not in source.splits:
        there = ", ".join(source.splits)
        raise DataError(f"'{data}' has no split {split}", f"name one of {there} with --split")
    return source.read(split)
