"""open_source: which kind of source a path or a name is.

Names come first (write `./mnist` for a folder of that name), then what a path ends in, then what a
folder holds.  After `::` stands what a path cannot tell: `photos.csv::price=number`, the column to
learn and its kind; `photos::(?P<label>[a-z]+)_` or `files.txt::...`, the pattern that finds the
label in a name; `mnist::folder`, where a named data set lies.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from saccade.data.source import Source
from saccade.data.sources.archive import archive, is_tar, is_zip
from saccade.data.sources.arrays import arrays, role
from saccade.data.sources.cifar import cifar, is_cifar
from saccade.data.sources.digits import digits
from saccade.data.sources.folder import folder
from saccade.data.sources.idx import idx, is_idx
from saccade.data.sources.imagenet import imagenet, is_imagenet
from saccade.data.sources.manifest import manifest
from saccade.data.sources.named import NAMED, named
from saccade.data.sources.pattern import pattern
from saccade.data.sources.webdataset import expand, holds_samples, webdataset
from saccade.errors import DataError, unknown
from saccade.fetch import Tell, silent

TABLES = (".csv", ".tsv", ".txt")
ARRAYS = (".npy", ".npz")


def open_source(data: str | Path | None, *, tell: Tell = silent) -> Source:
    """The source that `data` names: a path, a name, or nothing for the embedded digits.

    `tell` takes a line now and then while a named data set is being fetched.
    """
    if data is None or data == "digits":
        return digits()
    text, _, told = str(data).partition("::")
    path = Path(text)
    if text in NAMED and not isinstance(data, Path):
        return named(text, Path(told) if told else None, tell)
    if "*" in path.name or "{" in path.name:
        return webdataset(expand(text))
    if not path.exists():
        names = unknown("data set", text, (*NAMED, "digits"))
        raise DataError(f"there is no '{text}'", f"check the path; of names, {names.hint}")
    if path.suffix.lower() in TABLES and "(" not in told:
        column, _, kind = told.partition("=")
        return manifest(path, label=column or None, kind=kind or None)
    if told:
        return pattern(path, told)
    return _of_folder(path) if path.is_dir() else _of_file(path)


def located(data: str | Path | None) -> str | None:
    """What `data` names, to be found again from any folder."""
    place, mark, rest = str(data).partition("::")
    named_one = place in (*NAMED, "digits") and not isinstance(data, Path)
    if data is None or named_one or not Path(place).exists():
        return None if data is None else str(data)
    return f"{Path(place).resolve()}{mark}{rest}"


def _of_file(path: Path) -> Source:
    if path.suffix.lower() in ARRAYS:
        return arrays(path)
    if is_tar(path) and path.name.startswith("cifar-"):
        return cifar(path)
    if is_tar(path) and holds_samples(path):
        return webdataset([path])
    if is_zip(path) or is_tar(path):
        return archive(path)
    raise DataError(
        f"'{path}' is a file of no known kind",
        "data are a folder, a .csv or .tsv table, a .zip, .tar, .npy or .npz, or a name",
    )


def _of_folder(path: Path) -> Source:
    """The reader that knows what a folder holds; a folder of class folders when none does."""
    try:
        names = [file.name for file in path.iterdir() if not file.name.startswith(".")]
    except OSError as error:
        raise DataError(
            f"'{path}' cannot be read: {error.strerror}", "check who may read it"
        ) from error
    shards = [path / name for name in names if is_tar(Path(name))]
    known: list[tuple[bool, Callable[[], Source]]] = [
        (is_idx(path), lambda: idx(path)),
        (is_cifar(path), lambda: cifar(path)),
        (any(name.endswith(".npy") and role(name[:-4]) for name in names), lambda: arrays(path)),
        (bool(shards) and holds_samples(shards[0]), lambda: webdataset(shards)),
        (is_imagenet(path), lambda: imagenet(path)),
    ]
    return next((read() for fits, read in known if fits), None) or folder(path)
