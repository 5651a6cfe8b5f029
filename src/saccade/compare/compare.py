"""compare: finished runs on the test pictures that they share; which differences are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from saccade.compare.comparison import Changed, Comparison, Difference, Pair, Setting, Side
from saccade.compare.numbers import Compared, compared_numbers, groups_of, strata_of
from saccade.compare.page import comparison_page
from saccade.compare.same_test import Exam, items_of, read_exam, same_test
from saccade.data.formats import Opening, opened
from saccade.errors import DataError, SaccadeError, UsageError
from saccade.files import write_whole
from saccade.metrics.bootstrap import Resampling
from saccade.metrics.intervals import Interval
from saccade.metrics.metric import Number
from saccade.metrics.paired import Drawn, holm, paired_accuracy, paired_bootstrap
from saccade.report.pictures import THUMBNAIL_SIDE, thumbnail
from saccade.runs.run import Run
from saccade.tasks.catalogue import TASKS
from saccade.tasks.task import Capability


def compare_runs(paths: Sequence[str | Path], html: Path | None = None) -> Comparison:
    """Compare finished runs; with `html`, write it as a page, too."""
    if len(paths) < 2:
        raise UsageError("there is nothing to compare one run with", "name two runs or more")
    if len({Path(path).resolve() for path in paths}) < len(paths):
        raise UsageError("a run is named twice", "name different runs")
    exams, notes = same_test([read_exam(Run.open(path)) for path in paths])
    comparison = replace(compared(exams), notes=notes)
    if html is not None:
        write_whole(html, comparison_page(comparison, look_of(exams[0])))
    return comparison


def compared(exams: Sequence[Exam]) -> Comparison:
    """What exams of the same pictures, in the same order, say of their runs."""
    first, groups = exams[0], groups_of(exams[0])
    resampling = Resampling(len(first.names), strata_of(first), groups)
    found = [Found.of(number, resampling) for number in compared_numbers(exams)]
    names = names_of(exams)
    sides = tuple(
        Side(
            name,
            str(exam.run.path),
            exam.run.recipe.model.name,
            exam.seconds,
            tuple(one.number(k) for one in found),
        )
        for k, (name, exam) in enumerate(zip(names, exams, strict=True))
    )
    return Comparison(
        task=first.task,
        n=len(first.names),
        sides=sides,
        pairs=pairs_of(found, names, exams),
        changed=changed(exams),
        settings=differing(exams),
        grouped=groups is not None,
        right_or_wrong=judged(first),
    )


@dataclass(frozen=True)
class Found:
    """A compared number with its replicates."""

    compared: Compared
    drawn: Drawn
    n: int
    grouped: bool

    @classmethod
    def of(cls, compared: Compared, resampling: Resampling) -> Found:
        drawn = paired_bootstrap(compared.statistics, resampling)
        return cls(compared, drawn, resampling.n, resampling.groups is not None)

    @property
    def method(self) -> str:
        """What is done where there is no formula."""
        return "bootstrap of groups" if self.grouped else "bootstrap"

    def number(self, k: int) -> Number:
        """That of one run."""
        told, value = self.compared, self.drawn.values[k]
        interval, method = self.drawn.interval(k), self.method
        if told.intervals and not self.grouped:
            interval, method = told.intervals[k], told.method
        return Number(told.name, value, self.n, interval, told.unit, None, method)

    def difference(self, first: int, second: int) -> Difference:
        """The second run's less the first's: McNemar for shares, else a paired bootstrap."""
        name, unit = self.compared.name, self.compared.unit
        if self.compared.right and not self.grouped:
            found = paired_accuracy(self.compared.right[first], self.compared.right[second])
            p, interval = found.test.mid, found.interval
            return Difference(name, unit, found.difference, Interval(*interval), p, "McNemar")
        value = self.drawn.values[second] - self.drawn.values[first]
        interval, p = self.drawn.difference(first, second)
        return Difference(name, unit, value, interval, p, self.method)


def pairs_of(
    found: Sequence[Found], names: Sequence[str], exams: Sequence[Exam]
) -> tuple[Pair, ...]:
    """Every two runs, the p-values of the leading number raised together."""
    places = list(combinations(range(len(exams)), 2))
    apart = [tuple(one.difference(i, j) for one in found) for i, j in places]
    raised = holm([differences[0].p for differences in apart])
    pictures, right = exams[0].names, [exam.right() for exam in exams]
    return tuple(
        Pair(
            names[i],
            names[j],
            differences,
            p,
            _named(pictures, right[i] & ~right[j]),
            _named(pictures, right[j] & ~right[i]),
        )
        for (i, j), differences, p in zip(places, apart, raised, strict=True)
    )


def judged(exam: Exam) -> bool:
    """Whether answers are right or wrong, and not only near."""
    return Capability.RIGHT_OR_WRONG in TASKS[exam.task].capabilities


def changed(exams: Sequence[Exam]) -> tuple[Changed, ...]:
    """The pictures that some of the runs have right and some wrong; none of numbers."""
    if not judged(exams[0]):
        return ()
    right = list(zip(*(exam.right().tolist() for exam in exams), strict=True))
    return tuple(
        Changed(name, exams[0].labels[k], tuple(exam.answers[k] for exam in exams), right[k])
        for k, name in enumerate(exams[0].names)
        if len(set(right[k])) > 1
    )


def differing(exams: Sequence[Exam]) -> tuple[Setting, ...]:
    """The data and the settings that are not the same in all runs."""
    told = [{"data": exam.data or "digits", **exam.run.recipe.settings()} for exam in exams]
    return tuple(
        Setting(name, tuple(_written(settings[name]) for settings in told))
        for name in told[0]
        if len({_written(settings[name]) for settings in told}) > 1
    )


def look_of(exam: Exam) -> Callable[[str], bytes | None]:
    """What gives a small picture by its name, and None for one that is gone."""
    try:
        items = items_of(exam)
    except (SaccadeError, OSError):
        items = {}

    def look(name: str) -> bytes | None:
        try:
            raw = items[name].picture.read()
            if isinstance(raw, bytes):
                raw = opened(raw, Opening(grey=False, least=THUMBNAIL_SIDE, longer=True))
        except (KeyError, DataError, OSError):
            return None
        pixels = raw[..., None] if raw.ndim == 2 else raw[..., :3]
        return thumbnail(torch.from_numpy(np.array(pixels)).permute(2, 0, 1))

    return look


def names_of(exams: Sequence[Exam]) -> list[str]:
    """Folder names where they tell the runs apart, else the paths as they were given."""
    short = [exam.run.path.resolve().name for exam in exams]
    return short if len(set(short)) == len(short) else [str(exam.run.path) for exam in exams]


def _named(names: Sequence[str], there: Tensor) -> tuple[str, ...]:
    return tuple(name for name, is_there in zip(names, there.tolist(), strict=True) if is_there)


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return str(value)
