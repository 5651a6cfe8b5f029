"""The inputs of a training: its source, settings and splits, before an image is decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from saccade.augmentation.catalogue import parse_augmentation
from saccade.auto.fitted import chosen_recipe, compared_recipes
from saccade.auto.probe import Choices, with_best_backbone
from saccade.auto.resolve import resolve, stated_settings
from saccade.auto.summary import DatasetSummary, summarize
from saccade.auto.weights import local_or_fetched_weights
from saccade.auto.window import with_window
from saccade.data.item import Skipped, Source
from saccade.data.sources import open_source
from saccade.data.sources.data_spec import spec_with_settings
from saccade.data.splits import DataSplit, with_groups
from saccade.data.subsample import subsample
from saccade.progress import say
from saccade.recipes.recipe import Recipe
from saccade.recipes.settings import Settings
from saccade.runs.naming import refuse_invalid_name
from saccade.tasks.catalogue import task_for, task_type
from saccade.tasks.task import Capability, Task
from saccade.training.division import (
    divided,
    groups_and_findings,
    notes_on_few_groups,
    notes_on_few_steps,
    refuse_one_class,
    refuse_other_folds,
)


class TrainingInputs(NamedTuple):
    """Source, settings, splits and notes of a training."""

    source: Source
    settings: Settings
    division: DataSplit
    notes: list[str]
    facts: Mapping[str, Any]  # of the doctor, a row by the name of each image; {} where it is off
    data: str | Path | None  # what was named, with what the settings tell of how to read it


def training_inputs(
    data: str | Path | None, recipe: str | Path | None, overrides: Mapping[str, Any]
) -> TrainingInputs:
    """Open the data, resolve "auto" settings, examine the images and split them."""
    stated = stated_settings(recipe, overrides)
    refuse_invalid_name(stated.get("train.name", ""))
    data = spec_with_settings(data, stated)
    source = open_source(data, notify=say)
    refuse_one_class(source)
    summary = summarize(source.read(source.splits[0]))
    find_weights = partial(local_or_fetched_weights, notify=say)
    settings = resolve(recipe, overrides, summary, find_weights=find_weights)
    options, seed = settings.recipe.data, settings.recipe.train.seed
    refuse_other_folds(source, options)
    groups = groups_and_findings(source, data, settings.recipe)
    division = subsample(
        with_groups(
            divided(source, settings.recipe, groups.grouping), groups.grouping, groups.name
        ),
        train=options.per_class,
        held_out=options.held_out_per_class,
        share=options.train_share,
        seed=seed,
    )
    if overrides.get("model.name") == "auto":
        settings = _with_compared_networks(settings, division, summary, recipe, overrides)
    settings = with_window(settings, division.train, summary)
    settings = supported_settings(settings, task_type(division.train))
    settings = with_idle_shares(settings, source)
    notes = [
        *settings.notes,
        *source.notes,
        *skipped_notes(source.skipped),
        *division.notes,
        *groups.notes,
        *notes_on_few_groups(division),
        *notes_on_few_steps(settings.recipe, len(division.train)),
    ]
    notes = list(dict.fromkeys(notes))
    return TrainingInputs(source, settings, division, notes, groups.facts, data)


def _with_compared_networks(
    settings: Settings,
    division: DataSplit,
    summary: DatasetSummary,
    recipe: str | Path | None,
    overrides: Mapping[str, Any],
) -> Settings:
    """The settings with the network that does best on the training images."""
    find_weights = partial(local_or_fetched_weights, notify=say)

    def chosen(found: Choices) -> Settings:
        name = found["model.name"][0]
        named = chosen_recipe(recipe, overrides, name)
        return resolve(*named, summary, find_weights=find_weights, choices=found)

    return with_best_backbone(
        settings,
        find_weights(summary.short_side),
        division.train,
        task_for(division.train, division.classes),
        chosen,
        compared_recipes(recipe, overrides, summary),
    )


def with_idle_shares(settings: Settings, source: Source) -> Settings:
    """The settings with the origin "no use" for a share of which nothing was drawn.

    That is noted where such a share was given.
    """
    idle: dict[str, str] = {}
    if settings.recipe.data.fold:
        idle = {"data.test": "the fold is the test set"}
    elif "test" in source.splits:
        idle = {"data.test": "the data came with a test set"}
        if "val" in source.splits:
            idle["data.val"] = "the data came with a validation set"
    elif "val" in source.splits:
        idle = {"data.test": "the data's validation set is the test set"}
    values, origins, defaults = settings.recipe.settings(), settings.origins, Recipe().settings()
    notes = tuple(
        f"{name}={values[name]:g} does nothing: {why}"
        for name, why in idle.items()
        if origins[name].startswith(("flag", "file ")) and values[name] != defaults[name]
    )
    unused = {name: f"no use: {why}" for name, why in idle.items()}
    return replace(settings, origins={**origins, **unused}, notes=(*settings.notes, *notes))


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
