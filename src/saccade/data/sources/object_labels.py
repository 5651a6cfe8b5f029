"""Labels as Python has them: names, numbers of classes, numbers, marks of several classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from saccade.data.classes import class_name
from saccade.data.image_objects import described, is_image
from saccade.data.item import Label
from saccade.errors import DataError

HINT = (
    "whole numbers or text are classes, floats are numbers; several classes are a list of text, or "
    "0s and 1s"
)


class Marks(tuple[str, ...]):
    """The classes that 0s and 1s mark; who means one class an image may have written one 1 each."""


def label_of(value: Any, classes: Sequence[str], place: str) -> Label:
    """The label that a value is; whole numbers are positions in `classes`, where there are some.

    Raises `DataError` for what is no label; `place` says of what, for the message.
    """
    value = plain(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str) and value.strip():
        return class_name(value.strip())
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, int):
        return _class_at(int(value), classes, place)  # True and False are 1 and 0
    if isinstance(value, list) and value and not isinstance(value[0], list):
        return _of_several(value, classes, place)
    raise DataError(f"the label of {place} is {_shown(value)}", HINT)


def plain(value: Any) -> Any:
    """A value without NumPy and torch around it, a tuple as a list."""
    if isinstance(value, np.ndarray | np.generic | Tensor):
        return value.tolist()
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def listed_labels(values: object) -> list[Any] | None:
    """The labels of several images, one each; None for what is no list of labels."""
    if isinstance(values, np.ndarray | Tensor):
        return list(values) if values.ndim in (1, 2) else None
    if callable(getattr(values, "tolist", None)):  # of pandas
        values = values.tolist()  # type: ignore[attr-defined]
    if not isinstance(values, list | tuple):
        return None
    return None if any(map(is_image, values)) else list(values)


def _class_at(position: int, classes: Sequence[str], place: str) -> str:
    if not classes:
        return str(position)
    if 0 <= position < len(classes):
        return class_name(classes[position])
    raise DataError(
        f"the label of {place} is {position}, and there are {len(classes)} names of classes",
        "the first class is 0",
    )


def _of_several(values: list[Any], classes: Sequence[str], place: str) -> Label:
    if all(isinstance(value, str) and value.strip() for value in values):
        return tuple(dict.fromkeys(class_name(value.strip()) for value in values))
    if len(values) == 1:
        return label_of(values[0], classes, place)
    marks = all(isinstance(value, int | float) and value in (0, 1) for value in values)
    names = classes or [str(position) for position in range(len(values))]
    if not marks or len(names) != len(values):
        raise DataError(f"the label of {place} is {_shown(values)}", HINT)
    return Marks(class_name(name) for name, mark in zip(names, values) if mark)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return "empty text"
    return str(value) if isinstance(value, float) else described(value)
