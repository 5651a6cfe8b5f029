"""Images in folders: a folder a class, labels from a pattern in names, or no labels at all.

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

from saccade.data.classes import class_name, is_text, natural_sort_key, safe_name
from saccade.data.item import EncodedImage, ImageFile, Item, LazyImage, UnreadImage
from saccade.data.sources.cells import read_text
from saccade.data.sources.listing import (
    LABELLED,
    NO_TEXT,
    Listing,
    ScanResult,
    arrange,
    assemble,
    is_hidden,
    refuse_imageless,
    skip_reason,
    split_of,
)
from saccade.errors import DataError, UsageError
from saccade.files import UTF8_NAMES, name_of_text, text_of_name


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
    scan = ScanResult()
    read: dict[tuple[int, int], str] = {}
    folders, links = [""], []
    while folders or links:
        name = folders.pop() if folders else links.pop(0)
        path = root / name_of_text(name)
        try:
            status = path.stat()
            first = read.setdefault((status.st_dev, status.st_ino), name)
            if first != name:
                scan.skip(name, f"a link to '{first or root}', which is read already")
                continue
            _read_folder(path, name, scan, folders, links)
        except OSError as error:
            if not name:
                raise DataError(
                    f"'{root}' cannot be read: {error.strerror}", "check who may read it"
                ) from error
            scan.skip(name, f"cannot be read: {error.strerror}")
    return scan


def _read_folder(
    path: Path, name: str, scan: ScanResult, folders: list[str], links: list[str]
) -> None:
    """List one folder: its files into `scan`, its folders into `folders` or `links`."""
    prefix = f"{name}/" if name else ""
    with os.scandir(path) as entries:
        children = sorted(entries, key=lambda entry: entry.name)
    if name and not children:
        scan.skip(name, "an empty folder")
    for entry in children:
        name = entry.name if UTF8_NAMES else text_of_name(entry.name)
        child = prefix + name
        if entry.is_dir():
            if is_hidden(entry.name):
                scan.skip(child, "hidden")
            elif not is_text(child):
                scan.skip(child, NO_TEXT)
            else:
                (links if entry.is_symlink() else folders).append(child)
        elif reason := skip_reason(name):
            scan.skip(child, reason)
        elif not entry.is_file():
            scan.skip(child, "a link to nothing" if entry.is_symlink() else "no regular file")
        else:
            scan.images.append((child, ImageFile(entry.path)))


def pattern(root: Path, expression: str) -> Listing:
    """The images below `root`, or named in it, with the labels that `expression` finds."""
    compiled = _compile(expression)
    scan, where = _read_list(root) if root.is_file() else walk(root), f"'{root}'"
    refuse_imageless(scan, where)
    rows = [
        row
        for name, image in sorted(scan.images, key=lambda pair: natural_sort_key(pair[0]))
        if (row := _row(name, image, compiled, scan))
    ]
    if not rows:
        raise DataError(
            f"'{expression}' finds a label in none of the {len(scan.images)} names in {where}",
            f"the first name is '{scan.images[0][0]}'",
        )
    return assemble(rows, root.resolve().stem, where, scan.skipped)


def _missing(path: str) -> str:
    """Why an image that a person named cannot be read, or nothing."""
    return "" if os.path.isfile(path) else "not there"  # noqa: PTH113  a name may be too long


def _read_list(file: Path) -> ScanResult:
    """The images that a text file names, a line each, relative to its folder."""
    scan, names = ScanResult(), set()
    for line in filter(None, map(str.strip, read_text(file).splitlines())):
        name = str(PurePosixPath(line.replace("\\", "/")))
        path = str(file.parent / name)
        if name in names:
            scan.skip(name, "named more than once")
        elif reason := skip_reason(PurePosixPath(name).name) or _missing(path):
            scan.skip(name, reason)
        else:
            scan.images.append((name, ImageFile(path)))
        names.add(name)
    return scan


def _row(
    name: str, image: LazyImage, compiled: re.Pattern[str], scan: ScanResult
) -> tuple[str, Item] | None:
    """The split and the item of one image, or nothing where the expression does not match."""
    match = compiled.search(name)
    groups = match.groupdict() if match else {}
    label = groups["label"] if "label" in groups else match[1] if match else None
    if not label:
        scan.skip(name, "the pattern finds no label in the name")
        return None
    split = "all"
    if "split" in groups:
        split = split_of(groups["split"] or "") or ""
        if not split:
            raise DataError(
                f"'{name}' has the split '{groups['split']}'", "a split is train, val or test"
            )
    return split, Item(name, class_name(label), image, groups.get("group"))


def _compile(expression: str) -> re.Pattern[str]:
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
            items += _images_in(path)
        elif path.exists():
            items.append(Item(safe_name(text_of_name(str(path))), None, ImageFile(path)))
        else:
            raise DataError(f"there is no image '{path}'", "name a file or a folder of images")
    if not items:
        raise UsageError("no image is named", "name files or folders of images")
    return items


def _images_in(folder: Path) -> list[Item]:
    """The images at any depth; those whose name is no text are there to be told, not read."""
    items: list[Item] = []
    for path in folder.rglob("*"):
        name = safe_name(text_of_name(str(path)))
        if not skip_reason(Path(name).name) and path.is_file():
            text = is_text(text_of_name(str(path.relative_to(folder))))
            items.append(Item(name, None, ImageFile(path) if text else UnreadImage(NO_TEXT)))
    if not items:
        raise DataError(f"there is no image in '{folder}'")
    return sorted(items, key=lambda item: natural_sort_key(item.name))
