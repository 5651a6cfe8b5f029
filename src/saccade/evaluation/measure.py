"""Evaluation of a trained network on labelled images: its own splits, or other data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from saccade.augmentation.corrupt.corruptions import names
from saccade.augmentation.corrupt.optics import SEVERITIES
from saccade.augmentation.tta import TTATransform, tta_transforms
from saccade.auto.trained import Trained, TrainedLike, open_trained
from saccade.command import Command
from saccade.data.classes import missing_note
from saccade.data.doctor.doctor import cache_file_of
from saccade.data.item import Item
from saccade.data.pool import stretched_note
from saccade.data.sources import open_source
from saccade.errors import DataError, UsageError
from saccade.evaluation.evaluation_set import (
    EvaluationSet,
    slice_of_each,
    slices,
)
from saccade.evaluation.threshold import (
    Labelled,
    SetsTarget,
    ThresholdTarget,
    refuse_without_confidence,
    select_sets,
    select_threshold,
)
from saccade.files import disk_errors, refuse_to_replace, refuse_unwritable, write_output
from saccade.progress import progress_bar, say
from saccade.report.images import TestedImages
from saccade.report.pages.evaluation_page import EvaluatedData, evaluation_page
from saccade.runs.bundle import Bundle, save_settings
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
    threshold: ThresholdTarget | None = None
    sets: SetsTarget | None = None
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

    @property
    def tunes(self) -> bool:
        """Whether validation images are asked for a threshold or for sets."""
        return bool(self.threshold or self.sets)

    @property
    def saves(self) -> bool:
        """Whether these go into the bundle."""
        return any(target.save for target in (self.threshold, self.sets) if target)

    def command(self, network: Trained, data: str | Path | None, split: str) -> str:
        """The command line of this evaluation."""
        options = {"split": "" if split == "test" else split, "by": self.by, "out": self.out}
        if self.tunes:
            options |= {self.threshold.criterion: self.threshold.target} if self.threshold else {}
            if self.sets:
                options |= {"sets": self.sets.level, "by-class": self.sets.by_class}
            options["save"] = self.saves
            return str(Command.of("tune-threshold", network.name, data, **options))
        options |= {"tta": self.tta, "corrupt": self.corrupt}
        return str(Command.of("evaluate", network.name, data, **options))


DEFAULT_OPTIONS = EvaluationOptions()


def measure(
    given: TrainedLike,
    data: str | Path | None,
    split: str,
    options: EvaluationOptions = DEFAULT_OPTIONS,
) -> Evaluation:
    """Evaluate a trained network on `data`, or that of a run on a split of the run's own images.

    Raises `UsageError` for what only a run knows, where there is none.
    """
    options.validate()
    network = open_trained(given, notify=say)
    run, bundle, tta = network.run, network.bundle, _transforms(options.tta)
    if run is None:
        _refuse_without_run(network, data, options)
    elif options.own_data is not None:
        move(run, options.own_data)
    corruptions = _corruptions(options.corrupt, bundle)
    if options.tunes:
        refuse_without_confidence(bundle.task)
        _refuse_unsavable(bundle, options)
    if run and data is None:
        (items, since), source = _run_items(run, split), run.data
    else:
        items, since, source = _data_items(data, split), (), str(data)
    slice_names = slice_of_each(items, options.by, source) if options.by else {}
    evaluation_set = EvaluationSet.of(items, bundle)
    outputs = evaluation_set.evaluate(bundle, tta)
    report = bundle.task.metric().report(outputs.rows, evaluation_set.groups)
    evaluation = replace(
        Evaluation.of(split, bundle.task.kind, report),
        notes=(
            *_notes(evaluation_set.items, network, data),
            *since,
            *_tta_note(len(tta)),
        ),
        unreadable=evaluation_set.failed,
        slices=slices(bundle.task, outputs, evaluation_set, slice_names, report.metrics[0].name),
        robustness=_robustness(bundle, evaluation_set, corruptions, tta) if corruptions else None,
    )
    if options.tunes:
        these = Labelled(outputs, evaluation_set.groups)
        evaluation = _with_tuned(evaluation, network, data, options, these)
    if options.files:
        with disk_errors(options.files[0]):
            write_predictions(options.files[0], evaluation_set.items, bundle.task, outputs)
    if options.files[1:]:
        evaluated = EvaluatedData(
            None if data is None else str(data), options.command(network, data, split)
        )
        _write_folder(options.files, network, evaluation, evaluation_set, evaluated)
    return evaluation


def _refuse_without_run(
    network: Trained, data: str | Path | None, options: EvaluationOptions
) -> None:
    """Raise `UsageError` for what a network without its run cannot do."""
    if data is None:
        verb = "tune-threshold" if options.tunes else "evaluate"
        what = f"'{network.name}' comes without its run, and has no images of its own"
        raise UsageError(what, f"name some: {Command.of(verb, network.name, 'DATA')}")
    if options.own_data is not None:
        what = f"'{network.name}' comes without its run: there are no images that were moved"
        hint = f"to measure on others: {Command.of('evaluate', network.name, options.own_data)}"
        raise UsageError(what, hint)


def _refuse_unsavable(bundle: Bundle, options: EvaluationOptions) -> None:
    """Raise where something is to be saved, and the bundle lies in no folder."""
    if options.saves and bundle.folder is None:
        what = "there is no bundle on disk to save it in"
        raise UsageError(what, "leave out --save, and give --min-confidence to predict")
    if options.saves and bundle.folder is not None:
        refuse_unwritable(bundle.folder / "config.json")


def _notes(items: Sequence[Item], network: Trained, data: str | Path | None) -> Iterator[str]:
    """Notes on missing classes, stretched images, and images that it was trained on."""
    yield from missing_note(items, network.bundle.classes, "the data")
    yield from stretched_note(items, network.bundle.preprocessing)
    if network.run is None:
        yield "which images the network was trained on only its run knows"
    elif data is None:
        yield from change_note(network.run, items)
    else:
        yield from _overlap_note(items, network.run, data)


def _overlap_note(items: Sequence[Item], run: Run, data: str | Path) -> Iterator[str]:
    """A note on images that the run was trained on."""
    same, near = training_overlap(run, items, cache_file_of(data))
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


def _with_tuned(
    evaluation: Evaluation,
    network: Trained,
    data: str | Path | None,
    options: EvaluationOptions,
    these: Labelled,
) -> Evaluation:
    """With a threshold or prediction sets, chosen on validation images: the run's or of `data`.

    They are saved where that is asked for.
    """
    bundle = network.bundle
    items = _run_items(network.run, "val")[0] if network.run else _validation_items(network, data)
    val = EvaluationSet.of(items, bundle).labelled(bundle)
    selected = select_threshold(options.threshold, val, these) if options.threshold else None
    sets = select_sets(options.sets, val, these) if options.sets else None
    if options.saves and bundle.folder:
        saved = {"min_confidence": selected.on_validation.value} if selected else {}
        saved |= {"sets": asdict(sets.sets)} if sets else {}
        save_settings(bundle.folder, saved)
        if selected:
            say(f"saved in {bundle.folder}: it says unknown below this confidence from now on")
        if sets:
            say(f"saved in {bundle.folder}: it tells the set of each image from now on")
    return replace(evaluation, selected=selected, sets=sets)


def _validation_items(network: Trained, data: str | Path | None) -> Sequence[Item]:
    """The images of `data` to choose a threshold on, which are others than it is measured on."""
    source = open_source(data)
    if "val" not in source.splits:
        raise UsageError(
            f"'{network.name}' comes without its run, and '{data}' has no split val: a threshold "
            "is chosen on other images than it is measured on",
            "give data that come divided into val and test, in folders of these names",
        )
    return source.read("val")


def _write_folder(
    files: Sequence[Path],
    network: Trained,
    evaluation: Evaluation,
    evaluation_set: EvaluationSet,
    evaluated: EvaluatedData,
) -> None:
    """Write the metrics and the report; the predictions are written already."""
    predictions, metrics, report = files
    text = json.dumps(defined(evaluation.to_dict()), indent=2, ensure_ascii=False)
    write_output(metrics, f"{text}\n")
    tested = TestedImages.read(predictions, evaluation_set.images)
    write_output(report, evaluation_page(network, evaluation, tested, evaluated))


def _run_items(run: Run, split: str) -> tuple[Sequence[Item], tuple[str, ...]]:
    """The images of a split of the run, and what has changed in its data since."""
    splits = ("train", "val", "test")
    if split not in splits:
        raise UsageError(f"no split is called '{split}'", f"there are {', '.join(splits)}")
    division = split_of(run)
    return getattr(division, split), division.notes


def _data_items(data: str | Path | None, split: str) -> Sequence[Item]:
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
