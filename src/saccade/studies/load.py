"""Loading studies from TOML files, the shipped ones by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from saccade.errors import RecipeError, unknown
from saccade.recipes.shipped import RECIPES
from saccade.recipes.toml import read_toml
from saccade.studies.metric import metric_of
from saccade.studies.study import TEXT_KEYS, BestOf, Study, Variant, refuse_impossible
from saccade.words import aligned, html_table

KEYS = (
    *TEXT_KEYS, "name", "data", "seeds", "recipe", "metric", "settings", "variants", "baseline",
    "axes", "along", "measured",
)  # fmt: skip
RENAMED = {"number": "metric", "against": "baseline", "limits": "limitations"}
SHIPPED = {file.stem: file for file in sorted(Path(__file__).parent.glob("*.toml"))}


def find_study(name: str | Path) -> Study:
    """The shipped study of this name, or that of a TOML file."""
    if str(name) in SHIPPED:
        return load_study(SHIPPED[str(name)])
    if str(name).lower().endswith(".toml"):
        return load_study(Path(name))
    raise unknown("study", str(name), SHIPPED)


def load_study(path: Path) -> Study:
    """The study in the TOML file at `path`; raises `RecipeError` where it is not valid."""
    config = read_toml(path, "study", "key", "[variants.adam]")
    for key in config:
        if key in RENAMED:
            raise RecipeError(
                f"no key of a study is called {key}", f"it is called {RENAMED[key]} now"
            )
        if key not in KEYS:
            raise unknown("key of a study", key, KEYS, RecipeError)
    for key in ("question", "metric"):
        if key not in config:
            raise RecipeError(f"the study '{path}' has no {key}", "saccade studies shows examples")
    study = Study(
        name=str(config.get("name", path.stem)),
        title=str(config.get("title", path.stem)),
        question=str(config["question"]),
        metric=metric_of(config["metric"]),
        variants=_variants(config, path),
        settings=_flatten(_table("settings", config.get("settings", {}))),
        lectures=str(config.get("lectures", "")),
        limitations=str(config.get("limitations", "")),
        data=str(config.get("data", "digits")),
        seeds=config.get("seeds", 3),
        base=_known_recipe(str(config.get("recipe", ""))),
        measured=_measured(config.get("measured", {})),
    )
    refuse_impossible(study)
    return study


def _known_recipe(name: str) -> str:
    if name and name not in RECIPES:
        raise unknown("recipe", name, RECIPES, RecipeError)
    return name


def _measured(table: Any) -> Mapping[str, float]:
    """What a study took on its own data: minutes of one thread, and megabytes."""
    if not isinstance(table, Mapping) or {*table} - {"minutes", "megabytes"}:
        raise RecipeError("[measured] holds minutes and megabytes", "leave it out of your own")
    return {str(name): float(value) for name, value in table.items()}


def _variants(config: Mapping[str, Any], path: Path) -> tuple[Variant, ...]:
    """The variants by name, or every combination of the axes' values, with their baselines."""
    tables = [config[key] for key in ("variants", "axes") if key in config]
    if len(tables) != 1 or not isinstance(tables[0], Mapping) or not tables[0]:
        raise RecipeError(
            f"the study '{path}' needs variants or axes, and not both",
            '[variants.adam] and below it a line such as: optim.name = "adam"',
        )
    if "axes" in config:
        return _combinations(config["axes"], config.get("along"))
    named = {name: _table(name, table) for name, table in config["variants"].items()}
    base = config.get("baseline", next(iter(named)))
    variants = []
    for name, table in named.items():
        baseline = table.pop("baseline", "" if name == base else base)
        if baseline and baseline not in named:
            raise unknown("variant", baseline, named, RecipeError)
        variants.append(Variant(name, _flatten(table), baseline))
    return tuple(variants)


def _combinations(axes: Mapping[str, Mapping[str, Any]], along: str | None) -> tuple[Variant, ...]:
    """A variant for each combination; with `along` its baseline is the first of that axis."""
    if along is not None and along not in axes:
        raise unknown("axis", along, axes, RecipeError)
    for axis, values in axes.items():
        for name, table in _table(axis, values).items():
            _table(name, table)
    firsts = {axis: next(iter(values)) for axis, values in axes.items()}
    variants = []
    for names in product(*axes.values()):
        combination = dict(zip(axes, names))
        base = firsts if along is None else combination | {along: firsts[along]}
        tables = [_flatten(axes[axis][value]) for axis, value in combination.items()]
        baseline = "" if base == combination else ", ".join(base.values())
        settings = {key: value for table in tables for key, value in table.items()}
        variants.append(Variant(", ".join(names), settings, baseline))
    return tuple(variants)


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise RecipeError(
            f"'{name} = {value}' sets nothing", 'write settings, such as optim.name = "adam"'
        )
    return dict(value)


def _flatten(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by their full names, from nested or flat tables."""
    settings: dict[str, Any] = {}
    for key, value in tables.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and set(value) == {"best_of"}:
            settings[name] = BestOf(_choices(name, value["best_of"]))
        elif isinstance(value, Mapping) and "." not in name:
            settings |= _flatten(value, f"{name}.")
        else:
            settings[name] = value
    return settings


def _choices(name: str, values: Any) -> tuple[Any, ...]:
    if not isinstance(values, list) or not values:
        raise RecipeError(f"{name} is the best of '{values}'", "write best_of = [0.01, 0.1], say")
    return tuple(values)


@dataclass(frozen=True, repr=False)
class Studies:
    """All shipped studies."""

    entries: tuple[Study, ...]

    def to_dict(self) -> dict[str, Any]:
        """The studies as JSON values."""
        return {"studies": [_entry(study) for study in self.entries]}

    def rows(self) -> list[tuple[str, str]]:
        """The name, the question, the data and the cost of each study."""
        return [(study.name, f"{study.question} {study.cost}") for study in self.entries]

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        return f"Studies({', '.join(study.name for study in self.entries)})"

    def _repr_html_(self) -> str:
        return html_table(("study", ""), self.rows())


def list_studies() -> Studies:
    """Every shipped study, read from its file."""
    return Studies(tuple(find_study(name) for name in SHIPPED))


def _entry(study: Study) -> dict[str, Any]:
    return {
        "name": study.name,
        "title": study.title,
        "question": study.question,
        "lectures": study.lectures,
        "data": study.data,
        "metric": str(study.metric),
        "seeds": study.seeds,
        "measured": dict(study.measured),
        "variants": [variant.name for variant in study.variants],
    }
