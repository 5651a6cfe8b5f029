"""compare: finished runs on the test images that they share; which differences are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations, compress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from saccade.comparison.comparison import (
    ChangedPrediction,
    ComparedRun,
    Comparison,
    DifferingSetting,
    Pair,
)
from saccade.comparison.page import comparison_page
from saccade.comparison.same_test import TestedRun, items_of, read_tested_run, shared_test_set
from saccade.data.formats import DecodeOptions, open_image
from saccade.errors import DataError, SaccadeError, UsageError
from saccade.files import atomic_write
from saccade.metrics.paired import Paired, holm, paired
from saccade.report.images import THUMBNAIL_SIZE, thumbnail
from saccade.runs.run import Run
from saccade.tasks.catalogue import metric_of


def compare_runs(paths: Sequence[str | Path], html: Path | None = None) -> Comparison:
    """Compare finished runs; with `html`, write it as a page, too."""
    if len(paths) < 2:
        raise UsageError("there is nothing to compare one run with", "name two runs or more")
    if len({Path(path).resolve() for path in paths}) < len(paths):
        raise UsageError("a run is named twice", "name different runs")
    exams, notes = shared_test_set([read_tested_run(Run.open(path)) for path in paths])
    comparison = replace(compare_tested(exams), notes=notes)
    if html is not None:
        atomic_write(html, comparison_page(comparison, thumbnail_source(exams[0])))
    return comparison


def compare_tested(exams: Sequence[TestedRun]) -> Comparison:
    """What exams of the same images, in the same order, say of their runs."""
    first, groups = exams[0], exams[0].group_of_each()
    metric = metric_of(first.task, first.classes)
    rows = [exam.rows(metric) for exam in exams]
    numbers, correct = paired(metric, rows, groups), [metric.correct(one) for one in rows]
    names = names_of(exams)
    sides = tuple(
        ComparedRun(
            name,
            str(exam.run.path),
            exam.run.recipe.model.name,
            exam.seconds,
            tuple(number.number(k) for number in numbers),
        )
        for k, (name, exam) in enumerate(zip(names, exams, strict=True))
    )
    return Comparison(
        task=first.task,
        n=len(first.names),
        runs=sides,
        pairs=pairs_of(numbers, names, first.names, correct),
        changed=changed(exams, correct),
        settings=differing(exams),
        grouped=groups is not None,
        right_or_wrong=correct[0] is not None,
    )


def pairs_of(
    numbers: Sequence[Paired],
    names: Sequence[str],
    images: Sequence[str],
    correct: Sequence[Tensor | None],
) -> tuple[Pair, ...]:
    """Every two of the runs `names`, the p-values of the leading number raised together.

    `correct` [N] bool a run, by the names of the images
    """
    places = list(combinations(range(len(names)), 2))
    apart = [tuple(number.difference(i, j) for number in numbers) for i, j in places]
    raised = holm([differences[0].p for differences in apart])
    return tuple(
        Pair(
            names[i],
            names[j],
            differences,
            p,
            _only(images, correct[i], correct[j]),
            _only(images, correct[j], correct[i]),
        )
        for (i, j), differences, p in zip(places, apart, raised, strict=True)
    )


def _only(images: Sequence[str], right: Tensor | None, other: Tensor | None) -> tuple[str, ...]:
    """The images that one run has right and the other wrong.  [N] bool, [N] bool"""
    if right is None or other is None:
        return ()
    return tuple(compress(images, (right & ~other).tolist()))


def changed(
    exams: Sequence[TestedRun], correct: Sequence[Tensor | None]
) -> tuple[ChangedPrediction, ...]:
    """The images that some of the runs have right and some wrong; `correct` [N] bool a run."""
    right = list(zip(*(one.tolist() for one in correct if one is not None), strict=True))
    return tuple(
        ChangedPrediction(
            exams[0].names[k], exams[0].labels[k], tuple(e.answers[k] for e in exams), each
        )
        for k, each in enumerate(right)
        if len(set(each)) > 1
    )


def differing(exams: Sequence[TestedRun]) -> tuple[DifferingSetting, ...]:
    """The data and the settings that are not the same in all runs."""
    told = [{"data": exam.data or "digits", **exam.run.recipe.settings()} for exam in exams]
    return tuple(
        DifferingSetting(name, tuple(_written(settings[name]) for settings in told))
        for name in told[0]
        if len({_written(settings[name]) for settings in told}) > 1
    )


def thumbnail_source(exam: TestedRun) -> Callable[[str], bytes | None]:
    """What gives a small image by its name, and None for one that is gone."""
    try:
        items = items_of(exam)
    except (SaccadeError, OSError):
        items = {}

    def look(name: str) -> bytes | None:
        try:
            raw = items[name].image.read()
            if isinstance(raw, bytes):
                raw = open_image(
                    raw, DecodeOptions(grey=False, min_side=THUMBNAIL_SIZE, longer=True)
                )
        except (KeyError, DataError, OSError):
            return None
        pixels = raw[..., None] if raw.ndim == 2 else raw[..., :3]
        return thumbnail(torch.from_numpy(np.array(pixels)).permute(2, 0, 1))

    return look


def names_of(exams: Sequence[TestedRun]) -> list[str]:
    """Folder names where they tell the runs apart, else the paths as they were given."""
    short = [exam.run.path.resolve().name for exam in exams]
    return short if len(set(short)) == len(short) else [str(exam.run.path) for exam in exams]


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return str(value)
