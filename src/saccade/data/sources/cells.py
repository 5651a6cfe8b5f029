"""Cells: tables as text, as people and their programs write them, to a header and rows.

Read are a line `sep=;` (Excel), comments and blank lines before the header, a header in the last
comment, no header at all, delimiters , ; tab | and blanks, quoted cells, UTF-8 and UTF-16.  A row
with more or fewer cells than the header is refused: a comma without quotes moves what follows.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from saccade.data.image_files import SUFFIXES
from saccade.data.sources.finding import ImageFinder, as_posix
from saccade.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # Excel's own, before the header
# fmt: off
COLUMNS = {
    "path": ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "name"),
    "label": (
        "label", "class", "category", "labels", "tags", "classes", "value", "target", "count",
        "counts",
    ),
    "split": ("split", "set", "subset", "partition"),
    "group": ("group", "group_id", "patient", "place"),
}
# fmt: on
TRUE, FALSE = ("1", "1.0", "true"), ("0", "0.0", "false", "-1", "-1.0")
NO_CLASSES = ("is_train", "is_valid", "is_val", "is_test")  # columns of 0 and 1 that tell a split


@dataclass(frozen=True)
class Table:
    """A header and rows of cells, wherever they stand."""

    place: str  # as messages call it: a path, say
    folder: Path  # that the names of images are relative to
    header: tuple[str, ...]
    rows: Sequence[tuple[int, Sequence[str]]]  # each with its number; as many cells as the header
    delimiter: str = ","
    headless: bool = False
    notes: tuple[str, ...] = ()

    @property
    def decimal_comma(self) -> bool:
        """Whether a comma in a cell may be that of a number."""
        return self.delimiter != ","

    @property
    def has_labels(self) -> bool:
        """Whether a column has the name of labels, or several are classes of 0 and 1."""
        if any(folded(title) in COLUMNS["label"] for title in self.header):
            return True
        return sum(map(self.is_binary, range(len(self.header)))) > 1

    def is_binary(self, column: int) -> bool:
        """Whether a column that may be a class holds 0 and 1 alone, or their like."""
        if not self.header[column] or folded(self.header[column]) in NO_CLASSES:
            return False
        found = (cells[column].strip().casefold() for _, cells in self.rows)
        return bool(self.rows) and all(cell in TRUE or cell in FALSE for cell in found)

    def column(self, name: str) -> int | None:
        """The position of a column, case and normal form aside; none where there is none."""
        wanted = folded(name)
        positions = [i for i, title in enumerate(self.header) if folded(title) == wanted]
        exact = [i for i in positions if self.header[i] == name]
        if len(positions) > 1 and len(exact) != 1:
            raise DataError(
                f"'{self.place}' has {len(positions)} columns called '{name}'", "rename one of them"
            )
        return (exact or positions or [None])[0]


def folded(text: str) -> str:
    """A column's name for comparison: one normal form, no case."""
    return unicodedata.normalize("NFC", text).strip().casefold()


def read_text(path: Path) -> str:
    """A text file of people's: UTF-8 with or without a mark, or marked UTF-16."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"'{path}' cannot be read: {error.strerror}", "check who may read it"
        ) from error
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig").lstrip("\ufeff")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"row {row} of '{path}' is not UTF-8", "save it as UTF-8 ('CSV UTF-8' in Excel)"
        ) from error
    if "\0" in text:  # UTF-16 without its mark, UTF-32, or no text at all
        row = text[: text.index("\0")].count("\n") + 1
        raise DataError(
            f"row {row} of '{path}' holds a zero byte", "save it as UTF-8 ('CSV UTF-8' in Excel)"
        )
    return text


def lines_in(path: Path) -> list[str]:
    """The lines of a text file, as LF, CR LF or CR ends them: a name may hold any other."""
    return [line for line in re.split(r"\r\n?|\n", read_text(path)) if line.strip()]


def read_table(path: Path) -> Table:
    """The table in a text file; raises `DataError` with the row that makes no sense."""
    body, skipped, delimiter, comment = _preamble(read_text(path))
    first = body.partition("\n")[0].rstrip("\r")
    delimiter = delimiter or _delimiter(first)
    reader = csv.reader(
        io.StringIO(body, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((skipped + reader.line_num, cells))
    except csv.Error as error:
        raise DataError(
            f"row {skipped + reader.line_num} of '{path}' cannot be read: {error}",
            "a cell with a quote in it stands in quotes, and its own quotes are doubled",
        ) from error
    if not rows:
        raise DataError(f"'{path}' is empty", "each row is path,label")
    title = [cell.strip() for cell in comment.split(delimiter)]
    header, headless = _header(rows[0][1], path), False
    if header is None and len(title) == len(rows[0][1]) and _header_score(title):
        header = title
    elif header is None:
        header, headless = _names_of(rows[0][1], path), True
    else:
        rows = rows[1:]
    comments = [line for line, cells in rows if _is_comment(cells, len(header))]
    rows = [(line, cells) for line, cells in rows if not _is_comment(cells, len(header))]
    notes: tuple[str, ...] = ()
    if comments:
        notes = (f"{len(comments)} rows behind a # are comments, such as row {comments[0]}",)
    if not headless and _lacks_first(rows, header):
        notes += (f"the header has no name for the first column, that of '{rows[0][1][0]}'",)
        header = ["", *header]
    _refuse_uneven(rows, header, delimiter, path)
    return Table(str(path), path.parent, tuple(header), rows, delimiter, headless, notes)


def _preamble(text: str) -> tuple[str, int, str, str]:
    """The text from the header on, how many lines stand before, their delimiter and comment."""
    skipped, delimiter, comment = 0, "", ""
    while text:
        line, end, rest = text.partition("\n")
        plain = line.strip()
        if match := SEP_LINE.fullmatch(line.rstrip("\r")):
            delimiter = match[1]
        elif plain.startswith("#") and not _names_image(plain):
            comment = plain.lstrip("# ")
        elif plain:
            break
        skipped, text = skipped + 1, rest if end else ""
    return text, skipped, delimiter, comment


def _delimiter(first: str) -> str:
    """The delimiter by the first line: what makes known names of columns, or the most cells."""
    marks = [mark for mark in DELIMITERS if mark != " "]
    best = max(marks, key=lambda mark: (_header_score(first.split(mark)), first.count(mark)))
    cells = first.split()
    blank = best not in first and len(cells) > 1
    return " " if blank and (_header_score(cells) or _is_image(cells[-1])) else best


def _header_score(cells: Sequence[str]) -> int:
    """How many cells of a first line are names of columns, or an image's path."""
    names = {name for names in COLUMNS.values() for name in names}
    titles = [folded(cell.strip().strip('"')) for cell in cells]
    return sum(title in names for title in titles) + (_is_image(titles[0]) and len(cells) > 1)


