"""Exports: annotations of other programs, as tables of path, label or labels, and split.

JSON lines and lists of records; Label Studio (JSON, JSON-MIN); COCO (the categories of an image's
annotations); CVAT for images 1.1 (XML tags, else shapes); PASCAL VOC (ImageSets/Main, whose lines
are `name 1` or `-1`, or 0 for what is difficult; VOC2012 development kit); `metadata.csv` and
`metadata.jsonl` of Hugging Face's imagefolder, `_classes.csv` of Roboflow, a file a split.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from saccade.data.sources.cells import Table, labelled_table, read_table, read_text
from saccade.data.sources.columns import path_column
from saccade.data.sources.label_studio import label_studio
from saccade.data.sources.records import records_table
from saccade.data.sources.split_lists import on_two_lists
from saccade.data.sources.split_names import split_of
from saccade.errors import DataError

SIDE_TABLES = ("metadata.csv", "metadata.jsonl", "_classes.csv")
EXPORTS = (".json", ".jsonl", ".xml")
TABLES = (".csv", ".tsv", ".txt", *EXPORTS)
KNOWN = (
    "a list of records with file_name and label (of pandas: orient='records'), COCO, Label Studio, "
    "or CVAT for images 1.1"
)


def table_at(path: Path) -> Table:
    """The table in a file of any kind that is read as one."""
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return _cvat(path)
    return _from_json(path) if suffix in EXPORTS else read_table(path)


def is_annotated(folder: Path) -> bool:
    """Whether tables, or lists of VOC's kind, lie in a folder or in those of its splits."""
    return bool(_side_tables(folder)) or any((folder / "ImageSets/Main").glob("*_*.txt"))


def annotated_table(folder: Path) -> Table:
    """The table of an annotated folder; the splits are those of its folders or lists.

    Raises `DataError` where the tables of splits have other columns, or none of images.
    """
    tables = _side_tables(folder)
    if not tables:
        return _voc(folder)
    if list(tables) == [""]:
        return replace(table_at(tables[""]), place=str(folder))
    rows: list[tuple[int, Sequence[str]]] = []
    header: tuple[str, ...] = ()
    notes: dict[str, None] = {}
    for split, file in tables.items():
        table = table_at(file)
        if header and table.header != header:
            raise DataError(
                f"'{file}' has other columns than the tables of other splits: "
                f"{', '.join(table.header)}",
                "give them the same",
            )
        header, (position, told) = table.header, path_column(table)
        if position is None:
            what = f"'{file}' has no column path: its columns are {', '.join(header)}"
            raise DataError(what, "call the one of images path")
        notes |= dict.fromkeys((*table.notes, *told))
        for line, cells in table.rows:
            named = [*cells]
            named[position] = f"{split}/{cells[position].strip()}"
            rows.append((line, [*named, split]))
    return Table(str(folder), folder, (*header, "split"), rows, notes=tuple(notes))


def _side_tables(folder: Path) -> dict[str, Path]:
    """The tables of a folder by split; by "" where one lies in the folder itself."""
    for name in SIDE_TABLES:
        if (folder / name).is_file():
            return {"": folder / name}
    found = {}
    for child in sorted(folder.iterdir()):
        if child.is_dir() and split_of(child.name):
            files = [child / name for name in SIDE_TABLES if (child / name).is_file()]
            if files:
                found[child.name] = files[0]
    return found


def _from_json(path: Path) -> Table:
    text = read_text(path)
    lines = path.suffix.lower() == ".jsonl"
    rows = [(n, line) for n, line in enumerate(text.split("\n"), start=1) if line.strip()]
    content = [_parsed(row, f"row {n} of '{path}'") for n, row in rows] if lines else None
    if content is None:
        content = _parsed(text, f"'{path}'")
    if isinstance(content, dict) and {"images", "annotations", "categories"} <= content.keys():
        return _coco(content, path)
    if not content or not isinstance(content, list):
        raise DataError(f"'{path}' holds no list of records", f"known are {KNOWN}")
    for number, row in enumerate(content):
        if not isinstance(row, dict):
            place = rows[number][0] if lines else number + 1
            raise DataError(f"row {place} of '{path}' is no record", f"known are {KNOWN}")
    if all("data" in row and "annotations" in row for row in content):
        return label_studio(content, path)
    table = records_table(content, path, path.parent)
    if not lines:
        return table
    numbered = [(n, cells) for (n, _), (_, cells) in zip(rows, table.rows, strict=True)]
    return replace(table, rows=numbered)


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is no JSON: {error}", "save it anew") from error


