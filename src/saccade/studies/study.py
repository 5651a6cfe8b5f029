"""A study: a question, and variants of one recipe that are trained from the same seeds.

A study is a small TOML file.  `[settings]` are common to all; `[variants.NAME]` are what each
changes; in their place `[axes.NAME.VALUE]` give every combination of several changes.  A setting
`{ best_of = [...] }` is tuned: the value that is best on validation is compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from saccade.errors import RecipeError
from saccade.recipes.allowed import Range
from saccade.recipes.recipe import Recipe
from saccade.recipes.shipped import RECIPES
from saccade.studies.metric import StudyMetric

SEEDS = Range(1, 1_000)  # that a study may train from
JOBS = Range(1, 1_024)  # trainings at the same time
TEXT_KEYS = ("title", "question", "lectures", "limitations")
FIXED = {"train.threads": 1, "data.doctor": "off"}  # unless a study says otherwise


@dataclass(frozen=True)
class BestOf:
    """Values of a setting of which the best on validation counts."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Trial:
    """One recipe to be trained from every seed: a variant at one value of its tuned settings."""

    variant: str
    tuned: Mapping[str, Any]
    settings: Mapping[str, Any]  # what it changes of the study's recipe

    @property
    def name(self) -> str:
        """The variant with its tuned values."""
        tuned = (f"{key.split('.')[1]} {setting_text(value)}" for key, value in self.tuned.items())
        return ", ".join((self.variant, *tuned))

    @property
    def folder(self) -> str:
        """The name as the name of a folder."""
        return re.sub(r"[^\w.+-]+", "-", self.name).strip("-")


@dataclass(frozen=True)
class Variant:
    """A variant of the study's recipe, to be compared with its baseline."""

    name: str
    settings: Mapping[str, Any]
    baseline: str = ""  # the variant that it is compared with; empty for a baseline


@dataclass(frozen=True)
class Study:
    """A question, a metric and the variants that are compared."""

    name: str
    title: str
    question: str
    metric: StudyMetric  # what is compared
    variants: tuple[Variant, ...]
    settings: Mapping[str, Any]  # common to all variants
    lectures: str = ""  # their answer
    limitations: str = ""
    data: str = "digits"
    seeds: int = 3
    base: str = ""  # the named recipe that the settings change; defaults without it
    measured: Mapping[str, float] = field(default_factory=dict)  # by benchmarks/studies.py

    @property
    def cost(self) -> str:
        """Its data, and the minutes of one thread and the memory that it was measured to take."""
        if not self.measured:
            return f"({self.data}; not measured)"
        minutes, gigabytes = self.measured["minutes"], self.measured["megabytes"] / 1000
        return f"({self.data}; {minutes:.1f} min of one thread, {gigabytes:.1f} GB)"

    @property
    def data_name(self) -> str:
        """The name of the data without its folder."""
        return Path(self.data.partition("::")[0]).stem or self.data

    @property
    def recipe(self) -> Recipe:
        """The recipe that the variants change, with the first value of each tuned setting."""
        base = RECIPES[self.base]() if self.base else Recipe()
        return base.with_(FIXED | next(_combinations(self.settings))[1])

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Every recipe to be trained, in the order of the variants."""
        return tuple(
            Trial(variant.name, tuned, settings)
            for variant in self.variants
            for tuned, settings in _combinations(
                tuned_settings(self.settings) | dict(variant.settings)
            )
        )

    def with_(self, changes: Mapping[str, Any]) -> Study:
        """The study with other common settings; what a variant sets stays as it is."""
        parsed = Recipe().with_(changes).settings()
        changed = replace(self, settings={**self.settings, **{key: parsed[key] for key in changes}})
        refuse_impossible(changed)
        return changed

    def to_toml(self) -> str:
        """The study as a TOML file that reads back as the same; axes become variants."""
        lines = [
            f"{key} = {_toml(getattr(self, key))}" for key in ("name", *TEXT_KEYS, "data", "seeds")
        ]
        lines += [f"recipe = {_toml(self.base)}"] if self.base else []
        lines += [f"metric = {_toml(str(self.metric))}", "", "[settings]"]
        lines += [f"{key} = {_toml(value)}" for key, value in sorted(self.settings.items())]
        for variant in self.variants:
            lines += ["", f"[variants.{_toml(variant.name)}]"]
            lines += [f"baseline = {_toml(variant.baseline)}"]
            lines += [f"{key} = {_toml(value)}" for key, value in sorted(variant.settings.items())]
        return "\n".join(lines) + "\n"


def refuse_impossible(study: Study) -> None:
    """Raise `RecipeError` for a study that cannot be carried out as it is written."""
    if type(study.seeds) is not int or study.seeds not in SEEDS:
        raise RecipeError(f"seeds cannot be '{study.seeds}'", f"it takes a whole number {SEEDS}")
    if len(study.variants) < 2:
        raise RecipeError(f"the study '{study.name}' has nothing to compare", "give two variants")
    _refuse_settings(study.settings, f"the settings of '{study.name}'")
    for variant in study.variants:
        _refuse_settings(variant.settings, f"the variant '{variant.name}'")
    folders: dict[str, str] = {}
    for trial in study.trials:
        if folders.setdefault(trial.folder, trial.name) != trial.name or not trial.folder:
            raise RecipeError(
                f"'{trial.name}' and '{folders[trial.folder]}' would lie in one folder",
                "give the variants names that differ by letters or digits",
            )


def _refuse_settings(settings: Mapping[str, Any], where: str) -> None:
    if "train.seed" in settings:
        raise RecipeError(f"{where} sets train.seed", "a study's seeds are 0, 1, 2, ...: seeds = 3")
    for _, values in _combinations(settings):
        try:
            Recipe().with_(values)
        except RecipeError as error:
            raise RecipeError(f"{where}: {error.what}", error.hint) from error


def _combinations(settings: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """For each combination of tuned values: those values, and all settings with them."""
    tuned = tuned_settings(settings)
    for values in product(*(best_of.values for best_of in tuned.values())):
        choice = dict(zip(tuned, values))
        yield choice, {**settings, **choice}


def tuned_settings(settings: Mapping[str, Any]) -> dict[str, BestOf]:
    """The settings to be tuned."""
    return {key: value for key, value in settings.items() if isinstance(value, BestOf)}


def setting_text(value: Any) -> str:
    """A setting's value as text."""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _toml(value: Any) -> str:
    if isinstance(value, BestOf):
        return f"{{ best_of = {_toml(value.values)} }}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)
