"""settled: data, settings and division of a training, before a picture is decoded for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from saccade.data.glance import glance
from saccade.data.limit import limited
from saccade.data.source import Skipped, Source
from saccade.data.sources import open_source
from saccade.data.split import Division, divide
from saccade.pretrained import fetched
from saccade.settings import Settings, resolve
from saccade.tasks.catalogue import kind_of, task_for
from saccade.tasks.regression import Regression
from saccade.terminal import say
from saccade.training.candidates import compared
from saccade.verbs.doctor import grouped


class Settled(NamedTuple):
    """What is known of a training before it begins."""

    source: Source
    settings: Settings
    division: Division
    notes: list[str]


def settle(data: str | Path | None, recipe: str | Path | None, flags: Mapping[str, Any]) -> Settled:
    """Open the data, choose what is left to choose, examine and divide the pictures."""
    source = open_source(data, tell=say)
    seen, hand = glance(source.read(source.splits[0])), partial(fetched, tell=say)
    settings = resolve(recipe, flags, seen, hand=hand)
    held, seed = settings.recipe.data, settings.recipe.train.seed
    group, findings = grouped(source, data, settings.recipe)
    division = limited(
        divide(source, val=held.val, test=held.test, seed=seed, group=group),
        train=held.per_class,
        held=held.held_per_class,
        seed=seed,
    )
    if flags.get("model.name") == "auto":
        settings = compared(
            settings,
            hand(seen.short_side),
            division.train,
            task_for(division.train, division.classes),
            lambda found: resolve(recipe, flags, seen, hand=hand, found=found),
        )
    settings = unsmoothed(settings, kind_of(division.train))
    notes = [*settings.notes, *source.notes, *notes_on(source.skipped), *division.notes, *findings]
    return Settled(source, settings, division, notes)


def unsmoothed(settings: Settings, kind: str) -> Settings:
    """Without the label smoothing that a named recipe has for classes, where numbers are learned.

    One that was asked for stays, to be refused.
    """
    name = "train.label_smoothing"
    of_recipe = settings.origins[name].startswith("recipe ")
    if kind != Regression.kind or not of_recipe:
        return settings
    origins = {**settings.origins, name: "auto: numbers are not smoothed"}
    return replace(settings, recipe=settings.recipe.with_({name: 0.0}), origins=origins)


def notes_on(skipped: Sequence[Skipped]) -> list[str]:
    """A line for each reason for which something in a source was left out."""
    names: dict[str, list[str]] = {}
    for one in skipped:
        names.setdefault(one.reason, []).append(one.name)
    return [f"left out: {len(n)} ({reason}), such as {n[0]}" for reason, n in names.items()]
