"""Finding: the image file that a cell of a table names.

As it is written, relative to the table; else in another case or normal form of its letters, or with
the suffix that is left out, where one file alone fits; else, where no name of the table is there,
below one of the folders beside it, or without the first folders of a path of another machine.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from saccade.data.image_files import SUFFIXES, is_hidden
from saccade.errors import DataError
from saccade.files import name_of_text, text_of_name

UNTIDY = re.compile(r"^$|^\.?/|//|/\./|/\.?$|^\.$")  # what a tidy path has not
SAMPLE = 100  # names that show where the images lie
UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # before the name of a file in Label Studio
MOST_FOLDERS = 500  # beside the table, that are looked through


class ImageFinder:
    """The files below `folder` that `names` name; notes say what was not as written."""

    def __init__(self, folder: Path, names: Sequence[str]):
        self.folder = str(folder)
        self.listings: dict[str, dict[str, list[str]]] = {}
        self.respelled: dict[str, str] = {}  # as written to as on the disk
        self.drop, self.prefixes = 0, [""]
        sample = [plain for name in names[:SAMPLE] if (plain := as_posix(name))]
        if sample and not self._found(sample):
            self._search(sample)

    def find(self, name: str) -> tuple[str, str] | None:
        """The name below the folder, and the path of the file that `name` names, if it is there.

        Raises `DataError` where several files fit.
        """
        if self.drop:
            name = "/".join(name.split("/")[self.drop :])
        places = [place for prefix in self.prefixes if (place := self._file(prefix + name))]
        if len(places) > 1:
            files = ", ".join(f"'{place}'" for place in places)
            raise DataError(f"several files fit '{name}': {files}", "write which, with its folder")
        if not places:
            return None
        return places[0], os.path.join(self.folder, name_of_text(places[0]))  # noqa: PTH118

    def notes(self) -> tuple[str, ...]:
        """How the files were found, where not as written."""
        notes: tuple[str, ...] = ()
        if self.drop:
            notes += (f"names of images are read without their first {self.drop} folders",)
        if self.prefixes != [""]:
            listed = ", ".join(f"'{prefix.rstrip('/')}'" for prefix in self.prefixes)
            notes += (f"the images that the table names lie in {listed}",)
        if self.respelled:
            name, file = next(iter(self.respelled.items()))
            count = len(self.respelled)
            notes += (f"{count} images have another spelling on the disk: '{name}' is '{file}'",)
        return notes

    def _found(self, sample: Sequence[str]) -> bool:
        try:
            return any(self.find(name) for name in sample)
        except DataError:  # several files fit, which the reader of the row will say
            return True

    def _search(self, sample: Sequence[str]) -> None:
        """Set the folders to leave out of names, or to look in, by some names."""
        for self.drop in range(1, max(name.count("/") for name in sample) + 1):
            if self._found(sample):
                return
        self.drop = 0
        found = []
        for folder in self._folders():
            self.prefixes = [folder]
            if self._found(sample):
                found.append(folder)
        self.prefixes = found or [""]

    def _folders(self) -> list[str]:
        """The folders at most two below the table's."""
        folders = []
        for path, children, _ in os.walk(self.folder):
            below = PurePosixPath(Path(path).relative_to(self.folder).as_posix())
            children[:] = sorted(child for child in children if not is_hidden(child))
            folders += [text_of_name(f"{below / child}/") for child in children]
            if len(below.parts) > 0 or len(folders) > MOST_FOLDERS:
                children.clear()
        return folders[:MOST_FOLDERS]

    def _file(self, name: str) -> str | None:
        """The name of the one file that `name` stands for."""
        if os.path.isfile(os.path.join(self.folder, name_of_text(name))):  # noqa: PTH113, PTH118
            return name
        folder, slash, last = name.rpartition("/")
        listing = self._listing(folder)
        files = listing.get(_key(last)) or listing.get(_key(UPLOADED.sub("", last)), [])
        if len(files) > 1:
            listed = ", ".join(f"'{file}'" for file in files)
            raise DataError(f"several files fit '{name}': {listed}", "write its name in full")
        if not files:
            return None
        place = folder + slash + files[0]
        if _key(last) == _key(files[0]) or UPLOADED.match(last):
            self.respelled[name] = place
        return place

    def _listing(self, folder: str) -> dict[str, list[str]]:
        """The files of a folder by their names, and images by their names without suffix."""
        if folder not in self.listings:
            listing: dict[str, list[str]] = {}
            try:
                names = os.listdir(os.path.join(self.folder, name_of_text(folder)))  # noqa: PTH118, PTH208
            except (OSError, ValueError):
                names = []
            for name in sorted(map(text_of_name, names)):
                stem, dot, suffix = name.rpartition(".")
                if f".{suffix}".lower() in SUFFIXES:
                    listing.setdefault(_key(name), []).append(name)
                    if dot:
                        listing.setdefault(_key(stem), []).append(name)
            self.listings[folder] = listing
        return self.listings[folder]


def as_posix(name: str) -> str:
    """A path as written on any system, with slashes."""
    name = name.strip().replace("\\", "/")
    if not UNTIDY.search(name):  # as nearly all are
        return name
    return str(PurePosixPath(name)) if name else ""


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
