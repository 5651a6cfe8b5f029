"""Class weights of the loss, from the setting `train.class_weights`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from saccade.data.classes import labels_of
from saccade.data.item import Item
from saccade.data.loader import class_weights
from saccade.errors import RecipeError


def weights_of_classes(
    rule: str, items: Sequence[Item], classes: tuple[str, ...]
) -> tuple[float, ...] | None:
    """The weight of each class in the loss; `rule` is none, auto or as in "cat=2 dog=0.5"."""
    if rule == "none":
        return None
    counts = counts_of_classes(items, classes)
    return tuple(class_weights(counts, _rule(rule), classes).tolist())


def counts_of_classes(items: Sequence[Item], classes: tuple[str, ...]) -> list[int]:
    """How many of `items` carry each class."""
    counts = Counter(name for item in items for name in labels_of(item))
    return [counts[name] for name in classes]


def _rule(text: str) -> str | dict[str, float]:
    if text == "auto":
        return text
    pairs = [pair.partition("=") for pair in text.split()]
    try:
        return {name: float(weight) for name, _, weight in pairs}
    except ValueError as error:
        hint = "write none, auto, or class=number with spaces between them"
        raise RecipeError(f"train.class_weights cannot be '{text}'", hint) from error
