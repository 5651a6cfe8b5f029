"""The report of a run written anew, or a page of several runs side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saccade.auto.trained import TrainedLike, refuse_list, run_of
from saccade.data.cache import ImageStore, decode_all
from saccade.errors import DataError, UsageError
from saccade.files import atomic_write, disk_errors, refuse_to_replace, write_output
from saccade.report.card import write_card
from saccade.report.images import tested_names
from saccade.report.pages.run_page import run_page
from saccade.report.pages.side_by_side import side_by_side
from saccade.runs.images import move, split_of
from saccade.runs.run import Run
from saccade.words import aligned, html_table

SEVERAL = Path("reports.html")


@dataclass(frozen=True, repr=False)
class WrittenReport:
    """A written report and its runs."""

    path: Path
    runs: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"report": str(self.path), "runs": list(self.runs)}

    def rows(self) -> list[tuple[str, str]]:
        """Names and values in words."""
        return [("report", str(self.path)), *(("run", run) for run in self.runs)]

    def __str__(self) -> str:
        return aligned(self.rows())

    def __repr__(self) -> str:
        return f"WrittenReport({self.path})"

    def _repr_html_(self) -> str:
        return html_table(("report", str(self.path)), self.rows()[1:])


def write_reports(
    given: Sequence[TrainedLike], out: Path | None, data: str | Path | None = None
) -> WrittenReport:
    """One run: its report and model card; several: one page.

    With `out` the page alone is written, there; `data` is where the images of one run lie now.
    Raises `UsageError` for unfinished runs.
    """
    refuse_list(given, "report")
    if not given:
        raise UsageError("no run is named", "saccade report runs/mine-1")
    refuse_to_replace(out if out or len(given) == 1 else SEVERAL)
    runs = [run_of(one, "a report of it on images of yours") for one in given]
    for run in runs:
        if not run.finished:
            hint = f"go on with: {run.again()}"
            raise UsageError(f"the run '{run.path}' is unfinished", hint)
    if data is not None:
        if len(runs) > 1:
            raise UsageError("--data says where the images of one run lie", "name one run")
        move(runs[0], data)
    if len(runs) == 1:
        text, default = run_page(runs[0], tested_images(runs[0])), runs[0].path / "report.html"
    else:
        text, default = side_by_side(runs, _distinct_names(runs)), SEVERAL
    if out is None and len(runs) == 1:  # the run's own
        with disk_errors(default):
            write_card(runs[0])
            atomic_write(default, text)
    else:
        write_output(out or default, text)
    return WrittenReport(out or default, tuple(str(run.path) for run in runs))


def tested_images(run: Run) -> ImageStore:
    """The test images in the order of predictions.csv, decoded from the source again."""
    items = {item.name: item for item in split_of(run).test}
    names = tested_names(run)
    missing = [name for name in names if name not in items]
    if missing:
        raise DataError(
            f"'{run.data}' lacks '{missing[0]}', which '{run.path}' was tested on",
            "put the images back to where they were when it was trained",
        )
    decoded = decode_all([items[name] for name in names], run.bundle.preprocessing)
    if decoded.failed:
        first = decoded.failed[0]
        raise DataError(
            f"'{first.name}' was readable and is not: {first.reason}",
            "put the image back as it was when the run was trained",
        )
    return decoded.images


def _distinct_names(runs: Sequence[Run]) -> list[str]:
    """The names of the runs' folders, or their paths below a shared folder where names repeat."""
    paths = [run.path.resolve() for run in runs]
    if len(set(paths)) < len(paths):
        raise UsageError("a run is named twice", "name each once")
    if len({path.name for path in paths}) == len(paths):
        return [path.name for path in paths]
    shared = os.path.commonpath(paths)
    return [str(path.relative_to(shared)) for path in paths]
