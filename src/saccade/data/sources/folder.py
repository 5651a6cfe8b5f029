"""Images in folders: a folder per class, labels from a pattern in names, or no labels at all.

`root/<class>/**` or `root/{train,val,test}/<class>/**`.  Or a regular expression, searched in each
path below a folder or in each line of a text file of paths: its group `label`, else its first
group, is the class; groups called `split` and `group` are the split and what must stay together.
Images named one by one, or by folder, without labels are those to be predicted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path, PurePosixPath

from saccade.data.classes import class_name, natural_sort_key
from saccade.data.image_files import (
    ScanResult,
    first_bytes_of,
    refuse_imageless,
    skip_reason,
    walk,
)
from saccade.data.item import ImageFile, Item, LazyImage
from saccade.data.sources.archive import is_tar, is_zip, members
from saccade.data.sources.cells import lines_in
from saccade.data.sources.layout import arrange
from saccade.data.sources.listing import Listing, assemble
from saccade.data.sources.split_lists import listed_splits
from saccade.data.sources.split_names import split_named
from saccade.errors import DataError, UsageError


def folder(root: Path, held_out: Mapping[str, str] | None = None) -> Listing:
    """The images below `root` in natural order; `DataError` where nothing can be learned.

    `held_out` are folders that a person named, with the split of each.
    """
    scan = walk(root)
    lists = partial(listed_splits, root, tuple(scan.skipped))
    return arrange(scan, root.resolve().name, str(root), held_out, None if held_out else lists)


def pattern(root: Path, expression: str) -> Listing:
    """The images below `root`, or named in it, with the labels that `expression` finds."""
    compiled = _compile(expression)
    scan, where = _scan(root), f"'{root}'"
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


def _scan(root: Path) -> ScanResult:
    """The images of a folder, of an archive, or of a list of paths."""
    if root.is_dir():
        return walk(root)
    return members(root) if is_zip(root) or is_tar(root) else _read_list(root)


def _missing(path: str) -> str:
    """Why an image that a person named cannot be read, or nothing."""
    return "" if os.path.isfile(path) else "not there"  # noqa: PTH113  a name may be too long


def _read_list(file: Path) -> ScanResult:
    """The images that a text file names, a line each, relative to its folder."""
    scan, names = ScanResult(), set()
    for line in lines_in(file):
        exact = os.path.lexists(file.parent / line)
        name = line if exact else str(PurePosixPath(line.strip().replace("\\", "/")))
        path = str(file.parent / name)
        if name in names:
            scan.skip(name, "named more than once")
        elif reason := _missing(path) or skip_reason(
            PurePosixPath(name).name, partial(first_bytes_of, path)
        ):
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
        split = split_named(groups["split"] or "")
        if not split:
            raise DataError(
                f"'{name}' has the split '{groups['split']}'",
                "a split is train, val or test, or a fold such as fold1",
            )
    return split, Item(name, class_name(label), image, groups.get("group") or None)


def _compile(expression: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(expression)
    except re.error as error:
        hint = r"a bracket or a dot that is meant as such has a backslash before it, as in \."
        raise UsageError(f"'{expression}' is no regular expression: {error}", hint) from error
    if not compiled.groups:
        raise UsageError(
            f"'{expression}' has no group to take the label from",
            "put the label into parentheses, as in '(cat|dog)' or '(?P<label>[a-z]+)_[0-9]+'",
        )
    return compiled
