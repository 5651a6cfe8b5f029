"""measure: a trained network on labelled pictures, its own held-out ones or others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from saccade.data.cache import decoded
from saccade.data.classes import missing_note
from saccade.data.grouping import groups_of
from saccade.data.loader import Loader
from saccade.data.order import in_order
from saccade.data.source import Item
from saccade.data.sources import open_source
from saccade.data.split import read_split
from saccade.engine.evaluate import evaluate
from saccade.errors import DataError, UsageError
from saccade.results import Evaluation
from saccade.runs import Run


def measure(run: Run, data: str | Path | None, split: str) -> Evaluation:
    """Evaluate the run's bundle on `data`, or on a split of its own pictures."""
    bundle = run.bundle
    items = _own(run, split) if data is None else _given(data, split)
    task = bundle.task
    task.targets(items)  # unknown classes are refused before anything is decoded
    result = decoded(items, bundle.preprocessing)
    kept = [items[k] for k in result.kept]
    if not kept:
        raise DataError(
            f"no picture can be read; {result.failed[0].name}: {result.failed[0].reason}"
        )
    loader = Loader(result.pictures, task.targets(kept), 256, in_order(len(kept)))
    found = evaluate(bundle.model, task, loader)
    measured = task.measured(found.predictions, found.targets, groups_of(kept))
    evaluation = Evaluation.of(split, task.kind, measured)
    notes = missing_note(kept, bundle.classes, "the data")
    return replace(evaluation, notes=notes, reported=result.failed)


def _own(run: Run, split: str) -> Sequence[Item]:
    parts = ("train", "val", "test")
    if split not in parts:
        raise UsageError(f"no split is called '{split}'", f"there are {', '.join(parts)}")
    source = open_source(run.events("started")[0]["data"])
    return getattr(read_split(run.path / "split.csv", source), split)


def _given(data: str | Path, split: str) -> Sequence[Item]:
    source = open_source(data)
    if source.splits == ("all",):
        return source.read("all")
    if split not in source.splits:
        there = ", ".join(source.splits)
        raise DataError(f"'{data}' has no split {split}", f"name one of {there} with --split")
    return source.read(split)
