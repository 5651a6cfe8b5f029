"""Examining a data source for problems, with a cache, a page and a cleaned table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from saccade.data.doctor.doctor import Diagnosis, cache_file_of, examine
from saccade.data.item import Skipped
from saccade.data.sources import open_source
from saccade.files import atomic_write
from saccade.progress import progress_bar, say
from saccade.report.doctor_page import doctor_page
from saccade.words import LineFeeds


def examine_data(
    data: str | Path | None, *, html: str | Path | None, apply: str | Path | None
) -> Diagnosis:
    """Examine `data`; write the page `html` and the cleaned table `apply` where these are given."""
    with progress_bar("examining") as progress:
        diagnosis = examine(open_source(data), progress=progress, state=cache_file_of(data))
    if html is not None:
        atomic_write(Path(html), doctor_page(diagnosis))
        say(f"the findings with their images are in {html}")
    if apply is not None:
        write_cleaned(Path(apply), *diagnosis.cleaned(Path(apply).parent))
    return diagnosis


def write_cleaned(file: Path, rows: list[dict[str, str]], left_out: Sequence[Skipped]) -> None:
    """Write a cleaned manifest, and beside it a table of what was left out and why."""
    reasons = [{"path": skipped.name, "reason": skipped.reason} for skipped in left_out]
    left_out_file = file.with_name(f"{file.stem}-left-out.csv")
    atomic_write(file, _csv(("path", "label", "split", "group"), rows))
    atomic_write(left_out_file, _csv(("path", "reason"), reasons))
    say(f"{len(rows)} images are in {file}; {len(left_out)} are left out, see {left_out_file}")


def _csv(titles: tuple[str, ...], rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(LineFeeds(out), titles)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
