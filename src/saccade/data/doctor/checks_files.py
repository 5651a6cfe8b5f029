"""Checks of files: unreadable, empty, misnamed, skipped, linked twice, names that collide."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from pathlib import PurePosixPath

import numpy as np

from saccade.data.doctor.case import Case, Finding
from saccade.words import pluralize

# fmt: off
FORMATS = {  # by suffix, as Pillow names them; photographs of some cameras are MPO inside
    ".jpg": ("JPEG", "MPO"), ".jpeg": ("JPEG", "MPO"), ".png": ("PNG",), ".webp": ("WEBP",),
    ".bmp": ("BMP",), ".gif": ("GIF",), ".tif": ("TIFF",), ".tiff": ("TIFF",),
    ".ppm": ("PPM",), ".pgm": ("PPM",), ".pbm": ("PPM",), ".avif": ("AVIF",),
    ".dcm": ("DICOM",), ".dicom": ("DICOM",),
}
# fmt: on


RARE = 0.01  # of the images


def unreadable(case: Case) -> Finding | None:
    """Images that cannot be decoded, with the reason of each."""
    rows = [row for row in case.reasons if case.table["bytes"][row] or not _is_empty(case, row)]
    if not rows:
        return None
    names = case.names(rows)
    message = f"{pluralize(len(rows), 'image')} of {len(case.items):,} cannot be read."
    advice = "Training leaves them out and says so; replace or remove them."
    remarks = {name: case.reasons[row] for name, row in zip(names, rows)}
    return Finding("unreadable", "error", len(rows), names, message, advice, remarks)


def empty_file(case: Case) -> Finding | None:
    """Files of 0 bytes."""
    rows = [row for row in case.reasons if _is_empty(case, row)]
    if not rows:
        return None
    message = f"{pluralize(len(rows), 'file')} {'is' if len(rows) == 1 else 'are'} empty (0 bytes)."
    advice = "Often a copy or download that was cut short; fetch them again."
    return Finding("empty_file", "error", len(rows), case.names(rows), message, advice)


def wrong_suffix(case: Case) -> Finding | None:
    """Files of another format than their suffix says."""
    formats = case.table["format"]
    remarks = {}
    for row in case.rows(formats != "").tolist():
        name, format_name = case.items[row].name, str(formats[row])
        expected = FORMATS.get(PurePosixPath(name).suffix.lower())
        if expected and format_name not in expected:
            remarks[name] = f"a {format_name} file"
    if not remarks:
        return None
    verb = "is" if len(remarks) == 1 else "are"
    message = f"{pluralize(len(remarks), 'file')} {verb} of another format than the name says."
    advice = "They are read all the same here; other programs may refuse them."
    return Finding(
        "wrong_suffix", "warning", len(remarks), tuple(remarks), message, advice, remarks
    )


def rare_format(case: Case) -> Finding | None:
    """Files of a format that fewer than `RARE` of all have."""
    formats = case.table["format"][case.table["readable"]]
    counts = Counter(formats[formats != ""].tolist())
    rare = {name for name, count in counts.items() if count < RARE * len(formats)}
    remarks = {
        case.items[row].name: f"a {case.table['format'][row]} file"
        for row in case.rows(np.isin(case.table["format"], list(rare)))
    }
    if not remarks:
        return None
    usual = counts.most_common(1)[0][0]
    message = f"{pluralize(len(remarks), 'stray file')} of another format among {usual} files."
    advice = "Often a placeholder or a drawing that came along; have a look."
    return Finding("rare_format", "note", len(remarks), tuple(remarks), message, advice, remarks)


def name_collision(case: Case) -> Finding | None:
    """Names equal but for case and Unicode normalisation."""
    same: dict[str, list[str]] = defaultdict(list)
    for item in case.items:
        same[unicodedata.normalize("NFC", item.name).casefold()].append(item.name)
    groups = tuple(tuple(names) for names in same.values() if len(names) > 1)
    if not groups:
        return None
    names = tuple(name for group in groups for name in group)
    message = f"{pluralize(len(names), 'name')} differ only in case or in how accents are written."
    advice = "On Windows and macOS one file would replace the other; rename them."
    return Finding("name_collision", "warning", len(names), names, message, advice, {}, groups)


def linked_twice(case: Case) -> Finding | None:
    """Links to folders that are read already."""
    reason = "a link to '"
    remarks = {
        entry.name: entry.reason for entry in case.skipped if entry.reason.startswith(reason)
    }
    if not remarks:
        return None
    message = f"{pluralize(len(remarks), 'link')} to folders that are read already."
    advice = "Each image is counted once; programs that follow links count it again and again."
    return Finding(
        "linked_twice", "warning", len(remarks), tuple(remarks), message, advice, remarks
    )


def hidden(case: Case) -> Finding | None:
    """Hidden files and folders."""
    names = tuple(entry.name for entry in case.skipped if entry.reason == "hidden")
    if not names:
        return None
    message = (
        f"{pluralize(len(names), 'hidden file or folder', 'hidden files or folders')} left out."
    )
    return Finding("hidden", "note", len(names), names, message)


def skipped(case: Case) -> Finding | None:
    """Other files and folders that were left out, with the reason of each."""
    remarks = {
        entry.name: entry.reason
        for entry in case.skipped
        if entry.reason != "hidden" and not entry.reason.startswith("a link to '")
    }
    if not remarks:
        return None
    most = Counter(remarks.values()).most_common(3)
    listed = ", ".join(f"{count:,} {reason}" for reason, count in most)
    message = f"{pluralize(len(remarks), 'file or folder', 'files or folders')} left out: {listed}."
    return Finding("skipped", "note", len(remarks), tuple(remarks), message, "", remarks)


def _is_empty(case: Case, row: int) -> bool:
    return bool(case.table["bytes"][row] == 0 and case.table["digest"][row] != np.bytes_(b""))
