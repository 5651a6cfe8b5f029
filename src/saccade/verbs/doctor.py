"""doctor: the doctor on a source, remembering what it has seen."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

from saccade.data.doctor.diagnosis import Diagnosis
from saccade.data.doctor.doctor import examine
from saccade.data.grouping import Grouping, by_cluster, by_folder, by_pattern, by_source
from saccade.data.source import Skipped, Source
from saccade.data.sources import located, open_source
from saccade.files import cache_folder, write_whole
from saccade.recipe import Recipe
from saccade.report.doctor_page import doctor_page
from saccade.terminal import counting, say
from saccade.training.prepared import preprocessing_of

GROUPINGS: dict[str, Grouping] = {"source": by_source, "folder": by_folder}


def examine_data(
    data: str | Path | None, *, html: str | Path | None, apply: str | Path | None
) -> Diagnosis:
    """Examine `data`; write the page `html` and the cleaned table `apply` where they are wanted."""
    with counting("examining") as progress:
        diagnosis = examine(open_source(data), progress=progress, state=memory_of(data))
    if html is not None:
        write_whole(Path(html), doctor_page(diagnosis))
        say(f"the findings with their pictures are in {html}")
    if apply is not None:
        write_cleaned(Path(apply), *diagnosis.cleaned(Path(apply).parent))
    return diagnosis


def grouped(source: Source, data: str | Path | None, recipe: Recipe) -> tuple[Grouping, list[str]]:
    """What must stay in one split, and the doctor's errors and warnings in words.

    Copies of a picture, near ones too, count as a group wherever the doctor is let in.
    """
    group = GROUPINGS.get(recipe.data.group) or by_pattern(recipe.data.group)
    if recipe.data.doctor == "off":
        return group, []
    with counting("examining") as progress:
        diagnosis = examine(
            source,
            preprocessing=preprocessing_of(recipe),
            progress=progress,
            state=memory_of(data),
        )
    items = [item for split in source.splits for item in source.read(split)]
    words = [f"{f.severity}: {f.words}" for f in diagnosis.findings if f.severity != "note"]
    return by_cluster(diagnosis.clusters(), items, group), words


def memory_of(data: str | Path | None) -> Path | None:
    """The file in which the doctor remembers the pictures of a path; none for data without one."""
    if data is None or not Path(str(data).partition("::")[0]).exists():
        return None
    name = hashlib.sha256(str(located(data)).encode()).hexdigest()[:16]
    return cache_folder() / "doctor" / f"{name}.jsonl"


def write_cleaned(file: Path, rows: list[dict[str, str]], left_out: Sequence[Skipped]) -> None:
    """Write a cleaned manifest, and beside it what was left out and why."""
    reasons = [{"path": skipped.name, "reason": skipped.reason} for skipped in left_out]
    others = file.with_name(f"{file.stem}-left-out.csv")
    write_whole(file, _table(("path", "label", "split", "group"), rows))
    write_whole(others, _table(("path", "reason"), reasons))
    say(f"{len(rows)} pictures are in {file}; {len(left_out)} are left out, see {others}")


def _table(titles: tuple[str, ...], rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, titles, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