def _coco(content: Mapping[str, Any], path: Path) -> Table:
    try:
        names = {row["id"]: row["name"] for row in _of_own_ids(content, "categories", path)}
        files = {row["id"]: row["file_name"] for row in _of_own_ids(content, "images", path)}
        labels: dict[str, list[str]] = {name: [] for name in files.values()}
        pairs = [(row["image_id"], row["category_id"]) for row in content["annotations"]]
    except (KeyError, TypeError) as error:
        raise DataError(
            f"'{path}' is no COCO file: {error} is missing", "export it anew"
        ) from error
    for name in (*names.values(), *labels):
        if not isinstance(name, str):
            raise DataError(f"'{path}' has a name that is no text: {name}", "export it anew")
    if len(labels) < len(files):
        twice = next(name for name, count in Counter(files.values()).items() if count > 1)
        raise DataError(f"'{path}' has several images called '{twice}'", "give each its own name")
    for image, category in pairs:
        if image not in files or category not in names:
            what = f"an annotation in '{path}' is of image {image} and category {category}"
            raise DataError(f"{what}, one of which is not there", "export it anew")
        labels[files[image]].append(names[category])
    return labelled_table(labels, path, path.parent)


def _of_own_ids(content: Mapping[str, Any], part: str, path: Path) -> Sequence[Mapping[str, Any]]:
    """The rows of a part of a COCO file, each of an id of its own."""
    counts = Counter(row["id"] for row in content[part])
    if twice := [number for number, count in counts.items() if count > 1]:
        raise DataError(f"the {part} in '{path}' have the id {twice[0]} twice", "export it anew")
    return content[part]


def _cvat(path: Path) -> Table:
    try:
        root = ElementTree.fromstring(read_text(path))
    except ElementTree.ParseError as error:
        raise DataError(f"'{path}' is no XML: {error}", "export it anew") from error
    images = root.findall("image")
    if root.tag != "annotations" or not images:
        raise DataError(f"'{path}' names no image", f"known are {KNOWN}")
    labels: dict[str, list[str]] = {}
    splits: dict[str, str] = {}
    for image in images:
        name = image.get("name", "")
        tags = [tag.get("label", "") for tag in image.findall("tag")]
        found = tags or [shape.get("label", "") for shape in image if shape.get("label")]
        split = split_of(image.get("subset", "")) or ""
        if (labels.setdefault(name, found), splits.setdefault(name, split)) != (found, split):
            what = f"'{path}' has several images called '{name}', of other labels or subsets"
            raise DataError(what, "export each task alone, and its images in a folder of its own")
    return labelled_table(labels, path, path.parent, splits)


def _voc(folder: Path) -> Table:
    """`ImageSets/Main/CLASS_SPLIT.txt`, of train and val or of trainval."""
    labels: dict[str, list[str]] = {}
    splits: dict[str, str] = {}
    difficult = 0
    files = sorted((folder / "ImageSets/Main").glob("*_*.txt"))
    apart = [file for file in files if split_of(word := _last(file)) and word != "trainval"]
    for file in apart or files:
        name = file.stem.rpartition("_")[0]
        split = (split_of(_last(file)) or "") if apart else ""
        for number, line in enumerate(read_text(file).split("\n"), start=1):
            cells = line.split()
            if not cells:
                continue
            if len(cells) != 2 or cells[1] not in ("-1", "0", "1"):
                raise DataError(
                    f"row {number} of '{file}' is '{line.strip()}'", "each is a name and 1, 0 or -1"
                )
            image = f"JPEGImages/{cells[0]}"
            if splits.setdefault(image, split) != split:
                raise on_two_lists(image, (splits[image], split), folder, file.name)
            labels.setdefault(image, [])
            if cells[1] == "1":
                labels[image].append(name)
            difficult += cells[1] == "0"
    table = labelled_table(labels, folder, folder, splits)
    if not difficult:
        return table
    note = f"{difficult} labels are marked as difficult and are read as not there"
    return replace(table, notes=(*table.notes, note))


def _last(file: Path) -> str:
    """The last word of the name of a list: the split in cat_train.txt."""
    return file.stem.rpartition("_")[2]
