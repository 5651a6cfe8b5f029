"""Label Studio: exported tasks (JSON) as a table of one class, or several, per image.

A task is of one image; of its annotations the last one counts that was not cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from saccade.data.image_files import SUFFIXES
from saccade.data.sources.cells import Table, labelled_table
from saccade.data.sources.records import QUERY, cell_text, local_name
from saccade.errors import DataError

Task = Mapping[str, Any]


def label_studio(tasks: Sequence[Task], path: Path) -> Table:
    """The choices of each task; tasks without an annotation are left out, and counted."""
    labels: dict[str, list[str]] = {}
    controls: set[str] = set()
    doubled, blank = [], []
    for number, task in enumerate(tasks, start=1):
        where = f"task {number} of '{path}'"
        try:
            image, done, choices = _image(task, path, where), _done(task), _choices(task)
        except (AttributeError, KeyError, TypeError, IndexError) as error:
            raise DataError(f"{where} is none of Label Studio", "export it anew") from error
        if not done:
            blank.append(image)
            continue
        doubled += [image] if len(done) > 1 else []
        controls.update(control for control, _ in choices)
        found = [name for _, names in choices for name in names]
        if labels.setdefault(image, found) != found:
            raise DataError(f"{where} labels '{image}' anew", "export one task for each image")
    _refuse_otherwise(tasks, path, controls)
    table = labelled_table(labels, path, path.parent)
    notes = table.notes
    if blank:
        notes += (f"{len(blank)} tasks have no annotation and are left out: '{blank[0]}'",)
    if doubled:
        what = f"{len(doubled)} tasks have several annotations, of which the last one counts"
        notes += (f"{what}, such as that of '{doubled[0]}'",)
    return replace(table, notes=notes)


def _image(task: Task, path: Path, where: str) -> str:
    images = [v for v in task["data"].values() if isinstance(v, str) and _is_image(v)]
    if len(images) != 1:
        raise DataError(
            f"{where} names {len(images)} images in its data", "export tasks of one image each"
        )
    return cell_text(images[0], path.parent)


def _is_image(name: str) -> bool:
    file = local_name(name, Path()) if "?d=" in name else QUERY.sub("", name)
    return Path(file).suffix.lower() in SUFFIXES


def _done(task: Task) -> list[Task]:
    return [a for a in task["annotations"] if not a.get("was_cancelled")]


def _choices(task: Task) -> list[tuple[str, list[str]]]:
    """Of each choice its control and what was chosen."""
    results = [r for annotation in _done(task)[-1:] for r in annotation["result"]]
    return [
        (str(r.get("from_name")), [str(name) for name in r["value"]["choices"]])
        for r in results
        if r.get("type") == "choices"
    ]


def _refuse_otherwise(tasks: Sequence[Task], path: Path, controls: set[str]) -> None:
    """Raise `DataError` where nothing is chosen in any task, or several things are asked."""
    if len(controls) > 1:
        listed = " and ".join(f"'{control}'" for control in sorted(controls))
        hint = f"export as JSON-MIN or CSV, and write 'FILE::{min(controls)}'"
        raise DataError(f"'{path}' holds the answers to {listed}", hint)
    if not controls:
        results = [r for task in tasks for a in _done(task)[-1:] for r in a["result"]]
        kinds = ", ".join(sorted({str(r.get("type")) for r in results})) or "no annotation"
        raise DataError(f"no task of '{path}' has a choice: {kinds}", "classes are Choices there")
