"""Images in folders: a folder a class, names that tell labels, or no labels at all.

`root/<class>/**` or `root/{train,val,test}/<class>/**`.  Or a regular expression, searched in each
path below a folder or in each line of a text file of paths: its group `label`, else its first
group, is the class; groups called `split` and `group` are the split and what must stay together.
Images named one by one, or by folder, without labels are those to be predicted.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from saccade.data.classes import class_name, natural_sort_key
from saccade.data.item import EncodedImage, ImageFile, Item, LazyImage
from saccade.data.sources.listing import (
    LABELLED,
    Listing,
    ScanResult,
    arrange,
    assemble,
    is_hidden,
    refuse_imageless,
    skip_reason,
    split_of,
)
from saccade.data.sources.table import missing_reason, read_text
from saccade.errors import DataError, UsageError


def folder(root: Path) -> Listing:
    """The images below `root` in natural order; `DataError` where nothing can be learned."""
    return arrange(walk(root), root.resolve().name, f"'{root}'")


def walk(root: Path) -> ScanResult:
    """Every file below `root`, each folder once, however links lead about.

    Links are followed after all real folders have been read, so that a file counts under its real
    name and a loop ends at once.
    """
    if not root.exists():
        raise DataError(f"there is no folder '{root}'", "check the spelling of the path")
    if not root.is_dir():
        raise DataError(f"'{root}' is a file where a folder is needed", LABELLED)
    found = ScanResult()
    read: dict[tuple[int, int], str] = {}
    waiting, links = [""], []
    while waiting or links:
        name = waiting.pop() if waiting else links.pop(0)
        place = root / name
        try:
            status = place.stat()
            known = read.setdefault((status.st_dev, status.st_ino), name)
            if known != name:
                found.skip(name, f"a link to '{known or root}', which is read already")
                continue
            _read_folder(place, name, found, waiting, links)
        except OSError as error:
            if not name:
                raise DataError(
                    f"'{root}' cannot be read: {error.strerror}", "check who may read it"
                ) from error
            found.skip(name, f"cannot be read: {error.strerror}")
    return found


def _read_folder(
    place: Path, name: str, found: ScanResult, waiting: list[str], links: list[str]
) -> None:
    """List one folder: images and the rest into `found`, folders to be read into the others."""
    prefix = f"{name}/" if name else ""
    with os.scandir(place) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    if name and not listed:
        found.skip(name, "an empty folder")
    for entry in listed:
        below = prefix + entry.name
        if entry.is_dir():
            if is_hidden(entry.name):
                found.skip(below, "hidden")
            else:
                (links if entry.is_symlink() else waiting).append(below)
        elif reason := skip_reason(entry.name):
            found.skip(below, reason)
        elif not entry.is_file():
            found.skip(below, "a link to nothing" if entry.is_symlink() else "no regular file")
        else:
            found.images.append((below, ImageFile(entry.path)))


def pattern(root: Path, expression: str) -> Listing:
    """The images below `root`, or named in it, with the labels that `expression` finds."""
    compiled = _compiled(expression)
    found, where = _listed(root) if root.is_file() else walk(root), f"'{root}'"
    refuse_imageless(found, where)
    rows = [
        row
        for at, image in sorted(found.images, key=lambda pair: natural_sort_key(pair[0]))
        if (row := _row(at, image, compiled, found))
    ]
    if not rows:
        raise DataError(
            f"'{expression}' finds a label in none of the {len(found.images)} names in {where}",
            f"the first name is '{found.images[0][0]}'",
        )
    return assemble(rows, root.resolve().stem, where, found.skipped)


def _listed(file: Path) -> ScanResult:
    """The images that a text file names, a line each, relative to its folder."""
    found, seen = ScanResult(), set()
    for line in filter(None, map(str.strip, read_text(file).splitlines())):
        name = str(PurePosixPath(line.replace("\\", "/")))
        place = str(file.parent / name)
        if name in seen:
            found.skip(name, "named more than once")
        elif reason := skip_reason(PurePosixPath(name).name) or missing_reason(place):
            found.skip(name, reason)
        else:
            found.images.append((name, ImageFile(place)))
        seen.add(name)
    return found


def _row(
    at: str, image: LazyImage, compiled: re.Pattern[str], found: ScanResult
) -> tuple[str, Item] | None:
    """The split and the item of one image, or nothing where the expression does not match."""
    hit = compiled.search(at)
    parts = hit.groupdict() if hit else {}
    label = parts["label"] if "label" in parts else hit[1] if hit else None
    if not label:
        found.skip(at, "the pattern finds no label in the name")
        return None
    split = "all"
    if "split" in parts:
        split = split_of(parts["split"] or "") or ""
        if not split:
            raise DataError(
                f"'{at}' has the split '{parts['split']}'", "a split is train, val or test"
            )
    return split, Item(at, class_name(label), image, parts.get("group"))


def _compiled(expression: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(expression)
    except re.error as error:
        raise UsageError(f"'{expression}' is no regular expression: {error}") from error
    if not compiled.groups:
        raise UsageError(
            f"'{expression}' has no group to take the label from",
            "put the label into parentheses, as in '(cat|dog)' or '(?P<label>[a-z]+)_[0-9]+'",
        )
    return compiled


STANDARD_INPUT = "-"


def find_images(images: Sequence[str | Path]) -> list[Item]:
    """Image files, the images in folders, and `-` for standard input, as items."""
    items: list[Item] = []
    for image in images:
        path = Path(image)
        if str(image) == STANDARD_INPUT:
            items.append(Item(STANDARD_INPUT, None, EncodedImage(sys.stdin.buffer.read())))
        elif path.is_dir():
            items += _inside(path)
        elif path.exists():
            items.append(Item(str(path), None, ImageFile(path)))
        else:
            raise DataError(f"there is no image '{path}'", "name a file or a folder of images")
    if not items:
        raise UsageError("no image is named", "name files or folders of images")
    return items


def _inside(folder: Path) -> list[Item]:
    files = [f for f in folder.rglob("*") if not skip_reason(f.name) and f.is_file()]
    if not files:
        raise DataError(f"there is no image in '{folder}'")
    return [
        Item(str(f), None, ImageFile(f))
        for f in sorted(files, key=lambda f: natural_sort_key(str(f)))
    ]
