"""ImageNet: folders or file names that are WordNet synsets, `n01440764`.  Deng 2009, ILSVRC.

`{train,val}/<synset>/*.JPEG`, `<synset>/*.JPEG`, or `n01440764_....JPEG` side by side; a flat `val`
with `LOC_val_solution.csv` as Kaggle has it, in the root or in one of the three folders around it.
Names come from a table of synsets in the root; where two synsets share a name (there are two
cranes) each carries its synset.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from saccade.data.classes import class_name, natural_sort_key
from saccade.data.image_files import is_hidden, refuse_imageless, walk
from saccade.data.item import Item, LazyImage
from saccade.data.sources.cells import lines_in, read_table
from saccade.data.sources.listing import Listing, assemble
from saccade.data.sources.split_names import split_of
from saccade.errors import DataError

SYNSET = re.compile(r"n\d{8}")
TABLES = ("synset_words.txt", "imagenet_synset_words.txt", "LOC_synset_mapping.txt", "words.txt")
SOLUTION = "LOC_val_solution.csv"


def imagenet(root: Path) -> Listing:
    """The images below `root` by synset, under the first name of each synset."""
    scan, where = walk(root), f"'{root}'"
    refuse_imageless(scan, where)
    solution = _solution(root)
    rows: list[tuple[str, Item]] = []
    for name, image in sorted(scan.images, key=lambda pair: natural_sort_key(pair[0])):
        if row := _row(name, image, solution):
            rows.append(row)
        else:
            scan.skip(name, "no synset in its path")
    if not rows:
        raise DataError(f"{where} holds no image with a synset", "such as train/n01440764/")
    synsets = sorted({str(item.label) for _, item in rows})
    names = synset_names(root, synsets)
    rows = [(split, replace(item, label=names[str(item.label)])) for split, item in rows]
    notes = () if names[synsets[0]] != synsets[0] else (f"{where} has no {TABLES[0]} with names",)
    classes = tuple(names[synset] for synset in synsets)
    return assemble(rows, root.resolve().name, where, scan.skipped, notes, classes)


def is_imagenet(root: Path) -> bool:
    """Whether all folders of `root`, or of its train, are synsets, or most of its files are."""
    folders = _folders(root)
    for train in folders:
        if split_of(train.name) == "train":
            folders = _folders(train)
    if folders:
        return all(SYNSET.fullmatch(folder.name) for folder in folders)
    files = [path for path in root.iterdir() if path.is_file()]
    return 2 * sum(bool(SYNSET.match(file.name)) for file in files) > len(files)


def synset_names(root: Path, synsets: list[str]) -> dict[str, str]:
    """A name for each synset: its first word, with the synset where another has the same word."""
    table = next((root / name for name in TABLES if (root / name).is_file()), None)
    lines = lines_in(table) if table else []
    first_words: dict[str, str] = {}
    for line in lines:
        synset, _, name = line.partition("\t" if "\t" in line else " ")
        first_words[synset] = class_name(name.split(",")[0].strip())
    shared = Counter(first_words.get(synset, "") for synset in synsets)
    return {
        synset: synset
        if not (word := first_words.get(synset))
        else f"{word} ({synset})"
        if shared[word] > 1
        else word
        for synset in synsets
    }


def _folders(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir() and not is_hidden(path.name)]


def _row(name: str, image: LazyImage, solution: Mapping[str, str]) -> tuple[str, Item] | None:
    """Split, and the item with its synset for a label; nothing where the path tells none."""
    parts = name.split("/")
    splits = [split for part in parts[:-1] if (split := split_of(part))]
    folders = [part for part in parts[:-1] if SYNSET.fullmatch(part)]
    match = SYNSET.match(parts[-1])
    synset = folders[-1] if folders else match[0] if match else solution.get(Path(name).stem)
    return ((*splits, "all")[0], Item(name, synset, image)) if synset else None


def _solution(root: Path) -> dict[str, str]:
    """Image to synset for a flat val: the first word of Kaggle's PredictionString.

    Raises `DataError` for a file without the columns that Kaggle's has, or with a damaged row.
    """
    places = (root / SOLUTION, *(parent / SOLUTION for parent in root.resolve().parents[:3]))
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return {}
    table = read_table(path)
    image, synsets = table.column("ImageId"), table.column("PredictionString")
    if image is None or synsets is None:
        raise DataError(
            f"'{path}' has no columns ImageId and PredictionString: {', '.join(table.header)}",
            "download it anew, or move it away",
        )
    return {cells[image]: (cells[synsets].split() or [""])[0] for _, cells in table.rows}
