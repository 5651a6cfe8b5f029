"""The division of a training: which images are held out, which stay together, what is refused."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from saccade.data.classes import labels_of
from saccade.data.doctor.checks_labels import TINY
from saccade.data.doctor.doctor import Diagnosis, cache_file_of, examine
from saccade.data.grouping import (
    Grouping,
    by_cluster,
    by_source,
    cluster_name,
    group_indices,
    groups_of,
)
from saccade.data.item import Item, Skipped, Source
from saccade.data.sources.groups import (
    SOURCE,
    grouping_note,
    grouping_of,
    refuse_alone,
    refuse_idle,
)
from saccade.data.splits import (
    DataSplit,
    own_folds,
    refuse_folds,
    refuse_unread,
    split_data,
    split_fold,
    used,
)
from saccade.errors import DataError, UsageError
from saccade.metrics.interval_methods import FEWEST_GROUPS
from saccade.progress import progress_bar
from saccade.recipes.data import Data
from saccade.recipes.recipe import Recipe
from saccade.recipes.settings import preprocessing_of
from saccade.words import pluralize

FEW_STEPS = 50  # of the optimizer


class Groups(NamedTuple):
    """Which images stay together in one split, and what was found on the way."""

    grouping: Grouping
    name: Callable[[str], str]  # of a group, as it is kept
    notes: list[str]
    facts: Mapping[str, Any]  # of the doctor, a row by the name of each image; {} where it is off


def groups_and_findings(source: Source, data: str | Path | None, recipe: Recipe) -> Groups:
    """The grouping of images that must stay in one split, and the doctor's errors and warnings.

    Duplicates and near duplicates of an image are a group, too, unless data.doctor is off.  Raises
    `UsageError` where data.group groups nothing.
    """
    items = [item for split in source.splits for item in source.read(split)]
    text, grouping, notes = recipe.data.group, grouping_of(recipe.data.group, data), []
    if text != SOURCE:
        names = {item.name: grouping(item) for item in items}
        refuse_idle(f"data.group={text}", names)
        refuse_alone(f"data.group={text}", names)
        notes = [grouping_note(f"data.group={text}", names)]
    if recipe.data.doctor == "off":
        return Groups(grouping, str, notes, {})
    with progress_bar("examining") as progress:
        diagnosis = examine(
            source,
            preprocessing=preprocessing_of(recipe),
            progress=progress,
            state=cache_file_of(data),
        )
    told = [f for f in diagnosis.findings if f.kind != "series" or text == SOURCE]
    for finding in told:
        advice = f" {finding.advice}" if finding.kind == "series" else ""
        if finding.severity != "note":
            notes.append(f"{finding.severity}: {finding.message}{advice}")
    refuse_only_copies(source, diagnosis)
    together = by_cluster(diagnosis.clusters(), items, grouping)
    notes += classes_of_copies(source, together, grouping)
    facts = dict(zip((item.name for item in items), diagnosis.case.table, strict=True))
    return Groups(together, cluster_name, notes, facts)


def classes_of_copies(source: Source, together: Grouping, apart: Grouping) -> list[str]:
    """Notes on classes whose images count as copies of one another, as under a fixed camera.

    `together` keeps copies in one split, `apart` does not.  Raises `DataError` where of a class
    nothing could be held out for that reason alone.
    """
    parts = 3 - len({"val", "test"} & set(source.splits))  # into which the images are divided
    members: dict[str, list[Item]] = {}
    for item in source.read("train" if "train" in source.splits else source.splits[0]):
        for name in labels_of(item) or ("",):
            members.setdefault(name, []).append(item)
    notes = []
    for name, items in members.items() if parts > 1 else ():
        sizes, without = _group_sizes(items, together), _group_sizes(items, apart)
        most = max(sizes.values())
        if len(without) < parts or (2 * most <= len(items) and len(sizes) >= parts):
            continue
        of = f"images of '{name}'" if name else "images"
        what = f"{most:,} of {len(items):,} {of} look alike"
        hint = "where they are different things under one camera, set data.doctor=off"
        if len(sizes) < parts and len(items) >= TINY:
            raise DataError(f"{what}, so that val and test would have none", hint)
        notes.append(f"{what} and stay in one split; {hint}")
    return notes


def _group_sizes(items: Sequence[Item], group: Grouping) -> Counter[int]:
    return Counter(group_indices(items, group).tolist())


def divided(source: Source, recipe: Recipe, grouping: Grouping) -> DataSplit:
    """The source as it came divided or by shares, or with one of its folds as the test set."""
    data, seed = recipe.data, recipe.train.seed
    if data.fold:
        options: dict[str, Any] = {"val": data.val, "seed": seed, "group": grouping}
        return split_fold(source, data.fold, data.folds, **options)
    return split_data(source, val=data.val, test=data.test, seed=seed, group=grouping)


def notes_on_few_groups(division: DataSplit) -> list[str]:
    """A note for each held-out split whose images are of too few groups to tell of others."""
    notes = []
    for name, items in (("val", division.val), ("test", division.test)):
        groups = groups_of(items)
        if groups is not None and (count := len(groups.unique())) < FEWEST_GROUPS:
            notes.append(
                f"{name} is of {pluralize(count, 'group')}: what is measured on it has no interval "
                f"below {FEWEST_GROUPS}, a wide one below 20"
            )
    return notes


def notes_on_few_steps(recipe: Recipe, images: int) -> list[str]:
    """A note where a training has too few steps to learn much."""
    size, epochs = int(recipe.train.batch_size), recipe.train.epochs
    steps = epochs * math.ceil(images / size)
    if not epochs or recipe.train.minutes or steps >= FEW_STEPS:
        return []
    each = "1 step" if images <= size else f"{math.ceil(images / size)} steps"
    return [
        f"{steps} steps in all are few to learn from ({each} an epoch, with train.batch_size="
        f"{size}): smaller batches or more epochs learn more"
    ]


def refuse_one_class(source: Source) -> None:
    """Raise `DataError` where there is nothing to tell apart."""
    first = source.read(source.splits[0])[0]
    if len(source.classes) == 1 and isinstance(first.label, str):
        raise DataError(
            f"'{source.name}' holds one class only: '{source.classes[0]}'",
            "two classes at least are needed, side by side",
        )


def refuse_other_folds(source: Source, options: Data) -> None:
    """Raise where folds do nothing, or the one to test on is not there, before images are read."""
    if options.folds and not options.fold:
        raise UsageError(
            f"data.folds={options.folds} does nothing without a fold to test on",
            "add --fold 1; or, for all in turn, saccade cross-validate in place of saccade train",
        )
    refuse_folds(source, options.fold, options.folds)


def refuse_only_copies(source: Source, diagnosis: Diagnosis) -> None:
    """Raise `DataError` where one image, many times, is all that is to be divided."""
    case, parts = diagnosis.case, {"val", "test"} & set(source.splits)
    if len(parts) == 2 or len(case.items) < 2:
        return
    if len(set(case.content[case.table["readable"]].tolist())) == 1:
        raise DataError(
            f"all {len(case.items):,} images of '{source.name}' are copies of one another",
            "different images are needed, of which some can be held out",
        )


def training_refusal(source: Source, diagnosis: Diagnosis) -> DataError | None:
    """Why a training with the default settings would refuse these labelled images; None if not."""
    items, unread = diagnosis.case.items, diagnosis.case.reasons
    failed = {items[row].name: Skipped(items[row].name, why) for row, why in unread.items()}
    try:
        refuse_one_class(source)
        together = by_cluster(diagnosis.clusters(), items)
        refuse_only_copies(source, diagnosis)
        classes_of_copies(source, together, by_source)
        first_fold = next(iter(own_folds(source)), "")
        division = divided(source, Recipe().with_({"data.fold": first_fold}), together)
        readable = {
            split: tuple(item for item in part if item.name not in failed)
            for split, part in used(division).items()
        }
        refuse_unread(readable, division.classes, tuple(failed.values()))
    except DataError as error:
        return error
    return None
