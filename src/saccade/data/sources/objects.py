"""Objects of Python as data: arrays, lists, pairs, datasets of torch and of Hugging Face.

The one place that tells what data were given: their images, with labels and splits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from os import PathLike
from typing import Any, NamedTuple, TypeGuard

from saccade.data.image_objects import (
    IMAGES_HINT,
    described,
    encoded_images,
    file_of,
    is_array,
    is_image,
    is_path,
    one_image,
)
from saccade.data.item import EncodedImage, Item, Label
from saccade.data.sources.cells import COLUMNS
from saccade.data.sources.frame_images import holds_images, images_in_frame
from saccade.data.sources.frames import frame_table, is_frame, path_column_of
from saccade.data.sources.hugging_face import (
    IMAGES,
    hugging_face_row,
    is_hugging_face,
    is_named,
)
from saccade.data.sources.object_labels import label_of, listed_labels
from saccade.data.sources.split_names import split_of
from saccade.errors import DataError, UsageError

WHAT = (
    "give a path, a DataFrame with columns path and label, (images, labels), or a dataset of "
    "(image, label)"
)  # a hint
Data = Any  # a DataFrame, (images, labels), a dataset, an array, a list: what `samples` takes


class Sample(NamedTuple):
    """One image of what was given."""

    image: str | bytes  # a path, or the bytes of an image file
    label: Label = None
    split: str = ""


def images_in(given: Sequence[object]) -> Iterator[str | PathLike[str] | Item]:
    """Paths as they are, and the images of every other object as items.

    These have the name of their file or their place in the index of a frame, else their position.
    """
    number = 0
    for value in given:
        if isinstance(value, Item) or is_path(value):
            yield value  # type: ignore[misc]
            number += 1
            continue
        names = iter(_names_in(value))
        for sample in samples(_images_of(value) if is_frame(value) else value, labels=False):
            name = next(names, "")
            if isinstance(sample.image, str):
                yield sample.image
            else:
                yield Item(name or f"image {number}", None, EncodedImage(sample.image))
            number += 1


def _images_of(frame: Any) -> Any:
    """The images of a frame, or their paths."""
    if holds_images(frame):
        return images_in_frame(frame)
    table = frame_table(frame)
    column = path_column_of(table)
    return [cells[column] for _, cells in table.rows]


def _names_in(given: Any) -> list[str]:
    """What the images in an object are called, "" for those that have no name."""
    if is_frame(given) or _is_series(given):
        return [*map(str, getattr(given, "index", ()))]
    return [file_of(image) for image in (given if isinstance(given, list | tuple) else [given])]


def samples(data: Any, *, labels: bool = True, split: str = "") -> Iterator[Sample]:
    """The images of any object, with their labels unless these are not asked for."""
    if isinstance(data, Mapping) and data and all(map(_is_split, data)):
        for name, part in data.items():
            yield from samples(part, labels=labels, split=split_of(name) or "")
    elif is_hugging_face(data):
        for n in range(len(_listed(data))):
            image, label = hugging_face_row(data, n, labels)
            yield Sample(image, label, split)
    elif _are_pairs(data):
        what = f"{len(data)} parts in a row do not say which is for training and which for testing"
        raise DataError(what, "give {'train': (x_train, y_train), 'test': (x_test, y_test)}")
    elif _is_pair(data):
        yield from _of_pair(data, labels, split)
    elif is_image(data):
        yield from (Sample(image, None, split) for image in encoded_images(data, "the image"))
    else:
        yield from _of_dataset(data, labels, split)


def _is_split(name: object) -> bool:
    return isinstance(name, str) and split_of(name) is not None


def _is_pair(data: object) -> TypeGuard[tuple[Any, Any]]:
    """Whether this is (images, labels): a tuple of two, of which the second are labels."""
    if not isinstance(data, tuple) or len(data) != 2 or is_path(data[0]) or is_path(data[1]):
        return False
    images, labels = data
    several = isinstance(images, list | tuple) or is_array(images) or _is_series(images)
    return several and listed_labels(labels) is not None


def _are_pairs(data: object) -> TypeGuard[tuple[Any, ...]]:
    """Whether this is ((x, y), (x, y)) or (x, y, x, y): pairs without the names of splits."""
    if not isinstance(data, tuple):
        return False
    pairs = (data[:2], data[2:]) if len(data) == 4 else data
    lengths = [_is_pair(pair) and len(pair[0]) == len(pair[1]) for pair in pairs]
    return len(lengths) in (2, 3) and all(lengths)


def _of_pair(pair: tuple[Any, Any], labelled: bool, split: str) -> Iterator[Sample]:
    """The images of (images, labels), one label each."""
    images, labels = pair
    found = listed_labels(labels) or []
    if is_array(images):
        read = encoded_images(images, "the first of (images, labels)", several=True)
    else:
        read = (one_image(image, f"image {n}") for n, image in enumerate(_listed(images)))
    count = len(images)
    if count != len(found):
        raise DataError(f"there are {count:,} images and {len(found):,} labels", "give one each")
    for n, (image, value) in enumerate(zip(read, found, strict=True)):
        label = label_of(value, (), f"image {n}") if labelled else None
        yield Sample(image, label, split)


def _of_dataset(data: Any, labelled: bool, split: str) -> Iterator[Sample]:
    """The samples of a list, or of a map-style dataset of torch."""
    listed = _listed(data, labelled)
    if len(listed) == 0:
        raise DataError("there is no image in what was given", WHAT if labelled else IMAGES_HINT)
    classes = _classes(data)
    for n in range(len(listed)):
        sample = _sample_at(listed, n)
        image, value = _parts(sample)
        label = label_of(value, classes, f"image {n}") if labelled else None
        yield Sample(one_image(image, f"image {n}"), label, split)


def _sample_at(data: Any, n: int) -> Any:
    """Sample `n`; of a folder of images that nothing transforms its path, which is not read."""
    if is_named(data, "Subset") and hasattr(data, "indices"):
        return _sample_at(data.dataset, data.indices[n])
    plain_folder = is_named(data, "ImageFolder") and not data.transforms
    return data.samples[n] if plain_folder else data[n]


def _classes(data: Any) -> Sequence[str]:
    """The names of the classes of a dataset, or of the one that it is a part of."""
    if isinstance(names := getattr(data, "classes", None), list | tuple):
        return [str(name) for name in names]
    if isinstance(parts := getattr(data, "datasets", None), list | tuple):
        found = [_classes(part) for part in parts]
        if any(one != other for one, other in pairwise(found)):
            raise DataError("the datasets that are joined have other classes each", WHAT)
        return found[0] if found else ()
    return _classes(data.dataset) if hasattr(data, "dataset") else ()


def _parts(sample: Any) -> tuple[Any, Any]:
    """The image and the label of a sample: (image, label), (image,), a mapping, or the image."""
    if isinstance(sample, Mapping):
        image = next((key for key in IMAGES if key in sample), None)
        label = next((key for key in COLUMNS["label"] if key in sample), None)
        if image is None:
            keys = ", ".join(map(str, sample))
            raise DataError(f"a sample has no image: its keys are {keys}", "call one of them image")
        return sample[image], None if label is None else sample[label]
    if isinstance(sample, tuple | list) and len(sample) in (1, 2):
        return sample[0], sample[1] if len(sample) == 2 else None
    if isinstance(sample, tuple | list):
        what = f"a sample has {len(sample)} parts"
        raise DataError(what, "a sample is (image, label), or a mapping with these keys")
    return sample, None


def _listed(data: Any, labelled: bool = True) -> Any:
    """What was given as something with a length and places; raises `UsageError` for all else."""
    if _is_series(data):
        return data.tolist()
    if is_named(data, "DataLoader"):
        raise UsageError("data cannot be a DataLoader", "give its dataset: loader.dataset")
    if callable(getattr(data, "__len__", None)) and callable(getattr(data, "__getitem__", None)):
        if not isinstance(data, Mapping | str):
            return data
    elif callable(getattr(data, "__iter__", None)):
        what = "data" if labelled else "images"
        hint = f"list it first, as in list(itertools.islice({what}, 1000))"
        raise UsageError(f"{what} cannot be {described(data)}, which has no length", hint)
    if not labelled:
        raise UsageError(f"images cannot be {described(data)}", IMAGES_HINT)
    raise UsageError(f"data cannot be {described(data)}", WHAT)


def _is_series(data: object) -> bool:
    """Whether this is a series of pandas, or an array of text or objects."""
    return callable(getattr(data, "tolist", None)) and not is_array(data)
