"""pattern: pictures whose names tell their labels, read out by a regular expression.

The expression is searched in each path below a folder, or in each line of a text file of paths.
Its group `label`, else its first group, is the class; groups called `split` and `group` are the
split and what must stay together.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from saccade.data.classes import class_name, natural
from saccade.data.source import File, Item, Picture
from saccade.data.sources.folder import walk
from saccade.data.sources.layout import Found, refuse_pictureless, split_of, why_no_picture
from saccade.data.sources.listing import Listing, assemble
from saccade.data.sources.manifest import missing, read_text
from saccade.errors import DataError, UsageError


def pattern(root: Path, expression: str) -> Listing:
    """The pictures below `root`, or named in it, with the labels that `expression` finds."""
    compiled = _compiled(expression)
    found, where = _listed(root) if root.is_file() else walk(root), f"'{root}'"
    refuse_pictureless(found, where)
    rows = [
        row
        for at, picture in sorted(found.pictures, key=lambda pair: natural(pair[0]))
        if (row := _row(at, picture, compiled, found))
    ]
    if not rows:
        raise DataError(
            f"'{expression}' finds a label in none of the {len(found.pictures)} names in {where}",
            f"the first name is '{found.pictures[0][0]}'",
        )
    return assemble(rows, root.resolve().stem, where, found.skipped)


def _listed(file: Path) -> Found:
    """The pictures that a text file names, a line each, relative to its folder."""
    found, seen = Found(), set()
    for line in filter(None, map(str.strip, read_text(file).splitlines())):
        name = str(PurePosixPath(line.replace("\\", "/")))
        place = str(file.parent / name)
        if name in seen:
            found.skip(name, "named more than once")
        elif reason := why_no_picture(PurePosixPath(name).name) or missing(place):
            found.skip(name, reason)
        else:
            found.pictures.append((name, File(place)))
        seen.add(name)
    return found


def _row(
    at: str, picture: Picture, compiled: re.Pattern[str], found: Found
) -> tuple[str, Item] | None:
    """The split and the item of one picture, or nothing where the expression does not match."""
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
    return split, Item(at, class_name(label), picture, parts.get("group"))


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
