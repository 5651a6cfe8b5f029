"""Exports: annotations of other programs, as tables of path, label or labels, and split.

JSON lines and lists of records; Label Studio (JSON, JSON-MIN); COCO (the categories of an image's
annotations); CVAT for images 1.1 (XML tags, else shapes); PASCAL VOC (ImageSets/Main, whose lines
are `name 1` or `-1`, or 0 for what is difficult; VOC2012 development kit); `metadata.csv` and
`metadata.jsonl` of Hugging Face's imagefolder, `_classes.csv` of Roboflow, a file a split.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from saccade.data.image_files import SUFFIXES
from saccade.data.sources.cells import Table, read_table, read_text
from saccade.data.sources.split_names import split_of
from saccade.errors import DataError

SIDE_TABLES = ("metadata.csv", "metadata.jsonl", "_classes.csv")
EXPORTS = (".json", ".jsonl", ".xml")
TABLES = (".csv", ".tsv", ".txt", *EXPORTS)
UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # before the name of a file in Label Studio
ADDRESS = re.compile(r"^(https?|s3|gs|azure-blob)://|^/data/upload/")
KNOWN = "records with file_name and label, COCO, Label Studio, or CVAT for images 1.1"
Labels = Mapping[str, Sequence[str]]  # of each image by its name


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
    """The table of an annotated folder; the splits are those of its folders or lists."""
    tables = _side_tables(folder)
    if not tables:
        return _voc(folder)
    if list(tables) == [""]:
        return replace(table_at(tables[""]), place=str(folder))
    rows: list[tuple[int, Sequence[str]]] = []
    header: tuple[str, ...] = ()
    for split, file in tables.items():
        table = table_at(file)
        if header and table.header != header:
            raise DataError(
                f"'{file}' has other columns than the tables of other splits: "
                f"{', '.join(table.header)}",
                "give them the same",
            )
        header, position = table.header, _file_column(table)
        for line, cells in table.rows:
            named = [*cells]
            named[position] = f"{split}/{cells[position].strip()}"
            rows.append((line, [*named, split]))
    return Table(str(folder), folder, (*header, "split"), rows)


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


def _file_column(table: Table) -> int:
    names = ("file_name", "filename", "path", "image")
    positions = [table.column(name) for name in names]
    return next((position for position in positions if position is not None), 0)


def _from_json(path: Path) -> Table:
    text = read_text(path)
    try:
        if path.suffix.lower() == ".jsonl":
            content = [json.loads(line) for line in text.split("\n") if line.strip()]
        else:
            content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"'{path}' is no JSON: {error}", "save it anew") from error
    if isinstance(content, dict) and {"images", "annotations", "categories"} <= content.keys():
        return _coco(content, path)
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise DataError(f"'{path}' holds no list of records", f"known are {KNOWN}")
    if content and all("data" in row and "annotations" in row for row in content):
        return _label_studio(content, path)
    return records_table(content, path, path.parent)


def records_table(records: Sequence[Mapping[str, Any]], path: Path, folder: Path) -> Table:
    """A table of records, a column a key; lists stay lists, and an image's address its name."""
    header = list(dict.fromkeys(str(key) for row in records for key in row))
    rows = [[_cell(row.get(key), folder) for key in header] for row in records]
    return Table(str(path), folder, tuple(header), list(enumerate(rows, start=1)))


def _cell(value: Any, folder: Path) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping) and "choices" in value:
        value = value["choices"]
    if isinstance(value, str):
        is_address = ADDRESS.match(value) or "?d=" in value
        return _local_name(value, folder) if is_address else value
    if isinstance(value, bool | int | float):
        return str(int(value)) if isinstance(value, bool) else f"{value}"
    try:
        return json.dumps([*value] if isinstance(value, Iterable) else value, ensure_ascii=False)
    except TypeError:
        return str(value)


def _local_name(address: str, folder: Path) -> str:
    """The name of the file that Label Studio has an address of."""
    if "?d=" in address:
        return unquote(address.partition("?d=")[2])
    name = unquote(address.rpartition("/")[2])
    return name if (folder / name).is_file() else UPLOADED.sub("", name)


def _label_studio(tasks: Sequence[Mapping[str, Any]], path: Path) -> Table:
    """The choices of each task's last annotation that was not cancelled."""
    labels = {}
    for number, task in enumerate(tasks, start=1):
        images = [v for v in task["data"].values() if isinstance(v, str) and _is_image(v)]
        if len(images) != 1:
            raise DataError(
                f"task {number} of '{path}' names {len(images)} images in its data",
                "export tasks of one image each",
            )
        done = [a for a in task["annotations"] if not a.get("was_cancelled")]
        results = done[-1]["result"] if done else []
        choices = [r["value"]["choices"] for r in results if r.get("type") == "choices"]
        labels[_cell(images[0], path.parent)] = [name for group in choices for name in group]
    return _labelled(labels, path, path.parent)


def _is_image(name: str) -> bool:
    return Path(name.partition("?d=")[2] or name).suffix.lower() in SUFFIXES


def _coco(content: Mapping[str, Any], path: Path) -> Table:
    try:
        names = {row["id"]: row["name"] for row in content["categories"]}
        files = {row["id"]: row["file_name"] for row in content["images"]}
        labels: dict[str, list[str]] = {name: [] for name in files.values()}
        for row in content["annotations"]:
            labels[files[row["image_id"]]].append(names[row["category_id"]])
    except (KeyError, TypeError) as error:
        raise DataError(
            f"'{path}' is no COCO file: {error} is missing", "export it anew"
        ) from error
    return _labelled(labels, path, path.parent)


def _cvat(path: Path) -> Table:
    try:
        root = ElementTree.fromstring(read_text(path))
    except ElementTree.ParseError as error:
        raise DataError(f"'{path}' is no XML: {error}", "export it anew") from error
    images = root.findall("image")
    if root.tag != "annotations" or not images:
        raise DataError(f"'{path}' names no image", f"known are {KNOWN}")
    labels, splits = {}, {}
    for image in images:
        name = image.get("name", "")
        tags = [tag.get("label", "") for tag in image.findall("tag")]
        labels[name] = tags or [shape.get("label", "") for shape in image if shape.get("label")]
        splits[name] = split_of(image.get("subset", "")) or ""
    return _labelled(labels, path, path.parent, splits)


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
            splits[image] = split
            labels.setdefault(image, [])
            if cells[1] == "1":
                labels[image].append(name)
            difficult += cells[1] == "0"
    table = _labelled(labels, folder, folder, splits)
    if not difficult:
        return table
    note = f"{difficult} labels are marked as difficult and are read as not there"
    return replace(table, notes=(*table.notes, note))


def _last(file: Path) -> str:
    """The last word of the name of a list: the split in cat_train.txt."""
    return file.stem.rpartition("_")[2]


def _labelled(
    labels: Labels, path: Path, folder: Path, splits: Mapping[str, str] | None = None
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
