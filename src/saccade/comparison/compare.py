"""Paired comparison of finished runs on the test images that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations, compress
from pathlib import Path
from statistics import fmean

from torch import Tensor

from saccade.auto.trained import TrainedLike, one_or_several, refuse_list, run_of
from saccade.comparison.comparison import (
    ChangedPrediction,
    ComparedRun,
    Comparison,
    DifferingSetting,
    Pair,
)
from saccade.comparison.page import comparison_page
from saccade.comparison.seeds import (
    SettingRuns,
    have_seeds,
    pairs_of_settings,
    refuse_mixed,
    settings_but_seed,
    settings_of,
)
from saccade.comparison.tested_run import TestedRun, items_of, read_tested_run, shared_test_set
from saccade.errors import SaccadeError, UsageError
from saccade.files import refuse_to_replace, write_output
from saccade.metrics.metric import MetricValue, find_metric
from saccade.metrics.paired import Paired, holm, paired
from saccade.models.table import shown_name
from saccade.report.images import thumbnail_of
from saccade.tasks.catalogue import metric_of
from saccade.words import pluralize


def compare_runs(
    given: Sequence[TrainedLike | Sequence[TrainedLike]], html: Path | None = None
) -> Comparison:
    """Compare finished runs; with `html`, write it as a page, too.

    Several runs of each of two settings or more, in lists or not, compare the settings.
    """
    refuse_to_replace(html)
    if len(given) == 1:
        refuse_list(given, "compare")
    lists = [one for one in given if isinstance(one, list | tuple)]
    each: list[TrainedLike] = []
    for one in given:
        each += one_or_several(one)
    if len(each) < 2:
        raise UsageError("there is nothing to compare one run with", "name two runs or more")
    runs = [run_of(one, "measure each on the same images") for one in each]
    if len({run.path.resolve() for run in runs}) < len(runs):
        raise UsageError("a run is named twice", "name different runs")
    tested_runs = [read_tested_run(run) for run in runs]
    settings = settings_of(tested_runs)
    if lists:
        refuse_mixed([len(one) for one in lists], settings, tested_runs)
    if have_seeds(settings):
        comparison = compare_settings(settings)
    else:
        tested_runs, notes = shared_test_set(tested_runs)
        comparison = compare_tested(tested_runs)
        comparison = replace(comparison, notes=(*notes, *note_on_seeds(comparison)))
    if html is not None:
        write_output(html, comparison_page(comparison, thumbnail_source(tested_runs[0])))
    return comparison


def compare_settings(settings: Sequence[SettingRuns]) -> Comparison:
    """The comparison of settings by several runs of each, which differ in their seed alone."""
    tested_runs = [tested for one in settings for tested in one.runs]
    pairs, note = pairs_of_settings(settings)
    metric = metric_of(tested_runs[0].task, tested_runs[0].classes)
    runs = tuple(
        _compared_run(
            name, tested, paired(metric, [tested.rows(metric)], tested.group_of_each()), 0
        )
        for name, tested in zip(names_of(tested_runs), tested_runs, strict=True)
    )
    primary, in_order = pairs[0].primary.name, iter(runs)
    values = {
        one.name: mean_of_runs([find_metric(next(in_order).metrics, primary) for _ in one.runs])
        for one in settings
    }
    return Comparison(
        task=tested_runs[0].task,
        n=len({name for tested in tested_runs for name in tested.names}),
        runs=runs,
        pairs=pairs,
        changed=(),
        settings=differing_settings(tested_runs),
        notes=(note,),
        grouped=tested_runs[0].group_of_each() is not None,
        right_or_wrong=False,
        means=values,
    )


def mean_of_runs(values: Sequence[MetricValue]) -> str:
    """The mean over seeds as text: '86.4 % (3 seeds)'."""
    mean = replace(values[0], value=fmean(value.value for value in values), interval=None)
    return f"{str(mean).split(' (')[0]} ({pluralize(len(values), 'seed')})"


def _compared_run(
    name: str, tested: TestedRun, metrics: Sequence[Paired], index: int
) -> ComparedRun:
    """A run with its metrics, of which it is the one at `index`."""
    model = shown_name(tested.run.recipe.model.name)
    values = tuple(metric.metric(index) for metric in metrics)
    return ComparedRun(name, str(tested.run.path), model, tested.seconds, values)


def compare_tested(tested_runs: Sequence[TestedRun]) -> Comparison:
    """The comparison of runs tested on the same images, in the same order."""
    first, groups = tested_runs[0], tested_runs[0].group_of_each()
    metric = metric_of(first.task, first.classes)
    rows = [tested.rows(metric) for tested in tested_runs]
    metrics, correct = paired(metric, rows, groups), [metric.correct(row) for row in rows]
    names = names_of(tested_runs)
    runs = tuple(
        _compared_run(name, tested, metrics, k)
        for k, (name, tested) in enumerate(zip(names, tested_runs, strict=True))
    )
    return Comparison(
        task=first.task,
        n=len(first.names),
        runs=runs,
        pairs=with_seeds(pairs_of(metrics, names, first.names, correct), tested_runs, names),
        changed=changed_predictions(tested_runs, correct),
        settings=differing_settings(tested_runs),
        grouped=groups is not None,
        right_or_wrong=correct[0] is not None,
    )


def pairs_of(
    metrics: Sequence[Paired],
    names: Sequence[str],
    images: Sequence[str],
    correct: Sequence[Tensor | None],
) -> tuple[Pair, ...]:
    """Every two of the runs `names`, with Holm's p-values of the primary metric.

    correct [N] bool, one per run, in the order of the names in `images`
    """
    index_pairs = list(combinations(range(len(names)), 2))
    pair_differences = [tuple(m.difference(i, j) for m in metrics) for i, j in index_pairs]
    p_values = holm([differences[0].p for differences in pair_differences])
    return tuple(
        Pair(
            names[i],
            names[j],
            differences,
            p,
            _only(images, correct[i], correct[j]),
            _only(images, correct[j], correct[i]),
        )
        for (i, j), differences, p in zip(index_pairs, pair_differences, p_values, strict=True)
    )


def with_seeds(
    pairs: Sequence[Pair], tested_runs: Sequence[TestedRun], names: Sequence[str]
) -> tuple[Pair, ...]:
    """The pairs, told of which two runs differ by their seed alone."""
    settings = {
        name: settings_but_seed(tested) for name, tested in zip(names, tested_runs, strict=True)
    }
    return tuple(
        replace(pair, same_settings=settings[pair.first] == settings[pair.second]) for pair in pairs
    )


def note_on_seeds(comparison: Comparison) -> tuple[str, ...]:
    """A note that runs were compared and not their settings, where these differ."""
    if all(pair.same_settings for pair in comparison.pairs) or not comparison.settings:
        return ()
    return (
        "runs were compared, and the seed moves a run, too: whether their settings differ as much "
        "takes several seeds of each; name the runs of all of them here, or let a study train them "
        "(saccade studies)",
    )


def _only(images: Sequence[str], right: Tensor | None, other: Tensor | None) -> tuple[str, ...]:
    """The images that one run has right and the other wrong.  right, other [N] bool"""
    if right is None or other is None:
        return ()
    return tuple(compress(images, (right & ~other).tolist()))


def changed_predictions(
    tested_runs: Sequence[TestedRun], correct: Sequence[Tensor | None]
) -> tuple[ChangedPrediction, ...]:
    """The images that some runs have right and some wrong.  correct [N] bool, one per run"""
    correct_rows = list(zip(*(row.tolist() for row in correct if row is not None), strict=True))
    return tuple(
        ChangedPrediction(
            tested_runs[0].names[k],
            tested_runs[0].labels[k],
            tuple(tested.answers[k] for tested in tested_runs),
            each,
        )
        for k, each in enumerate(correct_rows)
        if len(set(each)) > 1
    )


def differing_settings(tested_runs: Sequence[TestedRun]) -> tuple[DifferingSetting, ...]:
    """The data and the settings that are not the same in all runs."""
    settings_of_runs = [
        {"data": tested.data or "digits", **tested.run.recipe.learned_by()}
        for tested in tested_runs
    ]
    return tuple(
        DifferingSetting(name, tuple(_value_text(settings[name]) for settings in settings_of_runs))
        for name in settings_of_runs[0]
        if len({_value_text(settings[name]) for settings in settings_of_runs}) > 1
    )


def thumbnail_source(tested: TestedRun) -> Callable[[str], bytes | None]:
    """A function from an image's name to its thumbnail, or None for one that is gone."""
    try:
        items = items_of(tested)
    except (SaccadeError, OSError):
        items = {}

    def thumbnail_by_name(name: str) -> bytes | None:
        return thumbnail_of(items[name]) if name in items else None

    return thumbnail_by_name


def names_of(tested_runs: Sequence[TestedRun]) -> list[str]:
    """The names of the runs' folders where these differ, else their paths."""
    short = [tested.run.path.resolve().name for tested in tested_runs]
    return (
        short if len(set(short)) == len(short) else [str(tested.run.path) for tested in tested_runs]
    )


def _value_text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return str(value)
