"""A learning curve: trainings on nested shares of the training images, from several seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saccade.auto.resolve import stated_settings
from saccade.command import Command
from saccade.data.item import Source
from saccade.data.sources import absolute_location, open_source
from saccade.data.sources.data_spec import spec_with_settings
from saccade.data.sources.groups import grouping_of
from saccade.data.split_table import split_rows
from saccade.data.subsample import subsample
from saccade.errors import DataError, DivergedError, UsageError
from saccade.files import atomic_write, disk_errors
from saccade.progress import say
from saccade.recipes.allowed import Range
from saccade.recipes.recipe import Recipe
from saccade.recipes.setting import argument
from saccade.runs.predictions import read_predictions
from saccade.runs.run import Run
from saccade.studies.curve_page import curve_page
from saccade.studies.curve_result import LearningCurve
from saccade.studies.forecast import CurvePoint
from saccade.studies.run import command_folder, lock_folder
from saccade.studies.study import JOBS, SEEDS
from saccade.studies.study_run import progress_of
from saccade.studies.workers import TrainingJob, tell, train_all
from saccade.training.division import divided, refuse_one_class, refuse_other_folds

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)  # of the training images
FEWEST = 8  # images at the smallest share, and two of each class
FILE = "learning-curve.json"


@dataclass(frozen=True)
class CurveOptions:
    """The options of `saccade learning-curve` beside what is trained."""

    seeds: int = 3
    shares: Sequence[float] = ()  # the usual ones
    target: float | None = None  # a score to reach
    jobs: int = 1
    out: Path | None = None

    def __post_init__(self) -> None:
        argument("--seeds", self.seeds, int, SEEDS)
        argument("--jobs", self.jobs, int, JOBS)
        for share in self.shares:
            argument("--shares", share, float, Range(0, 1, closed="right"))
        if self.target is not None:
            argument("--target", self.target, float, Range(0, 1, closed="neither"))


def learn_curve(
    data: str | Path | None,
    recipe: str | Path | None,
    settings: Mapping[str, Any],
    options: CurveOptions,
) -> LearningCurve:
    """Train what is not trained yet, then write the curve, its table and its page."""
    stated = stated_settings(recipe, settings)
    _refuse_own_axes(stated)
    data = absolute_location(spec_with_settings(data, stated))
    source = open_source(data, notify=say)
    shares = _shares(source, data, stated, options.shares)
    command = Command.of("learning-curve", data, recipe=recipe, with_=settings)
    folder = command_folder(options.out, f"learning-curve-{source.name}", str(command))
    pairs = [(share, seed) for seed in range(options.seeds) for share in shares]
    runs = {pair: folder / f"share-{pair[0]:.6g}" / f"seed-{pair[1]}" for pair in pairs}
    todo = [
        TrainingJob(
            str(run),
            data,
            None if recipe is None else str(recipe),
            {**settings, "data.train_share": share, "train.seed": seed},
        )
        for (share, seed), run in runs.items()
        if progress_of(run) not in ("finished", "diverged")
    ]
    say(f"{len(runs)} trainings, {len(todo)} of them to do; in {folder}")
    again = Command.of(
        "learning-curve", data, recipe=recipe, seeds=options.seeds, shares=options.shares,
        target=options.target, with_=settings, out=folder,
    )  # fmt: skip
    with lock_folder(folder) as lock:
        train_all(todo, options.jobs, lock, tell, str(again))
        with disk_errors(folder):
            result = _result(folder, runs, options.target)
            atomic_write(folder / FILE, json.dumps(result.to_dict(), ensure_ascii=False) + "\n")
            atomic_write(folder / "learning-curve.csv", result.to_csv() + "\n")
            atomic_write(folder / "learning-curve.html", curve_page(result, str(again)))
    return result


def _refuse_own_axes(stated: Mapping[str, Any]) -> None:
    for name, instead in (("train.seed", "--seeds 3"), ("data.train_share", "--shares 0.5")):
        if name in stated:
            what = f"{name}={stated[name]} does nothing for a learning curve, which varies it"
            raise UsageError(what, f"leave it out, or say {instead}")


def _shares(
    source: Source, data: str | Path | None, stated: Mapping[str, Any], given: Sequence[float]
) -> tuple[float, ...]:
    """The shares to train on, up to all; of the usual ones those that have images enough."""
    refuse_one_class(source)
    recipe = Recipe().with_({k: v for k, v in stated.items() if k.startswith("data.")})
    refuse_other_folds(source, recipe.data)
    division = divided(source, recipe, grouping_of(recipe.data.group, data))
    division = subsample(division, train=recipe.data.per_class, seed=0)
    count = len(division.train)
    fewest = max(FEWEST, 2 * len(division.classes))
    shares = given or [share for share in SHARES if round(share * count) >= fewest]
    found = tuple(sorted({*map(float, shares), 1.0}))
    if len(found) < 2:
        what = f"{count} training images are too few for a learning curve"
        hint = f"{2 * fewest} at least are needed, or shares of your own: --shares 0.5"
        raise DataError(what, hint)
    return found


def _result(
    folder: Path, runs: Mapping[tuple[float, int], Path], target: float | None
) -> LearningCurve:
    """The curve of finished runs: of the metric that is primary in the first of them."""
    points, tested = [], set()
    task = name = ""
    for (share, seed), path in runs.items():
        if progress_of(path) == "diverged":
            raise DivergedError(f"the run '{path}' diverged", "try a smaller optim.lr")
        run = Run.open(path)
        train = sum(row.split == "train" for row in split_rows(path / "split.csv").values())
        tested.add(frozenset(read_predictions(path / "predictions.csv")["name"]))
        name = name or run.test.primary.name
        points.append(CurvePoint(share, seed, train, run.test[name], path))
        task = run.test.task
    return LearningCurve(folder, task, tuple(points), len(tested) == 1, target)