def _header(cells: Sequence[str], path: Path) -> list[str] | None:
    """The names of the columns, or nothing where the first row is of an image already."""
    if any(_is_image(cell.strip()) for cell in cells):
        return None
    if _header_score(cells) == 0 and len(cells) > 1:  # names without suffix, perhaps
        first = cells[0].strip()
        if first and ImageFinder(path.parent, [first]).find(as_posix(first)):
            return None
    return [cell.strip() for cell in cells]


def _names_of(cells: Sequence[str], path: Path) -> list[str]:
    """Names for the columns of a table without a header: path,label[,split][,group]."""
    images = [i for i, cell in enumerate(cells) if _is_image(cell.strip())]
    if images in ([], [0]):
        names = [*COLUMNS][: len(cells)]
        return names + [f"column {i + 1}" for i in range(len(names), len(cells))]
    if len(cells) == 2 and images == [1]:
        return ["label", "path"]
    raise DataError(
        f"'{path}' has no header and its images are not in the first column",
        "write a first row that names the columns, as in path,label",
    )


def _is_image(cell: str) -> bool:
    return PurePosixPath(cell.strip('"')).suffix.lower() in SUFFIXES


def _names_image(line: str) -> bool:
    """Whether a line before the header is of an image: #sun,a.jpg, but not # words, a.jpg."""
    cells = re.split(r"[,;\t|]", line)
    return any(_is_image(cell.strip()) for cell in (cells[:1] if line[1:2].isspace() else cells))


def _is_comment(cells: Sequence[str], width: int) -> bool:
    """Whether a row is words behind a #: it has other cells than the header, or names no image."""
    if not cells[0].lstrip().startswith("#"):
        return False
    return len(cells) != width or not any(_is_image(cell.strip()) for cell in cells)


def _lacks_first(rows: Sequence[tuple[int, list[str]]], header: Sequence[str]) -> bool:
    """Whether a header has no name for the first column, as R writes names of rows, each once."""
    if not rows or any(len(cells) != len(header) + 1 for _, cells in rows):
        return False
    names = [cells[0].strip() for _, cells in rows]
    if any(folded(title) in COLUMNS["path"] for title in header):
        return len(set(names)) == len(names) and not any(map(_is_image, names))
    return all(map(_is_image, names))


def _refuse_uneven(
    rows: Sequence[tuple[int, list[str]]], header: Sequence[str], delimiter: str, path: Path
) -> None:
    """Raise `DataError` for a row of another length; empty cells at its end are taken off."""
    width, mark = len(header), DELIMITERS.get(delimiter, delimiter)
    for line, cells in rows:
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) < width and not any(header[len(cells) :]):
            cells += [""] * (width - len(cells))
        if len(cells) != width:
            hint = f"put a cell with a {mark} in it in quotes"
            if len(cells) < width:
                hint = f"write a {mark} for each cell that is empty"
            raise DataError(
                f"row {line} of '{path}' has {len(cells)} cells, the header {width}", hint
            )


def labelled_table(
    labels: Mapping[str, Sequence[str]],
    path: Path,
    folder: Path,
    splits: Mapping[str, str] | None = None,
) -> Table:
    """A table of names and labels: of one each where every image has exactly one."""
    labels = {image: [*dict.fromkeys(names)] for image, names in labels.items()}
    one = all(len(names) == 1 for names in labels.values())
    note = f"each image has {'one class' if one else 'any number of classes'} in '{path.name}'"
    header: tuple[str, ...] = ("path", "label" if one else "labels")
    rows = [
        [image, names[0] if one else json.dumps([*names], ensure_ascii=False)]
        for image, names in labels.items()
    ]
    if splits and any(splits.values()):
        header, rows = (*header, "split"), [[*row, splits.get(row[0], "")] for row in rows]
    return Table(str(path), folder, header, list(enumerate(rows, start=1)), notes=(note,))
