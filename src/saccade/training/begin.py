"""The inputs of a training: its source, settings and splits, before an image is decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from saccade.augmentation.catalogue import parse_augmentation
from saccade.auto.probe import with_best_backbone
from saccade.auto.resolve import resolve, stated_settings
from saccade.auto.summary import summarize
from saccade.auto.weights import local_or_fetched_weights
from saccade.auto.window import with_window
from saccade.data.doctor.doctor import cache_file_of, examine
from saccade.data.grouping import GROUPINGS, Grouping, by_cluster, by_pattern
from saccade.data.item import Skipped, Source
from saccade.data.sources import open_source
from saccade.data.sources.data_word import data_as_told
from saccade.data.splits import DataSplit, split_data, split_fold, subsample
from saccade.errors import UsageError
from saccade.progress import progress_bar, say
from saccade.recipes.recipe import Recipe
from saccade.recipes.settings import Settings, preprocessing_of
from saccade.tasks.catalogue import task_for, task_type
from saccade.tasks.task import Capability, Task


class TrainingInputs(NamedTuple):
    """Source, settings, splits and notes of a training."""

    source: Source
    settings: Settings
    division: DataSplit
    notes: list[str]


def training_inputs(
    data: str | Path | None, recipe: str | Path | None, flags: Mapping[str, Any]
) -> TrainingInputs:
    """Open the data, resolve "auto" settings, examine the images and split them."""
    data = data_as_told(data, stated_settings(recipe, flags))
    source = open_source(data, notify=say)
    summary = summarize(source.read(source.splits[0]))
    find_weights = partial(local_or_fetched_weights, notify=say)
    settings = resolve(recipe, flags, summary, find_weights=find_weights)
    options, seed = settings.recipe.data, settings.recipe.train.seed
    grouping, findings = grouping_and_findings(source, data, settings.recipe)
    division = subsample(
        divided(source, settings.recipe, grouping),
        train=options.per_class,
        held_out=options.held_out_per_class,
        seed=seed,
    )
    if flags.get("model.name") == "auto":
        settings = with_best_backbone(
            settings,
            find_weights(summary.short_side),
            division.train,
            task_for(division.train, division.classes),
            lambda found: resolve(recipe, flags, summary, find_weights=find_weights, choices=found),
        )
    settings = with_window(settings, division.train, summary)
    settings = supported_settings(settings, task_type(division.train))
    notes = [
        *settings.notes,
        *source.notes,
        *skipped_notes(source.skipped),
        *division.notes,
        *findings,
    ]
    return TrainingInputs(source, settings, division, notes)


def divided(source: Source, recipe: Recipe, grouping: Grouping) -> DataSplit:
    """The source as it came divided or by shares, or with one of its folds as the test set."""
    data, seed = recipe.data, recipe.train.seed
    if data.fold:
        options: dict[str, Any] = {"val": data.val, "seed": seed, "group": grouping}
        return split_fold(source, data.fold, data.folds, **options)
    if data.folds:
        raise UsageError(
            f"data.folds={data.folds} does nothing without a fold to test on",
            "add --fold 1; or, for all in turn, saccade cross-validate in place of saccade train",
        )
    return split_data(source, val=data.val, test=data.test, seed=seed, group=grouping)


def supported_settings(settings: Settings, task: type[Task]) -> Settings:
    """The settings without a named recipe's label smoothing or mixing where the task has none.

    Settings given by a person stay, to be refused later.
    """
    unsupported: dict[str, Any] = {}
    if Capability.LABEL_SMOOTHING not in task.capabilities:
        unsupported["train.label_smoothing"] = 0.0
    if Capability.MIXING not in task.capabilities:
        augment = settings.recipe.data.augment
        unsupported["data.augment"] = tuple(
            text for text in augment if not parse_augmentation(text, classes=1).mixes
        )
    from_recipe = {
        k: v for k, v in unsupported.items() if settings.origins[k].startswith("recipe ")
    }
    changed = {k: v for k, v in from_recipe.items() if v != settings.recipe.settings()[k]}
    origins = {**settings.origins, **dict.fromkeys(changed, f"auto: as {task.kind} allows")}
    return replace(settings, recipe=settings.recipe.with_(changed), origins=origins)


def skipped_notes(skipped: Sequence[Skipped]) -> list[str]:
    """A line for each reason for which something in a source was left out."""
    names: dict[str, list[str]] = {}
    for item in skipped:
        names.setdefault(item.reason, []).append(item.name)
    return [f"left out: {len(n)} ({reason}), such as {n[0]}" for reason, n in names.items()]


def grouping_and_findings(
    source: Source, data: str | Path | None, recipe: Recipe
) -> tuple[Grouping, list[str]]:
    """The grouping of images that must stay in one split, and the doctor's errors and warnings.

    Duplicates and near duplicates of an image are a group, too, unless data.doctor is off.
    """
    grouping = GROUPINGS.get(recipe.data.group) or by_pattern(recipe.data.group)
    if recipe.data.doctor == "off":
        return grouping, []
    with progress_bar("examining") as progress:
        diagnosis = examine(
            source,
            preprocessing=preprocessing_of(recipe),
            progress=progress,
            state=cache_file_of(data),
        )
    items = [item for split in source.splits for item in source.read(split)]
    findings = [f"{f.severity}: {f.message}" for f in diagnosis.findings if f.severity != "note"]
    return by_cluster(diagnosis.clusters(), items, grouping), findings
