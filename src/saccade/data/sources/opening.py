"""Opening a source: which kind a path or a name is, and named data sets.

What is on the disk comes first (write `mnist::` for the data set where a folder has that name),
by what a path ends in, then by what a folder holds.  After `::` stands what a path cannot tell:
`photos.csv::price=number`, the column to learn and its kind; `photos::(?P<label>[a-z]+)_` or
`files.txt::...`, the pattern that finds the label in a name; `mnist::folder`, where a named data
set lies; and how splits are told, see `data_spec`.

Named data sets are found in a folder or fetched from their publishers: MNIST (LeCun 1998),
Fashion-MNIST (Xiao 2017), Kuzushiji-MNIST (Clanuwat 2018), CIFAR-10 and -100 (Krizhevsky 2009).
Digests are those of the publishers and torchvision.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from saccade.data.classes import natural_sort_key, safe_name
from saccade.data.image_files import (
    ScanResult,
    holds_image,
    is_hidden,
    refuse_address,
    skip_reason,
    walk,
)
from saccade.data.item import ImageFile, Item, Skipped, Source
from saccade.data.sources.archive import archive, is_tar, is_zip
from saccade.data.sources.arrays import arrays, role
from saccade.data.sources.cifar import cifar, is_cifar
from saccade.data.sources.data_spec import COLUMNS, FOLDERS, OPTIONS, DataSpec, is_there
from saccade.data.sources.exports import TABLES, annotated_table, is_annotated, table_at
from saccade.data.sources.folder import folder, pattern
from saccade.data.sources.frames import frame_table, is_frame
from saccade.data.sources.imagenet import imagenet, is_imagenet
from saccade.data.sources.layout import NOT_A_CLASS
from saccade.data.sources.listing import Listing
from saccade.data.sources.mnist import digits, idx, is_idx
from saccade.data.sources.named import DATASETS, NAMED, named_dataset
from saccade.data.sources.split_columns import AUTO
from saccade.data.sources.split_names import split_of
from saccade.data.sources.table import detailed, listing_of, manifest_of, unlabelled
from saccade.data.sources.webdataset import expand, holds_samples, webdataset
from saccade.download import Notify, silent
from saccade.errors import DataError, UsageError
from saccade.files import text_of_name
from saccade.words import pluralize, shortened_text

ARRAYS = (".npy", ".npz")
MOST_COMPARED = 2000  # names beside one that is not there
IN_NO_ROW = "in no row of its tables"
PROBED = 8  # .tar files that show whether they are shards; the first may be empty


def open_source(data: str | Path | None, *, notify: Notify = silent) -> Source:
    """The source that `data` names: a path, a name, or nothing for the embedded digits.

    `notify` takes a line now and then while a named data set is downloaded.
    """
    if is_frame(data):
        return listing_of(frame_table(data), "frame")
    if data is None:
        return digits()
    spec = DataSpec.of(data)
    path = spec.path
    if _is_named_folder(spec) or not (is_there(path) or isinstance(data, Path)):
        return _open_name(spec, notify)
    if not is_there(path):
        raise DataError(f"there is no '{shortened_text(str(path))}'", _missing_hint(path))
    if table := _open_table(path, spec):
        return table
    spec.refuse_options(*COLUMNS, why=f"'{spec.name}' is not a table")
    if spec.selector:
        spec.refuse_options(*FOLDERS, why="a pattern tells the splits")
        return pattern(path, spec.selector)
    if path.is_file():
        return _open_file(path, spec)
    source = _open_folder(path, spec)
    if spec.name in NAMED:
        note = f"'{spec.name}' is the folder here; the data set of that name is '{spec.name}::'"
        source = replace(source, notes=(note, *source.notes))
    return source


def _open_table(path: Path, spec: DataSpec) -> Source | None:
    """What a table, an export or the tables of a folder tell; None where there is none."""
    columns = {
        "split": spec.options.get("split_column", AUTO),
        "group": spec.options.get("group_column"),
    }
    if spec.is_table:
        spec.refuse_options(*FOLDERS, why="a table tells its splits by a column")
        return manifest_of(path, spec.selector, **columns)
    asked = spec.selector or any(option in spec.options for option in COLUMNS)
    if not asked or not path.is_dir() or not is_annotated(path):
        return None
    source = detailed(annotated_table(path), path.resolve().name, spec.selector, **columns)
    if source is None:
        return None
    spec.refuse_options(*FOLDERS, why=f"the tables in '{spec.name}' tell labels and splits")
    return _with_rest(source, path)


def _is_named_folder(spec: DataSpec) -> bool:
    """Whether a data set is named by its name and where it lies, as in `mnist::folder`."""
    return spec.name in DATASETS and bool(spec.selector) and "(" not in spec.selector


def _open_name(spec: DataSpec, notify: Notify) -> Source:
    """A named data set, or the shards that a name with braces or a star stands for."""
    text = spec.name.removesuffix("::")
    are_shards = "*" in Path(text).name or "{" in Path(text).name
    if text not in NAMED and not are_shards:
        refuse_address(text)
        raise DataError(f"there is no '{shortened_text(text)}'", _missing_hint(Path(text)))
    spec.refuse_options(*OPTIONS, why=f"'{text}' is neither a table nor a folder")
    if text in DATASETS:
        return named_dataset(text, Path(spec.selector) if spec.selector else None, notify)
    if spec.selector:
        what = f"'{spec.selector}' does nothing: '{text}' is neither a table nor a folder"
        raise UsageError(what, f"write {shlex.quote(text)} alone")
    return digits() if text == "digits" else webdataset(expand(text))


def _missing_hint(path: Path) -> str:
    """What else may be meant where nothing is at `path`: what lies beside it, or a data set."""
    siblings = []
    with suppress(OSError, ValueError):
        siblings = [file.name for file in islice(path.parent.iterdir(), MOST_COMPARED)]
    plain = path.parent == Path() and not path.suffix
    by_case = {name.casefold(): name for name in [*(NAMED if plain else ()), *siblings]}
    near = get_close_matches(path.name.casefold(), by_case, n=3, cutoff=0.7)
    if near:
        meant = [by_case[name] for name in near]
        shown = (safe_name(str(path.parent / name)) for name in meant)
        return f"check the path; did you mean {', '.join(shown)}?"
    named = f"; data sets are {', '.join(sorted(NAMED))}" if plain else ""
    return f"check the path{named}"


def open_images(data: str | Path | None, *, notify: Notify = silent) -> Source:
    """As `open_source`, where no labels are needed: images or a table of them, or one file."""
    try:
        return open_source(data, notify=notify)
    except DataError:
        path, folders = Path(str(data)), True
        if path.is_dir():
            scan, folders = walk(path), False
        elif path.is_file() and path.suffix.lower() in TABLES:
            scan = unlabelled(table_at(path))
        elif path.is_file() and not skip_reason(path.name):
            scan = ScanResult([(path.name, ImageFile(path))])
        else:
            raise
        around = {part for name, _ in scan.images for part in name.split("/")[:-1]}
        if not scan.images or not (
            folders or all(NOT_A_CLASS.fullmatch(part) or split_of(part) for part in around)
        ):
            raise
    items = tuple(
        Item(name, None, image)
        for name, image in sorted(scan.images, key=lambda pair: natural_sort_key(pair[0]))
    )
    note = f"'{path}' is read as {pluralize(len(items), 'image')} without labels"
    return Listing(path.stem, (), {"all": items}, tuple(scan.skipped), (note,))


def absolute_location(data: str | Path | None) -> str | None:
    """What `data` names, to be found again from any folder."""
    if data is None:
        return None
    spec = DataSpec.of(data)
    if not is_there(spec.path) or _is_named_folder(spec):
        return str(data)
    located = text_of_name(str(spec.path.resolve()))
    return str(replace(spec, name=located))


def _open_file(path: Path, spec: DataSpec) -> Source:
    archived = is_zip(path) or is_tar(path)
    if is_tar(path) and is_cifar(path):
        spec.refuse_options(*FOLDERS, why=f"the batches in '{spec.name}' tell the splits")
        return cifar(path)
    if is_tar(path) and not spec.held_out and holds_samples(path):
        return webdataset([path])
    if archived:
        return archive(path, spec.held_out)
    spec.refuse_options(*OPTIONS, why=f"'{spec.name}' is neither a table nor a folder")
    if path.suffix.lower() in ARRAYS:
        return arrays(path)
    raise DataError(
        f"'{path}' is a file of no known kind",
        "data are a folder, a .csv or .tsv table, a .zip, .tar, .npy or .npz, or a name",
    )


def _open_annotated(path: Path, spec: DataSpec) -> Listing:
    """The images of a folder by its tables; by its folders where these hold no labels."""
    table = annotated_table(path)
    if not table.has_labels:
        source, columns = folder(path, spec.held_out), ", ".join(table.header)
        note = f"labels are the names of folders: the table has no column label but {columns}"
        return replace(source, notes=(*source.notes, note))
    spec.refuse_options(*FOLDERS, why=f"the tables in '{spec.name}' tell labels and splits")
    return _with_rest(listing_of(table, path.resolve().name), path)


def _with_rest(source: Listing, path: Path) -> Listing:
    """The source, read by the tables in a folder, with the images that are in none of them."""
    named = {item.name for split in source.splits for item in source.read(split)}
    named.update(entry.name for entry in source.skipped)
    rest = [Skipped(name, IN_NO_ROW) for name, _ in walk(path).images if name not in named]
    if not rest:
        return source
    note = f"{len(rest):,} images in '{path}' are {IN_NO_ROW}, such as '{rest[0].name}'"
    return replace(source, skipped=(*source.skipped, *rest), notes=(note, *source.notes))


def _open_folder(path: Path, spec: DataSpec) -> Listing:
    """The reader that knows what a folder holds; a folder of class folders when none does.

    Where there are images they are read, whatever else lies beside them.
    """
    try:
        names = [file.name for file in path.iterdir() if not is_hidden(file.name)]
    except OSError as error:
        raise DataError(
            f"'{path}' cannot be read: {error.strerror}", "check who may read it"
        ) from error
    shards = [path / name for name in names if is_tar(Path(name))]
    readers: list[tuple[bool, Callable[[], Listing]]] = [
        (is_idx(path), lambda: idx(path)),
        (is_cifar(path), lambda: cifar(path)),
        (any(name.endswith(".npy") and role(name[:-4]) for name in names), lambda: arrays(path)),
        (any(map(_may_be_shard, sorted(shards)[:PROBED])), lambda: webdataset(shards)),
    ]
    if {"recipe.toml", "split.csv"} <= {*names}:
        raise DataError(
            f"'{path}' is the folder of a run, which holds no images",
            "name the images, and the run where a trained network is asked for, as in: saccade "
            f"label-issues DATA --model {shlex.quote(str(path))}",
        )
    special = next((read for matches, read in readers if matches), None)
    if special is None:
        return _beside_tables(lambda: _read_images(path, spec), path, names)
    if not holds_image(path):
        spec.refuse_options(*FOLDERS, why=f"the files in '{spec.name}' tell the splits")
        return special()
    try:
        return _read_images(path, spec)
    except DataError as error:
        if spec.held_out:
            raise
        with suppress(DataError):
            source = special()
            note = f"the image files in '{path}' are not read: {error.what}"
            return replace(source, notes=(note, *source.notes))
        raise


def _read_images(path: Path, spec: DataSpec) -> Listing:
    """The images of a folder by its tables, its synsets or its folders."""
    if is_annotated(path):
        return _open_annotated(path, spec)
    if is_imagenet(path) and not spec.held_out:
        return imagenet(path)
    return folder(path, spec.held_out)


def _beside_tables(read: Callable[[], Listing], path: Path, names: Sequence[str]) -> Listing:
    """What `read` gives; where that is no two classes, a table beside the images is named."""
    tables = [path / name for name in sorted(names) if name.lower().endswith((".csv", ".tsv"))]
    if not tables:
        return read()
    hint = f"'{tables[0]}' lies beside the images and may tell their labels"
    try:
        source = read()
    except DataError as error:
        raise DataError(error.what, f"{error.hint}; {hint}") from error
    one = len(source.classes) == 1 and not is_annotated(path)
    return replace(source, notes=(*source.notes, hint)) if one else source


def _may_be_shard(path: Path) -> bool:
    """Whether a .tar looks like a shard, or cannot be read, which its reader will say."""
    try:
        return holds_samples(path)
    except DataError:
        return True
