"""Examining a data source for problems, with a cache, a page and a cleaned table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from saccade.data.doctor.case import Finding
from saccade.data.doctor.doctor import Diagnosis, cache_file_of, examine
from saccade.data.item import Count, Item, Skipped, Source
from saccade.data.sources import open_images
from saccade.data.sources.cells import COLUMNS
from saccade.data.sources.data_spec import DataSpec
from saccade.data.sources.table import named_rows
from saccade.errors import DataError
from saccade.files import refuse_to_replace, write_output
from saccade.progress import progress_bar, say
from saccade.report.doctor_page import doctor_page
from saccade.training.division import training_refusal
from saccade.words import LineFeeds

TITLES: dict[type, str] = {tuple: "labels", Count: "count", float: "value", int: "value"}


def examine_data(
    data: str | Path | None, *, html: str | Path | None, cleaned: str | Path | None
) -> Diagnosis:
    """Examine `data`; write the page `html` and the table `cleaned` where these are given."""
    page, table = (None if file is None else Path(file) for file in (html, cleaned))
    refuse_to_replace(page, *cleaned_files(table))
    source = open_images(data)
    if table is not None:
        refuse_blanks(source.classes)
    with progress_bar("examining") as progress:
        diagnosis = examine(source, progress=progress, state=cache_file_of(data))
    diagnosis = with_refusal(diagnosis, source)
    if page is not None:
        write_output(page, doctor_page(diagnosis))
        say(f"the findings with their images are in {page}")
    if table is not None:
        write_cleaned(table, *diagnosis.cleaned(table.parent), diagnosis, data)
    return diagnosis


def with_refusal(diagnosis: Diagnosis, source: Source) -> Diagnosis:
    """The diagnosis with a finding of why a training would refuse these images, if it would.

    Images without labels may be meant to be looked at alone: they have a note.
    """
    count = diagnosis.count
    if all(item.label is None for item in diagnosis.case.items):
        message = "There are no labels, and nothing can be trained without."
        advice = "Labels come from a folder for each class, or from a table."
        note = Finding("unlabelled", "note", count, (), message, advice)
        return replace(diagnosis, findings=(*diagnosis.findings, note))
    refusal = training_refusal(source, diagnosis)
    if refusal is None:
        return diagnosis
    message = f"train refuses this: {refusal.what}"
    error = Finding("untrainable", "error", count, (), message, refusal.hint)
    return replace(diagnosis, findings=(error, *diagnosis.findings))


def cleaned_files(file: Path | None) -> tuple[Path, ...]:
    """The cleaned table `file`, and beside it that of what was left out; none without."""
    return () if file is None else (file, file.with_name(f"{file.stem}-left-out.csv"))


def refuse_blanks(classes: Sequence[str]) -> None:
    """Raise `DataError` for a class that no table can name: blanks at its ends are lost there."""
    for name in classes:
        if name != name.strip():
            raise DataError(
                f"the class '{name}' has a blank at an end, which a table would lose",
                "rename its folder, or leave out --cleaned",
            )


def write_cleaned(
    file: Path,
    rows: list[dict[str, str]],
    left_out: Sequence[Skipped],
    diagnosis: Diagnosis,
    data: str | Path | None,
) -> None:
    """Write a cleaned manifest, and beside it a table of what was left out and why.

    It opens as the task of its source; where that is a table, with its columns and cells.
    """
    refuse_to_replace(*cleaned_files(file))
    reasons = [{"path": skipped.name, "reason": skipped.reason} for skipped in left_out]
    _, left_out_file = cleaned_files(file)
    spec = DataSpec.of(data or "")
    excluded = {skipped.name for skipped in left_out}
    kept = [item.name for item in diagnosis.case.items if item.name not in excluded]
    text = _as_its_source(spec.path, kept, rows) if spec.is_table else ""
    if text:
        opened = str(replace(spec, name=str(file)))
    else:
        title, opened = _title(diagnosis.case.items), str(file)
        renamed = [{title if k == "label" else k: v for k, v in row.items()} for row in rows]
        text = _csv(("path", title, "split", "group"), renamed)
    write_output(file, text)
    write_output(left_out_file, _csv(("path", "reason"), reasons))
    say(f"{len(rows)} images are in {opened}; {len(left_out)} are left out, see {left_out_file}")


def _title(items: Sequence[Item]) -> str:
    """The name of a column by which a table is read as the task of these labels."""
    return next((TITLES.get(type(i.label), "label") for i in items if i.label is not None), "label")


def _as_its_source(table: Path, names: Sequence[str], rows: list[dict[str, str]]) -> str:
    """The rows of the images `names` as they stand in `table`, with new paths and groups.

    Empty where no column names them all.
    """
    opened, place, cells = named_rows(table)
    if place is None or not cells.keys() >= set(names):
        return ""
    folded = [title.casefold() for title in opened.header]
    group = next((i for i, title in enumerate(folded) if title in COLUMNS["group"]), len(folded))
    titles = opened.header if group < len(folded) else [*opened.header, "group"]
    out = io.StringIO()
    writer = csv.writer(LineFeeds(out), delimiter=opened.delimiter)
    writer.writerow(titles)
    for name, row in zip(names, rows, strict=True):
        line = [*cells[name], ""][: len(titles)]
        line[place], line[group] = row["path"], row["group"]
        writer.writerow(line)
    return out.getvalue()


def _csv(titles: tuple[str, ...], rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(LineFeeds(out), titles)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
