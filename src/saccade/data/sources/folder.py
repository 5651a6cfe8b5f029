"""folder: pictures in a folder a class, `root/<class>/**` or `root/{train,val,test}/<class>/**`."""

from __future__ import annotations

import os
from pathlib import Path

from saccade.data.source import File
from saccade.data.sources.layout import LABELLED, Found, arrange, is_hidden, why_no_picture
from saccade.data.sources.listing import Listing
from saccade.errors import DataError


def folder(root: Path) -> Listing:
    """The pictures below `root` in natural order; `DataError` where nothing can be learned."""
    return arrange(walk(root), root.resolve().name, f"'{root}'")


def walk(root: Path) -> Found:
    """Every file below `root`, each folder once, however links lead about.

    Links are followed after all real folders have been read, so that a file counts under its real
    name and a loop ends at once.
    """
    if not root.exists():
        raise DataError(f"there is no folder '{root}'", "check the spelling of the path")
    if not root.is_dir():
        raise DataError(f"'{root}' is a file where a folder is needed", LABELLED)
    found = Found()
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
    place: Path, name: str, found: Found, waiting: list[str], links: list[str]
) -> None:
    """List one folder: pictures and the rest into `found`, folders to be read into the others."""
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
        elif reason := why_no_picture(entry.name):
            found.skip(below, reason)
        elif not entry.is_file():
            found.skip(below, "a link to nothing" if entry.is_symlink() else "no regular file")
        else:
            found.pictures.append((below, File(entry.path)))
