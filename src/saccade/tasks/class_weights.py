"""Class weights of the loss, from the setting `train.class_weights`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from saccade.data.classes import class_name, labels_of
from saccade.data.item import Item
from saccade.data.loader import class_weights
from saccade.errors import RecipeError

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf"
ENTRY = re.compile(rf'[\s,]*(?:"((?:[^"]|"")+)"|(.+?))\s*=\s*({NUMBER})(?=[\s,]|$)')


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
    """A name ends where `=number` and a blank, a comma or the end follow; quotes are taken off."""
    if text == "auto":
        return text
    weights: dict[str, float] = {}
    rest = text
    while rest.strip(" ,"):
        match = ENTRY.match(rest)
        if match is None:
            hint = "write none, auto, or class=number with spaces between them"
            raise RecipeError(f"train.class_weights cannot be '{text}'", hint)
        name = class_name((match[1] or "").replace('""', '"') or match[2])
        if name in weights:
            raise RecipeError(f"train.class_weights names the class '{name}' twice", "name it once")
        weights[name] = float(match[3])
        rest = rest[match.end() :]
    return weights
