"""Datasets of Hugging Face, known by their features; the library itself is not imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from saccade.data.image_objects import one_image
from saccade.data.item import Label
from saccade.data.sources.cells import COLUMNS
from saccade.data.sources.object_labels import label_of, plain
from saccade.errors import DataError

IMAGES = ("image", "img", *COLUMNS["path"])  # keys of a sample that is a mapping


def is_hugging_face(data: object) -> bool:
    """Whether this is a dataset of Hugging Face: rows with features of named kinds."""
    return isinstance(getattr(data, "features", None), Mapping) and hasattr(data, "column_names")


def is_named(data: object, name: str) -> bool:
    """Whether a class of this name, which may not be imported here, is among those of `data`."""
    return any(kind.__name__ == name for kind in type(data).__mro__)


def hugging_face_row(data: Any, n: int, labelled: bool) -> tuple[str | bytes, Label]:
    """The image of row `n` and, where it is asked for, its label; by the kinds of the features."""
    image = _feature(data.features, "Image", IMAGES)
    if image is None:
        columns = ", ".join(data.features)
        what = f"no column of the dataset is of images: there are {columns}"
        raise DataError(what, "call the one of images image")
    label = _feature(data.features, "ClassLabel", COLUMNS["label"]) if labelled else None
    row, place = data[n], f"image {n}"
    value = None if label is None else _label(data.features[label], row[label], place)
    return _image(row[image], place), value


def _feature(features: Mapping[str, Any], kind: str, names: Sequence[str]) -> str | None:
    """The column of this kind, or else by its name; raises `DataError` for several."""
    found = [name for name, feature in features.items() if is_named(feature, kind)]
    called = [name for name in names if name in features]
    best = [name for name in called if name in found] or found or called
    if len(found) > 1 and best[0] not in called:
        what = f"the columns {', '.join(found)} of the dataset are all of the kind {kind}"
        raise DataError(what, f"rename the one that is meant to {names[0]}")
    return best[0] if best else None


def _image(value: Any, place: str) -> str | bytes:
    """An image decoded, or as it is stored, with bytes or a path."""
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if value is None:
        raise DataError(f"{place} is missing in the dataset", "filter such rows out")
    return one_image(value, place)


def _label(feature: Any, value: Any, place: str) -> Label:
    """The label of a row; a whole number is the name that its feature has for it."""
    value = plain(value)
    names = getattr(getattr(feature, "feature", feature), "names", None) or ()
    if isinstance(value, list) and names and all(isinstance(one, int) for one in value):
        return tuple(str(label_of(one, names, place)) for one in value)
    if value == -1 and names:  # how such datasets say that a label is kept secret
        return None
    return label_of(value, names, place)
